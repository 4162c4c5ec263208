"""Run an exported `.tflite` file with NumPy and LiteRT alone.

This module imports neither TensorFlow nor Keras, so that what it shows is what a
device without them would see.
"""

import os
import statistics
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from ai_edge_litert import interpreter as litert

from kerasseq.lite import _stateful_runner, flatbuffer

# `{name: (shape, dtype)}`, and `{signature: {"inputs" or "outputs": such}}`.
Specs = Mapping[str, tuple[tuple[int | None, ...], str]]
Signatures = dict[str, dict[str, dict[str, tuple[tuple[int | None, ...], str]]]]


class Runner:
    """Runs the signatures of a `.tflite` file.

    The file is checked before the native interpreter sees it: a missing, empty,
    truncated or foreign file is a `ValueError`, not a crash of the process.

    Args:
        path: Path of a `.tflite` file that has signatures.
        num_threads: Number of CPU threads the interpreter may use.

    Raises:
        ValueError: If the file is no valid TFLite file, has no signature, or holds
            ops that the runtime does not have (Flex or custom ops).

    Example:

    ```python
    runner = lite.Runner("saved_models/forecast/model.tflite")
    runner.signatures
    # {"serve": {"inputs": {"x": ((1, 24, 3), "float32")},
    #            "outputs": {"y": ((1, 12), "float32")}}}
    runner.run(x=np.zeros((1, 24, 3)))["y"]
    ```
    """

    def __init__(self, path: str | os.PathLike[str], num_threads: int = 1) -> None:
        if not isinstance(num_threads, int) or num_threads < 1:
            raise ValueError(
                "`num_threads` must be a positive integer. "
                f"Received: num_threads={num_threads!r}"
            )
        self._path = check_file(path)
        self._runners = _signature_runners(self._path, num_threads)
        self._signatures = {
            name: {
                "inputs": _specs(runner.get_input_details()),
                "outputs": _specs(runner.get_output_details()),
            }
            for name, runner in self._runners.items()
        }

    @property
    def signatures(self) -> Signatures:
        """`{name: {"inputs": {name: (shape, dtype)}, "outputs": {...}}}`.

        A dimension that is not fixed in the file reads `None`.
        """
        return {
            name: {side: dict(specs) for side, specs in sides.items()}
            for name, sides in self._signatures.items()
        }

    def run(
        self, signature: str | None = None, /, **inputs: Any
    ) -> dict[str, np.ndarray]:
        """Runs one signature.

        Args:
            signature: Name of the signature; may be left out if there is only one.
            **inputs: One array (or nested list) per input of the signature, by name.

        Returns:
            A dict of NumPy arrays, one per named output.

        Raises:
            ValueError: If the signature or an input is unknown or missing, or a
                shape or dtype does not fit. `int64` is cast to `int32` and `float64`
                to `float32` where the file asks for it; nothing else loses bits.
        """
        name = self._signature_name(signature)
        arrays = conform(self._signatures[name]["inputs"], inputs, f"'{name}'")
        return self._runners[name](**arrays)

    def stateful(
        self, signature: str | None = None, /, **start: Any
    ) -> _stateful_runner.StatefulRunner:
        """Makes a function of one signature that carries its states from call to call.

        Args:
            signature: Name of the signature; may be left out if there is only one.
            **start: Inputs that stay the same, and states that do not begin at zero.

        Returns:
            A `kerasseq.lite._stateful_runner.StatefulRunner`.

        Raises:
            ValueError: If there is no such signature, or it has no states.

        Example:

        ```python
        runner = lite.Runner("saved_models/generate/model.tflite")
        step = runner.stateful("step")
        for token in (5, 7, 2):
            logits = step(tokens=[[token]])["logits"]
        ```
        """
        name = self._signature_name(signature)
        return _stateful_runner.StatefulRunner(self, name, **start)

    def benchmark(
        self,
        signature: str | None = None,
        inputs: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
        repeats: int = 20,
    ) -> float:
        """Measures the median latency of one signature.

        Args:
            signature: Name of the signature; may be left out if there is only one.
            inputs: A dict of arrays, or a list of such dicts.
            repeats: How often each dict is run, after one run to warm up.

        Returns:
            The median time of a run, in milliseconds.

        Raises:
            ValueError: If there is nothing to run, or an input does not fit.
        """
        name = self._signature_name(signature)
        samples = [inputs] if isinstance(inputs, Mapping) else list(inputs or [])
        if not samples or repeats < 1:
            raise ValueError(
                "`benchmark` needs at least one dict of inputs and one repeat. "
                f"Received: inputs={inputs!r}, repeats={repeats}"
            )
        specs = self._signatures[name]["inputs"]
        samples = [conform(specs, sample, f"'{name}'") for sample in samples]
        self._runners[name](**samples[0])
        times = []
        for _ in range(repeats):
            for sample in samples:
                start = time.perf_counter()
                self._runners[name](**sample)
                times.append(time.perf_counter() - start)
        return statistics.median(times) * 1e3

    def _signature_name(self, signature):
        if signature is None and len(self._signatures) == 1:
            return next(iter(self._signatures))
        if not isinstance(signature, str | None):
            raise ValueError(
                "Inputs are passed by name, as in `runner.run(x=array)`. "
                f"Received: signature={signature!r}"
            )
        if signature in self._signatures:
            return signature
        raise ValueError(
            f"The file has no such signature, pass one of {list(self._signatures)}. "
            f"Received: signature={signature!r}"
        )


