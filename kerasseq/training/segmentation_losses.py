"""Segmentation losses from the overlap of regions: Dice and Jaccard."""

import keras
from keras import ops

from kerasseq.training import masked_sums


class RegionLoss(keras.losses.Loss):
    """One minus the overlap of the predicted and the labeled region of each class.

    A subclass defines in `overlap` how the overlap follows from three sums.
    """

    def __init__(
        self,
        per_image=False,
        ignore_class=None,
        reduction="mean_with_sample_weight",
        name=None,
    ):
        super().__init__(name=name, reduction=reduction, dtype="float32")
        self.per_image = per_image
        self.ignore_class = ignore_class

    def overlap(self, intersection, truth, prediction):
        raise NotImplementedError

    def __call__(self, y_true, y_pred, sample_weight=None):
        weights = masked_sums.label_weights(
            y_true, y_pred, sample_weight, self.ignore_class
        )
        image_weights = _image_weights(weights) if self.per_image else None
        # The weights belong inside the sums, so `call` gets them with the labels.
        return super().__call__([y_true, weights], [y_pred], image_weights)

    def call(self, y_true, y_pred):
        (labels, weights), (logits,) = y_true, y_pred
        labels = ops.cast(labels, "int32")
        truth = ops.one_hot(labels, logits.shape[-1], dtype=logits.dtype)
        sums = masked_sums.region_sums(truth, ops.softmax(logits), weights)
        if not self.per_image:
            # Keeps an axis: Keras does not scale scalar losses over replicas.
            sums = [ops.sum(part, axis=0, keepdims=True) for part in sums]
        return masked_sums.mean_of_present(1 - self.overlap(*sums), present=sums[1] > 0)

    def get_config(self):
        return {
            "per_image": self.per_image,
            "ignore_class": self.ignore_class,
            "reduction": self.reduction,
            "name": self.name,
        }


@keras.saving.register_keras_serializable(package="kerasseq")
class DiceLoss(RegionLoss):
    """One minus the soft Dice score, averaged over the classes present.

        loss_c = 1 - 2 sum(w p t) / (sum(w t) + sum(w p))

    with `p` the softmax of the logits, `t` the one-hot labels and `w` the weights of
    the pixels. The sums run over all pixels of the batch. Only the classes that occur
    in the labels are averaged: an absent class would only add a constant, so no
    smoothing term is needed. Pixels wrongly predicted as an absent class still cost,
    because they are missing from the class of their label. Without any pixel the loss
    is 0.

    `keras.losses.Dice` does not apply `sample_weight` inside its sums and has no void
    label.

    It is usually summed with a cross entropy (see `SumOfLosses`), since the overlap
    alone has weak gradients early in training.

    Args:
        per_image: Boolean, whether to compute the loss per image and average over
            images, weighted by the mean weight of their pixels. Defaults to `False`,
            as in nnU-Net for 2D images: in a single image the ratio of a class of few
            pixels is noisy, and `MeanIoU` and `DiceScore` also pool all pixels.
        ignore_class: Optional label whose pixels are not counted, such as 255. It may
            lie outside the classes.
        reduction: Reduction of `keras.losses.Loss` over images, with `per_image`.
            Otherwise there is only one value to reduce. Defaults to
            `"mean_with_sample_weight"`.
        name: Name of the loss.

    Call arguments:
        y_true: Integer masks of shape `(batch_size, height, width)`.
        y_pred: Logits of shape `(batch_size, height, width, num_classes)`.
        sample_weight: Optional weights of shape `(batch_size, height, width)` or
            `(batch_size,)`. Pixels of weight 0 are left out.

    Raises:
        ValueError: If the shapes do not match.

    Example:

    ```python
    model.compile(
        optimizer="adam",
        loss=kerasseq.training.DiceLoss(ignore_class=255),
        weighted_metrics=[kerasseq.training.MeanIoU(21, ignore_class=255)],
        jit_compile=True,
    )
    ```

    Reference:
        [Milletari et al., 2016](https://arxiv.org/abs/1606.04797), section 3. They
        square both terms of the denominator; like Keras and nnU-Net this does not.
        [Isensee et al., 2021](https://doi.org/10.1038/s41592-020-01008-z), nnU-Net.
    """

    def __init__(
        self,
        per_image=False,
        ignore_class=None,
        reduction="mean_with_sample_weight",
        name="dice_loss",
    ):
        super().__init__(per_image, ignore_class, reduction, name)

    def overlap(self, intersection, truth, prediction):
        return masked_sums.dice(intersection, truth, prediction)


@keras.saving.register_keras_serializable(package="kerasseq")
class SoftJaccard(RegionLoss):
    """One minus the soft intersection over union of the classes present.

        loss_c = 1 - sum(w p t) / (sum(w t) + sum(w p) - sum(w p t))

    Everything else is as in `DiceLoss`. It is the stricter of the two: with a Dice
    score `d` the intersection over union is `d / (2 - d)`. Keras has no such loss.

    Args:
        per_image: Boolean, whether to compute the loss per image. Defaults to `False`,
            for the reasons given in `DiceLoss`.
        ignore_class: Optional label whose pixels are not counted, such as 255.
        reduction: Reduction of `keras.losses.Loss` over images, with `per_image`.
            Defaults to `"mean_with_sample_weight"`.
        name: Name of the loss.

    Call arguments:
        y_true: Integer masks of shape `(batch_size, height, width)`.
        y_pred: Logits of shape `(batch_size, height, width, num_classes)`.
        sample_weight: Optional weights of shape `(batch_size, height, width)` or
            `(batch_size,)`. Pixels of weight 0 are left out.

    Raises:
        ValueError: If the shapes do not match.

    Example:

    >>> masks, logits = np.array([[[0, 1]]]), np.array([[[[9.0, 0.0], [0.0, 9.0]]]])
    >>> float(kerasseq.training.SoftJaccard()(masks, logits)) < 0.001
    True

    Reference:
        [Rahman and Wang, 2016](https://doi.org/10.1007/978-3-319-50835-1_22),
        section 3.
    """

    def __init__(
        self,
        per_image=False,
        ignore_class=None,
        reduction="mean_with_sample_weight",
        name="soft_jaccard",
    ):
        super().__init__(per_image, ignore_class, reduction, name)

    def overlap(self, intersection, truth, prediction):
        return masked_sums.jaccard(intersection, truth, prediction)


def _image_weights(weights):
    """Mean weight per image of the pixels whose weight is not 0."""
    axes = tuple(range(1, len(weights.shape)))
    num_counted = ops.sum(ops.cast(weights > 0, "float32"), axis=axes)
    return ops.divide_no_nan(ops.sum(weights, axis=axes), num_counted)
