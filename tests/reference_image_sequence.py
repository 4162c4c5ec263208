"""The classifier of image sequences in plain NumPy, float64, written for reading."""

import numpy as np
import reference_texts
from reference_sequence import encode
from reference_vision import dense


def image_sequence_classifier(
    x, w, *, arch, units, as_sequence="rows", pooling="last", rescaling=True, **options
):
    x = x / 255 if rescaling else x
    num, height, width, channels = x.shape
    if as_sequence == "rows":
        x = x.reshape(num, height, width * channels)
    else:
        x = x.reshape(num, height * width, channels)
    if as_sequence == "permuted":
        x = x[:, np.random.RandomState(0).permutation(height * width)]
    valid = np.ones(x.shape[:2], bool)
    x = encode(x, valid, w, arch, **options)
    return dense(reference_texts.POOLINGS[pooling](x, valid, w, units), w, "logits")
