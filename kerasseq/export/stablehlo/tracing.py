"""Traces functions with JAX and writes them as StableHLO."""

import json
import os
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import keras
import numpy as np

from kerasseq.export import samples as samples_lib
from kerasseq.export.stablehlo import TABLE, clean_jaxpr, substitutes


class Traced:
    """A function traced once to a jaxpr, with the model's variables as arguments.

    Args:
        function: Called with one keyword tensor per input; returns a dict of tensors.
        specs: `{input name: (shape, dtype)}`.
        variables: The Keras variables of the model that the function is of.

    Raises:
        ValueError: If JAX has no such dtype.
    """

    def __init__(
        self,
        function: Callable[..., dict[str, Any]],
        specs: samples_lib.Specs,
        variables: Sequence[Any] = (),
    ) -> None:
        def stateless(values, inputs):
            pairs = list(zip(variables, values, strict=True))
            with keras.StatelessScope(state_mapping=pairs):
                return function(**inputs)

        self.specs = {name: _struct(name, *spec) for name, spec in specs.items()}
        # Of one host, whichever devices the model was trained on.
        values = [np.asarray(variable.value) for variable in variables]
        with substitutes.substituted():
            self._jaxpr, outputs = jax.make_jaxpr(stateless, return_shape=True)(
                values, self.specs
            )
        self._values = values
        self._compiled = jax.jit(jax.extend.core.jaxpr_as_fun(self._jaxpr))
        self.inputs, self.outputs = sorted(specs), sorted(outputs)

    def run(self, inputs: samples_lib.Arrays) -> samples_lib.Arrays:
        """Runs the traced function on NumPy arrays, on a CPU.

        Args:
            inputs: `{name: array}`.

        Returns:
            A dict of NumPy arrays.
        """
        arrays = [inputs[name] for name in self.inputs]
        with jax.default_device(jax.local_devices(backend="cpu")[0]):
            outputs = self._compiled(*self._values, *arrays)
        return dict(zip(self.outputs, map(np.asarray, outputs), strict=True))

    def serialized(self) -> bytes:
        """The function as a portable StableHLO artifact, with all weights in it."""
        function = jax.extend.core.jaxpr_as_fun(clean_jaxpr.clean(self._jaxpr))
        jitted = jax.jit(
            lambda *inputs: function(*self._values, *inputs), keep_unused=True
        )
        specs = [self.specs[name] for name in self.inputs]
        # A phone's interpreter has the ops that a CPU has.
        exported = jax.export.export(jitted, platforms=["cpu"])(*specs)
        return exported.mlir_module_serialized


def write(traced: Mapping[str, Any], path: str | os.PathLike) -> None:
    """Writes a folder with one StableHLO artifact for each signature.

    Args:
        traced: `{signature name: Traced}`.
        path: Path of the folder to write.
    """
    folder = pathlib.Path(path)
    folder.mkdir()
    for name, function in traced.items():
        (folder / f"{name}.stablehlo").write_bytes(function.serialized())
    table = {name: [x.inputs, x.outputs] for name, x in traced.items()}
    (folder / TABLE).write_text(json.dumps(table), encoding="utf-8")


def _struct(name, shape, dtype):
    struct = jax.ShapeDtypeStruct(shape, jax.dtypes.canonicalize_dtype(dtype))
    if struct.dtype != np.dtype(dtype):
        raise ValueError(
            f"JAX has no {dtype} unless it is started with JAX_ENABLE_X64=1. Give "
            f"input '{name}' the dtype {struct.dtype}, or export on TensorFlow. "
            f"Received: dtype={dtype!r}"
        )
    return struct