def conform(
    specs: Specs, inputs: Mapping[str, Any], owner: str = "the signature"
) -> dict[str, np.ndarray]:
    """Checks named arrays against their specifications and casts them.

    Args:
        specs: `{name: (shape, dtype name)}`; `None` in a shape fits any size.
        inputs: `{name: array or nested list}`.
        owner: How error messages name the owner of `specs`.

    Returns:
        A dict of contiguous arrays in the order of `specs`.

    Raises:
        ValueError: If a name is missing or unknown, or a shape or dtype does not fit.
    """
    if set(inputs) != set(specs):
        raise ValueError(
            f"The inputs of {owner} are {sorted(specs)}: missing "
            f"{sorted(set(specs) - set(inputs))}, unknown "
            f"{sorted(set(inputs) - set(specs))}. Received: {sorted(inputs)}"
        )
    return {
        name: _conform_one(name, inputs[name], shape, np.dtype(dtype))
        for name, (shape, dtype) in specs.items()
    }


def check_file(path: str | os.PathLike[str]) -> str:
    """Checks that a file is a whole TFLite flatbuffer.

    Args:
        path: Path of the file.

    Returns:
        The path as a string.

    Raises:
        ValueError: If the file is missing, empty, truncated or of another kind.
    """
    flatbuffer.read(path)
    return os.fspath(path)


def _signature_runners(path, num_threads):
    try:
        interpreter = litert.Interpreter(model_path=path, num_threads=num_threads)
        interpreter.allocate_tensors()
        names = list(interpreter.get_signature_list())
        runners = {name: interpreter.get_signature_runner(name) for name in names}
    except (RuntimeError, ValueError) as error:
        raise ValueError(
            "The runtime does not load this file: it is damaged, or holds ops that "
            f"are no builtins. Received: path={path!r} ({error})"
        ) from error
    if not runners:
        raise ValueError(
            "The file has no signatures; export it with "
            f"`kerasseq.export.export_model`. Received: path={path!r}"
        )
    return runners


def _specs(details):
    return {name: (_shape(d), np.dtype(d["dtype"]).name) for name, d in details.items()}


def _shape(detail):
    shape = detail["shape_signature"]
    shape = shape if len(shape) else detail["shape"]
    return tuple(None if size < 0 else int(size) for size in shape)


def _conform_one(name, value, shape, dtype):
    array = np.asarray(value)
    fits = len(array.shape) == len(shape) and all(
        want in (None, size) for size, want in zip(array.shape, shape, strict=True)
    )
    if not fits:
        raise ValueError(
            f"Input '{name}' must have the shape {shape}. "
            f"Received: an array of shape {array.shape}"
        )
    if not _can_cast(array, dtype):
        raise ValueError(
            f"Input '{name}' must be {dtype.name}, and this cast would lose "
            f"information; convert it yourself, e.g. `x.astype('{dtype.name}')`. "
            f"Received: an array of {array.dtype.name}"
        )
    return np.ascontiguousarray(array, dtype=dtype).reshape(array.shape)


def _can_cast(array, dtype):
    if np.can_cast(array.dtype, dtype, "safe"):
        return True
    if (array.dtype, dtype) == (np.float64, np.float32):
        return True
    if (array.dtype, dtype) == (np.int64, np.int32):
        limits = np.iinfo(np.int32)
        return bool(np.all((array >= limits.min) & (array <= limits.max)))
    return False
