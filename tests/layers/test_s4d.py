import keras
import numpy as np
import pytest

from kerasseq import layers, models

X = np.random.default_rng(0).normal(size=(2, 9, 6)).astype("float32")


class TestBasics:
    @pytest.mark.parametrize("gated", [True, False])
    def test_shapes(self, gated):
        layer = layers.S4D(8, state_dim=4, gated=gated)
        assert layer(X).shape == layer.compute_output_shape(X.shape) == (2, 9, 8)
        assert layer.state_size == [(6, 4)]
        assert layer.projection.kernel.shape == (6, 16 if gated else 8)

    def test_weights_start_as_published(self):
        """S4D-Lin: A_n = -1/2 + i pi n."""
        keras.utils.set_random_seed(0)
        layer = layers.S4D(8)
        layer.build((None, 5, 500))
        np.testing.assert_allclose(np.exp(layer.a_log.numpy()), 0.5, rtol=1e-6)
        row = np.pi * np.arange(32)
        np.testing.assert_allclose(layer.frequency.numpy(), np.tile(row, (500, 1)))
        sizes = np.exp(layer.delta_log.numpy())
        assert 1e-3 <= sizes.min() < 1.2e-3 and 0.09 < sizes.max() <= 0.1001
        assert np.median(sizes) == pytest.approx(0.01, rel=0.3)  # of logarithms
        weights = layer.output_weights.numpy()
        assert (weights**2).sum(0).mean() == pytest.approx(1, rel=0.05)
        assert layer.skip.numpy().std() == pytest.approx(1, rel=0.1)

    def test_is_causal(self):
        layer, changed = layers.S4D(4), X.copy()
        changed[:, 5:] += 1
        before, after = layer(X), layer(changed)
        np.testing.assert_allclose(before[:, :5], after[:, :5], atol=1e-6)
        assert np.abs(before[:, 5:] - after[:, 5:]).max() > 1e-4

    def test_is_the_body_of_a_language_model(self):
        body = layers.S4D(8, state_dim=4, return_state=True)
        model = models.language_model(20, body, embedding_dim=8)
        assert models.state_names(model) == ["state_0"]


class TestNumbers:
    @pytest.mark.parametrize("length", [9, 140])
    @pytest.mark.parametrize("discretization", ["zoh", "bilinear"])
    def test_whole_chunks_and_steps_are_equal(self, discretization, length):
        layer = layers.S4D(4, discretization=discretization, return_state=True)
        x = np.random.default_rng(1).normal(size=(2, length, 6)).astype("float32")
        whole, *final = layer(x)
        states, found = layer.get_initial_state(2), []
        for first, last in ((0, 4), (4, length - 3)):
            y, *states = layer(x[:, first:last], initial_state=states)
            found.append(y)
        for place in range(length - 3, length):
            y, states = layer.step(x[:, place], states)
            found.append(y[:, None])
        np.testing.assert_allclose(np.concatenate(found, 1), whole, atol=1e-5)
        for x, y in zip(states, final, strict=True):
            np.testing.assert_allclose(x, y, atol=1e-5)

    def test_half_precision_rounds_neither_parameters_nor_state(self):
        keras.utils.set_random_seed(0)
        layer = layers.S4D(4, return_state=True)
        layer(X)
        half = layers.S4D(4, dtype="mixed_float16", return_state=True)
        half.build(X.shape)
        half.set_weights(layer.get_weights())
        x = X.astype("float16")
        outputs, state = half(x)
        assert (outputs.dtype, state.dtype) == ("float16", "float32")
        assert half.get_initial_state(2)[0].dtype == "float32"
        _, expected = layer(x.astype("float32"))
        np.testing.assert_allclose(state, expected, atol=1e-6)


class TestErrors:
    @pytest.mark.parametrize(
        "options",
        [
            {"units": 0},
            {"state_dim": 0},
            {"state_dim": 5},
            {"delta_min": 0.0},
            {"delta_min": 0.2},
            {"discretization": "euler"},
        ],
    )
    def test_arguments(self, options):
        ((name, value),) = options.items()
        with pytest.raises(ValueError, match=f"{name}={value!r}"):
            layers.S4D(**{"units": 4} | options)

    def test_states_of_another_shape(self):
        layer = layers.S4D(4)
        layer.build(X.shape)
        states = [x[:, :2] for x in layer.get_initial_state(2)]
        with pytest.raises(ValueError, match="Received: .*2, 64"):
            layer(X, initial_state=states)

    def test_the_state_is_known_once_it_is_built(self):
        with pytest.raises(ValueError, match="build it first"):
            layers.S4D(4).get_initial_state(2)
