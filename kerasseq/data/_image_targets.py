"""Checks labels, masks and weights of images, and packs them for augmentation.

Weights per image are packed as one more column of the one-hot labels, so that MixUp
and CutMix mix them with the same factors; weights per pixel are packed as maps.
"""

import numpy as np


def check_images(images):
    """Returns the images as an array `(num_images, height, width, 1 or 3)`."""
    images = np.asarray(images)
    if images.ndim != 4 or images.shape[-1] not in (1, 3) or not images.size:
        raise ValueError(
            "`images` must be (num_images, height, width, channels) with 1 or 3 "
            "channels; give gray images that axis with `images[..., None]`. "
            f"Received: shape {images.shape}"
        )
    return images


def check_targets(targets, images_shape, num_classes, ignore_class):
    """Returns labels or masks as an int32 array."""
    targets = np.asarray(targets)
    fits = targets.shape in (images_shape[:1], images_shape[:3])
    if not fits or targets.dtype.kind not in "iub":
        raise ValueError(
            "`targets` must be integers, one class per image with shape "
            f"{images_shape[:1]}, or one per pixel with shape {images_shape[:3]}. "
            "Received: shape "
            f"{targets.shape}, dtype {targets.dtype}"
        )
    classes = np.unique(targets)
    wrong = (classes < 0) | (classes >= num_classes)
    if ignore_class is not None:
        wrong &= classes != ignore_class
    if wrong.any():
        raise ValueError(
            "`targets` must be class indices from 0 to num_classes - 1, or "
            "`ignore_class`. "
            f"Received: {classes[wrong][:10].tolist()} with num_classes={num_classes}, "
            f"ignore_class={ignore_class}"
        )
    return targets.astype("int32")


def as_weights(sample_weights, targets, num_classes, ignore_class):
    """Returns `sample_weights` of any form as float32 of the targets' shape."""
    if sample_weights is None:
        # A view: weights of 1 need no memory of their own.
        return np.broadcast_to(np.float32(1), targets.shape)
    if isinstance(sample_weights, dict):
        return _by_class(sample_weights, targets, num_classes, ignore_class)
    weights = np.asarray(sample_weights, "float32")
    if weights.shape not in (targets.shape, targets.shape[:1]):
        raise ValueError(
            f"`sample_weights` must have the shape {targets.shape[:1]} or that of the "
            f"targets, {targets.shape}, or be a dict from class to weight. Received: "
            f"shape {weights.shape}"
        )
    if not np.isfinite(weights).all() or weights.min() < 0:
        raise ValueError(
            "`sample_weights` must be finite and not negative. Received: values from "
            f"{weights.min()} to {weights.max()}"
        )
    missing = tuple(range(weights.ndim, targets.ndim))
    return np.broadcast_to(np.expand_dims(weights, missing), targets.shape)


def _by_class(weights, targets, num_classes, ignore_class):
    present = set(np.unique(targets).tolist()) - {ignore_class}
    if not present <= weights.keys():
        raise ValueError(
            "`sample_weights` must have a weight for every class of the targets. "
            f"Received: none for {sorted(present - weights.keys())[:10]}"
        )
    classes = range(num_classes)
    table = np.array([weights.get(label, 0.0) for label in classes], "float32")
    valid = (targets >= 0) & (targets < num_classes)
    return np.where(valid, table[np.where(valid, targets, 0)], np.float32(0))


def pack(images, targets, weights, num_classes):
    """The batch as `Augmentation` takes it; labels one-hot if `num_classes`."""
    if targets.ndim == 3:
        masks = targets[..., None].astype("float32")
        return {"images": images, "masks": masks, "weights": weights[..., None]}
    if num_classes:
        labels = targets[:, None] == np.arange(num_classes)
    else:
        labels = targets[:, None]
    labels = np.concatenate([labels.astype("float32"), weights[:, None]], axis=1)
    return {"images": images, "labels": labels}


def unpack(batch, one_hot):
    """The batch as `fit` takes it: images, targets and weights."""
    if "masks" in batch:
        masks = np.rint(batch["masks"][..., 0]).astype("int32")
        return batch["images"], masks, batch["weights"][..., 0]
    labels, weights = batch["labels"][:, :-1], batch["labels"][:, -1]
    if not one_hot:
        labels = np.rint(labels[:, 0]).astype("int32")
    return batch["images"], labels, weights
