import math

import keras
import numpy as np
import pytest

from kerasseq import layers


def zeros(length, features=8):
    return np.zeros((2, length, features), "float32")


def model_of(grid_shape, **options):
    tokens = keras.Input((options.get("num_prefix", 0) + math.prod(grid_shape), 8))
    layer = layers.GridPositions(grid_shape, name="positions", **options)
    return keras.Model(tokens, layer(tokens))


class TestLearned:
    def test_prefix_then_rows_of_the_grid(self):
        layer = layers.GridPositions((2, 3), num_prefix=1)
        layer.build((None, 7, 4))
        prefix = np.array([[-1.0, -2, -3, -4]])
        grid = np.arange(24.0).reshape(2, 3, 4)
        layer.set_weights([prefix, grid])
        outputs = np.asarray(layer(zeros(7, 4) + 0.5)) - 0.5
        np.testing.assert_array_equal(outputs[1], outputs[0])
        np.testing.assert_array_equal(outputs[0, :1], prefix)
        np.testing.assert_array_equal(outputs[0, 4], grid[1, 0])

    def test_no_prefix(self):
        layer = layers.GridPositions((2, 3))
        assert layer(zeros(6)).shape == (2, 6, 8)
        assert [tuple(w.shape) for w in layer.weights] == [(2, 3, 8)]

    def test_initializer(self):
        layer = layers.GridPositions((20, 20))
        assert abs(np.std(layer(zeros(400))) - 0.02) < 0.001
        assert np.all(layers.GridPositions((2, 2), initializer="ones")(zeros(4)) == 1)


class TestLoading:
    @pytest.mark.parametrize("num_prefix", [0, 1])
    def test_same_grid_gives_the_same_bits(self, num_prefix, tmp_path):
        model = model_of((3, 4), num_prefix=num_prefix)
        model.save_weights(tmp_path / "model.weights.h5")
        again = model_of((3, 4), num_prefix=num_prefix)
        again.load_weights(tmp_path / "model.weights.h5")
        for old, new in zip(model.get_weights(), again.get_weights(), strict=True):
            np.testing.assert_array_equal(old, new)

    @pytest.mark.parametrize("other", [(6, 8), (2, 3), (3, 5)])
    @pytest.mark.parametrize("suffix", [".weights.h5", ".keras"])
    def test_other_grid_is_interpolated(self, other, suffix, tmp_path):
        path, model = tmp_path / f"model{suffix}", model_of((3, 4), num_prefix=1)
        save = model.save if suffix == ".keras" else model.save_weights
        save(path)
        again = model_of(other, num_prefix=1)
        again.load_weights(path)
        prefix, grid = model.get_weights()
        found_prefix, found = again.get_weights()
        np.testing.assert_array_equal(found_prefix, prefix)
        expected = keras.ops.image.resize(grid, other, interpolation="bicubic")
        np.testing.assert_allclose(found, expected, atol=1e-6)

    def test_interpolation_meets_the_places_it_knows(self, tmp_path):
        """A slope stays a slope: places are measured from the image's border."""
        model, again = model_of((6, 6)), model_of((12, 12))
        slope = np.broadcast_to(np.arange(6.0)[:, None, None] + 0.5, (6, 6, 8))
        model.set_weights([slope])
        model.save_weights(tmp_path / "model.weights.h5")
        again.load_weights(tmp_path / "model.weights.h5")
        (found,) = again.get_weights()
        expected = (np.arange(12) + 0.5) / 2
        np.testing.assert_allclose(found[3:-3, 5, 0], expected[3:-3], atol=1e-5)

    def test_half_precision(self, tmp_path):
        model = model_of((2, 2), dtype="bfloat16")
        model.save_weights(tmp_path / "model.weights.h5")
        again = model_of((4, 4), dtype="bfloat16")
        again.load_weights(tmp_path / "model.weights.h5")
        assert np.isfinite(again.get_weights()[0].astype("float32")).all()

    def test_other_prefix(self):
        layer = layers.GridPositions((2, 2), num_prefix=1, name="positions")
        layer(zeros(5))
        with pytest.raises(ValueError, match="'positions' expected 2 variables"):
            layer.load_own_variables({"0": np.zeros((3, 3, 8))})


class TestSinusoidal:
    def test_by_hand(self):
        """Eight features: frequencies 1 and 1/10,000 of column, then of row."""
        layer = layers.GridPositions((2, 3), kind="sinusoidal", num_prefix=1)
        outputs = np.asarray(layer(zeros(7)))
        assert not layer.weights
        np.testing.assert_array_equal(outputs[:, 0], 0)  # the prefix gets none
        np.testing.assert_allclose(outputs[0, 1], [0, 0, 1, 1, 0, 0, 1, 1])
        x, y, slow = 2, 1, 1e-4
        expected = [math.sin(x), math.sin(x * slow), math.cos(x), math.cos(x * slow)]
        expected += [math.sin(y), math.sin(y * slow), math.cos(y), math.cos(y * slow)]
        np.testing.assert_allclose(outputs[0, 6], expected, atol=1e-7)

    def test_four_features(self):
        outputs = layers.GridPositions((1, 2), kind="sinusoidal")(zeros(2, 4))
        expected = [math.sin(1), math.cos(1), 0, 1]
        np.testing.assert_allclose(outputs[1, 1], expected, atol=1e-7)

    def test_file_of_another_grid(self, tmp_path):
        model_of((2, 2), kind="sinusoidal").save_weights(tmp_path / "a.weights.h5")
        model_of((3, 2), kind="sinusoidal").load_weights(tmp_path / "a.weights.h5")


@pytest.mark.parametrize("kind", ["learned", "sinusoidal"])
def test_config_and_half_precision(kind):
    layer = layers.GridPositions([2, 3], kind, num_prefix=1, dtype="mixed_float16")
    again = layers.GridPositions.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    assert again(zeros(7)).dtype == "float16"


class TestErrors:
    @pytest.mark.parametrize(
        "options, message",
        [
            ({"grid_shape": (2, 2), "kind": "none"}, "one of.*kind='none'"),
            ({"grid_shape": (2, 2, 2)}, r"two positive.*grid_shape=\(2, 2, 2\)"),
            ({"grid_shape": (2, 0)}, r"two positive.*grid_shape=\(2, 0\)"),
            ({"grid_shape": (2, 2), "num_prefix": -1}, "num_prefix=-1"),
        ],
    )
    def test_arguments(self, options, message):
        with pytest.raises(ValueError, match=message):
            layers.GridPositions(**options)

    def test_length(self):
        with pytest.raises(ValueError, match=r"2 x 3 with 1.*7, features.*\(2, 6, 8\)"):
            layers.GridPositions((2, 3), num_prefix=1)(zeros(6))
        with pytest.raises(ValueError, match=r"shape \(2, 6\)"):
            layers.GridPositions((2, 3))(zeros(6)[..., 0])

    def test_features(self):
        with pytest.raises(ValueError, match="four divides.*6 features"):
            layers.GridPositions((2, 3), "sinusoidal")(zeros(6, 6))
