"""A `Lambda` of Keras 2 as operations of Keras 3, by the names that its code calls."""

import operator
from collections.abc import Callable, Mapping
from typing import Any

import keras

from kerasseq.convert.keras2 import lambda_code, tf_ops, tf_shapes
from kerasseq.convert.keras2.lambda_code import Node, Unreadable
from kerasseq.ops import keras2_hard_sigmoid

_SIGNS = {
    "+": ("__operators__.add", operator.add),
    "-": ("math.subtract", operator.sub),
    "*": ("math.multiply", operator.mul),
    "/": ("math.truediv", operator.truediv),
    "//": ("math.floordiv", operator.floordiv),
    "%": ("math.floormod", operator.mod),
    "**": ("math.pow", operator.pow),
    "@": ("linalg.matmul", operator.matmul),
}
# Functions of the backend of Keras that TensorFlow calls otherwise.
_BACKEND = {
    "clip": "clip_by_value",
    "permute_dimensions": "transpose",
    "stop_gradient": "identity",
    **{
        name: f"math.reduce_{name}"
        for name in "all any max mean min prod std sum".split()
    },
    "var": "math.reduce_variance",
}
_OF_THE_LAST_AXIS = {"concatenate": "concat", "expand_dims": "expand_dims"}
_ROOTS = (
    "K",
    "backend",
    "keras.backend",
    "tf.keras.backend",
    "tensorflow.keras.backend",
)
_ACTIVATIONS = "elu exponential gelu linear relu selu sigmoid softmax softplus softsign"
_ACTIVATIONS += " swish tanh"
_DTYPES = "bool float16 float32 float64 int8 int16 int32 int64 uint8".split()


class LambdaFunction:
    """What a `Lambda` computes.

    Args:
        config: The configuration of the layer.

    Raises:
        Unreadable: If its code is none of the expressions that are known.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        code = config.get("function")
        if not isinstance(code, list) or len(code) != 3 or not isinstance(code[0], str):
            raise Unreadable("its code is not in the file")
        if config.get("mask") is not None:
            raise Unreadable("it has a mask of its own")
        self.name = str(config.get("name")).replace("/", "_")
        names, self._expression = lambda_code.read(code[0])
        self._closure = code[2] or []
        self._values = dict(zip(reversed(names), reversed(code[1] or []), strict=False))
        self._values |= config.get("arguments") or {}
        self._first, *others = names or [""]
        if not names or not set(others) <= set(self._values):
            raise Unreadable("it takes more than its input")
        _check_names(self._expression)

    def __call__(self, inputs: Any) -> Any:
        """Computes it.

        Args:
            inputs: A Keras tensor, or a list of them.

        Returns:
            A Keras tensor, or a list of them.
        """
        result = self._value(self._expression, self._values | {self._first: inputs})
        tensors = keras.tree.flatten(result)
        if not all(isinstance(tensor, keras.KerasTensor) for tensor in tensors):
            raise ValueError("it returns no tensor")
        # New ones, since the input itself may have a mask.
        given = {id(tensor) for tensor in keras.tree.flatten(inputs)}
        return keras.tree.map_structure(
            lambda tensor: keras.ops.copy(tensor) if id(tensor) in given else tensor,
            result,
        )

    def _value(self, node, values):
        kind, value, parts = node
        if kind == "constant":
            return value
        if kind == "argument":
            return values[value]
        if kind == "closure":
            return self._closure[value]
        if kind == "name":
            return self._attribute(node, values)
        if kind == "call":
            return self._call(node, values)
        items = [self._value(part, values) for part in parts]
        if kind == "tuple":
            return items
        if kind == "slice":
            return dict(zip(("start", "stop", "step"), [*items, None], strict=False))
        if kind == "item":
            return _item(*items)
        if kind == "-x":
            return _operation("math.multiply", operator.mul, items[0], -1)
        return _operation(*_SIGNS[kind], *items)

    def _attribute(self, node, values):
        if _path(node).split(".")[-1] in _DTYPES:
            return node.value
        if node.value == "shape" and node.parts:
            return tf_shapes.shape_of(self._value(node.parts[0], values))
        raise ValueError(f"it uses the value of `{_path(node)}`")

    def _call(self, node, values):
        name, *parts = node.parts
        items = [self._value(part, values) for part in parts]
        count = len(items) - len(node.value)
        kwargs = dict(zip(node.value, items[count:], strict=True))
        return _function(_path(name))(*items[:count], **kwargs)


def _check_names(node):
    """Raises before anything is built, with the name of what is not known."""
    if node.kind == "call":
        _function(_path(node.parts[0]))
    elif node.kind == "name" and not node.parts:
        if node.value not in ("tf", "K", "keras", "backend"):
            raise Unreadable(f"it uses `{node.value}`, which is not in the file")
    parts = node.parts[1:] if node.kind == "call" else node.parts
    for part in parts:
        _check_names(part)


def _path(node: Node) -> str:
    if node.kind == "argument":
        return ""
    return ".".join([_path(part) for part in node.parts] + [str(node.value)])


def _function(path: str) -> Callable[..., Any]:
    root, _, name = path.rpartition(".")
    if root in _ROOTS or root == "":
        found = _of_the_backend(name) if root else None
    elif root.endswith("activations") and name in _ACTIVATIONS.split():
        found = getattr(keras.activations, name)
    elif path.startswith("tf."):
        found = _of_tensorflow(path.partition(".")[2])
    else:
        found = None
    if path.endswith(("K.hard_sigmoid", "activations.hard_sigmoid")):
        found = keras2_hard_sigmoid
    if found is None:
        raise Unreadable(f"it calls `{path}`")
    return found


def _of_the_backend(name):
    if name == "int_shape":
        return tf_shapes.shape_of
    if name in _OF_THE_LAST_AXIS:
        function = _of_tensorflow(_OF_THE_LAST_AXIS[name])
        return lambda x, axis=-1: function(x, axis)
    return _of_tensorflow(_BACKEND.get(name, name)) or _of_tensorflow(
        f"keras.backend.{name}"
    )


def _of_tensorflow(name):
    last = name.rpartition(".")[2]
    for symbol in (name, f"math.{last}", f"nn.{last}", f"linalg.{last}"):
        function = tf_ops.find(symbol)
        if function is not None:
            return lambda *args, s=symbol, f=function, **kw: tf_ops.call(s, f, args, kw)
    return None


def _operation(symbol, of_numbers, x, y):
    if isinstance(x, (int, float)) and isinstance(y, (int, float)):
        return of_numbers(x, y)
    return tf_ops.call(symbol, tf_ops.find(symbol), [x], {_second(symbol): y})


def _second(symbol):
    return "b" if symbol == "linalg.matmul" else "y"


def _item(value, key):
    if isinstance(value, list):
        return value[key]
    symbol = "__operators__.getitem"
    return tf_ops.call(symbol, tf_ops.find(symbol), [value], {"slice_spec": key})
