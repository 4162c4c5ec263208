"""One number that makes a classifier as sure as it is right."""

import numpy as np

from kerasseq.utils import optional

_BOUNDS = (0.05, 20.0)


def fit_temperature(labels, logits, ignore_class=None):
    """Finds what logits must be divided by for the best cross entropy.

    The class that is most probable stays the same; its probability becomes what the
    share of right predictions is, as far as one number can do it. Fit it on data that
    the model was not trained on.

    Args:
        labels: Integers `(batch_size, ...)`, all classes of an image or pixel.
        logits: `(batch_size, ..., num_classes)`.
        ignore_class: Label that counts nowhere, such as 255.

    Returns:
        A float above 0: above 1 for a model that was too sure, as most are.

    Raises:
        ValueError: If the shapes do not fit each other, or no label counts.

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
            "There is no label to fit to. Received: labels of shape "
            f"{counted.shape}, ignore_class={ignore_class}"
        )
    right = np.take_along_axis(logits, labels[:, None].astype(int), axis=1)[:, 0]

    def cross_entropy(log_temperature):
        scale = np.exp(-log_temperature)
        return np.mean(special.logsumexp(scale * logits, axis=1) - scale * right)

    bounds = np.log(_BOUNDS)
    found = optimize.minimize_scalar(cross_entropy, bounds=bounds, method="bounded")
    return float(np.exp(found.x))
