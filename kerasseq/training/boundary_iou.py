"""Intersection over union of the boundaries of regions."""

import keras
from keras import ops

from kerasseq.training import masked_sums
from kerasseq.training.region_metric import RegionMetric


@keras.saving.register_keras_serializable(package="kerasseq")
class BoundaryIoU(RegionMetric):
    """Intersection over union of the bands along the boundaries of regions.

    The plain score of a large region depends mostly on its interior. This metric
    counts only the pixels of a region within `width` pixels of its boundary: the
    region minus its erosion by a square of `2 * width + 1` pixels. As in the
    authors' code the image border is a boundary too.

    Erosion is computed by max-pooling the complement, which XLA and every device
    support.

    Void labels are replaced by the prediction, so that the border of a void area
    makes no band. Void areas are often drawn along the very boundaries.

    Everything else is as in `MeanIoU`.

    Args:
        num_classes: Number of classes, the last axis of the logits.
        width: Integer, at least 1. Width of the bands in pixels. Defaults to 2. The
            paper takes 2 % of the image's diagonal, which is 2 pixels at 64 x 64
            and 7 at 256 x 256.
        ignore_class: Optional label whose pixels are not counted, such as 255.
        class_index: Optional integer. Returns the score of this class alone.
        name: Name of the metric. Defaults to `"boundary_iou"`.
        dtype: Dtype of the state. Defaults to `keras.config.floatx()`.

    Call arguments:
        y_true: Integer masks of shape `(batch_size, height, width)`.
        y_pred: Logits of shape `(batch_size, height, width, num_classes)`.
        sample_weight: Optional weights of shape `(batch_size, height, width)` or
            `(batch_size,)`. Pixels of weight 0 are left out.

    Raises:
        ValueError: If `width` is less than 1, if `class_index` is not one of the
            classes, or if the shapes do not match each other or `num_classes`.

    Example:

    ```python
    metric = kerasseq.training.BoundaryIoU(21, width=7, ignore_class=255)
    model.compile("adam", loss, weighted_metrics=[metric])
    ```

    Reference:
        [Cheng et al., 2021](https://arxiv.org/abs/2103.16562), section 4.
    """

    def __init__(
        self,
        num_classes,
        width=2,
        ignore_class=None,
        class_index=None,
        name="boundary_iou",
        dtype=None,
    ):
        if width < 1:
            raise ValueError(
                f"`width` must be at least 1 pixel. Received: width={width}"
            )
        super().__init__(num_classes, ignore_class, class_index, name, dtype)
        self.width = width

    def overlap(self, intersection, truth, prediction):
        return masked_sums.jaccard(intersection, truth, prediction)

    def region(self, one_hot):
        around = self.width, self.width
        complement = 1 - ops.pad(one_hot, [(0, 0), around, around, (0, 0)])
        # Pooling over a square is pooling over a column, then over a row: cheaper.
        for size in [(2 * self.width + 1, 1), (1, 2 * self.width + 1)]:
            complement = ops.max_pool(
                complement, size, strides=1, data_format="channels_last"
            )
        return one_hot * complement

    def get_config(self):
        return {**super().get_config(), "width": self.width}
