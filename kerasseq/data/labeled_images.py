"""Images with one label each, from folders, TFDS or scikit-learn's digits."""

import typing

import numpy as np

from kerasseq.data import (
    _class_folders,
    _image_files,
    _split_fractions,
    _tfds_images,
)
from kerasseq.utils import optional


class LabeledImages(typing.NamedTuple):
    """Images with one class each, in three splits.

    Args:
        name: String. Name of the data, for the report.
        class_names: List of strings. A label is an index into it.
        train: Pair `(images, labels)`: uint8 of shape `(num_images, height, width,
            channels)`, 0 to 255, with 1 or 3 channels, and int32 of shape
            `(num_images,)`.
        validation: Such a pair, with images of the same size.
        test: Such a pair, with images of the same size.
    """

    name: str
    class_names: list
    train: tuple
    validation: tuple
    test: tuple


def load_labeled_images(
    data,
    *,
    data_dir=None,
    image_size=None,
    num_channels=None,
    validation_fraction=0.1,
    test_fraction=0.2,
    limit=None,
    seed=0,
):
    """Loads images with one label each, to train a classifier.

    Splits that the data do not have are taken from the training images, at random and
    stratified by class. All images are kept in memory.

    Args:
        data: One of
            - `"synthetic"`: the 1,797 handwritten digits of scikit-learn, 8x8, gray;
            - `"tfds:NAME[/CONFIG]"`, e.g. `"tfds:fashion_mnist"`: its splits train,
              validation and test, those that exist;
            - a folder that holds one folder of images per class, or `train/`,
              `validation/` (or `val/`, `valid/`) and `test/`, each with the class
              folders. Classes are sorted by name, as text.
        data_dir: Folder of prepared TFDS data sets.
        image_size: `(height, width)` to which all images are resized (bilinear with
            antialiasing; the aspect ratio is not preserved). May be omitted if all
            images have the same size.
        num_channels: 1 (gray) or 3 (RGB). Defaults to 3 if any image file has colors,
            and to the channels of the data set otherwise.
        validation_fraction: Float between 0 and 1. Fraction of the training images to
            use for validation if there is no such split.
        test_fraction: Float between 0 and 1. Fraction of the training images to use
            for testing if there is no such split.
        limit: Integer or float. Number or fraction of the training images to use,
            stratified by class and with at least one image of each class. With the
            same seed a smaller set is a subset of a larger one. Validation and test
            do not change.
        seed: Integer. Seed of the splits and of `limit`.

    Returns:
        A `LabeledImages`.

    Raises:
        ValueError: For folders without images, empty class folders, a single class,
            classes in validation or test that train does not have, files that cannot
            be read (the message names the file), images of several sizes without
            `image_size`, an unknown or unreachable TFDS data set, or classes with too
            few images to split.

    Example:
        >>> digits = load_labeled_images("synthetic")
        >>> digits.train[0].shape, digits.train[1].shape
        ((1258, 8, 8, 1), (1258,))
    """
    image_size = _image_files.as_size(image_size)
    _image_files.check_num_channels(num_channels)
    _split_fractions.check_fractions(validation_fraction, test_fraction)
    if data == "synthetic":
        class_names, splits = _digits(image_size, num_channels)
    elif str(data).startswith("tfds:"):
        class_names, splits = _tfds_images.read_tfds_images(
            data, data_dir, image_size, num_channels
        )
    else:
        class_names, splits = _class_folders.read_class_folders(
            data, image_size, num_channels
        )
    _check_splits(splits, class_names, data)
    fractions = {"test": test_fraction, "validation": validation_fraction}
    splits = _cut_off(splits, fractions, class_names, seed)
    if limit is not None:
        splits["train"] = _limited(*splits["train"], limit, class_names, seed)
    return LabeledImages(str(data), class_names, **splits)


def _digits(image_size, num_channels):
    datasets = optional.import_module("sklearn.datasets")

    digits = datasets.load_digits()
    images = np.rint(digits.images * (255 / 16)).astype("uint8")[..., None]
    images = [_image_files.fit_image(i, image_size, num_channels) for i in images]
    labels = digits.target.astype("int32")
    return list(map(str, digits.target_names)), {"train": (np.stack(images), labels)}


def _check_splits(splits, class_names, data):
    if len(class_names) < 2:
        raise ValueError(
            f"There must be at least two classes. Received: {class_names} in {data!r}"
        )
    shape = splits["train"][0].shape[1:]
    for split, (images, labels) in splits.items():
        if images.shape[1:] != shape:
            raise ValueError(
                "The splits differ in image size or channels; pass `image_size` and "
                "`num_channels`. "
                f"Received: train {shape}, {split} {images.shape[1:]}"
            )
        if labels.min() < 0:
            raise ValueError(
                f"The {split} split of {str(data)!r} has images without a label; label "
                "them, or use a data set with labels in this split. Received: "
                f"{np.count_nonzero(labels < 0)} of {len(labels)} without a label"
            )


def _cut_off(splits, fractions, class_names, seed):
    """Adds the missing splits, taken from train."""
    missing = {x: size for x, size in fractions.items() if x not in splits}
    images, labels = splits["train"]
    classes = np.unique(labels)
    _check_counts(labels, classes, len(missing) + 1, class_names)
    found = _split_fractions.stratified(labels, missing, seed)
    splits |= {x: (images[rows], labels[rows]) for x, rows in found.items()}
    _check_counts(splits["train"][1], classes, 1, class_names)
    return splits


def _check_counts(labels, classes, needed, class_names):
    counts = np.bincount(labels, minlength=len(class_names))
    few = [f"{class_names[i]}: {counts[i]}" for i in classes if counts[i] < needed]
    if few:
        raise ValueError(
            f"Every class must have at least {needed} images, one for train and one "
            "for each missing split; add images, or lower `test_fraction` and "
            "`validation_fraction`. "
            f"Received: {', '.join(few[:10])}"
        )


def _limited(images, labels, limit, class_names, seed):
    """A random subset of the images, stratified by class."""
    size = round(limit * len(labels)) if isinstance(limit, float) else limit
    if not len(class_names) <= size <= len(labels):
        raise ValueError(
            f"`limit` must leave between {len(class_names)} (one image per class) and "
            f"all {len(labels)} training images: a number, or a fraction up to 1.0. "
            f"Received: limit={limit}, {size} images"
        )
    order = np.random.default_rng(seed).permutation(len(labels))
    ranks = np.empty(len(labels))
    for label in range(len(class_names)):
        members = order[labels[order] == label]
        # Rank of each image within its class, 0 to 1: sorting interleaves the classes.
        ranks[members] = np.arange(len(members)) / len(members)
    rows = np.sort(np.lexsort((order, ranks))[:size])
    return images[rows], labels[rows]
