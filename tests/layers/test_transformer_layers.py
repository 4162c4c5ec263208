"""What the contract does not show of attention, blocks and stacks."""

import keras
import numpy as np
import pytest
from keras import ops

import kerasseq
from kerasseq import layers

GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(3, 9, 16)).astype("float32")
MEMORY = GENERATOR.normal(size=(3, 5, 12)).astype("float32")
SEEN = np.array([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0], [1, 0, 0, 0, 0]], bool)
POST = {"norm_first": False, "norm": "rms", "activation": "swiglu"}
GROUPED = {"num_key_value_heads": 2, "activation": "gelu", "scale_inputs": True}


def array(x):
    return np.asarray(ops.convert_to_numpy(x))


def decoder(**options):
    return layers.TransformerDecoder(2, 4, 24, max_length=9, **options)


def disturb(layer):
    generator = np.random.default_rng(1)
    for weight in layer.weights:
        weight.assign(weight + generator.normal(0, 0.1, weight.shape))


class TestCache:
    @pytest.mark.parametrize(
        "options", [{}, POST, GROUPED], ids=["", "post", "grouped"]
    )
    @pytest.mark.parametrize("kind", ["sinusoidal", "learned", "rotary", "alibi", None])
    def test_steps_equal_the_call(self, kind, options):
        layer = decoder(positions=kind, **options)
        layer(X, MEMORY)
        disturb(layer)
        expected = array(layer(X, MEMORY, memory_mask=SEEN))
        context, states = layer.start(MEMORY, SEEN, 9)
        for time in range(9):
            outputs, weights, states = layer.step(X[:, time], states, context)
            np.testing.assert_allclose(outputs, expected[:, time], atol=1e-5)
            np.testing.assert_allclose(ops.sum(weights, -1), 1, atol=1e-5)
            assert np.all(array(weights)[~SEEN] == 0)
        assert array(states[0]).tolist() == [9, 9, 9]

    def test_without_a_memory(self):
        layer = decoder(cross_attention=False, positions="rotary")
        expected = array(layer(X))
        context, states = layer.start(batch_size=3, max_length=9)
        assert context == {}
        for time in range(9):
            outputs, weights, states = layer.step(X[:, time], states, context)
            np.testing.assert_allclose(outputs, expected[:, time], atol=1e-5)
            assert weights is None

    def test_fewer_heads_of_keys_make_it_smaller(self):
        shapes = []
        for heads in (4, 1):
            layer = decoder(num_key_value_heads=heads)
            layer(X, MEMORY)
            _, states = layer.start(MEMORY, max_length=7)
            shapes.append(tuple(states[1].shape))
        assert shapes == [(3, 7, 4, 4), (3, 7, 1, 4)]

    def test_no_room(self):
        layer = decoder()
        layer(X, MEMORY)
        with pytest.raises(ValueError, match="reach to a length of 9.*max_length=10"):
            layer.start(MEMORY, max_length=10)
        decoder(positions="alibi").build(X.shape, MEMORY.shape)


class TestStates:
    def test_a_window_step_by_step(self):
        layer = layers.WindowTransformer(2, 4, 24, window=3, activation="gelu")
        with pytest.raises(ValueError, match="not built"):
            layer.get_initial_state(3)
        whole, *final = layer(X)
        states = layer.get_initial_state(3)
        for time in range(9):
            outputs, states = layer.step(X[:, time], states)
            np.testing.assert_allclose(outputs, whole[:, time], atol=1e-5)
        for found, expected in zip(states, final, strict=True):
            np.testing.assert_allclose(found, expected, atol=1e-5)
        assert [tuple(x.shape[1:]) for x in states] == layer.state_size

    def test_a_decoder_says_its_states(self):
        layer = decoder(num_key_value_heads=1)
        layer(X, MEMORY)
        _, states = layer.start(MEMORY)
        assert [tuple(x.shape[1:]) for x in states] == layer.state_size
        shapes = [tuple(x.shape) for x in layer.get_initial_state(3)]
        assert shapes == [tuple(x.shape) for x in states]


class TestOptions:
    @pytest.mark.parametrize(
        "layer",
        [
            layers.TransformerBlock(2, 8, norm="rms", dropout=0.1),
            layers.CachedAttention(4, 2, causal=True, positions="rotary"),
            layers.TransformerEncoder(1, 2, 8, positions="alibi", activation="gelu"),
            layers.TransformerDecoder(1, 2, 8, cross_attention=False, epsilon=1e-3),
            layers.WindowTransformer(1, 2, 8, window=3, num_key_value_heads=1),
        ],
        ids=lambda layer: type(layer).__name__,
    )
    def test_are_plain_attributes_and_come_back(self, layer):
        config = layer.get_config()
        again = type(layer).from_config(config)
        assert again.get_config() == config
        for name in set(config) - {"dtype"}:
            assert getattr(layer, name) == config[name]

    def test_of_the_block_reach_it(self):
        window = layers.WindowTransformer(1, 2, 8, window=3, attention_dropout=0.2)
        assert window.blocks[0].attention_dropout == window.attention_dropout == 0.2
        encoder = layers.TransformerEncoder(1, 2, 8, positions="learned", norm="rms")
        assert encoder.blocks[0].norm == "rms"
        assert encoder.positions == "learned" and encoder.blocks[0].positions is None

    def test_what_a_stack_decides_is_no_option(self):
        for name in ("causal", "cross_attention"):
            with pytest.raises(ValueError, match=f"Unrecognized keyword.*{name}"):
                layers.TransformerEncoder(1, 2, 8, **{name: True})


