"""Reads images and masks from folders `images/` and `masks/`, paired by stem."""

import pathlib

import numpy as np

from kerasseq.data import _class_folders, _image_files, _text_files

_IMAGES, _MASKS = "images", "masks"
_MAX_SHOWN = 5


def read_mask_folders(data, test_data, image_size, num_channels):
    """Reads all pairs below a folder.

    Returns:
        The class names of `classes.txt` or `None`, and a dict from split to
        `(images, masks, sources)`. Without a folder `train` there is only the split
        `"train"`.
    """
    root = _existing(data)
    roots = _class_folders.split_roots(root)
    if test_data is not None:
        roots["test"] = _own_folder(test_data, roots)
    pairs = {split: _pairs(folder) for split, folder in roots.items()}
    _check_sizes([pair for split in pairs.values() for pair in split])
    images = [image for split in pairs.values() for image, _ in split]
    size, num_channels = _class_folders.common_form(images, image_size, num_channels)
    splits = {
        split: (
            _class_folders.read_all([i for i, _ in members], size, num_channels),
            _read_masks([mask for _, mask in members], size),
            [repr(str(mask)) for _, mask in members],
        )
        for split, members in pairs.items()
    }
    return _class_names(root / "classes.txt"), splits


def _existing(folder):
    root = pathlib.Path(folder)
    if not root.is_dir():
        raise ValueError(
            "`data` must be 'synthetic', 'tfds:NAME' or a folder that holds "
            f"{_IMAGES}/ and {_MASKS}/. Received: {str(folder)!r}, which is no folder"
        )
    return root


def _own_folder(test_data, roots):
    root = _existing(test_data)
    for split, other in roots.items():
        if split != "test" and other.resolve() == root.resolve():
            raise ValueError(
                f"`test_data` is the {split} split already; pass only the folder of "
                f"train as `data`. Received: test_data={str(test_data)!r}"
            )
    return root


def _pairs(root):
    """List of `(image path, mask path)` of one split, sorted by stem."""
    images, masks = _by_stem(root, _IMAGES), _by_stem(root, _MASKS)
    for name, alone in (
        ("image(s) without a mask", images.keys() - masks.keys()),
        ("mask(s) without an image", masks.keys() - images.keys()),
    ):
        if alone:
            shown = sorted(alone)[:_MAX_SHOWN]
            raise ValueError(
                "An image and its mask must have the same stem, such as images/a.jpg "
                "and masks/a.png. "
                f"Received: in {str(root)!r} {len(alone)} {name}: {shown}"
            )
    return [(images[stem], masks[stem]) for stem in sorted(images)]


def _by_stem(root, name):
    folder = root / name
    if not folder.is_dir():
        raise ValueError(
            f"{str(root)!r} must hold {_IMAGES}/ and {_MASKS}/, or train/ (and val/, "
            f"test/) with those two in each. Received: no folder {name!r}"
        )
    paths = {}
    for path in _image_files.image_paths(folder):
        if path.stem in paths:
            raise ValueError(
                f"Two files in {str(folder)!r} have the same stem; remove one. "
                f"Received: {paths[path.stem].name!r} and {path.name!r}"
            )
        paths[path.stem] = path
    if not paths:
        raise ValueError(
            f"{str(folder)!r} holds no image; put images there "
            f"({', '.join(_image_files.SUFFIXES)})"
        )
    return paths


def _check_sizes(pairs):
    shapes = _class_folders.in_threads(
        lambda pair: [_image_files.image_shape(path)[:2] for path in pair], pairs
    )
    for (image, mask), (image_size, mask_size) in zip(pairs, shapes, strict=True):
        if image_size != mask_size:
            raise ValueError(
                "An image and its mask must have the same size. Received: "
                f"{image_size} (height, width) of {str(image)!r}, {mask_size} of "
                f"{str(mask)!r}"
            )


def _read_masks(paths, size):
    masks = np.empty((len(paths), *size), "int32")
    read = _class_folders.in_threads(
        lambda path: _image_files.read_mask(path, size), paths
    )
    for row, mask in enumerate(read):
        masks[row] = mask
    return masks


def _class_names(path):
    if not path.is_file():
        return None
    names = [line.strip() for line in _text_files.read_lines(path, "or a folder")]
    if len(names) < 2 or not all(names) or len(set(names)) < len(names):
        raise ValueError(
            f"{str(path)!r} must hold two or more different class names, one per line, "
            f"class 0 first. Received: {names[:10]}"
        )
    return names
