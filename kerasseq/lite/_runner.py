"""Run an exported `.tflite` file with NumPy and LiteRT alone.

This module imports neither TensorFlow nor Keras, so that what it shows is what a
device without them would see.
"""

import operator
import os
import statistics
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from ai_edge_litert import interpreter as litert

from kerasseq.lite import _file_bytes, _inputs, _stateful_runner, flatbuffer

_MOST_THREADS = 256  # the runtime starts them all, and ends the process if it cannot
# `{signature: {"inputs" or "outputs": {name: (shape, dtype)}}}`.
Signatures = dict[str, dict[str, dict[str, tuple[tuple[int | None, ...], str]]]]


class Runner:
    """Runs the signatures of a `.tflite` file.

    The file is read into memory and checked before the native interpreter sees it: a
    missing, empty, truncated or foreign file is a `ValueError`, not a crash of the
    process, and what happens to the file later changes nothing. Several threads may
    share a runner; it runs one call at a time. Whether a loop in the file ends nobody
    can know before: `doctor.examine(path, run=True)` tries it in another process.

    Args:
        path: Path of a `.tflite` file that has signatures.
        num_threads: Number of CPU threads the interpreter may use, up to 256.

    Raises:
        ValueError: If an argument is wrong, the file is no valid TFLite file, has no
            signature, or holds ops that the runtime does not have (Flex or custom
            ops).

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
        num_threads = _positive(num_threads=num_threads)
        if num_threads > _MOST_THREADS:
            raise ValueError(
                f"`num_threads` must be at most {_MOST_THREADS}; more threads than the "
                f"machine has cores help nothing. Received: num_threads={num_threads}"
            )
        content = _file_bytes.read(path)
        source = f"path={os.fspath(path)!r}"
        flatbuffer.check(content, source)
        self._lock = threading.Lock()
        self._runners = _signature_runners(content, num_threads, source)
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
            ValueError: If the signature or an input is unknown or missing, a shape or
                dtype does not fit, or the runtime refuses the values. `int64` is cast
                to `int32` and `float64` to `float32` where the file asks for it;
                nothing else loses bits.
        """
        name = self._signature_name(signature)
        arrays = _inputs.conform(self._signatures[name]["inputs"], inputs, f"'{name}'")
        return self._run(name, arrays)

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
        samples = [inputs] if isinstance(inputs, Mapping) else inputs
        repeats = _positive(repeats=repeats)
        if not samples or not isinstance(samples, Sequence):
            raise ValueError(
                "`benchmark` needs at least one dict of inputs. "
                f"Received: inputs={inputs!r}"
            )
        specs = self._signatures[name]["inputs"]
        samples = [_inputs.conform(specs, sample, f"'{name}'") for sample in samples]
        self._run(name, samples[0])
        times = []
        for _ in range(repeats):
            for sample in samples:
                start = time.perf_counter()
                self._run(name, sample)
                times.append(time.perf_counter() - start)
        return statistics.median(times) * 1e3

    def _run(self, name, arrays):
        try:
            with self._lock:
                return self._runners[name](**arrays)
        except (RuntimeError, ValueError, TypeError) as error:
            shapes = {name: array.shape for name, array in arrays.items()}
            raise ValueError(
                f"The runtime does not run '{name}' on these inputs: a value or size "
                f"is one that its ops do not take. Received: {shapes} ({error})"
            ) from error

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


def check_file(path: str | os.PathLike[str]) -> str:
    """Checks that a file is a whole TFLite flatbuffer.

    Args:
        path: Path of the file.

    Returns:
        The path as a string.

    Raises:
        ValueError: If the file is missing, empty, truncated or of another kind.
    """
    content = _file_bytes.read(path)
    flatbuffer.check(content, f"path={os.fspath(path)!r}")
    return os.fspath(path)


def _positive(**argument):
    """The value of an argument, as `int`."""
    ((name, value),) = argument.items()
    try:
        number = operator.index(value)
    except TypeError:
        number = 0
    if number < 1:
        raise ValueError(
            f"`{name}` must be a positive integer. Received: {name}={value!r}"
        )
    return number


def _signature_runners(content, num_threads, source):
    try:
        interpreter = litert.Interpreter(model_content=content, num_threads=num_threads)
        interpreter.allocate_tensors()
        names = list(interpreter.get_signature_list())
        runners = {name: interpreter.get_signature_runner(name) for name in names}
    except (RuntimeError, ValueError) as error:
        raise ValueError(
            "The runtime does not load this file: it is damaged, or holds ops that "
            f"are no builtins. Received: {source} ({error})"
        ) from error
    if not runners:
        raise ValueError(
            "The file has no signatures; export it with "
            f"`kerasseq.export.export_model`. Received: {source}"
        )
    return runners


def _specs(details):
    return {name: (_shape(d), np.dtype(d["dtype"]).name) for name, d in details.items()}


def _shape(detail):
    shape = detail["shape_signature"]
    shape = shape if len(shape) else detail["shape"]
    return tuple(None if size < 0 else int(size) for size in shape)
