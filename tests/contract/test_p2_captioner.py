"""P2 for captions: outputs and gradients of the whole model equal NumPy."""

import catalog
import numpy as np
import pytest
import reference
import reference_vision as vision

from tests.contract import slopes


def cnn(x, w):
    x = vision.convnet_features(x, w, num_stages=2)
    grid_shape = x.shape[1:3]
    x = vision.dense(x.reshape(len(x), -1, x.shape[-1]), w, "memory")
    return vision.sinusoidal_positions(x, grid_shape, 0)


def vit(x, w):
    options = {"patch_size": 4, "num_layers": 1, "stem": "patch", "pooling": "mean"}
    x = vision.vit_tokens(x, w, positions="learned", **options)
    return vision.dense(x, w, "memory")


def decoder_weights(w, num_layers):
    parts = {"cells": []}
    for name in (f"decoder/cell_{index}" for index in range(num_layers)):
        names = ("kernel", "recurrent_kernel", "bias")
        parts["cells"].append([w[f"{name}/{part}"] for part in names])
    parts["output"] = [w["decoder/output/kernel"], w["decoder/output/bias"]]
    start = "decoder/attention"
    optional = {"query": "query/kernel", "key": "key/kernel", "score": "score_kernel"}
    found = {name: w.get(f"{start}/{path}") for name, path in optional.items()}
    return parts | {name: x for name, x in found.items() if x is not None}


def captioner(encode, num_states, num_layers, **options):
    def run(inputs, w):
        memory = encode(inputs["image"], w)
        mean = memory.mean(1)
        starts = [
            np.tanh(vision.dense(mean, w, f"state_{k}")) for k in range(num_states)
        ]
        table = w["embedding/embeddings"]
        x, _ = reference.attention_decoder(
            table[inputs["target"]],
            memory,
            np.ones(memory.shape[:2], bool),
            decoder_weights(w, num_layers),
            states=starts,
            **options,
        )
        return x @ w.get("embedding/reverse_embeddings", table.T)

    return run


GRU = {"cell": "gru", "attention": "general", "feeding": True, "residual": True}
LSTM = {"cell": "lstm", "attention": "additive", "feeding": False, "residual": True}
REFERENCES = {
    "captioner-cnn": captioner(cnn, 1, 1, **GRU),
    "captioner-vit": captioner(vit, 4, 2, **LSTM),
}
ENTRIES = [p for p in catalog.keeping("P2") if p.id in REFERENCES]


@pytest.mark.parametrize("entry", ENTRIES)
def test_equals_numpy(entry):
    slopes.check(entry.model(), entry.inputs(), REFERENCES[entry.id])
