"""Images with one label each, from folders, TFDS or scikit-learn's digits."""

import typing

import numpy as np

from kerasseq.data import _class_folders, _image_files, _tfds_images
from kerasseq.utils import optional


class LabeledImages(typing.NamedTuple):
    """Images with one class each, in three splits.

    Args:
        name: str, what the data is, for the report.
        class_names: list of str; a label is a place in it.
        train: pair `(images, labels)`: uint8 `(num_images, height, width, channels)`,
            0 to 255, with 1 or 3 channels, and int32 `(num_images,)`.
        validation: likewise, images of the same shape.
        test: likewise.
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
    validation_share=0.1,
    test_share=0.2,
    limit=None,
    seed=0,
):
    """Loads images with one label each for training a classifier.

    Splits that the data do not have are cut from the training images, at random and
    with the same mix of classes. All images are held in memory.

    Args:
        data: one of
            - `"synthetic"`: the 1,797 handwritten digits of scikit-learn, 8x8, gray;
            - `"tfds:NAME[/CONFIG]"`, e.g. `"tfds:fashion_mnist"`: the splits train,
              validation and test, as far as it has them;
            - a folder that holds one folder of images per class, or `train/`,
              `validation/` (or `val/`, `valid/`) and `test/`, each with the class
              folders. Classes are sorted by name, as text.
        data_dir: folder of prepared TFDS data sets.
        image_size: `(height, width)` that all images are resized to (bilinear with
            antialias, the aspect ratio is not kept). May be left out where all images
            have one size.
        num_channels: 1 (gray) or 3 (RGB). By default 3 for files where any image has
            colors, and what the data set has otherwise.
        validation_share: share of all images that have no split of their own.
        test_share: likewise.
        limit: int or float. Use only this many, or this share, of the training images,
            with the same mix of classes and at least one of each. A smaller set is
            part of a larger one under the same seed. Validation and test do not
            change with it.
        seed: int, for what is split off and what is left by `limit`.

    Returns:
        A `LabeledImages`.

    Raises:
        ValueError: for folders without images, empty class folders, a single class,
            classes of validation or test that train has not, files that cannot be
            read (the message names the file), images of several sizes without
            `image_size`, an unknown or unreachable TFDS data set, and classes with
            too few images to split.

    Example:
        >>> digits = load_labeled_images("synthetic")
        >>> digits.train[0].shape, digits.train[1].shape
        ((1258, 8, 8, 1), (1258,))
    """
    image_size = _image_files.as_size(image_size)
    _image_files.check_num_channels(num_channels)
    check_shares(validation_share, test_share)
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
    shares = {"test": test_share, "validation": validation_share}
    splits = _cut_off(splits, shares, class_names, seed)
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


def check_shares(validation_share, test_share):
    """Refuses shares that leave one of the splits empty."""
    if min(validation_share, test_share) <= 0 or validation_share + test_share >= 1:
        raise ValueError(
            "`validation_share` and `test_share` must be above 0 and their sum below "
            f"1. Received: validation_share={validation_share}, test_share={test_share}"
        )


def _check_splits(splits, class_names, data):
    if len(class_names) < 2:
        raise ValueError(
            f"Two classes are needed at least. Received: {class_names} in {data!r}"
        )
    shape = splits["train"][0].shape[1:]
    for split, (images, labels) in splits.items():
        if images.shape[1:] != shape:
            raise ValueError(
                "The splits differ in size; give `image_size` and `num_channels`. "
                f"Received: train {shape}, {split} {images.shape[1:]}"
            )
        if labels.min() < 0:
            raise ValueError(
                f"The {split} split of {str(data)!r} has images without a label: "
                f"{np.count_nonzero(labels < 0)} of {len(labels)}; label them, or use "
                "a data set that has labels in this split"
            )


def _cut_off(splits, shares, class_names, seed):
    """Adds the splits that are missing, taken from train."""
    model_selection = optional.import_module("sklearn.model_selection")

    missing = [split for split in shares if split not in splits]
    images, labels = splits["train"]
    classes = np.unique(labels)
    _check_counts(labels, classes, len(missing) + 1, class_names)
    rows = np.arange(len(labels))
    for split in missing:
        # At least one of each class: scikit-learn asks for it.
        size = max(round(shares[split] * len(labels)), len(classes))
        rows, cut = model_selection.train_test_split(
            rows, test_size=size, stratify=labels[rows], random_state=seed
        )
        splits[split] = images[np.sort(cut)], labels[np.sort(cut)]
    rows = np.sort(rows)
    splits["train"] = images[rows], labels[rows]
    _check_counts(labels[rows], classes, 1, class_names)
    return splits


def _check_counts(labels, classes, needed, class_names):
    counts = np.bincount(labels, minlength=len(class_names))
    few = [f"{class_names[i]}: {counts[i]}" for i in classes if counts[i] < needed]
    if few:
        raise ValueError(
            f"A class has too few images: each needs {needed} at least, one for train "
            "and one for each split to be cut off; add images, or give smaller shares. "
            f"Received: {', '.join(few[:10])}"
        )


def _limited(images, labels, limit, class_names, seed):
    """The first images of each class in a random order, as many as its share is."""
    size = round(limit * len(labels)) if isinstance(limit, float) else limit
    if not len(class_names) <= size <= len(labels):
        raise ValueError(
            f"`limit` must leave between {len(class_names)} (one image per class) and "
            f"all {len(labels)} training images: a number, or a share up to 1.0. "
            f"Received: limit={limit}, {size} images"
        )
    order = np.random.default_rng(seed).permutation(len(labels))
    ranks = np.empty(len(labels))
    for label in range(len(class_names)):
        members = order[labels[order] == label]
        # The place of each image within its class, 0 to 1: classes take turns.
        ranks[members] = np.arange(len(members)) / len(members)
    rows = np.sort(np.lexsort((order, ranks))[:size])
    return images[rows], labels[rows]
