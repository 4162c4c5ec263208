"""What labels and reads sequences: rows of `catalog.Entry`, all small."""

import keras
import numpy as np

from kerasseq import models

BATCH, WORDS, CHARACTERS, TAGS = 3, 6, 5, 3
NUM_WORDS, NUM_CHARACTERS, NUM_SUFFIXES = 11, 7, 5
SIZES = {"embedding_dim": 6, "character_dim": 4, "character_filters": 5, "units": 8}


def crf_model(layer_class):
    """Random transitions come from `catalog.randomize`."""
    words = keras.Input((WORDS,), dtype="int32", name="words")
    x = keras.layers.Embedding(NUM_WORDS, 6, name="word")(words)
    x = layer_class(TAGS, name="head")(x, mask=keras.ops.not_equal(words, 0))
    return keras.Model({"words": words}, probabilities(x))


def probabilities(x):
    """Of the logarithms of a CRF, and without its mask, which is for its own loss."""
    return keras.ops.exp(x)


def tagger(**options):
    """The tagger for sentences of a fixed length."""

    def build(_):
        model = models.tagger(NUM_WORDS, TAGS, **SIZES, **options)
        shapes = {"words": (WORDS,), "characters": (WORDS, CHARACTERS)}
        shapes["suffixes"] = (WORDS,)
        inputs = {
            name: keras.Input(shapes[name], dtype="int32", name=name)
            for name in model.input
        }
        x = model(inputs)
        return keras.Model(inputs, probabilities(x) if options.get("crf") else x)

    return build


def padded(generator, size, shape):
    """Ids from 1 on, zeros at the end of the second and the third row."""
    ids = generator.integers(1, size, shape).astype("int32")
    for row in range(1, BATCH):
        ids[row, WORDS - row :] = 0
    return ids


def sentences(*names):
    generator = np.random.default_rng(10)
    found = {
        "words": padded(generator, NUM_WORDS, (BATCH, WORDS)),
        "suffixes": padded(generator, NUM_SUFFIXES, (BATCH, WORDS)),
        "characters": padded(generator, NUM_CHARACTERS, (BATCH, WORDS, CHARACTERS)),
    }
    found["characters"][:, 1::2, 3:] = 0  # words of three characters
    return {name: found[name] for name in ("words", *names)}


def _tagger(variant, names=(), **options):
    """`names` of what the model sees of a word beside its id."""
    sizes = {"characters": NUM_CHARACTERS, "suffixes": NUM_SUFFIXES}
    options |= {f"num_{name}": sizes[name] for name in names}
    return "tagger", variant, tagger(**options), lambda: sentences(*names)


ROWS = [
    ("CRF", "", crf_model, sentences),
    _tagger("bilstm", ("characters", "suffixes"), num_layers=2),
    _tagger("gru_crf", ("characters",), arch="gru", crf=True),
    _tagger("cnn", arch="cnn", num_layers=2),
    _tagger("transformer", arch="transformer", num_heads=2, mlp_dim=12),
    _tagger("mlp", ("suffixes",), arch="mlp", num_layers=2),
]
LOOPS = {"CRF", "tagger-bilstm", "tagger-gru_crf"}
