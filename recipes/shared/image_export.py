"""What the exports of the vision recipes share."""

import kerasseq
from recipes.shared import quantization_flags

NUM_REPRESENTATIVE = 200
NUM_COMPARED = 20


def export_model(flags, model, images, folder, **options):
    """Exports a model that takes one uint8 image; int8 is calibrated on the training's.

    Args:
        flags: Flags of the recipe.
        model: The trained model.
        images: `LabeledImages` or `MaskedImages` of the size that the file takes.
        folder: Where the files go.
        **options: Others of `kerasseq.export.export_model`.

    Returns:
        The report.
    """
    test, train = images.test[0], images.train[0]
    some = train[:: max(1, len(train) // NUM_REPRESENTATIVE)][:NUM_REPRESENTATIVE]
    representative = [{"image": row[None]} for row in some]
    return kerasseq.export.export_model(
        model,
        folder,
        samples={"serve": [{"image": row[None]} for row in test[:NUM_COMPARED]]},
        quantize=quantization_flags.options(flags, representative),
        **options,
    )
