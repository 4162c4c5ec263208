"""Temperature scaling: one number that calibrates a classifier."""

import numpy as np

from kerasseq.utils import optional

_BOUNDS = (0.05, 20.0)


def fit_temperature(labels, logits, ignore_class=None):
    """Finds the temperature: the divisor of the logits with the lowest cross entropy.

    Dividing logits by it does not change which class is predicted. It brings the
    probability of that class close to the accuracy of such predictions, as far as a
    single number can. Fit it on data that the model was not trained on.

    Args:
        labels: Integer array of shape `(batch_size, ...)`, the class of each image or
            pixel.
        logits: Array of shape `(batch_size, ..., num_classes)`.
        ignore_class: Label to leave out, such as 255.

    Returns:
        A float above 0. It is above 1 for an overconfident model, as most are.

    Raises:
        ValueError: If the shapes do not match, or if no label is left.

    Example:
        >>> logits = model.predict(validation_images)
        >>> temperature = kerasseq.training.fit_temperature(validation_labels, logits)
        >>> probabilities = keras.ops.softmax(model(images) / temperature)

    Reference:
        [Guo et al., 2017](https://arxiv.org/abs/1706.04599), section 4.2.
    """
    optimize = optional.import_module("scipy.optimize")
    special = optional.import_module("scipy.special")

    labels = np.asarray(labels)
    logits = np.asarray(logits, "float32")
    if logits.shape[:-1] != labels.shape:
        raise ValueError(
            "`logits` must have the shape of `labels` and one axis more. Received: "
            f"labels of shape {labels.shape}, logits of shape {logits.shape}"
        )
    counted = labels != (-1 if ignore_class is None else ignore_class)
    labels, logits = labels[counted], logits[counted].astype("float64")
    if not len(labels):
        raise ValueError(
            "There is no label to fit the temperature to; give labels other than "
            f"`ignore_class`. Received: labels of shape {counted.shape}, "
            f"ignore_class={ignore_class}"
        )
    right = np.take_along_axis(logits, labels[:, None].astype(int), axis=1)[:, 0]

    def cross_entropy(log_temperature):
        scale = np.exp(-log_temperature)
        return np.mean(special.logsumexp(scale * logits, axis=1) - scale * right)

    bounds = np.log(_BOUNDS)
    best = optimize.minimize_scalar(cross_entropy, bounds=bounds, method="bounded")
    return float(np.exp(best.x))
