"""The signatures of an export: named functions with named tensors and static shapes."""

import contextlib
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from kerasseq.export import front_ends, layer_forms, serve_signature
from kerasseq.export import samples as samples_lib


class Signature:
    """One function of the exported file, traced once with static shapes.

    Args:
        name: Name of the signature.
        function: Called with one keyword tensor per input; returns a dict of tensors.
        specs: `{input name: (shape, dtype)}`, every size a positive integer.
        variables: The variables of the model that the function is of.

    Raises:
        ValueError: If a name, shape or dtype is not usable, or the function does not
            return a dict of tensors.
    """

    def __init__(
        self,
        name: str,
        function: Callable[..., dict[str, Any]],
        specs: Mapping[str, tuple],
        variables: Sequence[Any] = (),
    ) -> None:
        self.name = name
        self.function = function
        self.specs: samples_lib.Specs = _checked_specs(name, specs)
        with _named_layer(name):
            self.traced = front_ends.trace(
                lambda **tensors: _checked_outputs(name, function(**tensors)),
                self.specs,
                variables,
            )
        self.outputs = self.traced.outputs

    def run(self, inputs: samples_lib.Arrays) -> samples_lib.Arrays:
        """Runs the traced function on NumPy arrays.

        Args:
            inputs: `{name: array}`.

        Returns:
            A dict of NumPy arrays.
        """
        return self.traced.run(inputs)


def trace_all(
    twin: keras.Model,
    signatures: Callable[[keras.Model], dict] | None = None,
    batch_size: int = 1,
    input_shapes: Mapping[str, tuple[int, ...]] | None = None,
) -> dict[str, Signature]:
    """Traces the signatures of a model.

    Args:
        twin: The model to export, from `twin.portable_twin`.
        signatures: `None` for one signature `serve`, from the model's own inputs; or a
            callable that gets the twin and returns
            `{name: (function, {input name: (shape, dtype)})}`.
        batch_size: Batch size of `serve`.
        input_shapes: `{input name: shape}` without the batch, for inputs of `serve`
            that the model does not fix.

    Returns:
        `{name: Signature}`.

    Raises:
        ValueError: If there is no signature, or one cannot be traced with static
            shapes; the message says which.
    """
    if signatures is None:
        table = serve_signature.default(twin, batch_size, input_shapes)
    elif batch_size != 1 or input_shapes:
        raise ValueError(
            "`batch_size` and `input_shapes` are for the default signature; a callable "
            "returns all shapes itself. Received: "
            f"batch_size={batch_size}, input_shapes={input_shapes}"
        )
    else:
        table = signatures(twin)
    if not isinstance(table, dict) or not table:
        raise ValueError(
            "`signatures(model)` must return a dict with at least one entry "
            "`name: (function, {input name: (shape, dtype)})`. "
            f"Received: {table!r}"
        )
    for name, entry in table.items():
        if not isinstance(entry, tuple) or len(entry) != 2 or not callable(entry[0]):
            raise ValueError(
                f"Signature '{name}' must be a tuple "
                "`(function, {input name: (shape, dtype)})`. "
                f"Received: {entry!r}"
            )
    variables = twin.variables if twin is not None else []
    with layer_forms.substituted():
        return {
            name: Signature(name, entry[0], entry[1], variables)
            for name, entry in table.items()
        }


@contextlib.contextmanager
def _named_layer(name):
    """Turns an error of the model's own code into one that names the layer."""
    filtered = keras.config.is_traceback_filtering_enabled()
    keras.config.disable_traceback_filtering()  # it cuts the layers out
    try:
        yield
    except ValueError:
        raise
    except Exception as error:  # a layer may raise anything
        reason = next(iter(str(error).strip().splitlines()), "no message")
        raise ValueError(
            f"Signature '{name}' cannot be traced with static shapes. Export the model "
            f"without what fails, and do that in the app. Received: "
            f"{type(error).__name__}{_innermost_layer(error)}: {reason}"
        ) from error
    finally:
        if filtered:
            keras.config.enable_traceback_filtering()


def _innermost_layer(error):
    frames = (x.f_locals for x, _ in traceback.walk_tb(error.__traceback__))
    owners = [x.get("self") for x in frames]
    layers = [x for x in owners if isinstance(x, keras.layers.Layer)]
    if not layers:
        return ""
    return f" in layer '{layers[-1].name}' of class {type(layers[-1]).__name__}"


def _checked_specs(name, specs):
    if not isinstance(name, str) or not name.isidentifier():
        raise ValueError(
            "The name of a signature must be an identifier such as 'serve'. "
            f"Received: {name!r}"
        )
    if not isinstance(specs, dict) or not specs:
        raise ValueError(
            f"Signature '{name}' needs the specifications of its inputs as "
            f"`{{name: (shape, dtype)}}`. Received: {specs!r}"
        )
    checked = {
        key: (_static(name, key, shape), _dtype_name(name, key, dtype))
        for key, (shape, dtype) in specs.items()
    }
    if "self" in checked:
        raise ValueError(
            f"An input of signature '{name}' is named 'self', which no caller in "
            "Python can pass; rename it: `keras.Input(..., name=...)`. "
            f"Received: {list(checked)}"
        )
    strings = [key for key, (_, dtype) in checked.items() if dtype == "string"]
    if strings:
        raise ValueError(
            f"Signature '{name}' takes strings, for which mobile runtimes have no "
            "builtin ops. Export the model behind its `TextVectorization` or "
            "`StringLookup`, from token ids on, and make the ids in the app. "
            f"Received: dtype='string' for input {strings}"
        )
    return checked


def _dtype_name(name, key, dtype):
    dtype = getattr(dtype, "name", dtype)  # of TensorFlow, NumPy or JAX
    if dtype == "string":
        return dtype
    try:
        return keras.backend.standardize_dtype(dtype)
    except ValueError as error:
        raise ValueError(
            f"Input '{key}' of signature '{name}' needs a dtype such as 'float32'. "
            f"Received: dtype={dtype!r}"
        ) from error


def _static(name, key, shape):
    shape = tuple(shape)
    if not all(isinstance(size, (int, np.integer)) and size > 0 for size in shape):
        raise ValueError(
            f"Input '{key}' of signature '{name}' has a size that is not fixed; "
            "mobile runtimes need static shapes, so give each size a fixed length. "
            f"Received: shape={shape}"
        )
    return tuple(int(size) for size in shape)


def _checked_outputs(name, outputs):
    if not isinstance(outputs, dict) or not outputs:
        raise ValueError(
            f"The function of signature '{name}' must return a dict of named tensors. "
            f"Received: {outputs!r}"
        )
    outputs = {
        key: keras.ops.convert_to_tensor(value) for key, value in outputs.items()
    }
    for key, value in outputs.items():
        if value.shape is None or None in tuple(value.shape):
            raise ValueError(
                f"Output '{key}' of signature '{name}' has a size that is not fixed; "
                "pad it to a fixed length or set it with `keras.ops.reshape`. "
                f"Received: shape={value.shape}"
            )
    return outputs
