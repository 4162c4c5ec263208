"""Base class of metrics that compare the regions of classes."""

import keras
from keras import ops

from kerasseq.training import masked_sums


class RegionMetric(keras.metrics.Metric):
    """Sums the sizes of the regions per class, and scores their overlap at the end.

    A subclass defines in `overlap` the score of three sums, and may restrict the
    regions in `region`.
    """

    def __init__(self, num_classes, ignore_class, class_index, name, dtype):
        _check(num_classes, ignore_class, class_index)
        super().__init__(name=name, dtype=dtype)
        # `EarlyStopping(mode="auto")` reads it.
        self._direction = "up"
        self.num_classes = num_classes
        self.ignore_class = ignore_class
        self.class_index = class_index
        # Rows: intersection, labels' region, prediction's region.
        self.sums = self.add_variable((3, num_classes), "zeros", name="sums")

    def overlap(self, intersection, truth, prediction):
        raise NotImplementedError

    def region(self, one_hot):
        return one_hot

    def update_state(self, y_true, y_pred, sample_weight=None):
        weights = masked_sums.label_weights(
            y_true, y_pred, sample_weight, self.ignore_class
        )
        truth, prediction = (
            self.region(ops.one_hot(classes, self.num_classes, dtype="float32"))
            for classes in self._classes(y_true, y_pred)
        )
        sums = masked_sums.region_sums(truth, prediction, weights)
        sums = ops.stack([ops.sum(part, axis=0) for part in sums])
        self.sums.assign_add(ops.cast(sums, self.sums.dtype))

    def _classes(self, y_true, y_pred):
        """Labels and predicted classes, where the prediction replaces void labels.

        Void pixels have no weight, but the border of a void area must not become the
        boundary of a region.
        """
        if y_pred.shape[-1] != self.num_classes:
            raise ValueError(
                f"`{type(self).__name__}` needs logits of `num_classes` classes. "
                f"Received: y_pred.shape={tuple(y_pred.shape)}, "
                f"num_classes={self.num_classes}"
            )
        labels = ops.convert_to_tensor(y_true, "int32")
        predicted = ops.cast(ops.argmax(y_pred, axis=-1), "int32")
        if self.ignore_class is not None:
            labels = ops.where(labels == self.ignore_class, predicted, labels)
        return labels, predicted

    def result(self):
        intersection, truth, prediction = ops.unstack(ops.convert_to_tensor(self.sums))
        scores = self.overlap(intersection, truth, prediction)
        if self.class_index is not None:
            return scores[self.class_index]
        counted = ops.arange(self.num_classes) != (
            -1 if self.ignore_class is None else self.ignore_class
        )
        present = ops.logical_and(truth + prediction > 0, counted)
        return masked_sums.mean_of_present(scores, present)

    def get_config(self):
        return {
            "num_classes": self.num_classes,
            "ignore_class": self.ignore_class,
            "class_index": self.class_index,
            **super().get_config(),
        }


def _check(num_classes, ignore_class, class_index):
    if class_index is None:
        return
    if class_index not in range(num_classes) or class_index == ignore_class:
        raise ValueError(
            "`class_index` must be one of the classes, 0 to `num_classes - 1`, and "
            "not the ignored one. "
            f"Received: class_index={class_index}, num_classes={num_classes}, "
            f"ignore_class={ignore_class}"
        )
