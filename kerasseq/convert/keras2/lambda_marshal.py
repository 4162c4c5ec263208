"""Takes apart the code that Keras 2 stored of a `Lambda`, without running it.

By hand, since `marshal` trusts what it is given. Read are CPython 3.6 to 3.10, and the
version that runs.
"""

import base64
import binascii
import opcode
import struct
import typing
from collections.abc import Sequence
from typing import Any

_MAX_BYTES = 100_000
_MAX_DEPTH = 9


class Unreadable(ValueError):
    """The reason why a function cannot be read."""


class Code(typing.NamedTuple):
    """A function: its instructions, and what they refer to.

    Attributes:
        arguments: Number of its arguments.
        instructions: Pairs of bytes.
        constants: Plain values.
        names: Names of globals and attributes.
        variables: Names of its arguments and variables.
        cells: Names of variables that functions in it share, and of its closure.
        closure: Names of the variables of its closure.
        of_this_python: Whether the Python that runs wrote it.
    """

    arguments: int
    instructions: bytes
    constants: Sequence[Any]
    names: Sequence[str]
    variables: Sequence[str]
    cells: Sequence[str]
    closure: Sequence[str]
    of_this_python: bool


def read(text: str) -> Code:
    """Reads a function.

    Args:
        text: Its code as `func_dump` of Keras 2 wrote it, in base 64.

    Returns:
        A `Code`.

    Raises:
        Unreadable: If it is damaged, or of another Python.
    """
    try:
        return _Reader(base64.b64decode(text)).code()
    except (binascii.Error, IndexError, struct.error, TypeError) as error:
        raise Unreadable("its code is damaged") from error


class _Reader:
    """Takes the format of `marshal` apart, of plain data and one code object."""

    def __init__(self, data):
        if len(data) > _MAX_BYTES:
            raise Unreadable("its code is long")
        self._data, self._at, self._refs = data, 0, []

    def code(self):
        if self._take(1)[0] & 0x7F != ord("c"):
            raise Unreadable("it is no code of Python 3")
        self._refs.append(None)
        # Before the code stand 5 numbers, or 6 from Python 3.8 to 3.10.
        six = self._data[self._at + 20] & 0x7F != ord("s")
        arguments = self._number()
        self._take(20 if six else 16)
        items = [self._item(_MAX_DEPTH) for _ in range(6)]
        instructions, constants, names, variables, more, cells = items
        if not isinstance(more, bytes):
            return Code(arguments, *items[:4], [*cells, *more], more, False)
        if opcode.opmap.get("RESUME") not in instructions[:6:2]:
            raise Unreadable("it was written by another version of Python")
        kinds = zip(variables, more, strict=True)
        closure = [name for name, kind in kinds if kind & 0x80]
        return Code(arguments, *items[:4], variables, closure, True)

    def _take(self, count):
        if count < 0 or self._at + count > len(self._data):
            raise Unreadable("its code is cut off")
        self._at += count
        return self._data[self._at - count : self._at]

    def _number(self, form="<i"):
        return struct.unpack(form, self._take(struct.calcsize(form)))[0]

    def _item(self, depth):
        if not depth:
            raise Unreadable("its code is nested deeply")
        flag = self._take(1)[0]
        kind, place = chr(flag & 0x7F), len(self._refs)
        if flag & 0x80:
            self._refs.append(None)
        value = self._value(kind, depth)
        if flag & 0x80:
            self._refs[place] = value
        return value

    def _value(self, kind, depth):
        simple = {"N": None, "T": True, "F": False, ".": Ellipsis}
        if kind in simple:
            return simple[kind]
        if kind in "ig":
            return self._number("<i" if kind == "i" else "<d")
        if kind in "suatA":
            return self._text(kind, self._number())
        if kind in "zZ":
            return self._text(kind, self._take(1)[0])
        if kind in "()":
            size = self._take(1)[0] if kind == ")" else self._number()
            return tuple(self._item(depth - 1) for _ in range(min(size, _MAX_BYTES)))
        if kind == "r":
            return self._refs[self._number()]
        raise Unreadable("it holds a function, or is of another version of Python")

    def _text(self, kind, size):
        data = self._take(size)
        return data if kind == "s" else data.decode("utf-8", "replace")
