import keras
import numpy as np
import pytest

from kerasseq import layers, models
from kerasseq.layers import _rwkv7_mixes

X = np.random.default_rng(0).normal(size=(2, 9, 6)).astype("float32")
VALUES = np.random.default_rng(3).normal(size=X.shape).astype("float32")
RANKS = {"decay_rank": 2, "rate_rank": 3, "value_rank": 2, "gate_rank": 3}


def trained(**options):
    """A layer whose weights are not those of the start, many of them zeros."""
    layer = layers.RWKV7(6, head_size=3, **RANKS, **options)
    layer.build(X.shape)
    generator = np.random.default_rng(1)
    for weight in layer.weights:
        weight.assign(weight + generator.normal(0, 0.3, weight.shape))
    return layer


class TestBasics:
    def test_shapes(self):
        layer = layers.RWKV7(6, head_size=3)
        assert layer(X).shape == layer.compute_output_shape(X.shape) == X.shape
        assert layer.state_size == [(6,), (2, 3, 3), (6,)]

    @pytest.mark.parametrize("state", [False, True])
    @pytest.mark.parametrize("value", [False, True])
    def test_what_it_returns(self, state, value):
        layer = trained(return_state=state, return_value=value)
        found = layer(X)
        spec = layer.compute_output_spec(keras.KerasTensor(X.shape))
        if not (state or value):
            assert found.shape == spec.shape == X.shape
            return
        assert len(found) == 1 + 3 * state + value
        assert [x.shape for x in found] == [x.shape for x in spec]
        assert len(layer.compute_mask(X)) == len(found)
        if value:
            normed = layer.ln1(X)
            before = np.concatenate([0 * X[:, :1], normed[:, :-1]], 1)
            mixed = normed + (before - normed) * np.asarray(layer.att.x_v)
            expected = mixed @ np.asarray(layer.att.value.kernel)
            np.testing.assert_allclose(found[-1], expected, atol=1e-5)

    @pytest.mark.parametrize("value_residual", [False, True])
    def test_weights_have_the_names_of_the_authors(self, value_residual):
        layer = layers.RWKV7(6, 3, value_residual=value_residual, name="block")
        layer.build(X.shape)
        low_rank = ["w0", "w1", "w2", "a0", "a1", "a2", "g1", "g2"]
        low_rank += ["v0", "v1", "v2"] * value_residual
        assert {weight.path.removeprefix("block/") for weight in layer.weights} == {
            *(f"{norm}/{x}" for norm in ("ln1", "ln2") for x in ("gamma", "beta")),
            *(f"att/x_{x}" for x in "rwkvag"),
            *(f"att/{x}" for x in (*low_rank, "k_k", "k_a", "r_k")),
            *(f"att/{x}/kernel" for x in ("receptance", "key", "value", "output")),
            *(f"att/ln_x/{x}" for x in ("gamma", "beta")),
            "ffn/x_k",
            *(f"ffn/{x}/kernel" for x in ("key", "value")),
        }

    def test_weights_start_as_published(self):
        layer = layers.RWKV7(9, head_size=3, depth=0.5, value_residual=True)
        layer.build((None, 5, 9))
        att, place, line = layer.att, np.arange(9) / 9, np.arange(9) / 8
        zigzag = np.array([-1, 0, 1] * 3)
        speed = -6 + 6 * line ** (1 + 0.5**0.3)
        for found, expected in [
            (att.x_r, 1 - place**0.1),
            (att.x_w, 1 - place**0.45),
            (att.x_k, 1 - place**0.35),
            (att.x_v, 1 - place**0.35),
            (att.x_a, 1 - place**0.45),
            (att.x_g, 1 - place**0.1),
            (att.w0, speed + 0.5 + 2.5 * zigzag),
            (att.a0, -0.19 + 0.3 * zigzag + 0.4 * (line - 0.5)),
            (att.v0, 0.73 - 0.4 * (line - 0.5)),
            (att.k_k, 0.71 - 0.1 * (line - 0.5)),
            (att.k_a, np.full(9, 1.02)),
            (att.r_k, np.full((3, 3), -0.04)),
            (layer.ffn.x_k, 1 - place ** (0.5**4)),
        ]:
            np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
        for empty in (att.w1, att.a1, att.v1, att.g1, att.output_projection.kernel):
            assert not np.any(empty)
        assert np.abs(att.receptance.kernel).max() <= 0.5 / 3
        assert 0.02 / 3 < np.abs(att.key.kernel).max() <= 0.05 / 3
        columns = np.asarray(att.w2)  # (32, 9), orthogonal
        expected = 0.01 * 32 / 9 * np.eye(9)
        np.testing.assert_allclose(columns.T @ columns, expected, atol=1e-5)

    @pytest.mark.parametrize(
        "units, ranks",
        [(64, [32] * 4), (768, [64, 64, 32, 128]), (2048, [96, 96, 64, 256])],
    )
    def test_ranks_are_those_of_published_models(self, units, ranks):
        found = [_rwkv7_mixes.default_rank(kind, units) for kind in "wavg"]
        assert found == ranks

    def test_is_causal(self):
        layer, changed = trained(), X.copy()
        changed[:, 5:] += np.random.default_rng(2).normal(size=changed[:, 5:].shape)
        before, after = layer(X), layer(changed)
        np.testing.assert_array_equal(before[:, :5], after[:, :5])
        assert np.abs(before[:, 5:] - after[:, 5:]).max() > 1e-2

    def test_is_the_body_of_a_language_model(self):
        body = layers.RWKV7(8, head_size=4, return_state=True)
        model = models.language_model(20, body, embedding_dim=8)
        assert models.state_names(model) == ["state_0", "state_1", "state_2"]

    @pytest.mark.slow
    def test_learns(self):
        keras.utils.set_random_seed(0)
        x = inputs = keras.Input((9, 6))
        outputs, value = layers.RWKV7(6, 3, **RANKS, return_value=True)(x)
        x = x + outputs
        rest = {"depth": 0.5, "value_residual": True}
        x = x + layers.RWKV7(6, 3, **RANKS, **rest)(x, first_value=value)
        model = keras.Model(inputs, x)
        target = np.cumsum(X, 1) / np.arange(1, 10)[None, :, None]
        model.compile(keras.optimizers.Adam(0.02), "mse", jit_compile=True)
        losses = model.fit(X, target, epochs=60, verbose=0).history["loss"]
        assert losses[-1] < 0.3 * losses[0]


