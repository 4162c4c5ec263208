"""Images with one class per pixel, from folders, TFDS or generated."""

import typing

import numpy as np

from kerasseq.data import (
    _image_files,
    _mask_folders,
    _mask_values,
    _tfds_masks,
    labeled_images,
)

_GENERATED_SIZE = (64, 64)


class MaskedImages(typing.NamedTuple):
    """Images with a mask of classes each, in three splits.

    Args:
        name: str, what the data is, for the report.
        class_names: list of str; a class is a place in it.
        ignore_class: the label of void pixels in the masks, 255, or `None` where there
            are none.
        train: pair `(images, masks)`: uint8 `(num_images, height, width, channels)`, 0
            to 255, with 1 or 3 channels, and int32 `(num_images, height, width)`.
        validation: likewise, images of the same shape.
        test: likewise.
        notes: tuple of str, which values of the mask files were not taken literally.
    """

    name: str
    class_names: list
    ignore_class: int | None
    train: tuple
    validation: tuple
    test: tuple
    notes: tuple = ()


def load_masked_images(
    data,
    *,
    test_data=None,
    data_dir=None,
    image_size=None,
    num_channels=None,
    ignore_class=None,
    num_examples=1000,
    validation_share=0.1,
    test_share=0.2,
    limit=None,
    seed=0,
):
    """Loads images with masks for training a segmenter.

    Splits that the data do not have are cut from the training images at random. So to
    choose a model on a part of train and to report on a folder that others call
    validation, give the two apart: `load_masked_images("nuclei/train",
    test_data="nuclei/val")`. All images are held in memory.

    Classes are the numbers 0, 1, ... of the training masks, and 255 beside them is the
    void label. Where the training masks hold two values in all, such as 0 and 255, the
    lower is class 0 and the upper class 1, and `notes` says so.

    Args:
        data: one of
            - `"synthetic"`: `generated_cells`;
            - `"tfds:NAME[/CONFIG]"`, a data set with the features `image` and
              `segmentation_mask` or `segmentation_label`: its splits train, validation
              and test, as far as it has them. In `"tfds:oxford_iiit_pet"` the classes
              are background and pet, and the border between them is void;
            - a folder that holds `images/` and `masks/`, files paired by stem, or
              `train/`, `validation/` (or `val/`, `valid/`) and `test/`, each with those
              two. A file `classes.txt` in it names the classes, one a line; without it
              they are background and foreground, or numbers.
        test_data: a folder with `images/` and `masks/`, for data from a folder; taken
            instead of its `test/`.
        data_dir: folder of prepared TFDS data sets.
        image_size: `(height, width)` that everything is resized to (images bilinear
            with antialias, masks nearest; the aspect ratio is not kept). May be left
            out where all images have one size. Generated cells: 64 by default.
        num_channels: 1 (gray) or 3 (RGB). By default 3 for files where any image has
            colors, and what the data set has otherwise.
        ignore_class: the value of the void label in the mask files, if it is not 255
            beside the classes; void pixels are 255 in what is returned.
        num_examples: generated images, all splits together.
        validation_share: share of all training images, cut off where there is no
            validation split.
        test_share: likewise.
        limit: int or float. Use only this many, or this share, of the training images.
            A smaller set is part of a larger one under the same seed. Validation and
            test do not change with it.
        seed: int, for what is generated, split off, and left by `limit`.

    Returns:
        A `MaskedImages`.

    Raises:
        ValueError: for missing or empty folders, an image without a mask, a mask
            without an image, a pair of unequal size, files that cannot be read, a mask
            that looks like a picture or holds values that the training masks do not
            have (the message names the files), images of several sizes without
            `image_size`, an unknown or unreachable TFDS data set, and too few images
            to split.

    Example:
        >>> cells = load_masked_images("synthetic", num_examples=100)
        >>> cells.train[0].shape, cells.train[1].shape
        ((70, 64, 64, 1), (70, 64, 64))
    """
    size = _image_files.as_size(image_size)
    _image_files.check_num_channels(num_channels)
    labeled_images.check_shares(validation_share, test_share)
    from_folder = data != "synthetic" and not str(data).startswith("tfds:")
    if test_data is not None and not from_folder:
        raise ValueError(
            "`test_data` goes with data from a folder; other data have their own test "
            f"split. Received: data={data!r}, test_data={str(test_data)!r}"
        )
    if data == "synthetic":
        names, splits = None, _cells(num_examples, size, num_channels, seed)
    elif from_folder:
        names, splits = _mask_folders.read_mask_folders(
            data, test_data, size, num_channels
        )
    else:
        names, splits = _tfds_masks.read_tfds_masks(data, data_dir, size, num_channels)
    _check_shapes(splits)
    classes = _mask_values.to_classes(splits, names, ignore_class)
    splits = {split: (images, masks) for split, (images, masks, _) in splits.items()}
    shares = {"test": test_share, "validation": validation_share}
    splits = _cut_off(splits, shares, limit, np.random.default_rng(seed))
    name = str(data) if test_data is None else f"{data}, tested on {test_data}"
    return MaskedImages(
        name, classes.names, classes.ignore_class, **splits, notes=classes.notes
    )


def _cells(num_examples, size, num_channels, seed):
    height, width = size or _GENERATED_SIZE
    if height != width:
        raise ValueError(
            "Generated images are square; give one `image_size`. "
            f"Received: image_size={(height, width)}"
        )
    from kerasseq.data import _generated_cells  # needs scipy

    images, masks, _ = _generated_cells.generated_cells(num_examples, height, seed)
    images = np.repeat(images, num_channels or 1, axis=-1)
    return {"train": (images, masks, [f"{row}" for row in range(num_examples)])}


def _check_shapes(splits):
    shape = splits["train"][0].shape[1:]
    for split, (images, _, _) in splits.items():
        if images.shape[1:] != shape:
            raise ValueError(
                "The splits differ in size; give `image_size` and `num_channels`. "
                f"Received: train {shape}, {split} {images.shape[1:]}"
            )


def _cut_off(splits, shares, limit, rng):
    """Adds the splits that are missing, taken from train, and limits what is left."""
    images, masks = splits["train"]
    order = rng.permutation(len(images))
    for split in [split for split in shares if split not in splits]:
        # Shares of all training images, whatever is cut first.
        size = max(1, round(shares[split] * len(images)))
        rows, order = np.sort(order[:size]), order[size:]
        splits[split] = images[rows], masks[rows]
    if not len(order):
        raise ValueError(
            f"Too few images to cut {' and '.join(shares)} from train; add images. "
            f"Received: {len(images)} training images"
        )
    rows = np.sort(order[: _num_left(limit, len(order))])
    splits["train"] = images[rows], masks[rows]
    return splits


def _num_left(limit, num_images):
    if limit is None:
        return num_images
    size = round(limit * num_images) if isinstance(limit, float) else limit
    if not 1 <= size <= num_images:
        raise ValueError(
            f"`limit` must leave between 1 and all {num_images} training images: a "
            f"number, or a share up to 1.0. Received: limit={limit}, {size} images"
        )
    return size
