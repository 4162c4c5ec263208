"""Damaged files."""

import io
import random

import numpy as np
from PIL import Image

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
)
