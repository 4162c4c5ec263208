"""Whether a model computes the same for a row alone and for it among others."""

from typing import Any

import keras
import numpy as np

from kerasseq.export import parity, serve_signature
from kerasseq.export import settings as settings_lib


def warnings_of(
    model: keras.Model, signatures: dict[str, Any], settings: settings_lib.Settings
) -> list[str]:
    """Compares what the file computes for one row with what `predict` would.

    A file has a batch of fixed size, that of training and `predict` is another. What
    depends on it, such as a mean over the batch, differs without a fault of the file.

    Args:
        model: The model to export.
        signatures: `{"serve": signatures.Signature}`, of the default signature.
        settings: The samples, and the tolerance.

    Returns:
        A list of at most one sentence.
    """
    sample = settings.samples["serve"][0]
    if any(len(x) != 1 for x in sample.values()):
        return []
    alone = signatures["serve"].run(sample)
    twice = {name: np.concatenate([x, x]) for name, x in sample.items()}
    try:
        found = serve_signature.call(model, twice)
    except Exception:  # one that was built for one row may raise anything
        return []
    among = {name: keras.ops.convert_to_numpy(x)[:1] for name, x in found.items()}
    if any(among[name].shape != x.shape for name, x in alone.items()):
        return []  # an output that is not by row
    figures = parity.compare(lambda *_: among, lambda *_: alone, {"serve": [sample]})
    for output, found in figures["serve"]["outputs"].items():
        if found["max_scaled_diff"] > settings.tolerance:
            return [
                "The model computes something else for a row alone, as in the file, "
                f"than for the same row twice: output '{output}' differs by "
                f"{found['max_abs_diff']:.3g}. If it should not depend on the other "
                "rows of a batch, look for an op over the batch, or one whose shapes "
                "are read otherwise with a batch of one."
            ]
    return []
