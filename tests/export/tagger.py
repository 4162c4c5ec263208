"""A small model with masked recurrent layers, and inputs for it."""

import keras
import numpy as np

TIME, VOCABULARY = 10, 60


def build(cell, units=32, **options):
    """Masked ids, a bidirectional layer and one that gives its last output."""
    keras.utils.set_random_seed(0)
    ids = keras.Input((TIME,), dtype="int32", name="ids")
    x = keras.layers.Embedding(VOCABULARY, 32, mask_zero=True)(ids)
    x = keras.layers.Bidirectional(cell(units, return_sequences=True, **options))(x)
    model = keras.Model(ids, keras.layers.Dense(4, name="y")(cell(units, **options)(x)))
    generator = np.random.default_rng(1)
    model.set_weights([generator.normal(0, 0.2, w.shape) for w in model.weights])
    return model


def padded(*lengths, left=False):
    """One sample a length."""
    generator = np.random.default_rng(0)
    cases = []
    for length in lengths:
        ids = generator.integers(1, VOCABULARY, (1, TIME))
        ids[0, length:] = 0
        cases.append({"ids": ids[:, ::-1] if left else ids})
    return cases


SAMPLES = {"serve": padded(TIME, 4, 1, 0)}
