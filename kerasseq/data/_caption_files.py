"""Reads files of captions: TSV, CSV, those of Flickr8k, and COCO's JSON."""

import json
import pathlib
import re
import typing

from kerasseq.data import _table_files, _text_files, words

NAMES = ("captions.tsv", "captions.csv", "captions.txt", "captions.json")
KINDS = "or a folder of images with a captions file"
_NUMBERED = re.compile(r"(.+\.\w+)#\d+")  # of Flickr8k: image.jpg#0
_HEADER = ("image", "caption")


class Caption(typing.NamedTuple):
    """One caption of an image, and where it stands.

    Args:
        image: Name of the image, as the file has it.
        text: The caption.
        where: File and line, for messages.
    """

    image: str
    text: str
    where: str


def find(folder):
    """The captions file of a folder.

    Raises:
        ValueError: if there is none, or there are several.
    """
    found = [path for name in NAMES if (path := pathlib.Path(folder, name)).is_file()]
    if len(found) != 1:
        received = ", ".join(path.name for path in found) or "none of them"
        raise ValueError(
            f"{str(folder)!r} must hold one captions file, {', '.join(NAMES)}; or name "
            f"another one with `captions`. Received: {received}"
        )
    return found[0]


def read(path):
    """Reads all captions of a file.

    Args:
        path: `.tsv`: `image<TAB>caption` on each line, where `image.jpg#0` means
            `image.jpg`. `.csv`: the columns `image` and `caption`. `.json`: a dict of
            `images` (`id`, `file_name`) and `annotations` (`image_id`, `caption`).
            Any other: TSV if its first line has a tab, else CSV.

    Returns:
        A list of `Caption`, none of them empty.

    Raises:
        ValueError: naming file and line, where a line has other columns or an empty
            caption, or the file cannot be read.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise ValueError(
            f"There is no captions file {str(path)!r}; name one with `captions`, or "
            f"put one into the folder of the images ({', '.join(NAMES)})"
        )
    suffix = path.suffix.lower()
    if suffix == ".json":
        captions = _read_json(path)
    else:
        lines = _text_files.read_lines(path, KINDS)
        if suffix == ".tsv" or suffix != ".csv" and "\t" in lines[0]:
            rows, form = _table_files.tab_rows(path, KINDS), "image<TAB>caption"
        else:
            rows, form = _table_files.comma_rows(path, KINDS), "image,caption"
        captions = [*_read_rows(path, rows, form)]
    if not captions:
        raise ValueError(f"{str(path)!r} holds no captions; pass a file with some")
    for caption in captions:
        if not words.split_words(caption.text) or not caption.image.strip():
            empty = "caption" if caption.image.strip() else "name of an image"
            raise ValueError(
                f"{caption.where}: the {empty} is empty; fill it in or remove it"
            )
        for part in (caption.image, caption.text):
            _text_files.refuse_surrogates(part, caption.where)
    return captions


def _read_rows(path, rows, form):
    for number, columns in rows:
        if not "".join(columns).strip() or (number == 1 and _is_header(columns)):
            continue
        where = f"{str(path)!r}, line {number}"
        if len(columns) != 2:
            raise ValueError(
                f"{where}: expected {form}, two columns; quote what holds the "
                f"separator, or remove the line. Received: {len(columns)} column(s) in "
                f"{str(columns)[:60]}"
            )
        name = _NUMBERED.fullmatch(columns[0])
        yield Caption(name[1] if name else columns[0], columns[1], where)


def _is_header(columns):
    return tuple(column.strip().lower() for column in columns) == _HEADER


def _read_json(path):
    try:
        content = json.loads(_text_files.read_text(path, KINDS))
    except RecursionError as error:
        raise ValueError(f"{str(path)!r} is nested too deeply to be read") from error
    except json.JSONDecodeError as error:
        raise ValueError(
            f"{str(path)!r}, line {error.lineno}: no JSON; repair the file. Received: "
            f"{error.msg}"
        ) from error
    try:
        names = {image["id"]: image["file_name"] for image in content["images"]}
        rows = [
            (names.get(row["image_id"]), row["image_id"], row["caption"])
            for row in content["annotations"]
        ]
    except (TypeError, KeyError) as error:
        raise ValueError(
            f"{str(path)!r} must have the form of COCO's captions: a dict of `images` "
            "with `id` and `file_name`, and `annotations` with `image_id` and "
            f"`caption`. Received: {type(error).__name__} for {error}"
        ) from error
    return [
        _json_row(f"{str(path)!r}, annotation {number}", *row)
        for number, row in enumerate(rows, 1)
    ]


def _json_row(where, name, image_id, text):
    if name is None:
        raise ValueError(
            f"{where}: there is no such image in `images`; remove the annotation. "
            f"Received: image_id={image_id!r}"
        )
    if not isinstance(text, str) or not isinstance(name, str):
        raise ValueError(
            f"{where}: file name and caption must be strings. Received: {name!r} and "
            f"{text!r}"
        )
    return Caption(name, text, where)
