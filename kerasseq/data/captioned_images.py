"""Images with captions, from a folder with a captions file or generated."""

import typing

import numpy as np

from kerasseq.data import (
    _captioned_folders,
    _generated_scenes,
    _image_files,
    _split_fractions,
)

image_shapes = _captioned_folders.image_shapes


class CaptionedImages(typing.NamedTuple):
    """Images with one or more captions each, in three splits.

    Args:
        name: String. Name of the data, for the report.
        train: Pair `(images, captions)`: uint8 of shape `(num_images, height, width,
            channels)`, 0 to 255, and a list of tuples of strings, one tuple per image.
        validation: Such a pair, with images of the same size.
        test: Such a pair, with images of the same size.
    """

    name: str
    train: tuple
    validation: tuple
    test: tuple


def load_captioned_images(
    data,
    *,
    captions=None,
    num_examples=6000,
    image_size=None,
    num_channels=None,
    validation_fraction=0.1,
    test_fraction=0.1,
    limit=None,
    seed=0,
):
    """Loads images with captions, to train a captioning model.

    All captions of an image are in the same split. Splits that the data do not have
    are taken from the training images at random. All images are kept in memory.

    Args:
        data: One of
            - `"synthetic"`: generated scenes of shapes; no combination of things and
              relation is in two splits;
            - a folder of images with a captions file: `captions.tsv` with
              `image<TAB>caption` on each line (as Flickr8k's `image.jpg#0<TAB>...`),
              `captions.csv` or `captions.txt` with the columns `image` and `caption`,
              or `captions.json` as COCO has it. Several lines for an image are several
              captions. The images lie beside it or in a folder `images` there;
            - a folder of such folders `train/`, `validation/` (or `val/`, `valid/`)
              and `test/`, those that exist.
        captions: Path of the captions file, if it is not in the folder.
        num_examples: Integer. Number of synthetic scenes.
        image_size: `(height, width)` to which all images are resized (bilinear with
            antialiasing; the aspect ratio is not preserved). May be omitted if all
            images have the same size. Synthetic scenes have 32 pixels a side.
        num_channels: 1 (gray) or 3 (RGB). Defaults to 3 if any image file has colors.
        validation_fraction: Float between 0 and 1. Fraction of the training images to
            use for validation if there is no such split.
        test_fraction: Float between 0 and 1. The same for testing.
        limit: Integer or float. Number or fraction of the training images to use.
        seed: Integer. Seed of the splits, of `limit`, and of synthetic scenes.

    Returns:
        A `CaptionedImages`.

    Raises:
        ValueError: Naming file and line, for a line with other columns, an empty
            caption, an image that is missing or cannot be read; for images of several
            sizes without `image_size`, or too few images to split.

    Example:
        >>> scenes = load_captioned_images("synthetic", num_examples=200)
        >>> scenes.train[1][0]
        ('a large red circle left of a large purple triangle', ...)
    """
    image_size = _image_files.as_size(image_size)
    _image_files.check_num_channels(num_channels)
    _split_fractions.check_fractions(validation_fraction, test_fraction)
    if data == "synthetic":
        splits, groups = _synthetic(num_examples, image_size, num_channels, seed)
    else:
        splits = _captioned_folders.read_captioned_folders(
            data, captions, image_size, num_channels
        )
        groups = range(len(splits["train"][1]))
    fractions = {"test": test_fraction, "validation": validation_fraction}
    _cut_off(splits, fractions, groups, seed)
    if limit is not None:
        splits["train"] = _limited(*splits["train"], limit, seed)
    return CaptionedImages(str(data), **splits)


def _synthetic(num_examples, image_size, num_channels, seed):
    """Scenes, and the combination that each shows."""
    images, captions = _generated_scenes.generated_scenes(num_examples, seed=seed)
    fit = _image_files.fit_image
    images = np.stack([fit(image, image_size, num_channels) for image in images])
    return {"train": (images, captions)}, [texts[0] for texts in captions]


def _cut_off(splits, fractions, groups, seed):
    """Adds the missing splits, taken from train; a group stays together."""
    missing = [split for split in fractions if split not in splits]
    numbers = {group: number for number, group in enumerate(dict.fromkeys(groups))}
    if len(numbers) <= len(missing):
        raise ValueError(
            f"There must be more than {len(missing)} images, one for each missing "
            f"split and one to train on; add some to `data`. Received: {len(numbers)}"
        )
    images, captions = splits["train"]
    of_rows = np.array([numbers[group] for group in groups])
    order = np.random.default_rng(seed).permutation(len(numbers))
    parts, begun = {}, 0
    for split in missing:
        count = max(1, round(fractions[split] * len(numbers)))
        parts[split], begun = order[begun : begun + count], begun + count
    parts["train"] = order[begun:]
    for split, part in parts.items():
        rows = np.flatnonzero(np.isin(of_rows, part))
        splits[split] = images[rows], [captions[row] for row in rows]
    if not len(parts["train"]):
        raise ValueError(
            "No image is left to train on; add images, or lower `test_fraction` and "
            f"`validation_fraction`. Received: {len(numbers)} images"
        )


def _limited(images, captions, limit, seed):
    size = round(limit * len(images)) if isinstance(limit, float) else limit
    if not 1 <= size <= len(images):
        raise ValueError(
            f"`limit` must leave between 1 and all {len(images)} training images: a "
            f"number, or a fraction up to 1.0. Received: limit={limit}, {size} images"
        )
    rows = np.sort(np.random.default_rng(seed).permutation(len(images))[:size])
    return images[rows], [captions[row] for row in rows]
