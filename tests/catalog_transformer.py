"""The Transformer's part of the table: rows of `catalog.Entry`, all small."""

import keras
import numpy as np
from catalog_vision import BATCH, FEATURES, TOKENS, tokens, tokens_model
from keras import ops

from kerasseq import layers, models

MEMORY = 5
VOCABULARY = 11
ROTARY = {"num_key_value_heads": 1, "causal": True, "positions": "rotary"}
POST = {"norm_first": False, "norm": "rms", "activation": "swiglu"}


def with_memory(**options):
    """A layer over tokens and a memory, rows of which end in padding."""

    def build(layer_class):
        tokens = keras.Input((TOKENS, FEATURES), name="tokens")
        memory = keras.Input((MEMORY, FEATURES), name="memory")
        mask = ops.greater(ops.max(memory, axis=-1), 1.0)
        layer = layer_class(**options, name="layer")
        x = layer(tokens, memory, memory_mask=mask)
        x = keras.layers.Dense(3, name="last")(x)
        return keras.Model({"tokens": tokens, "memory": memory}, x)

    return build


def tokens_and_memory():
    values = np.random.default_rng(8).normal(size=(BATCH, MEMORY, FEATURES))
    return tokens() | {"memory": values.astype("float32")}


def windowed(layer_class):
    """The layer with its states, in and out."""
    inputs = {"tokens": keras.Input((TOKENS, FEATURES), name="tokens")}
    x = keras.layers.Dense(FEATURES, name="first")(inputs["tokens"])
    states = window_states(2, FEATURES)
    for name, array in states.items():
        inputs[name] = keras.Input(array.shape[1:], name=name)
    layer = layer_class(num_layers=1, **BLOCK, **WINDOW, name="layer")
    outputs = layer(x, initial_state=[inputs[name] for name in states])
    outputs = [keras.layers.Flatten()(x) for x in outputs]
    return keras.Model(inputs, keras.layers.Concatenate()(outputs))


def window_states(num_heads, features):
    """A window the first place of which is empty, in the second row all of it."""
    shape = (BATCH, WINDOW["window"], num_heads, features // num_heads)
    filled = np.array([[0, 1, 1, 1], [0, 0, 0, 0], [1, 1, 1, 1]], "float32")
    kept = np.random.default_rng(9).normal(size=(2, *shape)).astype("float32")
    return {"state_0": filled, "state_1": kept[0], "state_2": kept[1]}


def language_body():
    return layers.WindowTransformer(**LANGUAGE, name="body")


def transformer(**options):
    sizes = {"hidden_dim": 8, "num_heads": 2, "mlp_dim": 12, "max_length": 9}
    return lambda _: models.transformer(VOCABULARY, **sizes, **options)


def translation():
    generator = np.random.default_rng(2)
    found = {}
    for name, length in (("source", MEMORY), ("target", TOKENS)):
        ids = generator.integers(1, VOCABULARY, (BATCH, length))
        lengths = generator.integers(1, length + 1, (BATCH, 1))
        found[name] = np.where(np.arange(length) < lengths, ids, 0).astype("int32")
    return found


WINDOW = {"window": 4, "positions": "rotary"}
LANGUAGE = {"num_layers": 1, "num_heads": 2, "mlp_dim": 12, "window": 4}
LANGUAGE |= {"positions": "alibi", "activation": "swiglu", "norm": "rms"}
BLOCK = {"num_heads": 2, "mlp_dim": 12}
STACK = BLOCK | {"num_layers": 2, "max_length": 9}
ROWS = [
    ("CachedAttention", "", tokens_model(num_heads=2, **ROTARY), tokens),
    ("TokenPositions", "", tokens_model(max_length=9, kind="learned"), tokens),
    ("TransformerBlock", "", tokens_model(positions="alibi", **BLOCK, **POST), tokens),
    ("TransformerEncoder", "", tokens_model(activation="gelu", **STACK), tokens),
    (
        "TransformerDecoder",
        "",
        with_memory(num_key_value_heads=1, **STACK),
        tokens_and_memory,
    ),
    ("WindowTransformer", "", windowed, lambda: tokens() | window_states(2, FEATURES)),
    ("transformer", "pre", transformer(num_layers=1), translation),
    (
        "transformer",
        "post",
        transformer(num_layers=2, positions="rotary", tie_embeddings=False, **POST),
        translation,
    ),
]
