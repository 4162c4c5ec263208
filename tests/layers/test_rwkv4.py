import keras
import numpy as np
import pytest

from kerasseq import layers, models

X = np.random.default_rng(0).normal(size=(2, 9, 6)).astype("float32")


def trained(**options):
    """A layer whose weights are not those of the start, many of them zeros."""
    layer = layers.RWKV4(6, **options)
    layer.build(X.shape)
    generator = np.random.default_rng(1)
    for weight in layer.weights:
        weight.assign(weight + generator.normal(0, 0.5, weight.shape))
    return layer


class TestBasics:
    def test_shapes(self):
        layer = layers.RWKV4(6)
        assert layer(X).shape == layer.compute_output_shape(X.shape) == X.shape
        assert layer.state_size == [(6,)] * 5

    def test_weights_have_the_names_of_the_authors(self):
        layer = layers.RWKV4(6, name="block")
        layer.build(X.shape)
        assert {weight.path.removeprefix("block/") for weight in layer.weights} == {
            *(f"{norm}/{x}" for norm in ("ln1", "ln2") for x in ("gamma", "beta")),
            *(f"att/time_{x}" for x in ("decay", "first", "mix_k", "mix_v", "mix_r")),
            *(f"att/{x}/kernel" for x in ("key", "value", "receptance", "output")),
            *(f"ffn/time_{x}" for x in ("mix_k", "mix_r")),
            *(f"ffn/{x}/kernel" for x in ("key", "value", "receptance")),
        }

    def test_weights_start_as_published(self):
        layer = layers.RWKV4(9, depth=0.5)
        layer.build((None, 5, 9))
        att, ffn, place = layer.att, layer.ffn, np.arange(9) / 9
        assert att.time_decay[0] == -5 and att.time_decay[8] == 3
        assert float(att.time_decay[4]) == pytest.approx(-5 + 8 * 0.5**1.35)
        first = np.log(0.3) + np.array([0, 0.5, -0.5] * 3)
        np.testing.assert_allclose(att.time_first, first, rtol=1e-6)
        for found, expected in [
            (att.time_mix_k, place**0.5),
            (att.time_mix_v, place**0.5 + 0.15),
            (att.time_mix_r, place**0.25),
            (ffn.time_mix_k, place**0.5),
            (ffn.time_mix_r, place**0.5),
        ]:
            np.testing.assert_allclose(found, expected, rtol=1e-6)
        empty = (att.key, att.receptance, att.output_projection)
        for dense in (*empty, ffn.receptance, ffn.value):
            assert not np.any(dense.kernel)
        kernel = np.asarray(ffn.key.kernel)  # (9, 36), orthogonal rows of length 2
        np.testing.assert_allclose(kernel @ kernel.T, 4 * np.eye(9), atol=1e-5)

    def test_depth_one_and_one_unit(self):
        layer = layers.RWKV4(1, depth=1.0)
        assert np.isfinite(layer(X[..., :1])).all()

    def test_is_causal(self):
        layer, changed = trained(), X.copy()
        changed[:, 5:] += np.random.default_rng(2).normal(size=changed[:, 5:].shape)
        before, after = layer(X), layer(changed)
        np.testing.assert_array_equal(before[:, :5], after[:, :5])
        assert np.abs(before[:, 5:] - after[:, 5:]).max() > 1e-2

    def test_is_the_body_of_a_language_model(self):
        body = layers.RWKV4(8, return_state=True)
        model = models.language_model(20, body, embedding_dim=8)
        assert models.state_names(model) == [f"state_{k}" for k in range(5)]

    @pytest.mark.slow
    def test_learns(self):
        keras.utils.set_random_seed(0)
        x = inputs = keras.Input((9, 6))
        for depth in (0.0, 0.5):
            x = x + layers.RWKV4(6, depth=depth)(x)
        model = keras.Model(inputs, x)
        target = np.cumsum(X, 1) / np.arange(1, 10)[None, :, None]
        model.compile(keras.optimizers.Adam(0.02), "mse", jit_compile=True)
        losses = model.fit(X, target, epochs=60, verbose=0).history["loss"]
        assert losses[-1] < 0.3 * losses[0]


class TestNumbers:
    def test_whole_chunks_and_steps_are_equal(self):
        layer = trained(return_state=True)
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

    def test_in_half_precision_sums_are_float32(self):
        layer = trained(dtype="mixed_float16", return_state=True)
        kinds = ["float16", "float32", "float32", "float32", "float16"]
        _, *states = layer(X)
        given = [keras.backend.standardize_dtype(x.dtype) for x in states]
        assert given == kinds
        # A maximum that float16 would round, kept where no key is larger.
        layer.att.time_decay.assign([-30.0] * 6)
        states[3] = states[3] * 0 + 1000.1
        _, states = layer.step(X[:, 0], states)
        np.testing.assert_allclose(states[3], 1000.1, rtol=1e-6)
        assert [x.dtype for x in layer.compute_output_spec(keras.Input((9, 6)))] == [
            "float16",
            *kinds,
        ]


class TestErrors:
    @pytest.mark.parametrize(
        "options", [{"units": 0}, {"mlp_dim": 0}, {"depth": -0.1}, {"depth": 1.5}]
    )
    def test_arguments(self, options):
        ((name, value),) = options.items()
        with pytest.raises(ValueError, match=f"{name}={value!r}"):
            layers.RWKV4(**{"units": 4} | options)

    def test_other_features(self):
        with pytest.raises(ValueError, match=r"units=4, inputs of shape \(2, 9, 6\)"):
            layers.RWKV4(4)(X)

    def test_states_of_another_shape(self):
        layer = layers.RWKV4(6)
        states = [x[:, :2] for x in layer.get_initial_state(2)]
        with pytest.raises(ValueError, match=r"RWKV4 .* Received: .*\(2,\)"):
            layer(X, initial_state=states)
