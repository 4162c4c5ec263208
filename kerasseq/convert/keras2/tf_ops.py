"""Operations of TensorFlow in a functional model of Keras 2, as those of Keras 3.

Keras 2 recorded `x + y` or `tf.concat([x, y], 1)` between layers as a layer of class
`TFOpLambda`, under the public name of the function, with the arguments in the node.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from kerasseq.convert.keras2 import tf_nn_ops, tf_shapes

CLASSES = ("TFOpLambda", "SlicingOpLambda")


def find(name: Any) -> Callable[..., Any] | None:
    """Finds the counterpart of a function of TensorFlow.

    Args:
        name: Its public name without `tf.`, such as `"math.add"`.

    Returns:
        A function of the same arguments on Keras tensors; `None` if there is none.
    """
    return _OPERATIONS.get(str(name).removeprefix("compat.v1."))


def call(
    name: str,
    function: Callable[..., Any],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
) -> Any:
    """Calls what `find` found with the arguments of TensorFlow's function.

    Args:
        name: Public name of TensorFlow's function.
        function: Its counterpart.
        args: Positional arguments; lists of numbers are constants.
        kwargs: Named arguments, as TensorFlow names them.

    Returns:
        A Keras tensor, or a list of them.

    Raises:
        ValueError: If an argument is set that the counterpart does not have.
    """
    name = name.removeprefix("compat.v1.")
    if name in _LOST:
        raise ValueError(f"Keras 2 does not write the inputs of `tf.{name}` to a file")
    if tf_shapes.has_sizes([*args, *kwargs.values()]):
        return tf_shapes.call(name, args[0], kwargs)
    if name == "reshape" and len(args) == 1 and "shape" in kwargs:
        kwargs = {**kwargs, "shape": tf_shapes.new_shape(args[0], kwargs["shape"])}
    args, kwargs = tf_shapes.settle(name, [list(args), dict(kwargs)])
    known = inspect.signature(function).parameters
    given = {}
    for key, value in kwargs.items():
        if key in known:
            given[key] = value
        elif key != "name" and value not in _NO_EFFECT.get(key, (None,)):
            raise ValueError(
                f"`tf.{name}` has no counterpart in Keras 3 with the argument {key}. "
                f"Received: {key}={value!r}"
            )
    return function(*args, **given)


# Keras 2 writes the first argument of a function and those with a name.
_LOST = {"einsum", "linalg.einsum"}
_NO_EFFECT: dict[str, tuple] = {
    "conjugate": (None, False),
    "batch_dims": (None, 0),
    "adjoint_a": (None, False),
    "adjoint_b": (None, False),
    "a_is_sparse": (None, False),
    "b_is_sparse": (None, False),
    "preserve_aspect_ratio": (None, False),
    "validate_indices": (None, True, False),
    "output_type": (None, "int64"),
    "out_type": (None, "int32", "int64"),
}


def _constants(function):
    """Lets both arguments be constants, of the type of the other one."""

    def with_constants(x, y):
        dtype = next(t.dtype for t in (x, y) if isinstance(t, keras.KerasTensor))
        pair = [
            t if isinstance(t, keras.KerasTensor) else np.asarray(t, dtype)
            for t in (x, y)
        ]
        # A number stays a number in the configuration.
        return function(*[t.item() if np.ndim(t) == 0 else t for t in pair])

    return with_constants


def _unary(function):
    return lambda x: function(x)


def _reduction(function):
    def reduce(input_tensor, axis=None, keepdims=False):
        axis = tuple(axis) if isinstance(axis, list) else axis
        return function(input_tensor, axis=axis, keepdims=keepdims)

    return reduce


def _getitem(tensor, slice_spec):
    keys = slice_spec if isinstance(slice_spec, list) else [slice_spec]
    keys = [
        slice(key["start"], key["stop"], key["step"]) if isinstance(key, dict) else key
        for key in keys
    ]
    return tensor[tuple(keys)]


def _matmul(a, b, transpose_a=False, transpose_b=False):
    a = ops.swapaxes(a, -1, -2) if transpose_a else a
    b = ops.swapaxes(b, -1, -2) if transpose_b else b
    return ops.matmul(a, b)


def _split(value, num_or_size_splits, axis=0):
    if isinstance(num_or_size_splits, list):
        num_or_size_splits = np.cumsum(num_or_size_splits)[:-1].tolist()
    return ops.split(value, num_or_size_splits, axis=axis)


def _pad(tensor, paddings, mode="CONSTANT", constant_values=0):
    mode = mode.lower()
    values = constant_values if mode == "constant" else None
    return ops.pad(tensor, paddings, mode=mode, constant_values=values)


def _resize(images, size, method="bilinear", antialias=False):
    return ops.image.resize(images, size, interpolation=method, antialias=antialias)


def _cumsum(x, axis=0, exclusive=False, reverse=False):
    x = ops.flip(x, axis) if reverse else x
    total = ops.subtract(ops.cumsum(x, axis), x) if exclusive else ops.cumsum(x, axis)
    return ops.flip(total, axis) if reverse else total


def _sum_of(inputs):
    total = inputs[0]
    for tensor in inputs[1:]:
        total = ops.add(total, tensor)
    return total


def _l2_normalize(x, axis=None, epsilon=1e-12):
    axis = tuple(axis) if isinstance(axis, list) else axis
    squares = ops.sum(ops.square(x), axis=axis, keepdims=True)
    return ops.multiply(x, ops.rsqrt(ops.maximum(squares, epsilon)))


def _elementwise(names):
    return {f"math.{name}": _unary(getattr(ops, name)) for name in names.split()}


def _activations(names):
    return {f"nn.{name}": _unary(getattr(ops, name)) for name in names.split()}


def _pairs(names):
    return {f"math.{name}": _constants(getattr(ops, name)) for name in names.split()}


def _pools(name, function):
    return {
        f"nn.{name}{kind}": tf_nn_ops.pool(function) for kind in ("", "1d", "2d", "3d")
    }


_OPERATIONS = (
    _elementwise("abs ceil cos erf exp expm1 floor log log1p logical_not negative")
    | _elementwise("round rsqrt sigmoid sign sin softplus sqrt square tan tanh")
    | _activations("elu relu relu6 selu sigmoid silu softplus tanh")
    | _pools("avg_pool", ops.average_pool)
    | _pools("max_pool", ops.max_pool)
    | _pairs("add equal greater greater_equal less less_equal logical_and logical_or")
    | _pairs("maximum minimum multiply not_equal subtract")
    | {
        "__operators__.add": _constants(ops.add),
        "__operators__.getitem": _getitem,
        "cast": lambda x, dtype: ops.cast(x, dtype),
        "clip_by_value": lambda t, clip_value_min, clip_value_max: ops.clip(
            t, clip_value_min, clip_value_max
        ),
        "concat": lambda values, axis: ops.concatenate(values, axis),
        "expand_dims": lambda input, axis: ops.expand_dims(input, axis),
        "floor_div": _constants(ops.floor_divide),
        "gather": lambda params, indices, axis=0: ops.take(params, indices, axis=axis),
        "einsum": lambda equation: None,
        "linalg.einsum": lambda equation: None,
        # Not the input itself, which may have a mask.
        "identity": lambda input: ops.copy(input),
        "image.resize": _resize,
        "linalg.matmul": _matmul,
        "math.add_n": _sum_of,
        "math.argmax": lambda input, axis=0: ops.cast(ops.argmax(input, axis), "int64"),
        "math.argmin": lambda input, axis=0: ops.cast(ops.argmin(input, axis), "int64"),
        "math.cumsum": _cumsum,
        "math.divide": _constants(ops.true_divide),
        "math.floordiv": _constants(ops.floor_divide),
        "math.floormod": _constants(ops.mod),
        "math.l2_normalize": _l2_normalize,
        "math.pow": _constants(ops.power),
        "math.reduce_max": _reduction(ops.max),
        "math.reduce_mean": _reduction(ops.mean),
        "math.reduce_min": _reduction(ops.min),
        "math.reduce_prod": _reduction(ops.prod),
        "math.reduce_all": _reduction(ops.all),
        "math.reduce_any": _reduction(ops.any),
        "math.reduce_logsumexp": _reduction(ops.logsumexp),
        "math.reduce_std": _reduction(ops.std),
        "math.reduce_sum": _reduction(ops.sum),
        "math.reduce_variance": _reduction(ops.var),
        "math.squared_difference": lambda x, y: ops.square(ops.subtract(x, y)),
        "math.truediv": _constants(ops.true_divide),
        "keras.backend.batch_flatten": lambda x: ops.reshape(
            x, (-1, np.prod(x.shape[1:]).item())
        ),
        "nn.bias_add": tf_nn_ops.bias_add,
        "nn.depth_to_space": tf_nn_ops.blocks(ops.depth_to_space),
        "nn.space_to_depth": tf_nn_ops.blocks(ops.space_to_depth),
        "nn.gelu": lambda features, approximate=False: ops.gelu(features, approximate),
        "nn.leaky_relu": lambda features, alpha=0.2: ops.leaky_relu(features, alpha),
        "nn.log_softmax": lambda logits, axis=-1: ops.log_softmax(logits, axis),
        "nn.softmax": lambda logits, axis=-1: ops.softmax(logits, axis),
        "one_hot": lambda indices, depth, axis=-1: ops.one_hot(indices, depth, axis),
        "ones_like": lambda input: ops.ones_like(input),
        "pad": _pad,
        "repeat": lambda input, repeats, axis=None: ops.repeat(input, repeats, axis),
        "reshape": lambda tensor, shape: ops.reshape(tensor, shape),
        "reverse": lambda tensor, axis: ops.flip(tensor, axis),
        "shape": lambda input, out_type=None: tf_shapes.shape_of(input),
        "split": _split,
        "squeeze": lambda input, axis=None: ops.squeeze(input, axis),
        "stack": lambda values, axis=0: ops.stack(values, axis),
        "tile": lambda input, multiples: ops.tile(input, multiples),
        "transpose": lambda a, perm=None: ops.transpose(a, perm),
        "unstack": lambda value, num=None, axis=0: ops.unstack(value, num, axis),
        "where": lambda condition, x, y: ops.where(condition, x, y),
        "zeros_like": lambda input: ops.zeros_like(input),
    }
)
