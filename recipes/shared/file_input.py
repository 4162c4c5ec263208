"""What goes into an exported file of a vision recipe: its labels, and images."""

import json
import pathlib

from kerasseq import data
from recipes.shared import command_line


def read_labels(path):
    """The names of the classes, a list, from `labels.json`.

    Raises:
        ValueError: if the file is missing or damaged.
    """
    try:
        labels = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} is missing or damaged. Export again.") from error
    if not isinstance(labels, list) or not all(isinstance(x, str) for x in labels):
        raise ValueError(f"{path} must hold a list of names. Export again.")
    return labels


def image_files(given):
    """The file itself, or all images in a folder and below.

    Args:
        given: What `--images` says, or `None`.

    Returns:
        A list of paths.

    Raises:
        ValueError: if there is none.
    """
    if given is None:
        raise ValueError("Give a folder of images, or one, with --images.")
    folder = pathlib.Path(given)
    if folder.is_file():
        return [folder]
    if not folder.is_dir():
        raise ValueError(f"There is no file or folder {given!r}. Check --images.")
    folders = [folder, *(path for path in folder.rglob("*") if path.is_dir())]
    paths = [path for place in sorted(folders) for path in data.image_paths(place)]
    if not paths:
        raise ValueError(f"No images in --images={given!r}, nor in folders below it.")
    return paths


def output_folder(flags, source, name="."):
    """`--output_dir`, or else a folder beside the exported file; it is made.

    Args:
        flags: The flags.
        source: Path of an exported file, or of its folder.
        name: Of the folder beside it; that of the file itself by default.
    """
    if flags["output_dir"].present:
        return command_line.make_folder(flags.output_dir)
    source = pathlib.Path(source)
    folder = source.parent if source.suffix == ".tflite" else source
    return command_line.make_folder(folder / name)
