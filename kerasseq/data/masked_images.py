"""Images with one class per pixel, from folders, TFDS or generated."""

import typing

import numpy as np

from kerasseq.data import (
    _image_files,
    _mask_folders,
    _mask_values,
    _split_fractions,
    _tfds_masks,
)

_GENERATED_SIZE = (64, 64)


class MaskedImages(typing.NamedTuple):
    """Images with one mask of classes each, in three splits.

    Args:
        name: String. Name of the data, for the report.
        class_names: List of strings. A class is an index into it.
        ignore_class: Label of void pixels in the masks, 255, or `None` if there are
            none.
        train: Pair `(images, masks)`: uint8 of shape `(num_images, height, width,
            channels)`, 0 to 255, with 1 or 3 channels, and int32 of shape
            `(num_images, height, width)`.
        validation: Such a pair, with images of the same size.
        test: Such a pair, with images of the same size.
        notes: Tuple of strings, how values in the mask files were interpreted.
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
    validation_fraction=0.1,
    test_fraction=0.2,
    limit=None,
    seed=0,
):
    """Loads images with masks, to train a segmentation model.

    Splits that the data do not have are taken from the training images at random. To
    select a model on a part of train and to report on a folder that others call
    validation, pass the two separately: `load_masked_images("nuclei/train",
    test_data="nuclei/val")`. All images are kept in memory.

    The classes are the values 0, 1, ... of the training masks; 255 in addition is the
    void label. If the training masks hold only two values, such as 0 and 255, the
    lower is class 0 and the higher class 1, and `notes` says so.

    Args:
        data: One of
            - `"synthetic"`: `generated_cells`;
            - `"tfds:NAME[/CONFIG]"`, a data set with the features `image` and
              `segmentation_mask` or `segmentation_label`: its splits train, validation
              and test, those that exist. In `"tfds:oxford_iiit_pet"` the classes are
              background and pet, and the border between them is void;
            - a folder that holds `images/` and `masks/`, files paired by stem, or
              `train/`, `validation/` (or `val/`, `valid/`) and `test/`, each with those
              two. A file `classes.txt` in it names the classes, one per line; without
              it they are background and foreground, or numbers.
        test_data: Folder with `images/` and `masks/`, used instead of `test/` for data
            from a folder.
        data_dir: Folder of prepared TFDS data sets.
        image_size: `(height, width)` to which everything is resized (images bilinear
            with antialiasing, masks nearest; the aspect ratio is not preserved). May
            be omitted if all images have the same size. Defaults to 64 for generated
            cells.
        num_channels: 1 (gray) or 3 (RGB). Defaults to 3 if any image file has colors,
            and to the channels of the data set otherwise.
        ignore_class: Value of the void label in the mask files, if it is not 255. Void
            pixels are 255 in the result.
        num_examples: Integer. Number of generated images, all splits together.
        validation_fraction: Float between 0 and 1. Fraction of the training images to
            use for validation if there is no such split.
        test_fraction: Float between 0 and 1. Fraction of the training images to use
            for testing if there is no such split.
        limit: Integer or float. Number or fraction of the training images to use. With
            the same seed a smaller set is a subset of a larger one. Validation and
            test do not change.
        seed: Integer. Seed of the generated images, the splits and `limit`.

    Returns:
        A `MaskedImages`.

    Raises:
        ValueError: For missing or empty folders, an image without a mask, a mask
            without an image, a pair of unequal size, files that cannot be read, a mask
            that looks like a picture or holds values that the training masks do not
            have (the message names the files), images of several sizes without
            `image_size`, an unknown or unreachable TFDS data set, or too few images to
            split.

    Example:
        >>> cells = load_masked_images("synthetic", num_examples=100)
        >>> cells.train[0].shape, cells.train[1].shape
        ((70, 64, 64, 1), (70, 64, 64))
    """
    size = _image_files.as_size(image_size)
    _image_files.check_num_channels(num_channels)
    _split_fractions.check_fractions(validation_fraction, test_fraction)
    from_folder = data != "synthetic" and not str(data).startswith("tfds:")
    if test_data is not None and not from_folder:
        raise ValueError(
            "`test_data` can only be used with data from a folder; other data have a "
            "test split of their own. "
            f"Received: data={data!r}, test_data={str(test_data)!r}"
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
    fractions = {"test": test_fraction, "validation": validation_fraction}
    splits = _cut_off(splits, fractions, limit, np.random.default_rng(seed))
    name = str(data) if test_data is None else f"{data}, tested on {test_data}"
    return MaskedImages(
        name, classes.names, classes.ignore_class, **splits, notes=classes.notes
    )


def _cells(num_examples, size, num_channels, seed):
    height, width = size or _GENERATED_SIZE
    if height != width:
        raise ValueError(
            "Generated images are square; pass equal height and width. "
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
                "The splits differ in image size or channels; pass `image_size` and "
                "`num_channels`. "
                f"Received: train {shape}, {split} {images.shape[1:]}"
            )


def _cut_off(splits, fractions, limit, rng):
    """Adds the missing splits, taken from train, and limits the rest."""
    images, masks = splits["train"]
    order = rng.permutation(len(images))
    for split in [split for split in fractions if split not in splits]:
        # Fractions of all training images, not of those left by the split before.
        size = max(1, round(fractions[split] * len(images)))
        rows, order = np.sort(order[:size]), order[size:]
        splits[split] = images[rows], masks[rows]
    if not len(order):
        raise ValueError(
            f"Too few images to take {' and '.join(fractions)} from train; add some to "
            f"`data`. Received: {len(images)} training images"
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
            f"number, or a fraction up to 1.0. Received: limit={limit}, {size} images"
        )
    return size
