import keras
import numpy as np
import pytest

from kerasseq import models

IMAGES = np.random.default_rng(0).random((2, 8, 12, 2), "float32")


def build(shape=(8, 12, 2), num_classes=3, **options):
    options = {"width": 4, "depth": 2, "seed": 0} | options
    if "heads" in options and num_classes == 3:
        num_classes = None
    return models.unet(shape, num_classes, **options)


@pytest.fixture(scope="module")
def paper():
    with keras.StatelessScope(initialize_variables=False):  # takes no memory
        model = models.unet(
            (572, 572, 1), 2, width=64, norm=None, padding="valid", dropout=0.5
        )
    keras.utils.clear_session()  # else they are initialized later
    return model


class TestPaper:
    """Ronneberger et al. (2015), figure 1."""

    def test_sizes(self, paper):
        assert paper.output_shape == (None, 388, 388, 2)
        shapes = [paper.get_layer(f"down_{k}_b").output.shape[1:] for k in (1, 2, 3, 4)]
        assert shapes == [
            (568, 568, 64),
            (280, 280, 128),
            (136, 136, 256),
            (64, 64, 512),
        ]
        assert paper.get_layer("bottom_b").output.shape[1:] == (28, 28, 1024)
        assert paper.get_layer("up_4_join").output.shape[1:] == (56, 56, 1024)

    def test_number_of_weights(self, paper):
        assert paper.count_params() == 31_030_658


class TestSizes:
    def test_next_good_size_is_named(self):
        with pytest.raises(ValueError, match="next one that does is 12 x 12.*9, 12"):
            build((9, 12, 2))
        with pytest.raises(ValueError, match=r"'valid'.*is 572 x 572.*571, 572"):
            build((571, 572, 1), depth=4, padding="valid")
        with pytest.raises(ValueError, match="is None x 16"):
            build((None, 13, 2))
        with pytest.raises(ValueError, match="is 4 x 4"):
            build((0, 4, 2))

    @pytest.mark.parametrize("depth", [1, 2])
    @pytest.mark.parametrize("upsampling", ["transposed", "bilinear"])
    def test_named_sizes_work_when_valid(self, depth, upsampling):
        options = {"depth": depth, "padding": "valid", "upsampling": upsampling}
        with pytest.raises(ValueError, match=r"next one that does is (\d+) x") as info:
            build((5, 5, 2), width=1, **options)
        side = int(str(info.value).split("does is ")[1].split(" x")[0])
        shape = build((side, side + 2**depth, 2), width=1, **options).output_shape
        assert min(shape[1:3]) > 0
        assert shape[2] - shape[1] == 2**depth
        with pytest.raises(ValueError, match="does not fit"):
            build((side - 2**depth, side, 2), width=1, **options)

    @pytest.mark.parametrize("upsampling", ["transposed", "bilinear"])
    def test_valid_outputs_see_no_border(self, upsampling):
        """Moved by four pixels, a part of the image gives a part of the output."""
        options = {"padding": "valid", "norm": None, "upsampling": upsampling}
        small, large = build((76, 76, 2), **options), build((84, 84, 2), **options)
        large.set_weights(small.get_weights())
        images = np.random.default_rng(1).random((1, 84, 84, 2), "float32")
        whole = np.asarray(large(images))
        part = np.asarray(small(images[:, 4:80, 8:]))
        height, width = part.shape[1:3]
        assert whole.shape[1] == height + 8
        np.testing.assert_allclose(
            part, whole[:, 4 : 4 + height, 8 : 8 + width], atol=1e-5
        )

    def test_any_size(self):
        fixed, free = build(), build((None, None, 2))
        np.testing.assert_allclose(free(IMAGES), fixed(IMAGES), atol=1e-6)
        for height in (16, 8):  # one graph for both
            assert free.predict_on_batch(np.zeros((1, height, 4, 2))).shape[1] == height

    @pytest.mark.parametrize(
        "options", [{"upsampling": "bilinear"}, {"deep_supervision": True}]
    )
    def test_what_resizes_wants_a_fixed_size(self, options):
        with pytest.raises(ValueError, match="need a fixed height and width"):
            build((None, None, 2), **options)


class TestNorms:
    @pytest.mark.parametrize("norm", ["batch", "layer", "instance", "group", None])
    def test_weights(self, norm):
        layer = build(norm=norm, width=16).get_layer("down_1_a")
        assert layer.use_bias == (norm is None)

    @pytest.mark.parametrize("norm", ["layer", "instance", "group"])
    def test_images_do_not_mix(self, norm):
        model = build(norm=norm)
        together = np.asarray(model(IMAGES, training=True))
        alone = np.asarray(model(IMAGES[:1], training=True))
        np.testing.assert_allclose(together[:1], alone, atol=1e-5)

    def test_groups_of_eight_channels(self):
        model = build(norm="group", width=16)
        assert model.get_layer("down_2_a_norm").groups == 4
        assert build(norm="group").get_layer("down_1_a_norm").groups == 1


