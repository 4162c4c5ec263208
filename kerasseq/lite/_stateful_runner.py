"""A step signature of an exported file, called again and again with its states."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from kerasseq.lite import _runner


def state_bytes(signatures: dict[str, Any]) -> dict[str, int]:
    """What the states of a step take, of the signatures that have some of fixed size.

    Args:
        signatures: As `kerasseq.lite.Runner.signatures`.

    Returns:
        `{name of the signature: bytes}`.
    """
    found = {}
    for signature, sides in signatures.items():
        specs = [sides["inputs"][name] for name in _state_names(sides)]
        if specs and not any(None in shape for shape, _ in specs):
            found[signature] = sum(_zeros("", *spec).nbytes for spec in specs)
    return found


def _state_names(sides):
    specs = sides["inputs"]
    return [name for name in specs if sides["outputs"].get(name) == specs[name]]


class StatefulRunner:
    """Calls a signature and feeds each state that it returns back in.

    `kerasseq.lite.Runner.stateful` makes one. A state is an input that is also an
    output, of the same name, shape and dtype.

    Args:
        runner: A `kerasseq.lite.Runner`.
        signature: Name of the signature.
        **start: What stays the same in all calls, such as the outputs of `encode`, and
            states that do not begin at zero.

    Attributes:
        states: `{name: array}`, before the next call.

    Raises:
        ValueError: If the signature has no states, or `start` names no input of it.
    """

    def __init__(self, runner: _runner.Runner, signature: str, /, **start: Any) -> None:
        sides = runner.signatures[signature]
        self._run = lambda **inputs: runner.run(signature, **inputs)
        specs = sides["inputs"]
        names = _state_names(sides)
        if not names:
            raise ValueError(
                "A signature with states has inputs that are also outputs, of the same "
                f"name and shape. Received: '{signature}' with inputs {list(specs)} "
                f"and outputs {list(sides['outputs'])}"
            )
        unknown = sorted(set(start) - set(specs))
        if unknown:
            raise ValueError(
                f"The inputs of '{signature}' are {list(specs)}. Received: {unknown}"
            )
        self._lock = threading.Lock()
        self._constants = {k: v for k, v in start.items() if k not in names}
        self._start = {
            name: np.array(start[name]) if name in start else _zeros(name, *specs[name])
            for name in names
        }
        self.reset()

    def reset(self) -> None:
        """Goes back to the first states."""
        self.states = dict(self._start)

    def __call__(self, /, **inputs: Any) -> dict[str, np.ndarray]:
        """Does one step.

        Args:
            **inputs: Arrays by name, of the inputs that are left.

        Returns:
            A dict of the outputs that are no states.

        Raises:
            ValueError: As of `kerasseq.lite.Runner.run`; the states stay then.
        """
        if kept := sorted({*self._constants, *self.states} & {*inputs}):
            raise ValueError(
                "A step takes neither states nor what was passed to `stateful`; set "
                f"`states`, or make another with `stateful`. Received: {kept}"
            )
        with self._lock:
            outputs = self._run(**self._constants, **self.states, **inputs)
            self.states = {name: outputs.pop(name) for name in self.states}
        return outputs


def _zeros(name, shape, dtype):
    if None in shape:
        raise ValueError(
            f"The size of the state '{name}' is not fixed in the file; pass its first "
            f"value. Received: the shape {shape}"
        )
    return np.zeros(shape, dtype)
