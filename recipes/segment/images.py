"""The images of a segmenter: with masks, with target images, or alone."""

import pathlib

import numpy as np

import kerasseq
from recipes.segment import heads as segment_heads
from recipes.shared import image_flags, image_size

MIXED_SIDE = 256  # of images of several sizes, unless --image_size says otherwise
_NUMPY = ".npy"
_MAX_SHOWN = 5


def load_images(flags):
    """Loads what the heads need.

    Args:
        flags: The flags of the recipe.

    Returns:
        A `kerasseq.data.MaskedImages`. For the head `target` its masks are float32
        values `(num_images, height, width, channels)`; they are `None` for an
        auto-encoder on a folder.

    Raises:
        ValueError: for data that cannot be used.
    """
    heads, options = segment_heads.names(flags), image_flags.image_options(flags)
    options["image_size"] = options["image_size"] or image_size.choose(
        flags, lambda side: 2**flags.depth, MIXED_SIDE
    )
    in_folder = flags.data != "synthetic" and not flags.data.startswith("tfds:")
    if "target" in heads or (heads == ["reconstruction"] and in_folder):
        return _load_values(flags, "target" in heads, options)
    return kerasseq.data.load_masked_images(
        flags.data,
        test_data=flags.test_data,
        data_dir=flags.data_dir,
        ignore_class=flags.ignore_class,
        num_examples=flags.num_examples,
        seed=flags.seed,
        **options,
    )


def _load_values(flags, with_targets, options):
    fit = {name: options[name] for name in ("image_size", "num_channels")}
    splits = {"train": _read(flags.data, with_targets, **fit)}
    if flags.test_data:
        splits["test"] = _read(flags.test_data, with_targets, **fit)
    _check_shapes(splits, with_targets)
    splits = _cut_off(splits, options, np.random.default_rng(flags.seed))
    if not with_targets:
        splits = {split: (images, None) for split, (images, _) in splits.items()}
    name = flags.data + (f", tested on {flags.test_data}" if flags.test_data else "")
    return kerasseq.data.MaskedImages(name, [], None, **splits)


def _check_shapes(splits, with_targets):
    images = {images.shape[1:] for images, _ in splits.values()}
    targets = {targets.shape[1:] for _, targets in splits.values()}
    sizes = {shape[:2] for shape in (images | targets if with_targets else images)}
    if len(images) > 1 or len(targets) > 1 or len(sizes) > 1:
        raise ValueError(
            "Images and targets of all splits must have one size, and as many channels "
            f"in each; give --image_size or --channels. Received: images {[*images]}, "
            f"targets {[*targets] if with_targets else 'none'}"
        )


def _cut_off(splits, options, rng):
    images, targets = splits["train"]
    order = rng.permutation(len(images))
    for split in ("test", "validation"):
        if split not in splits:
            size = max(1, round(options[f"{split}_fraction"] * len(images)))
            rows, order = order[:size], order[size:]
            splits[split] = images[rows], targets[rows]
    limit = options["limit"]
    if limit is not None:
        count = round(limit * len(order)) if isinstance(limit, float) else limit
        order = order[:count]
    if not len(order):
        raise ValueError(
            "Too few images to cut a validation and a test split from them. "
            f"Received: {len(images)} images"
        )
    return splits | {"train": (images[order], targets[order])}


def _read(folder, with_targets, image_size, num_channels):
    """Images and targets of a folder; without targets, an empty array for each."""
    root = pathlib.Path(folder)
    files = _by_stem(root / "images")
    read = kerasseq.data.read_image
    images = [read(path, image_size, num_channels) for path in files.values()]
    channels = max(image.shape[-1] for image in images)
    images = [
        image if image.shape[-1] == channels else np.repeat(image, channels, axis=-1)
        for image in images
    ]
    images = _stack(images, files)
    if not with_targets:
        return images, np.empty((len(images), 0))
    found = _by_stem(root / "targets")
    alone = sorted(files.keys() ^ found.keys())
    if alone:
        raise ValueError(
            "An image and its target have one stem, images/a.png and targets/a.npy. "
            f"Received: in '{root}' {len(alone)} without the other: "
            f"{', '.join(alone[:_MAX_SHOWN])}"
        )
    return images, _stack([_target(path, image_size) for path in found.values()], found)


def _by_stem(folder):
    if not folder.is_dir():
        raise ValueError(f"There is no folder '{folder}'. Put the files there.")
    paths = sorted([*kerasseq.data.image_paths(folder), *folder.glob(f"*{_NUMPY}")])
    found = {path.stem: path for path in paths}
    if not found:
        raise ValueError(f"The folder '{folder}' holds no images. Put them there.")
    if len(found) < len(paths):
        raise ValueError(f"Two files of '{folder}' differ in their suffix alone.")
    return found


def _stack(arrays, files):
    shapes = {x.shape: path for x, path in zip(arrays, files.values(), strict=True)}
    if len(shapes) > 1:
        shown = ", ".join(f"{shape} ('{path}')" for shape, path in shapes.items())
        raise ValueError(
            "All files of a folder must have one size and number of channels; give "
            f"--image_size. Received: {shown}"
        )
    return np.stack(arrays)


def _target(path, size):
    """One target as float32 `(height, width, channels)`."""
    if path.suffix.lower() != _NUMPY:
        return kerasseq.data.read_image(path, size).astype("float32")
    try:
        array = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise ValueError(f"Cannot read '{path}': {error}. Write it again.") from error
    array = array[..., None] if array.ndim == 2 else array
    if array.ndim != 3 or array.dtype.kind not in "fiu" or not np.isfinite(array).all():
        raise ValueError(
            "A target holds finite numbers, (height, width) or (height, width, "
            f"channels). Received: '{path}' of shape {array.shape}, {array.dtype}"
        )
    array = array.astype("float32")
    return array if size in (None, array.shape[:2]) else _resized(array, size)


def _resized(array, size):
    from PIL import Image

    maps = [Image.fromarray(part) for part in np.moveaxis(array, -1, 0)]
    resized = [m.resize(size[::-1], Image.Resampling.BILINEAR) for m in maps]
    return np.stack([np.array(part) for part in resized], axis=-1)
