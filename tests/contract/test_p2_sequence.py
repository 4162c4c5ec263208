"""P2 for taggers and their like: outputs and gradients equal NumPy."""

import catalog
import numpy as np
import pytest
import reference_sequence as reference

from tests.contract import slopes


def crf(inputs, w):
    words = inputs["words"]
    embedded = w["word/embeddings"][words]
    return np.exp(reference.crf(embedded, words != 0, w, "head"))


def tagger(arch, **options):
    return lambda inputs, w: reference.tagger(inputs, w, arch, **options)


def tagger_with_crf(inputs, w):
    return np.exp(reference.tagger(inputs, w, "gru", crf_head=True))


REFERENCES = {
    "CRF": crf,
    "tagger-bilstm": tagger("bilstm", num_layers=2),
    "tagger-gru_crf": tagger_with_crf,
    "tagger-cnn": tagger("cnn", num_layers=2),
    "tagger-transformer": tagger("transformer"),
    "tagger-mlp": tagger("mlp", num_layers=2),
}
ENTRIES = [p for p in catalog.keeping("P2") if p.id in REFERENCES]


@pytest.mark.parametrize("entry", ENTRIES)
def test_equals_numpy(entry):
    slopes.check(entry.model(), entry.inputs(), REFERENCES[entry.id])
