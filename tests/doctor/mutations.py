"""Damaged files."""

import io
import random

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from PIL import Image

# What takes the place of an index, a size, a type, a stride or another option.
_NUMBERS = (*range(-2, 12), 127, 255, 1000, 2**16, 2**30, 2**31 - 1, -(2**31))
_LENGTHS = (0xFF, 0xFFFF, 0x00FFFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def mutated(content, seed):
    """Damages a file in one of many ways.

    Args:
        content: The bytes of an honest TFLite file.
        seed: What decides; any two seeds in a row damage in different ways.

    Returns:
        The bytes of the damaged file.
    """
    generator = random.Random(seed)
    return _DAMAGES[seed % len(_DAMAGES)](bytearray(content), generator)


def _flip(count, start=0.0, end=1.0):
    """Flips bits in a part of the file."""

    def damage(content, generator):
        low, high = int(start * len(content)), int(end * len(content))
        for _ in range(count):
            content[generator.randrange(low, high)] ^= 1 << generator.randrange(8)
        return content

    return damage


def _lengths(count):
    """Puts huge numbers where vectors may have their lengths, tables their offsets."""

    def damage(content, generator):
        for _ in range(count):
            place = generator.randrange(8, len(content) - 4) // 4 * 4
            content[place : place + 4] = generator.choice(_LENGTHS).to_bytes(
                4, "little"
            )
        return content

    return damage


def _vector_lengths(content, generator):
    """Makes a small number, which most lengths are, a huge one."""
    words = np.frombuffer(content[: len(content) // 4 * 4], "<u4")
    place = 4 * generator.choice(np.flatnonzero((words > 0) & (words < 64)).tolist())
    content[place : place + 4] = generator.choice(_LENGTHS).to_bytes(4, "little")
    return content


def _truncate(content, generator):
    return content[: generator.randrange(len(content))]


def _cut_out(content, generator):
    start = generator.randrange(8, len(content))
    del content[start : start + generator.randrange(1, 512)]
    return content


def _zeros(content, generator):
    start = generator.randrange(8, len(content) - 256)
    content[start : start + 256] = bytes(256)
    return content


def _swap(content, generator):
    a, b = (generator.randrange(8, len(content) - 64) for _ in range(2))
    content[a : a + 64], content[b : b + 64] = content[b : b + 64], content[a : a + 64]
    return content


def _fields(owner, path=()):
    """`(owner, name or place, names on the way)` of the integers of an object tree."""
    pairs = enumerate(owner) if isinstance(owner, list) else vars(owner).items()
    for name, value in pairs:
        if isinstance(value, np.ndarray) and path[-1:] != ("buffers",):
            value = value.tolist() if value.size < 64 else None
            _put(owner, name, value) if value is not None else None
        if isinstance(value, int) and not isinstance(value, bool):
            yield owner, name
        elif isinstance(value, list) or type(value).__name__.endswith("T"):
            yield from _fields(value, (*path, name))


def _put(owner, name, value):
    if isinstance(owner, list):
        owner[name] = value
    else:
        setattr(owner, name, value)


def _tree(count):
    """Changes numbers of the object tree: the file stays a whole flatbuffer."""

    def damage(content, generator):
        model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(bytes(content), 0))
        fields = list(_fields(model.subgraphs)) + list(_fields(model.signatureDefs))
        fields += list(_fields(model.operatorCodes)) if generator.random() < 0.1 else []
        for _ in range(count):
            owner, name = generator.choice(fields)
            _put(owner, name, generator.choice(_NUMBERS))
        builder = flatbuffers.Builder()
        try:
            builder.Finish(model.Pack(builder), b"TFL3")
        except Exception:  # a number that its field does not hold
            return damage(content, generator)
        return builder.Output()

    return damage


def _noise(content, generator):
    return content[: generator.choice((0, 8, 64))] + generator.randbytes(4000)


def _empty(content, generator):
    return b""


def _image(content, generator):
    file = io.BytesIO()
    Image.new("RGB", (16, 16), generator.randrange(2**24)).save(file, "png")
    return file.getvalue()


_DAMAGES = (
    _flip(1),
    _flip(1, 0, 0.1),
    _flip(1, 0.8, 1),
    _flip(4, 0.8, 1),
    _flip(8),
    _flip(100),
    _lengths(1),
    _lengths(8),
    _vector_lengths,
    _truncate,
    _cut_out,
    _zeros,
    _swap,
    _noise,
    _empty,
    _image,
    *(_tree(1),) * 5,
    *(_tree(3),) * 3,
)


def any_of(contents, seed):
    """Damages one of several files, each in every way in turn.

    Args:
        contents: List of the bytes of honest files.
        seed: What decides.

    Returns:
        The bytes of the damaged file.
    """
    return mutated(contents[seed // len(_DAMAGES) % len(contents)], seed)
