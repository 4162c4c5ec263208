"""Which parts of the data are held out."""

import numpy as np

from kerasseq.utils import optional


def check_fractions(validation_fraction, test_fraction):
    """Rejects fractions that leave a split empty."""
    if (
        min(validation_fraction, test_fraction) <= 0
        or validation_fraction + test_fraction >= 1
    ):
        raise ValueError(
            "`validation_fraction` and `test_fraction` must be above 0 and their sum "
            f"below 1. Received: validation_fraction={validation_fraction}, "
            f"test_fraction={test_fraction}"
        )


def stratified(labels, fractions, seed):
    """Chooses the rows of splits at random, stratified by class.

    Args:
        labels: Integer array `(num_rows,)`.
        fractions: `{split: fraction of the rows}`.
        seed: Integer.

    Returns:
        `{split: sorted rows}`, and those that are left as `"train"`.

    Raises:
        ValueError: If there are too few rows for each class to be in each split.
    """
    model_selection = optional.import_module("sklearn.model_selection")

    num_classes, found = len(np.unique(labels)), {}
    rows = np.arange(len(labels))
    for split, fraction in fractions.items():
        # scikit-learn needs at least one row of each class.
        size = max(round(fraction * len(labels)), num_classes)
        try:
            rows, cut = model_selection.train_test_split(
                rows, test_size=size, stratify=labels[rows], random_state=seed
            )
        except ValueError as error:
            raise ValueError(
                f"Each of the {num_classes} classes must be in {split} and in what is "
                "left for train; lower `validation_fraction` and `test_fraction`, or "
                f"add examples. Received: {size} of {len(rows)} for {split}"
            ) from error
        found[split] = np.sort(cut)
    return found | {"train": np.sort(rows)}
