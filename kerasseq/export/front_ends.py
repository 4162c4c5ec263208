"""The two ways from a Keras model to a TFLite file.

On TensorFlow a model becomes a SavedModel, which TensorFlow's converter takes; on JAX
it becomes StableHLO, which LiteRT's converter takes, and TensorFlow is not needed. A
model on TensorFlow can go the second way too, by a child process on JAX.
"""

import importlib
import importlib.util
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import keras

from kerasseq.export import samples as samples_lib


class Traced(Protocol):
    """A function traced once with static shapes."""

    outputs: list[str]

    def run(self, inputs: samples_lib.Arrays) -> samples_lib.Arrays:
        """Runs the function on NumPy arrays."""


class FrontEnd(NamedTuple):
    """What differs between the two ways.

    Attributes:
        name: `"saved_model"` or `"stablehlo"`.
        package: Name of the package.
        preload: Modules that the child process of a conversion has imported.
        required: Packages that must be installed.
        quantizer: Those that a file with int8 weights needs too.
        install: What to install to have them.
        quantizes_lstms: Whether the weights of a fused LSTM can be int8.
    """

    name: str
    package: str
    preload: tuple[str, ...]
    required: tuple[str, ...]
    quantizer: tuple[str, ...]
    install: str
    quantizes_lstms: bool = False

    @property
    def traces_elsewhere(self) -> bool:
        """Whether it takes what another backend traces."""
        return self != _FRONT_ENDS[keras.backend.backend()]["auto"]

    @property
    def child(self) -> str:
        """Name of the module of the child process that converts."""
        return f"{self.package}.convert_child"

    def write(self, traced: Mapping[str, Traced], path: Any) -> None:
        """Writes traced functions to a folder, as the child process takes them.

        Args:
            traced: `{signature name: Traced}`.
            path: Path of the folder.
        """
        self._module("tracing").write(traced, path)

    def layer_errors(
        self, job: Any, time_limit: float | None
    ) -> tuple[list[dict[str, Any]], str | None]:
        """Measures the error that int8 causes in each layer.

        Args:
            job: The `converter.Job` that wrote the int8 file.
            time_limit: Seconds that this may take; `None` for any.

        Returns:
            `(rows, reason)`: a list of `{"layer", "op", "relative_error"}`, or an empty
            list and the reason why.
        """
        return self._module("layer_errors").measure(job, time_limit)

    def _module(self, name):
        return importlib.import_module(f"{self.package}.{name}")


_SAVED_MODEL = FrontEnd(
    "saved_model",
    "kerasseq.export.saved_model",
    ("tensorflow", "kerasseq.export.postprocess"),
    ("tensorflow",),
    (),
    "tensorflow",
    quantizes_lstms=True,
)
_STABLEHLO = FrontEnd(
    "stablehlo",
    "kerasseq.export.stablehlo",
    ("litert_converter.mlir.ir", "kerasseq.export.postprocess"),
    ("jax", "litert_converter"),
    ("ai_edge_quantizer",),
    "kerasseq[litert]",
)
# By backend and converter.
_FRONT_ENDS = {
    "tensorflow": {
        "auto": _SAVED_MODEL,
        "tensorflow": _SAVED_MODEL,
        "litert": _STABLEHLO,
    },
    "jax": {"auto": _STABLEHLO, "litert": _STABLEHLO},
}
CONVERTERS = ("auto", "tensorflow", "litert")


def choose(converter: str = "auto", precisions: Collection[str] = ()) -> FrontEnd:
    """The front end of a converter, on the backend that Keras runs on.

    Args:
        converter: One of `CONVERTERS`.
        precisions: Those of the files that it has to make.

    Returns:
        A `FrontEnd`.

    Raises:
        ValueError: If there is no such converter, or it needs another backend, or has
            no such precision.
        ImportError: If the backend has none, or a package is missing; says what to do.
    """
    backend = keras.backend.backend()
    if backend not in _FRONT_ENDS:
        raise ImportError(
            "Exporting needs the TensorFlow or the JAX backend. Save the model as a "
            "`.keras` file and export it in a process started with "
            f"KERAS_BACKEND=tensorflow or jax. Received: KERAS_BACKEND={backend}"
        )
    if converter not in CONVERTERS:
        raise ValueError(
            f"`converter` must be one of {CONVERTERS}. "
            f"Received: converter={converter!r}"
        )
    if converter not in _FRONT_ENDS[backend]:
        raise ValueError(
            "TensorFlow's converter takes models on TensorFlow: start the process with "
            f"KERAS_BACKEND=tensorflow, or leave `converter` out. Received: "
            f"converter={converter!r}, KERAS_BACKEND={backend}"
        )
    front_end = _FRONT_ENDS[backend][converter]
    required = front_end.required
    if "int4" in precisions and front_end == _SAVED_MODEL:
        raise ValueError(
            'TensorFlow\'s quantizer has no int4; add `converter="litert"`, or leave '
            f"int4 out of `quantize`. Received: quantize with {list(precisions)}"
        )
    if {"dynamic", "int4", "int8"} & {*precisions}:
        required += front_end.quantizer
    missing = [x for x in required if importlib.util.find_spec(x) is None]
    if missing:
        raise ImportError(
            f"Exporting on the {backend} backend needs {', '.join(missing)}. Run "
            f"`pip install '{front_end.install}'`."
        )
    return front_end


def trace(
    function: Callable[..., dict[str, Any]],
    specs: samples_lib.Specs,
    variables: Sequence[Any],
) -> Traced:
    """Traces a function on the backend that Keras runs on.

    Args:
        function: Called with one keyword tensor per input.
        specs: `{input name: (shape, dtype)}`.
        variables: The variables of the model that the function is of.

    Returns:
        A `Traced`.
    """
    front_end = _FRONT_ENDS[keras.backend.backend()]["auto"]
    tracing = importlib.import_module(f"{front_end.package}.tracing")
    return tracing.Traced(function, specs, variables)
