"""Checks that a converted model returns the same outputs as the original."""

import math
import typing
import warnings
from collections.abc import Iterable
from typing import Any

import keras
import numpy as np

from kerasseq.convert import cloning

_TOLERANCES = {"float16": 1e-2, "bfloat16": 1e-1}
_TOLERANCE = 1e-5
# The precision of float32 matrix products by default.
_MATMUL_PRECISIONS = {"gpu": "float16", "tpu": "bfloat16"}
_BATCH_SIZE = 2
_UNKNOWN_SIZES = (6, 64)  # the second for stacks that shorten their input
_LARGEST_TENSOR = 2**28  # elements, 1 GiB in float32


class Call(typing.NamedTuple):
    """A call of a model, and what it returned.

    Attributes:
        args: Positional arguments.
        kwargs: Named arguments.
        outputs: Flat list of arrays.
    """

    args: tuple
    kwargs: dict[str, Any]
    outputs: list[np.ndarray]


def check(
    model: keras.Model,
    converted: keras.Model,
    inputs: Iterable[Any] | None = None,
    stacklevel: int = 4,
) -> None:
    """Runs both models on the same inputs.

    Random inputs are seeded: normal floats; integers below the size of each embedding,
    with zeros at the end as padding. Neither model changes, not even its random seeds.

    Args:
        model: The original model.
        converted: The converted model.
        inputs: What the models are called with, one after the other; `None` for random
            inputs.
        stacklevel: Of the warning, for a model that does not run on random inputs.

    Raises:
        ValueError: If an output differs by more than 1e-5, relative to the largest
            value if that is above 1; with float16 anywhere, or on a GPU, by more than
            1e-2; with bfloat16 anywhere, or on a TPU, by more than 0.1.
    """
    if inputs is not None:
        for given in inputs:
            call = Call((given,), {}, run(model, (given,), {}))
            _check_outputs(model, converted, call)
        return
    try:
        call = run_on_random_inputs(model)
    except ValueError as error:
        warnings.warn(
            f"The outputs of model '{model.name}' were not compared, since it does "
            "not run on random inputs; compare them on yours. The weights are the "
            f"same. ({error})",
            stacklevel=stacklevel,
        )
        return
    _check_outputs(model, converted, call)


def _check_outputs(model, converted, call):
    allowed = tolerance(model)
    received = run(converted, call.args, call.kwargs)
    for index, pair in enumerate(zip(call.outputs, received, strict=True)):
        found = difference(*pair)
        if not found <= allowed:
            raise ValueError(
                f"The model '{model.name}' of class {type(model).__name__} returns "
                "other outputs after the conversion; check that your classes behave as "
                "their `get_config` says, and that no function of yours has the name "
                "of one of Keras. Received: a difference of "
                f"{found:.3g} in output {index}, allowed {allowed:g}"
            )


def run_on_random_inputs(model: keras.Model) -> Call:
    """Runs a model on seeded inputs.

    Args:
        model: A built model; not even its random seeds change.

    Returns:
        The `Call`.

    Raises:
        ValueError: If it does not run on them, or would need tensors of more than
            2**28 elements; the message says why.
    """
    _check_size(model)
    for size in _UNKNOWN_SIZES:
        try:
            args, kwargs = _random_inputs(model, size)
            return Call(args, kwargs, run(model, args, kwargs))
        except Exception as error:  # any: the model's own code raises it
            reason = error
    raise ValueError(f"{type(reason).__name__}: {reason}") from reason


def run(model: keras.Model, args: tuple, kwargs: dict[str, Any]) -> list[np.ndarray]:
    """Runs a model without changing it, and returns a flat list of arrays."""
    outputs = _CALLS.get(keras.backend.backend(), _call)
    return [_array(x) for x in keras.tree.flatten(outputs(model, args, kwargs))]


def _call(model, args, kwargs, variables=()):
    # In the scope nothing is assigned: no seed moves on, no state is kept.
    with keras.StatelessScope(state_mapping=variables):
        return model(*args, training=False, **kwargs)


def _call_on_jax(model, args, kwargs):
    """Calls a model under `jit`: JAX never forgets a loop that it compiles eagerly."""
    import jax

    def call(values, args, kwargs):
        pairs = list(zip(model.variables, values, strict=True))
        return _call(model, args, kwargs, pairs)

    try:
        return jax.jit(call)([x.value for x in model.variables], args, kwargs)
    except jax.errors.JAXTypeError:  # it looks at values
        return _call(model, args, kwargs)


