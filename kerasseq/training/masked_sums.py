"""Weights per label and weighted sums over pixels, for losses and metrics.

Labels have the shape `(batch_size, height, width)`, one per pixel, `(batch_size,
length)`, one per token, or `(batch_size,)`, one per image. Logits have one more axis,
the classes.
"""

from keras import ops


def label_weights(y_true, y_pred, sample_weight=None, ignore_class=None):
    """Combines sample weights and the void label to one weight per label.

    Args:
        y_true: Integer labels of shape `(batch_size, ...)`.
        y_pred: Logits of shape `(batch_size, ..., num_classes)`. Only their shape is
            used.
        sample_weight: Optional weights of the labels' shape or with fewer axes, such
            as `(batch_size,)`, which are broadcast over the missing last axes.
        ignore_class: Optional label that gets the weight 0.

    Returns:
        Float32 weights of the labels' shape.

    Raises:
        ValueError: If the shapes do not match.
    """
    labels = ops.convert_to_tensor(y_true, "int32")
    _check_shapes(labels, ops.convert_to_tensor(y_pred))
    weights = ops.ones_like(labels, dtype="float32")
    if sample_weight is not None:
        sample_weight = ops.convert_to_tensor(sample_weight, "float32")
        weights = weights * _with_axes_of(labels, sample_weight)
    if ignore_class is not None:
        weights = weights * ops.cast(labels != ignore_class, "float32")
    return weights


def possible(logits):
    """1 for each class, and 0 for one that is masked by a logit of -1e9 or less."""
    return ops.cast(logits > -1e9, logits.dtype)


def bounded(losses):
    """The losses, 1e9 instead of infinity, which times a weight of 0 would be NaN."""
    return ops.where(ops.equal(losses, float("inf")), 1e9, losses)


def region_sums(truth, prediction, weights):
    """Weighted sizes of the regions per image and class.

    Args:
        truth: One-hot labels of shape `(batch_size, ..., num_classes)`.
        prediction: Probabilities or one-hot predictions of the same shape.
        weights: Weights of shape `(batch_size, ...)`.

    Returns:
        A list of three tensors `(batch_size, num_classes)`: the sizes of the
        intersection, of the labels' region and of the prediction's region.
    """
    axes = tuple(range(1, len(truth.shape) - 1))
    weights = ops.expand_dims(weights, -1)
    parts = (truth * prediction, truth, prediction)
    return [ops.sum(weights * part, axis=axes) for part in parts]


def dice(intersection, truth, prediction):
    """`2 |A and B| / (|A| + |B|)`, zero where both regions are empty."""
    return ops.divide_no_nan(2 * intersection, truth + prediction)


def jaccard(intersection, truth, prediction):
    """`|A and B| / |A or B|`, zero where both regions are empty."""
    return ops.divide_no_nan(intersection, truth + prediction - intersection)


def mean_of_present(scores, present):
    """Mean over the classes, the last axis, that are present; 0 if none is."""
    present = ops.cast(present, scores.dtype)
    return ops.divide_no_nan(
        ops.sum(scores * present, axis=-1), ops.sum(present, axis=-1)
    )


def _check_shapes(y_true, y_pred):
    sizes = zip(y_true.shape, y_pred.shape[:-1], strict=False)
    fits = all(a == b or a is None or b is None for a, b in sizes)
    if len(y_pred.shape) != len(y_true.shape) + 1 or not fits:
        raise ValueError(
            "Logits must have the axes of the integer labels and exactly one more, the "
            "classes. If the labels have a last axis of size 1, remove it with "
            "`masks[..., 0]`. "
            f"Received: y_true.shape={tuple(y_true.shape)}, "
            f"y_pred.shape={tuple(y_pred.shape)}"
        )


def _with_axes_of(labels, sample_weight):
    missing = len(labels.shape) - len(sample_weight.shape)
    if missing < 0:
        raise ValueError(
            "`sample_weight` must not have more axes than the labels. "
            f"Received: sample_weight.shape={tuple(sample_weight.shape)}, "
            f"y_true.shape={tuple(labels.shape)}"
        )
    axes = tuple(range(len(labels.shape) - missing, len(labels.shape)))
    return ops.expand_dims(sample_weight, axes)
