"""Pixel weights that emphasize the thin borders between touching cells."""

import math

import numpy as np

from kerasseq.utils import optional

ndimage = optional.import_module("scipy.ndimage")

# Pixels that touch at a corner are connected.
_NEIGHBORS = np.ones((3, 3), bool)


def boundary_weights(instances, w0=10.0, sigma=5.0, balance=True):
    """Computes the weight maps of the U-Net paper, sample weights per pixel.

    `w(x) = w_c(x) + w0 * exp(-(d1(x) + d2(x))**2 / (2 * sigma**2))` on the background,
    where `d1` and `d2` are the distances in pixels to the nearest and to the second
    nearest instance. Inside instances, and in maps with fewer than two, the weight is
    `w_c`. Between two cells that are one pixel apart, `d1 + d2 = 2`.

    `w_c` compensates for the class imbalance of foreground and background: a class
    with `n_c` of all `n` pixels has `w_c = n / (2 * n_c)`, scikit-learn's "balanced"
    weight. So pass all maps of a training split at once.

    Args:
        instances: Integer array of shape `(num, height, width)` or `(height, width)`:
            0 for background, any other number for one instance. See
            `instances_from_masks`.
        w0: Float, at least 0. Height of the border term.
        sigma: Float above 0. Width of the border term in pixels.
        balance: Boolean, whether `w_c` balances the two classes. Otherwise it is 1.

    Returns:
        float32 array of the shape of `instances`.

    Raises:
        ValueError: If `instances` has another rank or holds anything but integers of
            at least 0, or if `w0` or `sigma` is out of range.

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
    # A single class has nothing to be balanced with.
    if balance and inside.any() and not inside.all():
        weights[:] = 0.5 / (1 - inside.mean())
        weights[inside] = 0.5 / inside.mean()
    for index in np.ndindex(instances.shape[:-2]):
        distance = _distance_to_two(instances[index], sigma)
        border = w0 * np.exp(-(distance**2) / (2 * sigma**2))
        weights[index] += np.where(inside[index], 0, border)
    return weights


def instances_from_masks(masks, background=0, ignore_class=None):
    """Numbers the connected components of each class in masks.

    Pixels are connected at sides and corners. Touching objects of one class count as
    one, since a mask of classes does not separate them.

    Args:
        masks: Integer array of shape `(num, height, width)` or `(height, width)`, the
            class of each pixel.
        background: Integer. Class that holds no objects.
        ignore_class: Optional integer. Void label, which holds no objects either.

    Returns:
        int32 array of the shape of `masks`: 0 outside objects, and 1, 2, ... in each
        map.

    Raises:
        ValueError: If `masks` has another rank or holds anything but integers.

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
            labels, count = ndimage.label(masks[index] == value, _NEIGHBORS)
            instances[index] += np.where(labels, labels + total, 0)
            total += count
    return instances


def _maps(values, name):
    values = np.asarray(values)
    if values.ndim not in (2, 3) or not np.issubdtype(values.dtype, np.integer):
        raise ValueError(
            f"`{name}` must hold integers and have shape (num, height, width) or "
            "(height, width); remove an axis of channels with `[..., 0]`. "
            f"Received: an array of shape {values.shape} and dtype {values.dtype}"
        )
    return values


def _distance_to_two(instances, sigma):
    """`d1 + d2` per pixel; infinite where the border term vanishes in float32."""
    nearest = np.full(instances.shape, np.inf)
    second = nearest.copy()
    reach = math.ceil(6 * sigma)  # exp(-18) is lost when added to a weight of 1
    for number, box in enumerate(ndimage.find_objects(instances), 1):
        if box is None:  # an unused number
            continue
        window = tuple(slice(max(0, s.start - reach), s.stop + reach) for s in box)
        distance = ndimage.distance_transform_edt(instances[window] != number)
        second[window] = np.minimum(
            second[window], np.maximum(nearest[window], distance)
        )
        nearest[window] = np.minimum(nearest[window], distance)
    return nearest + second
