"""The text classifiers' part of the table: rows of `catalog.Entry`, all small."""

import keras
import numpy as np

from kerasseq import models

BATCH, TOKENS, VOCABULARY, CLASSES, UNITS = 3, 6, 11, 3, 8
SIZES = {"embedding_dim": 4, "units": UNITS}


def classifier(**options):
    def build(_):
        model = models.text_classifier(VOCABULARY, CLASSES, **SIZES | options)
        return keras.Model({"tokens": model.input}, model.output)

    return build


def texts():
    tokens = np.random.default_rng(0).integers(1, VOCABULARY, (BATCH, TOKENS))
    lengths = np.array([[TOKENS], [TOKENS - 1], [1]])
    return {"tokens": np.where(np.arange(TOKENS) < lengths, tokens, 0).astype("int32")}


def _row(variant, loops=True, **options):
    return "text_classifier", variant, classifier(**options), texts, None, loops


ROWS = [
    _row("gru_last", arch="gru", pooling="last", dropout=0.2),
    _row("bilstm_last", arch="bilstm", pooling="last", num_layers=2),
    _row("bigru_attention", arch="bigru", pooling="attention", dropout=0.1),
    _row("cnn_max", loops=False, arch="cnn", pooling="max", num_layers=2),
    _row("mlp_mean", loops=False, arch="mlp", pooling="mean", dropout=0.1),
    _row("transformer_mean", False, arch="transformer", pooling="mean", num_heads=2),
]
