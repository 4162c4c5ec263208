"""What each head of a segmenter is to learn: batches for training, truth for scores."""

import numpy as np
from scipy import ndimage

import kerasseq
from kerasseq.data import image_batches
from recipes.segment import heads as segment_heads


class TargetBatches(image_batches.ImageBatches):
    """`kerasseq.data.ImageBatches` whose targets and weights are dicts by output.

    Edges, and the images that an auto-encoder learns, are made after augmentation.

    Args:
        images: Array `(num_images, height, width, channels)`, values 0 to 255.
        targets: Masks, an int array `(num_images, height, width)`; or float values
            `(num_images, height, width, channels)`, which augmentation does not move;
            or `None` where the images alone are wanted.
        batch_size: Rows of every batch.
        outputs: `{output: head}`, from `segment_heads.outputs`.
        **kwargs: As of `ImageBatches`.
    """

    def __init__(self, images, targets, batch_size, outputs, **kwargs):
        self._head_of = outputs
        self._void = kwargs.get("ignore_class")
        self._values = None
        if targets is None or targets.dtype.kind == "f":
            self._values = targets
            targets = np.arange(len(images))  # each image is its own class
            kwargs["num_classes"] = len(images)
        super().__init__(images, targets, batch_size, **kwargs)

    def __getitem__(self, index):
        images, targets, weights = super().__getitem__(index)
        if weights.ndim == 1:
            weights = np.broadcast_to(weights[:, None, None], images.shape[:3])
        heads = dict.fromkeys(self._head_of.values())
        targets = {head: self._target(head, images, targets) for head in heads}
        # What weighs masks says nothing about the other heads.
        present = (weights > 0).astype("float32")
        weights = {head: weights if head == "mask" else present for head in heads}
        by_output = self._head_of.items()
        return (
            images,
            {name: targets[head] for name, head in by_output},
            {name: weights[head] for name, head in by_output},
        )

    def _target(self, head, images, targets):
        if head == "target":
            return self._values[targets]
        return truth([head], images, targets, self._void)[head]


def batches(flags, images, split, **kwargs):
    """Batches of one split of a `MaskedImages`; `kwargs` as of `ImageBatches`."""
    pictures, targets = getattr(images, split)
    if targets is not None and targets.dtype.kind == "f":
        mean, deviation = scale_of(images.train[1])
        targets = (targets - mean) / deviation
        kwargs["augment"] = ()
    return TargetBatches(
        pictures,
        targets,
        flags.batch_size,
        segment_heads.outputs(flags),
        num_classes=len(images.class_names),
        ignore_class=images.ignore_class,
        **kwargs,
    )


def truth(heads, images, targets, ignore_class):
    """The truth of the heads for images and their masks or values, `{head: array}`."""
    make = {
        "mask": lambda: targets,
        "target": lambda: targets,
        "edges": lambda: edges_of(targets, ignore_class),
        "reconstruction": lambda: images / np.float32(127.5) - 1,
    }
    return {head: make[head]() for head in heads}


def edges_of(masks, ignore_class=None):
    """Marks the pixels that have a pixel of another class beside them.

    Args:
        masks: Int array `(num, height, width)`.
        ignore_class: The void label, which makes no edge and stays void.

    Returns:
        int32 array of the shape of `masks`: 1 at edges, 0 elsewhere, void as it was.
    """
    void = (
        np.zeros(masks.shape, bool) if ignore_class is None else masks == ignore_class
    )
    around, last = (1, 3, 3), int(masks.max(initial=0)) + 1
    high = ndimage.maximum_filter(np.where(void, -1, masks), around, mode="nearest")
    low = ndimage.minimum_filter(np.where(void, last, masks), around, mode="nearest")
    return np.where(void, masks, high > low).astype("int32")


def scale_of(targets):
    """Mean and standard deviation of float targets, by which they are learned."""
    if targets is None or targets.dtype.kind != "f":
        return 0.0, 1.0
    return float(targets.mean()), float(targets.std()) or 1.0


def pixel_weights(flags, images):
    """The U-Net paper's weight maps of the training masks, or `None`."""
    if not flags.boundary_weights:
        return None
    masks, void = images.train[1], images.ignore_class
    instances = kerasseq.data.instances_from_masks(masks, ignore_class=void)
    return kerasseq.data.boundary_weights(instances, balance=flags.class_weights)
