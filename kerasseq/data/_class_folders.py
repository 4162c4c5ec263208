"""Images in one folder per class, with or without train, validation and test above."""

import collections
import concurrent.futures
import pathlib

import numpy as np

from kerasseq.data import _image_files

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
        The sorted class names, and a dict of split to `(images, labels)`: only `train`,
        or what lies beside `train`.
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
            f"{str(data)!r} is no folder; `data` is 'synthetic', 'tfds:NAME', or a "
            "folder that holds one folder of images per class"
        )
    return root


def _folders(root):
    return sorted(
        path
        for path in root.iterdir()
        if path.is_dir() and not path.name.startswith(".")
    )


def split_roots(root):
    """Dict of split to its folder; `train` is a split where it holds folders itself."""
    train = root / "train"
    if not train.is_dir() or not _folders(train):
        return {"train": root}
    roots = {}
    for folder in _folders(root):
        split = _SPLITS.get(folder.name)
        if split is None or split in roots:
            raise ValueError(
                f"Beside {str(train)!r} one validation (or val, valid) and one test "
                f"folder may lie. Received: {str(folder)!r}; take it away or rename it"
            )
        roots[split] = folder
    return roots


def _check_class_names(roots, class_names):
    if len(class_names) < 2:
        raise ValueError(
            "Classes are the folders in the data folder, and two are needed at least; "
            f"make one folder of images per class. Received: {class_names} in "
            f"{str(roots['train'])!r}"
        )
    for root in roots.values():
        unknown = {folder.name for folder in _folders(root)} - set(class_names)
        if unknown:
            raise ValueError(
                f"{str(root)!r} has classes that train has not: {sorted(unknown)}; "
                f"rename or remove them. The classes are {class_names}"
            )


def _labeled_files(root):
    """List of `(path, class name)` below the class folders of one split."""
    files = []
    for folder in _folders(root):
        nested = _folders(folder)
        if nested:
            raise ValueError(
                f"Images must lie directly in the folder of their class {folder.name!r}"
                f". Received: folder {str(nested[0])!r} in it; move its images up"
            )
        found = [(path, folder.name) for path in _image_files.image_paths(folder)]
        if not found:
            raise ValueError(
                f"The class folder {str(folder)!r} holds no image; remove it, or put "
                f"images in it ({', '.join(_image_files.SUFFIXES)})"
            )
        files += found
    if not files:
        raise ValueError(
            f"{str(root)!r} holds no class folders; put images there, one folder per "
            "class, or remove it"
        )
    return files


def common_form(paths, image_size, num_channels):
    """The `(height, width)` and the number of channels to read all images in."""
    if image_size and num_channels:
        return image_size, num_channels
    shapes = list(in_threads(_image_files.image_shape, paths))
    sizes = collections.Counter(shape[:2] for shape in shapes)
    if not image_size and len(sizes) > 1:
        found = ", ".join(f"{h}x{w} ({n})" for (h, w), n in sizes.most_common(5))
        more = ", ..." if len(sizes) > 5 else ""
        raise ValueError(
            "The images differ in size; give `image_size=(height, width)` to resize "
            f"them. Received: {found}{more}, height x width (number of images)"
        )
    image_size = image_size or shapes[0][:2]
    return image_size, num_channels or max(shape[2] for shape in shapes)


def read_all(paths, size, num_channels):
    """Reads image files into one uint8 array, resized to `size`."""
    images = np.empty((len(paths), *size, num_channels), "uint8")
    read = in_threads(
        lambda path: _image_files.read_image(path, size, num_channels), paths
    )
    for row, image in enumerate(read):
        images[row] = image
    return images


def in_threads(function, paths):
    """Yields `function(path)` for each path, in their order."""
    with concurrent.futures.ThreadPoolExecutor() as pool:
        yield from pool.map(function, paths)