class TestMasks:
    @pytest.mark.parametrize("kind", ["sinusoidal", "rotary", "alibi"])
    def test_nothing_later_is_seen(self, kind):
        layer = decoder(cross_attention=False, positions=kind)
        changed = X.copy()
        changed[:, 6:] *= -1
        before, after = array(layer(X)), array(layer(changed))
        np.testing.assert_array_equal(before[:, :6], after[:, :6])
        assert np.all(before[:, 6:] != after[:, 6:])

    def test_padding_is_not_seen(self):
        layer = layers.TransformerEncoder(2, 4, 24)
        changed = MEMORY.copy()
        changed[~SEEN] = 7
        inputs = [np.pad(x, ((0, 0), (0, 0), (0, 4))) for x in (MEMORY, changed)]
        before, after = (array(layer(x, mask=SEEN)) for x in inputs)
        np.testing.assert_array_equal(before[SEEN], after[SEEN])

    def test_a_row_of_padding_gives_numbers(self):
        layer = layers.TransformerEncoder(1, 4, 24)
        assert np.isfinite(array(layer(X, mask=np.zeros((3, 9), bool)))).all()

    def test_a_keras_mask_is_taken(self):
        layer = layers.TransformerEncoder(1, 2, 12)
        embed = keras.layers.Embedding(5, 8, mask_zero=True)
        ids = np.array([[1, 2, 0, 0]])
        expected = layer(array(embed(ids)), mask=ids != 0)
        np.testing.assert_allclose(layer(embed(ids)), expected, atol=1e-6)


class TestNumbers:
    def test_alibi_slopes_of_the_paper(self):
        slopes = kerasseq.ops.alibi_slopes
        np.testing.assert_allclose(slopes(8), 2.0 ** -np.arange(1, 9))
        np.testing.assert_allclose(slopes(3), [2**-4, 2**-8, 2**-2])

    def test_rotation_tells_distances_only(self):
        q, k = (GENERATOR.normal(size=(1, 1, 1, 8)).astype("float32") for _ in "qk")
        scores = []
        for first in (0, 11):
            places = [np.array([[first + shift]]) for shift in (5, 2)]
            pair = [
                array(kerasseq.ops.rotate(x, place))
                for x, place in zip((q, k), places, strict=True)
            ]
            scores.append(np.sum(pair[0] * pair[1]))
        np.testing.assert_allclose(*scores, rtol=1e-4)

    def test_dropout_acts_in_training_only(self):
        layer = decoder(dropout=0.5, attention_dropout=0.1, activation_dropout=0.1)
        first, second = (array(layer(X, MEMORY, training=True)) for _ in range(2))
        assert np.any(first != second)
        np.testing.assert_array_equal(layer(X, MEMORY), layer(X, MEMORY))

    @pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
    def test_half_precision(self, policy):
        layer = decoder(dtype=policy)
        outputs = layer(X, MEMORY, memory_mask=SEEN)
        assert keras.backend.standardize_dtype(outputs.dtype) == policy[6:]
        context, states = layer.start(ops.cast(MEMORY, policy[6:]), SEEN, max_length=9)
        found, _, _ = layer.step(X[:, 0], states, context)
        np.testing.assert_allclose(
            array(ops.cast(found, "float32")),
            array(ops.cast(outputs, "float32"))[:, 0],
            atol=0.05,
        )


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: layers.CachedAttention(0), "must be positive"),
        (lambda: layers.CachedAttention(4, 3), "divide the first"),
        (lambda: layers.CachedAttention(3)(X), "divide the features.*num_heads=3"),
        (lambda: layers.CachedAttention(2, positions="here"), "positions='here'"),
        (
            lambda: layers.CachedAttention(2, cross_attention=True, causal=True),
            "cross_attention=True",
        ),
        (
            lambda: layers.CachedAttention(16, positions="rotary")(X),
            "even number of features per head",
        ),
        (lambda: layers.TokenPositions(4)(X), "reach to a length of 4.*length of 9"),
        (lambda: layers.TokenPositions(9)(X[..., :3]), "even number"),
        (lambda: layers.TokenPositions(0), "max_length=0"),
        (lambda: layers.TokenPositions(9, "rotary"), "kind='rotary'"),
        (lambda: layers.TransformerBlock(2, 0), "mlp_dim=0"),
        (lambda: layers.TransformerBlock(2, 8, norm="batch"), "norm='batch'"),
        (lambda: layers.TransformerBlock(2, 8, dropout=1.0), "in \\[0, 1\\)"),
        (lambda: layers.TransformerEncoder(0, 2, 8), "num_layers=0"),
        (lambda: layers.TransformerEncoder(1, 2, 8, positions="no"), "'no'"),
    ],
)
def test_bad_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()
