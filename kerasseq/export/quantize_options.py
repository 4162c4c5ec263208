"""What `export_model(quantize=...)` takes: the precisions and their options."""

import dataclasses
import fnmatch
from collections.abc import Collection, Iterable, Sequence
from typing import Any, ClassVar

from kerasseq.lite import audit

_BLOCK_SIZES = (None, 32, 64, 128, 256)
_INT8_NEEDS_DATA = (
    "Int8 quantization measures the range of each activation on some hundred real "
    "inputs, such as the batches you train on, or arrays by input name: write "
    '`quantize=[kerasseq.export.Int8(data)]` instead of "int8".'
)


@dataclasses.dataclass(frozen=True)
class Float16:
    """Weights in float16: half the size, nearly the same outputs."""

    precision: ClassVar[str] = "float16"


@dataclasses.dataclass(frozen=True)
class Dynamic:
    """Weights in int8, activations in float: dynamic-range quantization."""

    precision: ClassVar[str] = "dynamic"


@dataclasses.dataclass(frozen=True)
class Int4:
    """Weights of dense layers in int4, activations in float; tables of rows in int8.

    For language models, whose files are weights for the most part. It needs LiteRT's
    quantizer, so `converter="litert"` or the JAX backend.

    Args:
        block_size: 32, 64, 128 or 256 for a scale for each so many weights, which must
            divide the inputs of each dense layer; `None` for one for each unit.

    Raises:
        ValueError: If `block_size` is something else.
    """

    block_size: int | None = None
    precision: ClassVar[str] = "int4"

    def __post_init__(self) -> None:
        if self.block_size not in _BLOCK_SIZES:
            raise ValueError(
                f"`block_size` must be one of {_BLOCK_SIZES}. "
                f"Received: block_size={self.block_size!r}"
            )


@dataclasses.dataclass(frozen=True, eq=False)  # arrays have no one truth
class Int8:
    """Weights and activations in int8; inputs and outputs keep their dtypes.

    Args:
        data: Representative data, some hundred real inputs that set the range of each
            activation: `{signature name: [{input name: array}]}` with arrays of the
            signature's batch size; or arrays by input name, also in an `.npz` file,
            whose rows are taken one by one; or, for a single signature, an iterable of
            batches as `fit` takes them, such as a `tf.data.Dataset`. See
            `calibration_inputs.from_data`.
        float_layers: Patterns of layer names, as `"dense*"`, whose layers compute in
            float. The report's `error_by_layer` tells which layers lose most.
        float_ops: Names of builtin ops that compute in float, for models that lose
            too much in int8, as transformers do: those of layer normalization and
            attention are `("ADD", "BATCH_MATMUL", "GELU", "MEAN", "MUL", "NEG",
            "RSQRT", "SOFTMAX", "SQUARED_DIFFERENCE")`. A chip with integer arithmetic
            only cannot run them; on a CPU `"dynamic"` may do better.

    Raises:
        ValueError: If `data` is `None`, or one of the others is no list of names.

    Example:

    ```python
    data = {"image": train_images[:200]}
    export.export_model(model, "out", quantize=["float16", export.Int8(data)])
    ```
    """

    data: Any = dataclasses.field(repr=False)
    float_layers: Sequence[str] = ()
    float_ops: Sequence[str] = ()
    precision: ClassVar[str] = "int8"

    def __post_init__(self) -> None:
        if self.data is None:
            raise ValueError(f"{_INT8_NEEDS_DATA} Received: data=None")
        layers, ops = _names(self.float_layers), _names(self.float_ops)
        if layers is None:
            raise ValueError(
                "`float_layers` must be a list of patterns of layer names, e.g. "
                f"['dense*']. Received: float_layers={self.float_layers!r}"
            )
        if ops is None or not {*ops} <= audit.BUILTIN_NAMES:
            raise ValueError(
                "`float_ops` must be a list of names of TFLite builtin ops, as in the "
                "report's `ops`, e.g. ['SOFTMAX', 'MEAN']. "
                f"Received: float_ops={self.float_ops!r}"
            )
        # Each is read more than once, and a generator only gives its names once.
        object.__setattr__(self, "float_layers", layers)
        object.__setattr__(self, "float_ops", ops)


Option = Float16 | Dynamic | Int4 | Int8
PRECISIONS = tuple(x.precision for x in (Float16, Dynamic, Int4, Int8))
_BY_NAME = {"float16": Float16(), "dynamic": Dynamic(), "int4": Int4()}


def parse(quantize: Iterable[str | Option]) -> list[Option]:
    """Turns what a caller writes into option objects, before any long work.

    Args:
        quantize: List of `"float16"`, `"dynamic"`, `"int4"`, `Float16()`, `Dynamic()`,
            `Int4()` and `Int8(data)`, each precision at most once.

    Returns:
        A list of option objects.

    Raises:
        ValueError: If an entry is something else, or a precision is there twice.
    """
    if isinstance(quantize, str) or not isinstance(quantize, Iterable):
        raise _unknown(quantize)
    options = [_option(entry, quantize) for entry in quantize]
    names = [option.precision for option in options]
    if len(set(names)) < len(names):
        raise ValueError(
            "`quantize` must name each precision once, since each writes one file. "
            f"Received: quantize with {names}"
        )
    return options


def check_layers(options: Iterable[Option], layers: Collection[str]) -> None:
    """Checks that every pattern of `float_layers` matches a layer.

    Args:
        options: From `parse`.
        layers: Names of the model's layers.

    Raises:
        ValueError: If one matches none.
    """
    patterns = (p for x in options if isinstance(x, Int8) for p in x.float_layers)
    for pattern in patterns:
        if not fnmatch.filter(layers, pattern):
            raise ValueError(
                "Each of `float_layers` must match the name of a layer, as 'dense*' "
                f"does. Received: {pattern!r}, which matches none of {sorted(layers)}"
            )


def _names(value):
    """A tuple of strings, or `None` if the value is something else."""
    if isinstance(value, str) or not isinstance(value, Iterable):
        return None
    names = tuple(value)
    return names if all(isinstance(name, str) for name in names) else None


def _option(entry, quantize):
    if isinstance(entry, Option):
        return entry
    if isinstance(entry, str) and entry == Int8.precision:
        raise ValueError(f"{_INT8_NEEDS_DATA} Received: quantize={quantize!r}")
    if isinstance(entry, str) and entry in _BY_NAME:
        return _BY_NAME[entry]
    raise _unknown(quantize)


def _unknown(quantize):
    return ValueError(
        '`quantize` must be a list out of "float16", "dynamic", "int4" and '
        f"`kerasseq.export.Int8(data)`. Received: quantize={quantize!r}"
    )
