"""Which images an exported file is used on, and where its results go."""

import os
import pathlib
import sys

from kerasseq import data
from recipes.shared import command_line, exported_file


def define_flags(flags, verb):
    """Adds `--images`, which `image_files` reads.

    Args:
        flags: The `absl.flags.FlagValues` of the recipe.
        verb: What is done with them, as "classify".
    """
    text = f"Only {verb}: an image, or a folder of them."
    command_line.definer(flags, "use")("string", "images", None, text)


def image_files(given):
    """The file itself, or all images in a folder and below.

    Args:
        given: What `--images` says, or `None`.

    Returns:
        A list of paths.

    Raises:
        ValueError: if there is none.
    """
    if not given:
        raise ValueError("Give a folder of images, or one, with --images.")
    folder = pathlib.Path(given)
    if folder.is_file():
        return [folder]
    if not folder.is_dir():
        raise ValueError(f"There is no file or folder {given!r}. Check --images.")
    paths = images_below(folder)
    if not paths:
        raise ValueError(f"No images in --images={given!r}, nor in folders below it.")
    return paths


def images_below(folder):
    """All image files in a folder, a `pathlib.Path`, and in folders below it."""
    folders = [folder, *(path for path in folder.rglob("*") if path.is_dir())]
    return [path for place in sorted(folders) for path in data.image_paths(place)]


def shown(path):
    """A path as text that can be written, with what is not UTF-8 in it escaped."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def use_lines(use, most):
    """Uses each line of standard input; a blank one stays a blank line of the output.

    Args:
        use: Function of a line, without space around it.
        most: How many of the lines to return.

    Returns:
        The first lines that were not blank.

    Raises:
        ValueError: as `use` does, with the number of the line.
    """
    first = []
    for number, line in enumerate(lines_of_stdin(), 1):
        text = line.strip()
        if not text:
            print(flush=True)
            continue
        try:
            use(text)
        except ValueError as error:
            raise ValueError(f"line {number}: {error}") from error
        first = [*first, text][:most]
    return first


def lines_of_stdin():
    """Yields the lines of standard input, decoded from UTF-8, without line ends.

    Raises:
        ValueError: naming the line, where it is not UTF-8.
    """
    lines = getattr(sys.stdin, "buffer", sys.stdin)
    for number, line in enumerate(lines, 1):
        try:
            text = line if isinstance(line, str) else line.decode("utf-8")
        except UnicodeDecodeError as error:
            raise ValueError(
                f"line {number}: not UTF-8; convert it, e.g. with iconv. Received: "
                f"byte 0x{line[error.start]:02x}"
            ) from error
        yield text.removeprefix("\ufeff").rstrip("\r\n")


def output_folder(flags, model, name="."):
    """`--output_dir`, or else a folder beside the exported file; it is made.

    Args:
        flags: The flags.
        model: Path of the exported file. The published ones stay alone: beside them
            means in the recipe's own `--output_dir`.
        name: Of the folder beside it; that of the file itself by default.
    """
    if flags["output_dir"].present:
        return command_line.make_folder(flags.output_dir)
    published = exported_file.is_published(model)
    folder = pathlib.Path(flags.output_dir if published else model.parent)
    return command_line.make_folder(folder / name)
