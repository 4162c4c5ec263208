"""Intersection over union of the edges of regions."""

import keras
from keras import ops

from kerasseq.training import masked_sums
from kerasseq.training.region_metric import RegionMetric


@keras.saving.register_keras_serializable(package="kerasseq")
class BoundaryIoU(RegionMetric):
    """Intersection over union of the bands along the edges of regions.

    The score of large regions hangs on their inside; here of each region only the
    pixels count that lie within `width` pixels of its edge. The band of a region is
    the region less its erosion by a square of `2 * width + 1` pixels. As in the
    authors' code the image ends a region, and its edge is an edge.

    Erosion is the largest value of the complement in that square, taken away: a
    max-pooling, which XLA and every device have.

    Where labels are void the prediction stands in for them, so that the edge of a
    void area makes no band. Void areas are often drawn along the very edges.

    All else is as in `MeanIoU`.

    Args:
        num_classes: Number of classes, the last axis of the logits.
        width: Integer, at least 1: width of the bands in pixels. Defaults to 2. The
            paper takes 2 % of the image's diagonal, which is 2 pixels at 64 x 64
            and 7 at 256 x 256.
        ignore_class: Optional label whose pixels count nowhere, such as 255.
        class_index: Optional class whose score alone is the result.
        name: Name of the metric. Defaults to `"boundary_iou"`.
        dtype: Dtype of the state. Defaults to `keras.config.floatx()`.

    Call arguments:
        y_true: Integer masks of shape `(batch_size, height, width)`.
        y_pred: Logits of shape `(batch_size, height, width, num_classes)`.
        sample_weight: Optional weights of shape `(batch_size, height, width)` or
            `(batch_size,)`. What has weight zero counts nowhere.

    Raises:
        ValueError: If `width` is less than 1, if `class_index` is not one of the
            classes, or if the shapes do not fit each other or `num_classes`.

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
                f"`width` must be one pixel or more. Received: width={width}"
            )
        super().__init__(num_classes, ignore_class, class_index, name, dtype)
        self.width = width

    def overlap(self, intersection, truth, prediction):
        return masked_sums.jaccard(intersection, truth, prediction)

    def region(self, one_hot):
        around = self.width, self.width
        complement = 1 - ops.pad(one_hot, [(0, 0), around, around, (0, 0)])
        # A square is a column of rows: two narrow poolings instead of a wide one.
        for size in [(2 * self.width + 1, 1), (1, 2 * self.width + 1)]:
            complement = ops.max_pool(
                complement, size, strides=1, data_format="channels_last"
            )
        return one_hot * complement

    def get_config(self):
        return {**super().get_config(), "width": self.width}
