"""P2 for images as sequences: outputs and gradients equal NumPy."""

import catalog
import catalog_vision as table
import pytest
import reference_image_sequence as reference

from tests.contract import slopes


def model(**options):
    def run(inputs, w):
        return reference.image_sequence_classifier(
            inputs["image"], w, units=table.FEATURES, **options
        )

    return run


PIXELS = {"as_sequence": "pixels", "pooling": "mean", "rescaling": False}
REFERENCES = {
    "image_sequence_classifier-gru_permuted": model(arch="gru", as_sequence="permuted"),
    "image_sequence_classifier-simple_rnn_pixels": model(arch="simple_rnn", **PIXELS),
    "image_sequence_classifier-bilstm_rows": model(arch="bilstm", num_layers=2),
    "image_sequence_classifier-cnn_rows": model(arch="cnn", pooling="max"),
    "image_sequence_classifier-transformer": model(
        arch="transformer", heads=2, pooling="attention"
    ),
}
ENTRIES = [p for p in catalog.keeping("P2") if p.id in REFERENCES]


@pytest.mark.parametrize("entry", ENTRIES)
def test_equals_numpy(entry):
    slopes.check(entry.model(), entry.inputs(), REFERENCES[entry.id])
