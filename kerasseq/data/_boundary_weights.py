"""Weights that make a network learn the thin borders between touching cells."""

import math

import numpy as np

from kerasseq.utils import optional

ndimage = optional.import_module("scipy.ndimage")

# Pixels that touch at a corner belong together.
_NEIGHBOURS = np.ones((3, 3), bool)


def boundary_weights(instances, w0=10.0, sigma=5.0, balance=True):
    """Weight maps of the U-Net paper, for the sample weights of a pixel-wise loss.

    `w(x) = w_c(x) + w0 * exp(-(d1(x) + d2(x))**2 / (2 * sigma**2))` on the background,
    where `d1` and `d2` are the distances in pixels to the nearest and to the second
    nearest instance; inside instances, and where there are fewer than two, `w_c` alone.
    Two cells one pixel apart have `d1 + d2 = 2` there.

    `w_c` makes up for unequal shares of foreground and background: a class of which
    there are `n_c` pixels in all the given maps has `w_c = n / (2 * n_c)`, as
    scikit-learn's "balanced". So give all the maps of a training split at once.

    Args:
        instances: Integer array `(num, height, width)` or `(height, width)`: 0 is
            background, every other number one instance. `instances_from_masks` makes
            it from masks of classes.
        w0: Height of the border term, at least 0.
        sigma: Its width in pixels, more than 0.
        balance: Whether `w_c` balances the two classes; otherwise it is 1.

    Returns:
        float32 array of the shape of `instances`.

    Raises:
        ValueError: If `instances` is of another rank or not of integers at least 0, or
            for a bad `w0` or `sigma`.

    Example:
        >>> boundary_weights(np.array([[1, 0, 2]]), sigma=2.0, balance=False).round(2)
        array([[1.  , 7.07, 1.  ]], dtype=float32)

    Reference:
        [Ronneberger et al., 2015](https://arxiv.org/abs/1505.04597), equation 2.
    """
    if not (w0 >= 0 and sigma > 0):
        raise ValueError(
            "`w0` must be at least 0 and `sigma` more than 0. "
            f"Received: w0={w0}, sigma={sigma}"
        )
    instances = _maps(instances, "instances")
    if instances.min(initial=0) < 0:
        raise ValueError(
            "`instances` must be 0 on the background and positive elsewhere. "
            f"Received: values from {instances.min()}"
        )
    inside = instances > 0
    weights = np.ones(instances.shape, "float32")
    # With one class alone there is nothing to balance.
    if balance and inside.any() and not inside.all():
        weights[:] = 0.5 / (1 - inside.mean())
        weights[inside] = 0.5 / inside.mean()
    for index in np.ndindex(instances.shape[:-2]):
        distance = _distance_to_two(instances[index], sigma)
        border = w0 * np.exp(-(distance**2) / (2 * sigma**2))
        weights[index] += np.where(inside[index], 0, border)
    return weights


def instances_from_masks(masks, background=0, ignore_class=None):
    """Numbers the connected areas of each class: masks to instance maps.

    Pixels are connected at sides and corners. Objects of one class that touch count as
    one, since a mask of classes does not tell them apart.

    Args:
        masks: Integer array `(num, height, width)` or `(height, width)` of classes.
        background: The class that is no object.
        ignore_class: Void label, no object either; or `None`.

    Returns:
        int32 array of the shape of `masks`: 0, and 1, 2, ... in each map.

    Raises:
        ValueError: If `masks` is of another rank or not of integers.

    Example:
        >>> instances_from_masks(np.array([[1, 1, 0, 1, 2]]))
        array([[1, 1, 0, 2, 3]], dtype=int32)
    """
    masks = _maps(masks, "masks")
    no_objects = [background] if ignore_class is None else [background, ignore_class]
    instances = np.zeros(masks.shape, "int32")
    for index in np.ndindex(masks.shape[:-2]):
        total = 0
        for value in np.setdiff1d(masks[index], no_objects):
            labels, count = ndimage.label(masks[index] == value, _NEIGHBOURS)
            instances[index] += np.where(labels, labels + total, 0)
            total += count
    return instances


def _maps(values, name):
    values = np.asarray(values)
    if values.ndim not in (2, 3) or not np.issubdtype(values.dtype, np.integer):
        raise ValueError(
            f"`{name}` must be integers of shape (num, height, width) or "
            "(height, width); take off an axis of channels with `[..., 0]`. "
            f"Received: an array of shape {values.shape} and dtype {values.dtype}"
        )
    return values


def _distance_to_two(instances, sigma):
    """`d1 + d2` of every pixel, as far as it counts in float32, and infinite beyond."""
    nearest = np.full(instances.shape, np.inf)
    second = nearest.copy()
    reach = math.ceil(6 * sigma)  # exp(-18) is lost beside a weight of one
    for number, box in enumerate(ndimage.find_objects(instances), 1):
        if box is None:  # a number that is not used
            continue
        window = tuple(slice(max(0, s.start - reach), s.stop + reach) for s in box)
        distance = ndimage.distance_transform_edt(instances[window] != number)
        second[window] = np.minimum(
            second[window], np.maximum(nearest[window], distance)
        )
        nearest[window] = np.minimum(nearest[window], distance)
    return nearest + second
