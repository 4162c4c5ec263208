"""The Transformer's part of the table: rows of `catalog.Entry`, all small."""

import keras
import numpy as np
from catalog_vision import BATCH, FEATURES, TOKENS, tokens, tokens_model
from keras import ops

from kerasseq import models

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
    ("transformer", "pre", transformer(num_layers=1), translation),
    (
        "transformer",
        "post",
        transformer(num_layers=2, positions="rotary", tie_embeddings=False, **POST),
        translation,
    ),
]
