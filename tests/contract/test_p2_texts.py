"""P2 for texts: outputs and gradients equal NumPy."""

import catalog
import catalog_texts as table
import pytest
import reference_texts as texts

from tests.contract import slopes


def model(**options):
    def run(inputs, w):
        return texts.text_classifier(inputs["tokens"], w, units=table.UNITS, **options)

    return run


REFERENCES = {
    "text_classifier-gru_last": model(arch="gru", pooling="last"),
    "text_classifier-bilstm_last": model(arch="bilstm", pooling="last", num_layers=2),
    "text_classifier-bigru_attention": model(arch="bigru", pooling="attention"),
    "text_classifier-cnn_max": model(arch="cnn", pooling="max", num_layers=2),
    "text_classifier-mlp_mean": model(arch="mlp", pooling="mean"),
    "text_classifier-transformer_mean": model(
        arch="transformer", pooling="mean", heads=2
    ),
}
ENTRIES = [p for p in catalog.keeping("P2") if p.id in REFERENCES]


@pytest.mark.parametrize("entry", ENTRIES)
def test_equals_numpy(entry):
    slopes.check(entry.model(), entry.inputs(), REFERENCES[entry.id])
