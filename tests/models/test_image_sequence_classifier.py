import keras
import numpy as np
import pytest

from kerasseq import models

SHAPE = (3, 4, 2)
IMAGES = np.random.default_rng(0).integers(0, 256, (5, *SHAPE)).astype("float32")


def build(**options):
    return models.image_sequence_classifier(SHAPE, 3, **{"units": 8} | options)


def sequence(**options):
    """What the encoder reads of `IMAGES`, of a model that does not rescale."""
    model = build(include_rescaling=False, **options)
    read = keras.Model(model.input, model.get_layer("encoder").input)
    return np.asarray(read(IMAGES))


class TestBasics:
    def test_shapes(self):
        for as_sequence in ("rows", "pixels", "permuted"):
            assert build(as_sequence=as_sequence)(IMAGES).shape == (5, 3)
        assert sequence().shape == (5, 3, 8)
        assert sequence(as_sequence="pixels").shape == (5, 12, 2)

    def test_every_encoder_and_pooling(self):
        for arch in models.encoder_kinds():
            assert build(arch=arch)(IMAGES).shape == (5, 3), arch
        for pooling in ("last", "mean", "max", "attention"):
            assert build(pooling=pooling)(IMAGES).shape == (5, 3), pooling

    def test_cells_take_their_options(self):
        model = build(arch="irnn", recurrent_initializer="orthogonal")
        (layer,) = model.get_layer("encoder").recurrent_layers
        assert isinstance(layer.recurrent_initializer, keras.initializers.Orthogonal)

    def test_the_order_is_saved_with_the_model(self, tmp_path, monkeypatch):
        model = build(as_sequence="permuted", permutation_seed=5)
        model.save(tmp_path / "model.keras")
        monkeypatch.delattr(np.random, "RandomState")  # nothing is drawn anew
        loaded = keras.models.load_model(tmp_path / "model.keras")
        np.testing.assert_array_equal(loaded(IMAGES), model(IMAGES))

    def test_dropout_only_in_training(self):
        model = build(dropout=0.5)
        np.testing.assert_array_equal(model(IMAGES), model(IMAGES))
        trained = [np.asarray(model(IMAGES, training=True)) for _ in range(2)]
        assert not np.array_equal(*trained)

    def test_seed_makes_equal_weights(self):
        pairs = zip(build(seed=3).weights, build(seed=3).weights, strict=True)
        for a, b in pairs:
            np.testing.assert_array_equal(a, b)


class TestNumbers:
    def test_rows_and_pixels(self):
        image = IMAGES[1]
        np.testing.assert_array_equal(sequence()[1, 2], image[2].reshape(-1))
        pixels = sequence(as_sequence="pixels")[1]
        np.testing.assert_array_equal(pixels[4 * 2 + 3], image[2, 3])

    def test_permuted_is_one_order_of_the_pixels_for_all(self):
        # By hand, from the numbers that NumPy has given since its first release.
        order = [6, 11, 4, 10, 2, 8, 1, 7, 9, 3, 0, 5]
        pixels = sequence(as_sequence="pixels")
        permuted = sequence(as_sequence="permuted")
        np.testing.assert_array_equal(permuted, pixels[:, order])
        other = sequence(as_sequence="permuted", permutation_seed=1)
        assert not np.array_equal(other, permuted)
        np.testing.assert_array_equal(np.sort(other, 1), np.sort(pixels, 1))

    def test_rescaling(self):
        plain, rescaling = build(include_rescaling=False, seed=0), build(seed=0)
        np.testing.assert_allclose(rescaling(IMAGES), plain(IMAGES / 255), atol=1e-6)

    def test_last_is_the_final_state_of_both_directions(self):
        model = build(arch="bigru", include_rescaling=False)
        rows = IMAGES.reshape(5, 3, 8)
        _, forward, backward = model.get_layer("encoder")(rows)
        expected = model.get_layer("logits")(np.concatenate([forward, backward], -1))
        np.testing.assert_allclose(model(IMAGES), expected, atol=1e-5)

    def test_black_leaves_the_state_of_an_irnn(self):
        model = build(arch="irnn", as_sequence="pixels", kernel_initializer="he_normal")
        later = IMAGES.copy()
        later[:, 1:] = 0
        short = models.image_sequence_classifier(
            (1, 4, 2), 3, units=8, arch="irnn", as_sequence="pixels"
        )
        short.set_weights(model.get_weights())
        np.testing.assert_allclose(model(later), short(later[:, :1]), atol=1e-6)


class TestErrors:
    @pytest.mark.parametrize(
        "options, message",
        [
            ({"as_sequence": "columns"}, "rows, pixels, permuted.*'columns'"),
            ({"pooling": "first"}, "last, mean, max, attention.*pooling='first'"),
            ({"arch": "vit"}, "arch='vit'"),
            ({"units": 0}, "units=0"),
            ({"arch": "transformer", "units": 6}, "divide"),
        ],
    )
    def test_bad_arguments(self, options, message):
        with pytest.raises(ValueError, match=message):
            build(**options)

    @pytest.mark.parametrize("shape", [(3, 4), (3, None, 2), (3, 0, 2), (3, -4, -2)])
    def test_bad_shapes(self, shape):
        with pytest.raises(ValueError, match="height, width, channels"):
            models.image_sequence_classifier(shape, 3)

    def test_no_classes(self):
        with pytest.raises(ValueError, match="num_classes=0"):
            models.image_sequence_classifier(SHAPE, 0)