class TestHeads:
    def test_each_has_its_channels(self):
        outputs = build(heads={"mask": 2, "distance": 1})(IMAGES)
        shapes = {name: tuple(x.shape) for name, x in outputs.items()}
        assert shapes == {"mask": (2, 8, 12, 2), "distance": (2, 8, 12, 1)}

    def test_may_have_the_name_of_the_input(self):
        assert build(heads={"image": 1})(IMAGES)["image"].shape == (2, 8, 12, 1)

    def test_deep_supervision(self):
        model = build((16, 24, 2), depth=3, deep_supervision=True)
        outputs = model(np.zeros((1, 16, 24, 2)))
        assert set(outputs) == {"mask", "mask_2", "mask_4"}
        assert {tuple(x.shape) for x in outputs.values()} == {(1, 16, 24, 3)}
        assert model.get_layer("mask_4_head").output.shape[1:] == (4, 6, 3)

    def test_deep_supervision_of_every_head(self):
        model = build(heads={"a": 2, "b": 1}, deep_supervision=True)
        channels = {name: x.shape[-1] for name, x in model.output.items()}
        assert channels == {"a": 2, "b": 1, "a_2": 2, "b_2": 1}

    def test_the_mask_alone_is_the_same(self):
        deep, plain = build(deep_supervision=True), build(heads={"mask": 3})
        by_name = {weight.path: weight for weight in deep.weights}
        plain.set_weights([by_name[weight.path] for weight in plain.weights])
        np.testing.assert_allclose(
            deep(IMAGES)["mask"], plain(IMAGES)["mask"], atol=1e-6
        )


class TestEncoder:
    def encoder(self):
        x = image = keras.Input((8, 12, 2))
        for name in ("full", "half", "quarter", "late_quarter", "eighth"):
            stride = 2 if name in ("half", "quarter", "eighth") else 1
            x = keras.layers.Conv2D(5, 3, stride, padding="same", name=name)(x)
        return keras.Model(image, x)

    def test_last_map_of_each_size_is_joined(self):
        encoder = self.encoder()
        model = build(encoder=encoder)
        assert model(IMAGES).shape == (2, 8, 12, 3)
        inner = model.get_layer("encoder")
        assert inner.output.keys() == {"0", "1", "2"}
        maps = inner(IMAGES)
        late = keras.Model(encoder.input, encoder.get_layer("late_quarter").output)
        np.testing.assert_array_equal(maps["2"], late(IMAGES))
        assert model.get_layer("up_1_join").output.shape[-1] == 5 + 4

    def test_weights_are_shared(self):
        encoder = self.encoder()
        before = np.asarray(build(encoder=encoder, include_rescaling=True)(IMAGES))
        model = build(encoder=encoder, include_rescaling=True)
        kernel = encoder.get_layer("half").kernel
        kernel.assign(kernel + 1)
        assert np.abs(model(IMAGES) - before).max() > 1e-3

    def test_application_of_keras(self, tmp_path):
        encoder = keras.applications.MobileNetV2(
            (32, 32, 3), alpha=0.35, include_top=False, weights=None
        )
        model = models.unet((32, 32, 3), 2, width=4, depth=4, encoder=encoder)
        images = np.random.default_rng(0).random((1, 32, 32, 3), "float32")
        expected = np.asarray(model(images))
        assert expected.shape == (1, 32, 32, 2)
        assert model.get_layer("up_1_join").output.shape[-1] == 3 + 4  # the image
        model.save(tmp_path / "unet.keras")
        again = keras.saving.load_model(tmp_path / "unet.keras")
        np.testing.assert_array_equal(again(images), expected)

    def test_errors(self):
        encoder = self.encoder()
        with pytest.raises(ValueError, match=r"inner one.*without maps of \[\(1, 1\)"):
            build((16, 16, 2), depth=4, encoder=self.other((16, 16, 2)))
        with pytest.raises(ValueError, match=r"built for.*encoder for \[\(8, 12, 2\)"):
            build((16, 12, 2), encoder=encoder)
        with pytest.raises(ValueError, match="fixed height"):
            build((None, None, 2), encoder=self.other((None, None, 2)))
        with pytest.raises(ValueError, match="`encoder` need.*padding='valid'"):
            build((18, 20, 2), encoder=encoder, padding="valid")

    def other(self, shape):
        image = keras.Input(shape)
        x = keras.layers.MaxPooling2D()(keras.layers.MaxPooling2D()(image))
        return keras.Model(image, keras.layers.MaxPooling2D()(x))


def test_dropout_only_in_training():
    model = build(dropout=0.5, norm=None)
    quiet = np.asarray(model(IMAGES))
    np.testing.assert_array_equal(model(IMAGES, training=False), quiet)
    assert np.abs(model(IMAGES, training=True) - quiet).max() > 1e-4


def test_rescaling():
    plain, rescaling = build(), build(include_rescaling=True)
    np.testing.assert_allclose(
        rescaling(255 * IMAGES), plain(2 * IMAGES - 1), atol=1e-5
    )


def test_seed_makes_equal_weights():
    for a, b in zip(build().get_weights(), build().get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"norm": "none"}, "`norm` must be one of.*norm='none'"),
        ({"padding": "full"}, "'same' or 'valid'.*padding='full'"),
        ({"upsampling": "nearest"}, "`upsampling` one of.*'nearest'"),
        ({"deep_supervision": True, "padding": "valid"}, "take `padding='same'`"),
        ({"num_classes": None}, "either `num_classes` or `heads"),
        ({"num_classes": 2, "heads": {"mask": 2}}, "either `num_classes` or `heads"),
        ({"heads": {}}, "either `num_classes` or `heads"),
        ({"heads": {"mask": 0}}, "positive.*{'mask': 0}"),
        ({"width": 0}, "positive.*width=0"),
        ({"depth": 0}, "positive.*depth=0"),
        ({"shape": (8, 12)}, r"channels.*input_shape=\(8, 12\)"),
        ({"shape": (8, 12, None)}, r"channels.*input_shape=\(8, 12, None\)"),
        ({"shape": (None, 12, 2), "padding": "valid"}, "fixed height and width"),
    ],
)
def test_bad_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        build(**options)
