"""Reads images from one folder per class, with or without folders per split above."""

import collections
import concurrent.futures
import math
import os
import pathlib

import numpy as np

from kerasseq.data import _image_files
from kerasseq.utils import machine

_SPLITS = {
    "train": "train",
    "validation": "validation",
    "val": "validation",
    "valid": "validation",
    "test": "test",
}


def read_class_folders(data, image_size, num_channels):
    """Reads all images below a folder.

    Returns:
        The sorted class names, and a dict from split to `(images, labels)`. Without a
        folder `train` there is only the split `"train"`.
    """
    roots = split_roots(_existing(data))
    class_names = [folder.name for folder in _folders(roots["train"])]
    _check_class_names(roots, class_names)
    files = {split: _labeled_files(root) for split, root in roots.items()}
    paths = [path for split in files.values() for path, _ in split]
    form = common_form(paths, image_size, num_channels)
    splits = {
        split: (
            read_all([path for path, _ in members], *form),
            np.array([class_names.index(name) for _, name in members], "int32"),
        )
        for split, members in files.items()
    }
    return class_names, splits


def _existing(data):
    root = pathlib.Path(data)
    if not root.is_dir():
        raise ValueError(
            "`data` must be 'synthetic', 'tfds:NAME' or a folder that holds one folder "
            f"of images per class. Received: {str(data)!r}, which is no folder"
        )
    return root


def _folders(root):
    return sorted(
        path
        for path in root.iterdir()
        if path.is_dir() and not path.name.startswith(".")
    )


def split_roots(root):
    """Dict from split to folder; a folder `train` is a split if it holds folders."""
    train = root / "train"
    if not train.is_dir() or not _folders(train):
        return {"train": root}
    roots = {}
    for folder in _folders(root):
        split = _SPLITS.get(folder.name)
        if split is None or split in roots:
            raise ValueError(
                f"Next to {str(train)!r} there may be one validation (or val, valid) "
                "folder and one test folder; remove or rename others. "
                f"Received: {str(folder)!r}"
            )
        roots[split] = folder
    return roots


def _check_class_names(roots, class_names):
    if len(class_names) < 2:
        raise ValueError(
            "The folders in the data folder are the classes, and there must be at "
            "least two; make one folder of images per class. "
            f"Received: {class_names} in {str(roots['train'])!r}"
        )
    for name in class_names:
        if os.fsencode(name).decode("utf-8", "replace") != name:
            raise ValueError(
                "The name of a class folder must be UTF-8; rename it. "
                f"Received: {ascii(name)} in {str(roots['train'])!r}"
            )
    for root in roots.values():
        unknown = {folder.name for folder in _folders(root)} - set(class_names)
        if unknown:
            raise ValueError(
                f"{str(root)!r} has classes that do not occur in train; rename or "
                f"remove them. Expected: {class_names}. Received: {sorted(unknown)}"
            )


def _labeled_files(root):
    """List of `(path, class name)` below the class folders of one split."""
    files = []
    for folder in _folders(root):
        nested = _folders(folder)
        if nested:
            raise ValueError(
                "Images must lie directly in the folder of their class "
                f"{folder.name!r}; move them up. Received: a folder {str(nested[0])!r}"
            )
        members = [(path, folder.name) for path in _image_files.image_paths(folder)]
        if not members:
            raise ValueError(
                f"The class folder {str(folder)!r} holds no image; remove it, or put "
                f"images in it ({', '.join(_image_files.SUFFIXES)})"
            )
        files += members
    if not files:
        raise ValueError(
            f"{str(root)!r} holds no class folders; put one folder of images per class "
            "there, or remove it"
        )
    return files


def common_form(paths, image_size, num_channels):
    """The `(height, width)` and number of channels in which to read all images."""
    if image_size and num_channels:
        return image_size, num_channels
    shapes = list(in_threads(_image_files.image_shape, paths))
    sizes = collections.Counter(shape[:2] for shape in shapes)
    if not image_size and len(sizes) > 1:
        shown = ", ".join(f"{h}x{w} ({n})" for (h, w), n in sizes.most_common(5))
        more = ", ..." if len(sizes) > 5 else ""
        raise ValueError(
            "The images differ in size; pass `image_size=(height, width)` to resize "
            f"them. Received: {shown}{more}, height x width (number of images)"
        )
    image_size = image_size or shapes[0][:2]
    return image_size, num_channels or max(shape[2] for shape in shapes)


def read_all(paths, size, num_channels):
    """Reads image files into one uint8 array, resized to `size`."""
    check_memory(math.prod((len(paths), *size, num_channels)))
    images = np.empty((len(paths), *size, num_channels), "uint8")
    read = in_threads(
        lambda path: _image_files.read_image(path, size, num_channels), paths
    )
    for row, image in enumerate(read):
        images[row] = image
    return images


def check_memory(num_bytes):
    """Refuses images that would not fit into the memory."""
    memory = machine.memory()
    if num_bytes > memory:
        raise ValueError(
            f"The images would take {num_bytes / 1e9:.0f} GB of memory, and there are "
            f"{memory / 1e9:.0f}; pass a smaller `image_size`, or fewer images"
        )


def in_threads(function, paths):
    """Yields `function(path)` for each path, in order, computed in threads."""
    with concurrent.futures.ThreadPoolExecutor() as pool:
        yield from pool.map(function, paths)
