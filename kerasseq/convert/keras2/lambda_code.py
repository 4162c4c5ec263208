"""What a `Lambda` of Keras 2 computes, read from its bytecode without running it.

Anything but a straight line of arithmetic, slices and calls by name is refused.
"""

import opcode
import sys
import typing
from typing import Any

from kerasseq.convert.keras2 import lambda_marshal
from kerasseq.convert.keras2.lambda_marshal import Unreadable

_MAX_STEPS = 500
# Those used here have the same numbers in Python 3.6 to 3.10.
_NUMBERS_3_6 = {
    1: "POP_TOP", 11: "UNARY_NEGATIVE", 16: "BINARY_@", 19: "BINARY_**",
    20: "BINARY_*", 22: "BINARY_%", 23: "BINARY_+", 24: "BINARY_-",
    25: "BINARY_SUBSCR", 26: "BINARY_//", 27: "BINARY_/", 83: "RETURN_VALUE",
    100: "LOAD_CONST", 102: "BUILD_TUPLE", 103: "BUILD_LIST", 106: "LOAD_ATTR",
    116: "LOAD_GLOBAL", 124: "LOAD_FAST", 125: "STORE_FAST", 131: "CALL_FUNCTION",
    133: "BUILD_SLICE", 136: "LOAD_DEREF", 141: "CALL_FUNCTION_KW",
    144: "EXTENDED_ARG",
    160: "LOAD_ATTR", 161: "CALL_FUNCTION",
}  # fmt: skip


class Node(typing.NamedTuple):
    """A part of an expression.

    Attributes:
        kind: `"argument"`, `"closure"`, `"constant"`, `"name"`, `"tuple"`, `"slice"`,
            `"item"`, `"call"`, `"-x"`, or the sign of an operation.
        value: A number or name, or the names of the last arguments of a call.
        parts: The nodes it is made of.
    """

    kind: str
    value: Any = None
    parts: tuple["Node", ...] = ()


def read(text: str) -> tuple[list[str], Node]:
    """Reads a function.

    Args:
        text: Its code as `func_dump` of Keras 2 wrote it, in base 64.

    Returns:
        The names of its arguments, and the expression it returns.

    Raises:
        Unreadable: If it is anything but an expression.
    """
    code = lambda_marshal.read(text)
    try:
        return list(code.variables[: code.arguments]), _Machine(code).run()
    except (IndexError, ValueError, AttributeError, TypeError) as error:
        if isinstance(error, Unreadable):
            raise
        raise Unreadable("its code is damaged") from error