def _call_on_tensorflow(model, args, kwargs):
    """Calls a model, as a graph if it has loops: eagerly a step takes a millisecond."""
    if not any(isinstance(x, keras.layers.RNN) for x in cloning.all_layers(model)):
        return _call(model, args, kwargs)
    import tensorflow as tf

    def call(args, kwargs):
        return _call(model, args, kwargs)

    # Calls of the function itself would be warned of as too much tracing.
    traced = tf.function(call, autograph=False).get_concrete_function
    try:
        return traced(args, kwargs)(args, kwargs)
    except (AttributeError, NotImplementedError, TypeError):  # it looks at values
        return _call(model, args, kwargs)


_CALLS = {"jax": _call_on_jax, "tensorflow": _call_on_tensorflow}


def _array(tensor):
    array = keras.ops.convert_to_numpy(tensor)
    floats = keras.backend.is_float_dtype(keras.backend.standardize_dtype(tensor.dtype))
    # NumPy does not count bfloat16 among its numbers.
    return array.astype("float32") if floats else array


def tolerance(model: keras.Model) -> float:
    """The `difference` that the precision of a model allows."""
    kinds = {getattr(x, "compute_dtype", None) for x in cloning.all_layers(model)}
    for device in keras.distribution.list_devices():
        kinds.add(_MATMUL_PRECISIONS.get(device.split(":")[0]))
    return max(_TOLERANCES.get(str(kind), _TOLERANCE) for kind in kinds)


def difference(expected: np.ndarray, received: np.ndarray) -> float:
    """The largest difference of two arrays, relative to values above 1."""
    if expected.shape != received.shape:
        return float("inf")
    if not np.issubdtype(expected.dtype, np.number):
        return 0.0 if np.array_equal(expected, received) else float("inf")
    expected, received = expected.astype("float64"), received.astype("float64")
    same = (expected == received) | (np.isnan(expected) & np.isnan(received))
    expected, received = expected[~same], received[~same]
    largest = np.max(np.abs(expected), initial=1.0)
    with np.errstate(invalid="ignore"):
        difference = np.max(np.abs(expected - received), initial=0.0) / largest
    return float(difference) if np.isfinite(difference) else float("inf")


def _check_size(model):
    """Raises where a call would fill the memory, by the shapes that are known."""
    for operation in _operations(model):
        for tensor in (x for n in operation._inbound_nodes for x in n.output_tensors):
            sizes = [size or _UNKNOWN_SIZES[0] for size in tensor.shape]
            if math.prod(sizes) > _LARGEST_TENSOR:
                raise ValueError(
                    f"the tensor of shape {tuple(tensor.shape)} at layer "
                    f"'{operation.name}' is too large for made-up inputs"
                )


def _operations(model):
    layers = cloning.all_layers(model)
    graphs = [getattr(layer, "_functional", layer) for layer in layers]
    return [x for graph in graphs for x in getattr(graph, "operations", ())]


def _random_inputs(model, unknown_size):
    """`(args, kwargs)` of a call, from the inputs or the build shapes of a model."""
    generator = np.random.default_rng(0)
    layers = cloning.all_layers(model)
    sizes = [x.input_dim for x in layers if isinstance(x, keras.layers.Embedding)]
    limit = min([9, *sizes])

    def array(shape, dtype):
        first, *rest = (unknown_size if size is None else size for size in shape)
        first = _BATCH_SIZE if shape[0] is None else first
        return _random(generator, (first, *rest), dtype, limit)

    tensors = getattr(model, "inputs", None)
    if tensors:
        # Only a functional model has an input structure; a Sequential has one tensor.
        sequential = isinstance(model, keras.Sequential)
        template = tensors[0] if sequential else model.input
        inputs = keras.tree.map_structure(lambda x: array(x.shape, x.dtype), template)
        return (inputs,), {}
    # A subclassed model knows the shapes it was built with. Whole numbers suit an
    # embedding and a dense layer alike.
    shapes = model.get_build_config()
    shapes = shapes.get("shapes_dict", {"": shapes.get("input_shape")})
    inputs = {
        key.removesuffix("_shape"): keras.tree.map_shape_structure(
            lambda shape: keras.ops.cast(array(shape, "int32"), "float32"), shape
        )
        for key, shape in shapes.items()
    }
    return ((inputs[""],), {}) if "" in inputs else ((), inputs)


def _random(generator, shape, dtype, limit):
    if dtype == "string":
        return keras.ops.convert_to_tensor(np.full(shape, "a"))
    if "int" not in dtype and dtype != "bool":
        return keras.ops.cast(generator.standard_normal(shape), dtype)
    ids = generator.integers(min(1, limit - 1), limit, shape)
    # Padding only on the right: cuDNN takes no other masks.
    lengths = generator.integers(1, shape[-1] + 1, (*shape[:-1], 1))
    # A tensor like the floats: Keras does not take tensors and arrays together.
    ids = np.where(np.arange(shape[-1]) < lengths, ids, 0)
    return keras.ops.convert_to_tensor(ids, dtype)
