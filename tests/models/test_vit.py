import keras
import numpy as np
import pytest

from kerasseq import models

SHAPE = (8, 12, 2)
IMAGES = np.random.default_rng(0).random((4, *SHAPE), "float32")


def build(shape=SHAPE, num_classes=3, **options):
    sizes = {"patch_size": 4, "hidden_dim": 8, "num_layers": 2, "mlp_dim": 12}
    return models.vit(shape, num_classes, **sizes | {"seed": 0} | options)


def all_ones(model):
    """Opens every path: no weight is zero."""
    generator = np.random.default_rng(1)
    model.set_weights([generator.normal(1, 0.3, w.shape) for w in model.weights])
    return model


class TestSizes:
    @pytest.mark.parametrize(
        "size, parameters",
        [("tiny", 5_717_416), ("small", 22_050_664), ("base", 86_567_656)],
    )
    def test_numbers_of_weights_are_the_published_ones(self, size, parameters):
        with keras.StatelessScope(initialize_variables=False):  # takes no memory
            model = models.vit((224, 224, 3), 1000, size)
        keras.utils.clear_session()  # else they are initialized later
        assert model.count_params() == parameters

    def test_outputs(self):
        assert build()(IMAGES).shape == (4, 3)
        assert build(pooling="mean")(IMAGES).shape == (4, 3)
        tokens = build(num_classes=None)(IMAGES)
        assert tokens.shape == (4, 7, 8)
        np.testing.assert_allclose(np.mean(tokens, -1), 0, atol=1e-6)
        assert build(num_classes=None, pooling="mean")(IMAGES).shape == (4, 6, 8)

    def test_layers_by_name(self):
        model = build(include_rescaling=True)
        names = [layer.name for layer in model.layers]
        block = ["norm_1", "attention", "norm_2", "mlp_1", "mlp_2"]
        expected = ["rescaling", "patches", "class_token", "positions"]
        expected += [f"block_{k}_{part}" for k in (1, 2) for part in block]
        expected += ["norm", "pool", "logits"]
        assert [name for name in names if name in expected] == expected
        assert not {"rescaling", "class_token"} & {
            layer.name for layer in build(pooling="mean").layers
        }
        assert "logits" not in [x.name for x in build(num_classes=None).layers]

    @pytest.mark.parametrize("stem", ["patch", "convolution"])
    def test_grid_of_patches(self, stem):
        assert build(stem=stem).get_layer("patches").output.shape[1:] == (2, 3, 8)

    def test_stem_halves_until_the_patch_size(self):
        model = build(stem="convolution", hidden_dim=32)
        shapes = [model.get_layer(f"stem_{k}").output.shape[1:] for k in (1, 2)]
        assert shapes == [(4, 6, 16), (2, 3, 32)]

    def test_rescaling(self):
        plain, rescaling = build(), build(include_rescaling=True)
        np.testing.assert_allclose(
            rescaling(255 * IMAGES), plain(2 * IMAGES - 1), atol=1e-5
        )


class TestTraining:
    @pytest.mark.parametrize(
        "rate", ["dropout", "attention_dropout", "stochastic_depth"]
    )
    def test_drops_only_in_training(self, rate):
        model = all_ones(build(**{rate: 0.5}))
        quiet = np.asarray(model(IMAGES))
        np.testing.assert_array_equal(model(IMAGES, training=False), quiet)
        np.testing.assert_allclose(all_ones(build())(IMAGES), quiet, atol=1e-5)
        assert np.abs(model(IMAGES, training=True) - quiet).max() > 1e-3

    def test_stochastic_depth_takes_whole_branches_of_an_image(self):
        model = build(num_layers=3, stochastic_depth=0.5)
        names = [x.name for x in model.layers if "stochastic_depth" in x.name]
        assert names == [
            f"block_{block}_{part}_stochastic_depth"
            for block in (2, 3)  # the first block is always there
            for part in ("attention", "mlp")
        ]
        assert [model.get_layer(name).rate for name in names] == [0.25] * 2 + [0.5] * 2
        layer = model.get_layer("block_3_mlp_stochastic_depth")
        kept = np.asarray(layer(np.ones((200, 7, 8)), training=True))
        share = kept.mean((1, 2))
        assert set(np.unique(share)) == {0.0, 2.0}  # all or nothing, and scaled
        assert 0.35 < np.mean(share == 0) < 0.65

    def test_learns_in_half_precision(self):
        keras.config.set_dtype_policy("mixed_bfloat16")
        try:
            model = build(num_layers=1, dropout=0.1)
            loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
            model.compile(keras.optimizers.Adam(0.01), loss, jit_compile=False)
            targets = np.array([0, 1, 2, 0])
            losses = [model.train_on_batch(IMAGES, targets) for _ in range(15)]
        finally:
            keras.config.set_dtype_policy("float32")
        assert losses[-1] < losses[0]

    def test_seed_makes_equal_weights(self):
        for a, b in zip(build().get_weights(), build().get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"pooling": "mean", "stem": "convolution"},
        {"pooling": "mean", "positions": "sinusoidal"},
    ],
)
def test_weights_move_to_another_resolution(options, tmp_path):
    small, large = build(**options), build((16, 16, 2), **options | {"seed": 1})
    for weight in small.weights:
        weight.assign(weight + 1)
    small.save_weights(tmp_path / "vit.weights.h5")
    large.load_weights(tmp_path / "vit.weights.h5")
    for old, new in zip(small.weights, large.weights, strict=True):
        if old.name == "grid":
            assert (old.shape, new.shape) == ((2, 3, 8), (4, 4, 8))
            assert abs(np.mean(new) - 1) < 0.05
        else:
            np.testing.assert_array_equal(old, new)


class TestErrors:
    @pytest.mark.parametrize(
        "options, message",
        [
            ({"size": "huge"}, "must be one of.*'base'.*size='huge'"),
            ({"pooling": "max"}, "'token' or 'mean'.*pooling='max'"),
            ({"stem": "none"}, "'patch' or 'convolution'.*stem='none'"),
            ({"positions": "none"}, "'sinusoidal'.*kind='none'"),
            ({"num_layers": 0}, "Sizes must be positive"),
            ({"patch_size": 0}, "Sizes must be positive.*patch_size=0"),
            ({"num_classes": 0}, "Sizes must be positive.*num_classes=0"),
            ({"num_heads": 3}, "divide `hidden_dim`.*num_heads=3"),
            ({"shape": (None, 12, 2)}, r"fixed sizes.*\(None, 12, 2\)"),
            ({"shape": (8, 12)}, r"fixed sizes.*\(8, 12\)"),
            ({"shape": (9, 12, 2)}, "next size that fits is 12 x 12"),
            ({"stem": "convolution", "patch_size": 1}, "power of 2.*patch_size=1"),
            (
                {"stem": "convolution", "patch_size": 6, "shape": (6, 6, 2)},
                "power of 2.*patch_size=6",
            ),
        ],
    )
    def test_arguments(self, options, message):
        with pytest.raises(ValueError, match=message):
            build(**options)
