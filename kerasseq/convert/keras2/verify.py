"""Checks that an imported model returns the outputs of the old one, also when saved."""

import os
import pathlib
import re
import zipfile
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from kerasseq.convert import output_comparison
from kerasseq.convert.keras2 import source


def load_examples(
    examples: str | os.PathLike | Mapping[str, Any],
) -> dict[str, np.ndarray]:
    """Reads inputs, and if there are any the outputs, of the old model.

    Args:
        examples: Path of a `.npz` file, or a dict of arrays. Inputs are named as in
            the model, or `input_0`, `input_1` .. in its order; outputs `output_0` ..
            The number may be left out if there is only one.

    Returns:
        A dict of arrays.

    Raises:
        ValueError: If the file cannot be read, or holds anything but arrays.
    """
    if not isinstance(examples, (str, os.PathLike)):
        return {str(name): np.asarray(array) for name, array in examples.items()}
    path = pathlib.Path(examples)
    try:
        with zipfile.ZipFile(path) as archive:
            source.check_sizes(archive.infolist(), path)
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except source.WrongKind:
        raise
    except Exception as error:  # NumPy raises what the zip and the header raise
        raise ValueError(
            "The examples cannot be read; write them with `numpy.savez(path, "
            f"input_0=.., output_0=..)`. Received: '{path}' ({error})"
        ) from error


def has_outputs(examples: Mapping[str, np.ndarray] | None) -> bool:
    """Whether what `load_examples` returned holds outputs to compare with."""
    return any(name.startswith("output") for name in examples or ())


def compare(
    model: keras.Model,
    examples: Mapping[str, np.ndarray] | None,
    tolerance: float | None,
) -> tuple[dict[str, Any], output_comparison.Call]:
    """Runs a model on examples, and compares the outputs with the stored ones.

    Args:
        model: The imported model.
        examples: What `load_examples` returned, or `None`.
        tolerance: Largest difference allowed, relative to the largest value if that is
            above 1; by default what the precision of the model allows.

    Returns:
        The report, a dict, and the `output_comparison.Call`.

    Raises:
        ValueError: If they do not fit the model, or the outputs differ.
    """
    if examples is None:
        call, expected = _called_on_random_inputs(model), []
    else:
        inputs, expected = _inputs_and_outputs(model, examples)
        call = _called(model, inputs)
    if not expected and not all(np.isfinite(x).all() for x in call.outputs):
        raise ValueError("The imported model returns NaN or infinite values.")
    report: dict[str, Any] = {
        "compared_with": None,
        "max_abs_diff": None,
        "tolerance": None,
    }
    if expected:
        allowed = output_comparison.tolerance(model) if tolerance is None else tolerance
        largest = _check_same(call.outputs, expected, allowed)
        report = {
            "compared_with": f"{len(expected)} stored outputs",
            "max_abs_diff": largest,
            "tolerance": allowed,
        }
    return report, call


def save_checked(
    model: keras.Model, path: str | os.PathLike, call: output_comparison.Call
) -> None:
    """Saves a model, loads it again and compares the outputs, which must be the same.

    Args:
        model: The imported model.
        path: Path of a new `.keras` file.
        call: What the model returned.

    Raises:
        ValueError: If it cannot be loaded, or returns other outputs then.
    """
    try:
        model.save(path)
        loaded = keras.saving.load_model(path)
        again = output_comparison.run(loaded, call.args, call.kwargs)
    except Exception as error:  # Keras raises what a layer raises
        raise ValueError(
            "Keras 3 cannot save and load the imported model, as happens for nested "
            f"models that share a layer. ({type(error).__name__}: {error})"
        ) from error
    for first, second in zip(call.outputs, again, strict=True):
        if output_comparison.difference(first, second) != 0:
            raise ValueError(
                "The imported model returns other outputs when Keras 3 loads it again."
            )


def _called_on_random_inputs(model):
    try:
        return output_comparison.run_on_random_inputs(model)
    except ValueError as error:
        raise ValueError(
            "The model does not run on made-up inputs; give some of your own "
            f"(examples=, or --example FILE.npz). ({error})"
        ) from error


def _called(model, inputs):
    try:
        outputs = output_comparison.run(model, (inputs,), {})
    except Exception as error:  # whatever the layers raise
        raise ValueError(f"The model does not run on the examples: {error}") from error
    return output_comparison.Call((inputs,), {}, outputs)


def _inputs_and_outputs(model, examples):
    """`(inputs in the structure of the model, outputs)`."""
    names = [tensor.name for tensor in model.inputs]
    # Keras 2 itself names inputs `input_1`, `input_2` ..
    numbered = examples.keys() >= {f"input_{i}" for i in range(len(names))}
    by_name = examples.keys() >= set(names) or not numbered
    inputs, outputs = {}, {}
    for name, array in examples.items():
        match = re.fullmatch(r"(input|output)s?(?:_(\d+))?", name)
        if by_name and name in names:
            inputs[names.index(name)] = array
        elif match:
            known = inputs if match[1] == "input" else outputs
            known[int(match[2] or 0)] = array
        else:
            raise ValueError(
                f"Name examples {', '.join(names)} or input_0, input_1 .. and "
                f"output_0 .. Received: {name}"
            )
    if sorted(inputs) != list(range(len(names))):
        raise ValueError(
            f"The model has {len(names)} inputs: {', '.join(names)}. Received: "
            f"{', '.join(examples)}"
        )
    if outputs and sorted(outputs) != list(range(len(model.outputs))):
        raise ValueError(
            f"The model has {len(model.outputs)} outputs. Received: "
            f"{', '.join(examples)}"
        )
    flat = [inputs[index] for index in range(len(names))]
    template = model.inputs[0] if isinstance(model, keras.Sequential) else model.input
    packed = keras.tree.pack_sequence_as(template, flat)
    return packed, [outputs[index] for index in sorted(outputs)]


def _check_same(outputs, expected, allowed):
    largest = 0.0
    for index, (new, old) in enumerate(zip(outputs, expected, strict=True)):
        found = output_comparison.difference(old, new)
        if not found <= allowed:
            raise ValueError(
                f"The imported model returns other outputs than the old one: output "
                f"{index} differs by {found:.3g}, allowed {allowed:g}. Shapes: "
                f"{new.shape} and {old.shape} in the examples"
            )
        if new.size and np.issubdtype(new.dtype, np.number):
            gap = np.abs(new.astype("float64") - old.astype("float64"))
            largest = max(largest, float(gap.max()))
    return largest
