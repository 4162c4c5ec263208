"""Batches of images in one fixed shape, augmented and mixed on the fly."""

import keras
import numpy as np

from kerasseq.data import _augmentation, _epoch_batches, _image_targets
from kerasseq.utils import optional


class ImageBatches(_epoch_batches.EpochBatches):
    """Batches of `(images, targets, sample_weight)` of one shape, for `fit`.

    Targets are labels, one class per image, or masks, one class per pixel. Every batch
    has `batch_size` rows. With `shuffle=True` the images left over at the end of an
    epoch are dropped, different ones each epoch. Otherwise the last batch is filled up
    with images of weight 0: pass metrics to `compile` as `weighted_metrics`, since
    `metrics` would count these.

    A batch is a pure function of `(seed, epoch, index)`, both the choice of images and
    their random augmentation. `fit` advances the epoch. To resume a run pass `epoch=`;
    it then gets the same batches as an uninterrupted run. Call `fit` with
    `shuffle=False`, since Keras would shuffle the batches once more, and do not set
    `steps_per_epoch`.

    Args:
        images: uint8 or float array of shape `(num_images, height, width, channels)`,
            values 0 to 255.
        targets: Integer array, labels of shape `(num_images,)` or masks of shape
            `(num_images, height, width)`.
        batch_size: Integer. Number of rows of every batch.
        num_classes: Integer. Targets are below it.
        augment: List of Keras' augmentation layers, applied in this order, e.g.
            `[keras.layers.RandomFlip("horizontal")]`. Masks and weight maps are
            transformed like the images, with nearest interpolation. The seeds of the
            layers have no effect. A layer that draws once per call, such as
            `RandomCrop` or the choice of `RandAugment`, transforms the whole batch in
            the same way.
        mixup: Float, at least 0. Parameter of the beta distribution of MixUp, for
            labels only; they become one-hot. Defaults to 0, no MixUp.
        cutmix: Float between 0 and 1. The same of CutMix. With both, one of the two is
            drawn per batch.
        sample_weights: Weights per image, of shape `(num_images,)`, or, with masks, per
            pixel, of shape `(num_images, height, width)`, or a dict from class to
            weight, as `class_weights` returns. Defaults to 1.
        one_hot: Boolean, whether labels are one-hot floats. Defaults to `True` with
            MixUp or CutMix. Pass `True` for the validation data of such a training.
        ignore_class: Optional integer. Void label that targets may hold in addition to
            the classes, e.g. 255. With masks, pixels that enter the image by an
            augmentation with `fill_mode="constant"` get this label, without it class 0.
        shuffle: Boolean, whether the order changes each epoch.
        seed: Integer. Seed of the order and of the augmentation.
        epoch: Integer. The first epoch.
        **kwargs: `workers` and `max_queue_size` of `keras.utils.PyDataset`.

    Attributes:
        num_images: Number of images in the data.
        num_dropped: Number of images that are in no batch of an epoch.
        shapes: List of the one shape of the batches' images.

    Each item:
        images: float32 of shape `(batch_size, height, width, channels)`.
        targets: int32 of shape `(batch_size,)` or `(batch_size, height, width)`, or
            float32 of shape `(batch_size, num_classes)`.
        sample_weight: float32 of shape `(batch_size,)`, or of the shape of the masks.

    Raises:
        ValueError: For shapes that do not match, targets out of range, fewer images
            than a shuffled batch needs, layers that corrupt the targets, or MixUp or
            CutMix of masks.

    Example:
        >>> images, labels = kerasseq.data.load_labeled_images("synthetic").train
        >>> flip = keras.layers.RandomFlip("horizontal")
        >>> batches = ImageBatches(images, labels, 64, num_classes=10, augment=[flip])
        >>> [part.shape for part in batches[0]]
        [(64, 8, 8, 1), (64,), (64,)]

    Reference:
        Zhang et al. (2018), mixup: Beyond Empirical Risk Minimization; Yun et al.
        (2019), CutMix.
    """

    def __init__(
        self,
        images,
        targets,
        batch_size,
        *,
        num_classes,
        augment=(),
        mixup=0.0,
        cutmix=0.0,
        sample_weights=None,
        one_hot=None,
        ignore_class=None,
        shuffle=True,
        seed=0,
        epoch=0,
        **kwargs,
    ):
        self._images = _image_targets.check_images(images)
        self._targets = _image_targets.check_targets(
            targets, self._images.shape, num_classes, ignore_class
        )
        self._weights = _image_targets.as_weights(
            sample_weights, self._targets, num_classes, ignore_class
        )
        self.batch_size = _check_batch_size(batch_size, len(self._images), shuffle)
        self.num_classes = num_classes
        self.shuffle = shuffle
        self.seed = seed
        self._has_masks = self._targets.ndim == 3
        self._one_hot = self._check_one_hot(one_hot, mixup, cutmix)
        self._set_augmentations(list(augment), mixup, cutmix, ignore_class)
        super().__init__(epoch=epoch, **kwargs)

    @property
    def num_images(self):
        return len(self._images)

    @property
    def num_dropped(self):
        return max(0, self.num_images - len(self) * self.batch_size)

    def images_in_batch(self, index):
        """The number of images of one batch, without those that fill it up."""
        return min(self.batch_size, self.num_images - index * self.batch_size)

    def __len__(self):
        if self.shuffle:
            return self.num_images // self.batch_size
        return -(-self.num_images // self.batch_size)

    def __getitem__(self, index):
        if not 0 <= index < len(self):
            raise IndexError(f"There are {len(self)} batches. Received: index={index}")
        self._count(index)
        rows = self._order[index * self.batch_size :][: self.batch_size]
        weights = self._weights[rows]
        fill = self.batch_size - len(rows)
        rows = np.pad(rows, (0, fill))
        weights = np.pad(weights, [(0, fill)] + [(0, 0)] * (weights.ndim - 1))
        return self._augmented(rows, weights, index)

    def _augmented(self, rows, weights, index):
        # The last number separates these random draws from those of the order.
        seed = [self.seed, self.epoch, index, 1]
        choice = np.random.default_rng(seed).integers(len(self._augmentations))
        images = self._images[rows].astype("float32")
        batch = _image_targets.pack(
            images, self._targets[rows], weights, self._one_hot and self.num_classes
        )
        batch = self._augmentations[choice](batch, [*seed, 1])
        return _image_targets.unpack(batch, bool(self._one_hot))

    def _set_order(self, epoch):
        self._order = np.arange(self.num_images)
        if self.shuffle:
            np.random.default_rng([self.seed, epoch]).shuffle(self._order)

    def _set_augmentations(self, augment, mixup, cutmix, ignore_class):
        """One augmentation per way to mix; one of them is drawn per batch."""
        image_shape = self._images.shape[1:]
        shape = _augmentation.check_layers(augment, image_shape, self._has_masks)
        self.shapes = [(self.batch_size, *shape)]
        new_class = 0 if ignore_class is None else ignore_class
        self._augmentations = [
            _augmentation.Augmentation([*augment, *mixing], new_class)
            for mixing in _mixing_layers(mixup, cutmix)
        ]

    def _check_one_hot(self, one_hot, mixup, cutmix):
        mixed = bool(mixup or cutmix)
        if self._has_masks and (mixed or one_hot):
            raise ValueError(
                "Masks hold class indices and cannot be mixed; leave `mixup`, `cutmix` "
                "and `one_hot` out. "
                f"Received: mixup={mixup}, cutmix={cutmix}, one_hot={one_hot}"
            )
        if mixed and one_hot is False:
            raise ValueError(
                "Mixed labels are one-hot; leave `one_hot` out. Received: one_hot=False"
            )
        return mixed if one_hot is None else one_hot


def class_weights(labels, ignore_class=None):
    """Computes weights that give every class the same influence on the loss.

    A class with `n` of `N` labels has the weight `N / (num_classes * n)`, so that the
    mean weight is 1. These are scikit-learn's "balanced" weights.

    Args:
        labels: Integer array of any shape, labels or masks.
        ignore_class: Optional integer. Label to leave out.

    Returns:
        Dict from class to float, of the classes that occur.

    Raises:
        ValueError: If there is no label.

    Example:
        >>> class_weights([0, 0, 0, 1])
        {0: 0.6666666666666666, 1: 2.0}
    """
    class_weight = optional.import_module("sklearn.utils.class_weight")

    labels = np.ravel(labels)
    labels = labels[labels != ignore_class]
    if not len(labels):
        raise ValueError("`labels` must hold labels. Received: none")
    classes = np.unique(labels)
    weights = class_weight.compute_class_weight("balanced", classes=classes, y=labels)
    return dict(zip(classes.tolist(), weights.tolist(), strict=True))


def _check_batch_size(batch_size, num_images, shuffle):
    if batch_size < 1:
        raise ValueError(
            f"`batch_size` must be at least 1. Received: batch_size={batch_size}"
        )
    if shuffle and num_images < batch_size:
        raise ValueError(
            "A shuffled epoch has complete batches only: `batch_size` may be at most "
            "the number of images. "
            f"Received: batch_size={batch_size} for {num_images} images"
        )
    return batch_size


def _mixing_layers(mixup, cutmix):
    """A list of layers per way to mix; one empty list without mixing."""
    if mixup < 0 or not 0 <= cutmix <= 1:
        raise ValueError(
            "`mixup` must be at least 0 and `cutmix` between 0 and 1. "
            f"Received: mixup={mixup}, cutmix={cutmix}"
        )
    choices = []
    if mixup:
        choices.append([keras.layers.MixUp(mixup, dtype="float32")])
    if cutmix:
        # Equal bounds, so that the parameter itself is not drawn.
        layer = keras.layers.CutMix((float(cutmix), float(cutmix)), dtype="float32")
        choices.append([layer])
    return choices or [[]]
