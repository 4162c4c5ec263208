"""Conversion to TFLite in a child process, and readable errors of the converters."""

import dataclasses
import json
import os
import pathlib
from collections.abc import Iterable, Sequence
from typing import Any

import keras

from kerasseq.export import front_ends, layer_nodes
from kerasseq.utils import child_process

_LOOPS = ("While", "If")
_HINTS = {
    "BitwiseAnd": " `keras.ops.argmax` of floats lowers to BitwiseAnd: use `tf.argmax`"
    " or `keras.ops.top_k(x, 1)[1]`.",
}
_INT8_CRASH = (
    " (the converter has no int8 loops, and crashes on a WHILE: leave `keras.ops."
    'while_loop`, search signatures and stock recurrent layers out, or use "dynamic")'
)


@dataclasses.dataclass
class Job:
    """One conversion to one TFLite file.

    Attributes:
        source: Path of the SavedModel, or of the folder of StableHLO.
        output: Path of the `.tflite` file to write.
        signatures: Names of the signatures to keep.
        precision: `"float32"`, `"float16"`, `"dynamic"`, `"int4"` or `"int8"`.
        data: Path of a file from `sample_files.write`, for `"int8"`.
        float_ops: Names of builtin ops that stay float, for `"int8"`.
        float_layers: Patterns of names of layers that stay float, for `"int8"`.
        layers: Names of the layers.
        block_size: Number of weights with a scale of their own, for `"int4"`.
    """

    source: os.PathLike
    output: os.PathLike
    signatures: list[str]
    precision: str = "float32"
    data: os.PathLike | None = None
    float_ops: tuple[str, ...] = ()
    float_layers: tuple[str, ...] = ()
    layers: tuple[str, ...] = ()
    block_size: int | None = None


def convert(
    front_end: front_ends.FrontEnd,
    jobs: Sequence[Job],
    layers: Iterable[keras.layers.Layer],
    time_limit: float | None = None,
) -> None:
    """Converts models with builtin ops only, in one child process.

    Args:
        front_end: The `front_ends.FrontEnd` that wrote the sources.
        jobs: List of `Job`.
        layers: The layers of the model, to name the one that causes an error.
        time_limit: Seconds that the child may take; `None` for any.

    Raises:
        ValueError: If the model needs ops that are no builtins; names op and layer.
        RuntimeError: If the converter crashes or hangs; names the file, and holds the
            end of the child's standard error.
    """
    jobs_path = pathlib.Path(jobs[0].output).with_suffix(".jobs")
    jobs_path.write_text(json.dumps([vars(job) for job in jobs], default=str))
    result = child_process.run(
        front_end.child, [jobs_path], time_limit, front_end.preload
    )
    for job in jobs:
        output = pathlib.Path(job.output)
        errors = output.with_suffix(".error")
        if errors.exists():
            error = json.loads(errors.read_text())
            if "refused" in error:
                raise ValueError(
                    f"The model cannot be stored in {job.precision}: {error['refused']}"
                )
            raise ValueError(explain(error, layers))
        if not output.exists():
            what = f"The TFLite conversion to {job.precision}"
            if job.precision == "int8" and (result.returncode or 0) < 0:
                what += _INT8_CRASH
            child_process.check(result, what)
            raise RuntimeError(f"{what} ended without writing a file.")
    child_process.check(result, "The TFLite conversion")


def explain(error: dict[str, Any], layers: Iterable[keras.layers.Layer]) -> str:
    """Turns the converter's error into one that names ops and layers.

    Args:
        error: What the child wrote: `message`, the converter's own, and `failing`, a
            list of pairs of an op and the node that it comes from, or `None`.
        layers: The layers of the model.

    Returns:
        A readable message.
    """
    failing = [(op, node) for op, node in error["failing"]]
    classes = {layer.name: type(layer).__name__ for layer in layers}
    names = layer_nodes.LayerNames(classes, [node for _, node in failing if node])
    found: dict[tuple[str, str], None] = {}
    for op, node in failing:
        name = node and names.layer_of(node)
        where = f"no layer (node '{node}')" if node else "an unknown layer"
        if name is not None:
            where = f"layer '{name}' ({classes[name]})"
        found[op, where] = None
    # A loop fails only because of an op in it.
    found = {key: None for key in found if key[0] not in _LOOPS} or found
    if not found:
        first = next(iter(error["message"].strip().splitlines()), "no message")
        return f"The model does not convert to TFLite builtin ops: {first}"
    ops = {op for op, _ in found}
    causes = "; ".join(f"op '{op}' in {layer}" for op, layer in found)
    return (
        "The model does not convert to TFLite builtin ops, and mobile runtimes load "
        f"no others (Flex). Received: {causes}. Write these layers with other ops and "
        "static shapes, e.g. as a recurrent layer of `kerasseq.layers`."
        + "".join(hint for op, hint in _HINTS.items() if op in ops)
    )
