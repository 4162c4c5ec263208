import keras
import numpy as np
import pytest

from kerasseq import layers, models

X = np.random.default_rng(0).normal(size=(2, 9, 6)).astype("float32")


class TestBasics:
    def test_shapes(self):
        layer = layers.Mamba(8, state_dim=3)
        assert layer(X).shape == layer.compute_output_shape(X.shape) == (2, 9, 8)
        assert layer.state_size == [(3, 16), (3, 16)]

    def test_weights_start_as_published(self):
        keras.utils.set_random_seed(0)
        layer = layers.Mamba(64)
        layer.build((None, 5, 64))
        rows = np.exp(layer.a_log.numpy())
        np.testing.assert_allclose(rows, np.tile(np.arange(1, 17), (128, 1)), rtol=1e-6)
        assert (layer.skip.numpy() == 1).all()
        sizes = np.log1p(np.exp(layer.delta_projection.bias.numpy()))
        assert 1e-3 <= sizes.min() < 2e-3 and 0.05 < sizes.max() <= 0.1001
        assert np.median(sizes) == pytest.approx(0.01, rel=0.5)  # of logarithms
        assert layer.delta_projection.kernel.shape == (4, 128)
        assert np.abs(layer.delta_projection.kernel.numpy()).max() <= 4**-0.5
        assert layer.in_projection.bias is layer.out_projection.bias is None

    def test_is_causal(self):
        layer, changed = layers.Mamba(4), X.copy()
        changed[:, 5:] += 1
        before, after = layer(X), layer(changed)
        np.testing.assert_array_equal(before[:, :5], after[:, :5])
        assert np.abs(before[:, 5:] - after[:, 5:]).max() > 1e-4

    def test_is_the_body_of_a_language_model(self):
        body = layers.Mamba(8, state_dim=3, return_state=True)
        model = models.language_model(20, body, embedding_dim=8)
        assert models.state_names(model) == ["state_0", "state_1"]


class TestNumbers:
    @pytest.mark.parametrize("discretization", ["euler", "zoh"])
    def test_whole_chunks_and_steps_are_equal(self, discretization):
        options = {"discretization": discretization, "return_state": True}
        layer = layers.Mamba(4, state_dim=3, **options)
        whole, *final = layer(X)
        states, found = layer.get_initial_state(2), []
        for first, last in ((0, 4), (4, 6)):
            y, *states = layer(X[:, first:last], initial_state=states)
            found.append(y)
        for place in range(6, 9):
            y, states = layer.step(X[:, place], states)
            found.append(y[:, None])
        np.testing.assert_allclose(np.concatenate(found, 1), whole, atol=1e-5)
        for x, y in zip(states, final, strict=True):
            np.testing.assert_allclose(x, y, atol=1e-5)

    def test_in_half_precision_the_state_is_float32(self):
        layer = layers.Mamba(4, dtype="mixed_float16", return_state=True)
        outputs, before, state = layer(X)
        assert (outputs.dtype, before.dtype) == ("float16", "float16")
        assert state.dtype == layer.get_initial_state(2)[1].dtype == "float32"


class TestErrors:
    @pytest.mark.parametrize(
        "options",
        [
            {"units": 0},
            {"state_dim": 0},
            {"delta_rank": 0},
            {"expansion": -1},
            {"kernel_size": 1},
            {"delta_min": 0.0},
            {"delta_min": 0.2},
            {"delta_floor": 0.0},
            {"discretization": "bilinear"},
        ],
    )
    def test_arguments(self, options):
        ((name, value),) = options.items()
        with pytest.raises(ValueError, match=f"{name}={value!r}"):
            layers.Mamba(**{"units": 4} | options)

    def test_states_of_another_shape(self):
        layer = layers.Mamba(4)
        states = [x[:, :2] for x in layer.get_initial_state(2)]
        with pytest.raises(ValueError, match="Received: .*2, 8"):
            layer(X, initial_state=states)
