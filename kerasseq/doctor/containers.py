"""Files that hold `.tflite` files: bundles of LiteRT-LM, and ZIP archives."""

import contextlib
import dataclasses
import os
import struct
import zipfile
from collections.abc import Iterator
from typing import IO

from flatbuffers import encode, number_types, table

_LITERTLM, _ZIP, _MODEL = b"LITERTLM", b"PK\3\4", b"TFL3"
_HEADER_START, _HEADER_END_PLACE = 32, 24
_MOST_HEADER, _MOST_PARTS = 2**24, 1000
_MOST_BYTES = 2**32  # of a model in a ZIP archive
# Types of sections, of `litertlm_header_schema.fbs` of LiteRT-LM 0.18.
_SECTIONS = (
    *("nothing", "binary data", "deprecated", "TFLite model"),
    *("SentencePiece tokenizer", "metadata", "Hugging Face tokenizer"),
    *("TFLite weights", "embedding metadata", "executor metadata"),
    *("text-to-speech metadata", "speech recognition metadata"),
)
_MODEL_TYPE = "model_type"


@dataclasses.dataclass(frozen=True)
class Part:
    """A part of a container.

    Attributes:
        name: What names it there.
        kind: What it is.
        num_bytes: Its size.
        is_model: Whether it begins as a `.tflite` file.
    """

    name: str
    kind: str
    num_bytes: int
    is_model: bool


def kind(path: str) -> str | None:
    """What a container is, by its first bytes; `None` for another file."""
    with open(path, "rb") as file:
        start = file.read(len(_LITERTLM))
    if start == _LITERTLM:
        return "a LiteRT-LM bundle"
    return "a ZIP archive" if start.startswith(_ZIP) else None


def parts(path: str) -> list[Part]:
    """Lists the parts of a container.

    Args:
        path: Path of the container.

    Returns:
        A list of `Part`.

    Raises:
        ValueError: If it is damaged.
    """
    try:
        return [part for part, _ in _parts(path)]
    except Exception as error:  # a damaged one raises anything
        raise ValueError(
            f"It is {kind(path)} and is damaged. Received: path={path!r} ({error})"
        ) from error


def read(path: str, index: int) -> bytes:
    """Reads a part.

    Args:
        path: Path of the container.
        index: Its place among `parts`.

    Returns:
        Its bytes.

    Raises:
        ValueError: If it is damaged or too large.
    """
    try:
        with open(path, "rb") as file:
            _, where = list(_parts(path))[index]
            if isinstance(where, zipfile.ZipInfo):
                return _unzip(file, where)
            file.seek(where[0])
            return file.read(where[1] - where[0])
    except Exception as error:  # a damaged one raises anything
        raise ValueError(
            f"A part of {kind(path)} is damaged. Received: path={path!r} ({error})"
        ) from error


def _parts(path: str) -> Iterator[tuple]:
    """Pairs of a `Part` and where it lies: a span of bytes, or an entry of a ZIP."""
    with open(path, "rb") as file:
        if kind(path) == "a LiteRT-LM bundle":
            yield from _sections(file)
        else:
            yield from _entries(file)


def _entries(file):
    archive = zipfile.ZipFile(file)
    infos = [info for info in archive.infolist() if not info.is_dir()]
    for info in infos[:_MOST_PARTS]:
        is_model = False
        with contextlib.suppress(Exception), archive.open(info) as entry:
            is_model = entry.read(8)[4:] == _MODEL  # an encrypted one raises
        kind = "TFLite model" if is_model else "file"
        yield Part(info.filename, kind, info.file_size, is_model), info


def _unzip(file, info):
    if info.file_size > _MOST_BYTES:
        raise ValueError(f"{info.file_size} bytes are too many")
    with zipfile.ZipFile(file).open(info) as entry:
        return entry.read(info.file_size)  # never more than it says


def _sections(file: IO[bytes]) -> Iterator[tuple]:
    size = os.fstat(file.fileno()).st_size
    (end,) = struct.unpack("<Q", _span(file, _HEADER_END_PLACE, _HEADER_START))
    if not _HEADER_START < end <= min(size, _MOST_HEADER):
        raise ValueError(f"its header ends at byte {end}")
    header = _span(file, _HEADER_START, end)
    root = table.Table(
        header, encode.Get(number_types.UOffsetTFlags.packer_type, header, 0)
    )
    metadata = _table(root, 1)
    for section in _tables(metadata, 0)[:_MOST_PARTS] if metadata else ():
        begin, stop = (_number(section, slot, "<Q") for slot in (1, 2))
        if not 0 < begin <= stop <= size:
            raise ValueError(f"a section lies at bytes {begin} to {stop} of {size}")
        code = _number(section, 3, "<B")
        kind = _SECTIONS[code] if code < len(_SECTIONS) else f"section of type {code}"
        is_model = _span(file, begin, min(begin + 8, stop))[4:] == _MODEL
        yield (
            Part(_section_name(section) or kind, kind, stop - begin, is_model),
            (begin, stop),
        )


def _span(file, begin, end):
    file.seek(begin)
    return file.read(end - begin)


def _section_name(section):
    """The value of `model_type` of a section."""
    for item in _tables(section, 0)[:_MOST_PARTS]:
        value = _table(item, 2)
        if _text(item, 0) == _MODEL_TYPE and value is not None:
            return _text(value, 0)
    return ""


def _number(owner, slot, form):
    offset = owner.Offset(4 + 2 * slot)
    return struct.unpack_from(form, owner.Bytes, owner.Pos + offset)[0] if offset else 0


def _text(owner, slot):
    offset = owner.Offset(4 + 2 * slot)
    text = owner.String(owner.Pos + offset) if offset else b""
    return text[:200].decode(errors="replace")


def _table(owner, slot):
    offset = owner.Offset(4 + 2 * slot)
    if not offset:
        return None
    return table.Table(owner.Bytes, owner.Indirect(owner.Pos + offset))


def _tables(owner, slot):
    offset = owner.Offset(4 + 2 * slot)
    if not offset:
        return []
    start, number = owner.Vector(offset), owner.VectorLen(offset)
    places = range(start, start + 4 * min(number, _MOST_PARTS), 4)
    return [table.Table(owner.Bytes, owner.Indirect(place)) for place in places]