class _Machine:
    """Follows the instructions with expressions in place of values."""

    def __init__(self, code):
        self._code, self._stack = code, []
        known = enumerate(code.variables[: code.arguments])
        self._variables = {i: Node("argument", name) for i, name in known}
        self._keywords: tuple = ()

    def run(self):
        for name, argument in self._instructions():
            if name == "RETURN_VALUE":
                return self._pop()
            if name == "RETURN_CONST":
                break
            self._step(name, argument)
        raise Unreadable("it returns no expression of its arguments")

    def _instructions(self):
        code, at, high = self._code.instructions, 0, 0
        for _ in range(_MAX_STEPS):
            number, argument = code[at], code[at + 1] | high << 8
            at += 2
            name, unused = self._instruction(number)
            if any(code[at : at + unused : 2]):
                raise Unreadable("it was written by another version of Python")
            at += unused
            high = argument if name == "EXTENDED_ARG" else 0
            if not high:
                yield name, argument
        raise Unreadable("its code is long")

    def _instruction(self, number):
        """Its name, and the bytes after it that are not used."""
        if not self._code.of_this_python:
            return _NUMBERS_3_6.get(number, "another"), 0
        name = opcode.opname[number]
        caches = getattr(opcode, "_inline_cache_entries", {})
        known = isinstance(caches, dict)  # by name, and before Python 3.13 by number
        return name, 2 * (caches.get(name, 0) if known else caches[number])

    def _pop(self, count=None):
        if count is None:
            return self._pop(1)[0]
        if count > len(self._stack):
            raise Unreadable("its code is damaged")
        items = self._stack[len(self._stack) - count :]
        del self._stack[len(self._stack) - count :]
        return items

    def _step(self, name, n):
        method = getattr(self, f"_{name.lower()}", None)
        if name.startswith("BINARY_") and name not in ("BINARY_OP", "BINARY_SUBSCR"):
            method = None if name == "BINARY_SLICE" else self._sign(name[7:])
            method = self._binary_slice if name == "BINARY_SLICE" else method
        if method is None:
            raise Unreadable(f"it does more than an expression ({name})")
        method(n)

    def _sign(self, sign):
        return lambda n: self._stack.append(Node(sign, None, tuple(self._pop(2))))

    def _nothing(self, n):
        pass

    _resume = _precall = _cache = _nop = _copy_free_vars = _not_taken = _nothing

    def _push_null(self, n):
        self._stack.append(None)

    def _pop_top(self, n):
        self._pop()

    def _load_const(self, n):
        self._stack.append(_constant(self._code.constants[n]))

    def _load_small_int(self, n):
        self._stack.append(Node("constant", n))

    def _load_fast(self, n):
        if n not in self._variables:
            raise Unreadable("it uses a variable before it has a value")
        self._stack.append(self._variables[n])

    _load_fast_borrow = _load_fast

    def _load_fast_load_fast(self, n):
        self._load_fast(n >> 4)
        self._load_fast(n & 15)

    _load_fast_borrow_load_fast_borrow = _load_fast_load_fast

    def _store_fast(self, n):
        self._variables[n] = self._pop()

    def _load_deref(self, n):
        index = list(self._code.closure).index(self._code.cells[n])
        self._stack.append(Node("closure", index))

    def _load_global(self, n):
        if self._code.of_this_python:
            after = sys.version_info >= (3, 13)
            name = Node("name", self._code.names[n >> 1])
            parts = [name, None] if after else [None, name]
            self._stack += parts if n & 1 else [name]
        else:
            self._stack.append(Node("name", self._code.names[n]))

    def _load_attr(self, n):
        method = False
        if self._code.of_this_python and sys.version_info >= (3, 12):
            n, method = n >> 1, bool(n & 1)
        owner = self._pop()
        name = Node("name", self._code.names[n], (owner,))
        if method:
            self._stack += [name, None] if sys.version_info >= (3, 13) else [None, name]
        else:
            self._stack.append(name)

    def _load_method(self, n):
        self._stack += [None, Node("name", self._code.names[n], (self._pop(),))]

    def _kw_names(self, n):
        self._keywords = self._code.constants[n]

    def _call(self, n):
        arguments = self._pop(n)
        function, other = self._pop(2)
        function = other if function is None else function
        self._stack.append(_called(function, arguments, self._keywords))
        self._keywords = ()

    def _call_kw(self, n):
        self._keywords = _names(self._pop())
        self._call(n)

    def _call_function(self, n):
        arguments = self._pop(n)
        self._stack.append(_called(self._pop(), arguments, ()))

    def _call_function_kw(self, n):
        keywords = _names(self._pop())
        arguments = self._pop(n)
        self._stack.append(_called(self._pop(), arguments, keywords))

    def _binary_op(self, n):
        name, sign = opcode._nb_ops[n]  # type: ignore[attr-defined]
        if sign == "[]":
            return self._binary_subscr(n)
        self._sign(sign.removesuffix("=") if "INPLACE" in name else sign)(n)

    def _binary_subscr(self, n):
        self._stack.append(Node("item", None, tuple(self._pop(2))))

    def _binary_slice(self, n):
        key = Node("slice", None, tuple(self._pop(2)))
        self._stack.append(Node("item", None, (self._pop(), key)))

    def _unary_negative(self, n):
        self._stack.append(Node("-x", None, (self._pop(),)))

    def _build_tuple(self, n):
        self._stack.append(Node("tuple", None, tuple(self._pop(n))))

    _build_list = _build_tuple

    def _list_extend(self, n):
        first, more = self._pop(2)
        self._stack.append(Node("tuple", None, first.parts + more.parts))

    def _build_slice(self, n):
        self._stack.append(Node("slice", None, tuple(self._pop(n))))


def _called(function, arguments, keywords):
    if function is None or function.kind != "name":
        raise Unreadable("it calls what has no name")
    return Node("call", keywords, (function, *arguments))


def _constant(value):
    if isinstance(value, tuple):
        return Node("tuple", None, tuple(_constant(item) for item in value))
    return Node("constant", value)


def _names(node):
    return tuple(part.value for part in node.parts)