class TestNumbers:
    @pytest.mark.parametrize("value_residual", [False, True])
    def test_whole_chunks_and_steps_are_equal(self, value_residual):
        layer = trained(return_state=True, value_residual=value_residual)

        def rows(first, last):
            return {"first_value": VALUES[:, first:last]} if value_residual else {}

        whole, *final = layer(X, **rows(0, 9))
        states, found = layer.get_initial_state(2), []
        for first, last in ((0, 4), (4, 6)):
            given = rows(first, last)
            y, *states = layer(X[:, first:last], initial_state=states, **given)
            found.append(y)
        for place in range(6, 9):
            given = {"first_value": VALUES[:, place]} if value_residual else {}
            y, states = layer.step(X[:, place], states, **given)
            found.append(y[:, None])
        np.testing.assert_allclose(np.concatenate(found, 1), whole, atol=1e-5)
        for x, y in zip(states, final, strict=True):
            np.testing.assert_allclose(x, y, atol=1e-5)

    def test_a_step_returns_its_value(self):
        layer = trained(return_state=True, return_value=True)
        *_, values = layer(X)
        _, states, value = layer.step(X[:, 0], layer.get_initial_state(2))
        assert len(states) == 3
        np.testing.assert_allclose(value, values[:, 0], atol=1e-6)

    def test_in_half_precision_the_state_is_float32(self):
        layer = trained(dtype="mixed_float16", return_state=True)
        kinds = ["float16", "float32", "float16"]
        _, *states = layer(X)
        given = [keras.backend.standardize_dtype(x.dtype) for x in states]
        assert given == kinds
        # No half precision on the way in: the difference would be 0.
        one = layer.step(X[:, 0], states)[1][1]
        states[1] = states[1] + 1e-5
        moved = layer.step(X[:, 0], states)[1][1] - one
        assert np.abs(moved).max() > 1e-6

    def test_inputs_without_any_difference_have_finite_gradients(self):
        """Keys are zeros there, and have no direction."""
        inputs = keras.Input((9, 6))
        model = keras.Model(inputs, inputs + trained()(inputs))
        model.layers[1].ln1.beta.assign([0.0] * 6)
        model.compile("sgd", "mse", jit_compile=True)
        model.fit(0 * X, X, verbose=0)
        assert all(np.isfinite(x).all() for x in model.get_weights())


class TestErrors:
    @pytest.mark.parametrize(
        "options",
        [
            {"units": 0},
            {"mlp_dim": 0},
            {"depth": -0.1},
            {"head_size": 3},
            {"head_size": 0},
            {"decay_rank": 0},
            {"rate_rank": 0},
            {"value_rank": 0},
            {"gate_rank": -1},
        ],
    )
    def test_arguments(self, options):
        ((name, value),) = options.items()
        with pytest.raises(ValueError, match=f"{name}={value!r}"):
            layers.RWKV7(**{"units": 4, "head_size": 2} | options)

    def test_values_of_a_block_that_is_not_the_first(self):
        with pytest.raises(ValueError, match="return_value=True"):
            layers.RWKV7(4, 2, value_residual=True, return_value=True)

    def test_values_where_none_are_expected(self):
        with pytest.raises(ValueError, match="value_residual=False"):
            layers.RWKV7(6, 3)(X, first_value=VALUES)
        with pytest.raises(ValueError, match="first_value of shape None"):
            layers.RWKV7(6, 3, value_residual=True)(X)

    def test_other_features(self):
        with pytest.raises(ValueError, match=r"units=4, inputs of shape \(2, 9, 6\)"):
            layers.RWKV7(4, 2)(X)

    def test_states_of_another_shape(self):
        layer = layers.RWKV7(6, 3)
        states = [x[:, :1] for x in layer.get_initial_state(2)]
        with pytest.raises(ValueError, match=r"RWKV7 .* Received: .*\(1, 3, 3\)"):
            layer(X, initial_state=states)
