"""Exports a Keras 3 model for a phone, and verifies that the files agree with it.

Writes to the folder: model.tflite and what --quantize asks for, saved_model/,
report.json and report.html. Nothing is written, and an earlier export stays, if a file
does not compute what the model computes.
"""

import argparse
import logging
import os
import pathlib
import sys

from kerasseq.commands import custom_objects
from kerasseq.utils import stages

# On JAX this process computes little and compiles much.
QUICK_TO_COMPILE = (
    "--xla_backend_optimization_level=0",
    "--xla_llvm_disable_expensive_passes=true",
)
PRECISIONS = ("float16", "dynamic", "int4", "int8")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command."""
    add = parser.add_argument
    add("model", help="a .keras file, or a .stablehlo file from jax.export")
    add("--out", required=True, metavar="DIR", help="folder for the results")
    text = f"comma-separated, out of {', '.join(PRECISIONS)}"
    add("--quantize", default="", metavar="LIST", help=text)
    text = "for int8: .npz of real inputs, an array by the name of each input"
    add("--representative", metavar="FILE", help=text)
    text = "for int8: a pattern of names of layers that stay float, as 'dense*'"
    add("--float_layers", action="append", default=[], metavar="PATTERN", help=text)
    text = "compare on these inputs: .npz as for --representative; else random ones"
    add("--samples", metavar="FILE", help=text)
    add("--batch_size", type=int, default=1, help="rows of one call of the file")
    text = "size of an input that the model leaves open, batch left out: tokens=24"
    add("--input_shape", action="append", default=[], metavar="NAME=A,B", help=text)
    text = (
        "signatures other than the whole model, several by repeating: step (of a "
        "language model), translation:SOURCE,TARGET, generation:PROMPT,TOTAL, or "
        "module:function, a function of yours that gets the model"
    )
    add("--signature", action="append", default=[], metavar="KIND", help=text)
    text = "how loops over time are exported: auto, fused, while, unrolled"
    add("--loop_strategy", default="auto", help=text)
    text = "tensorflow, litert, or auto for that of the backend"
    add("--converter", default="auto", help=text)
    custom_objects.add_argument(parser)
    text = (
        "largest difference of the float outputs that is allowed, relative to their "
        "size where that is above 1: 1e-4"
    )
    add("--tolerance", type=float, default=1e-4, help=text)
    text = "seconds after which a hanging conversion is ended"
    add("--time_limit", type=float, default=3600, help=text)


def run(arguments: argparse.Namespace) -> int:
    """Exports the model; prints its progress, then one line per file.

    Returns:
        The exit code 0.

    Raises:
        ValueError: For bad input, or a model that does not export.
    """
    _check_file(arguments.model)
    _check_quantize(arguments)
    export_file = _export_model
    if pathlib.Path(arguments.model).suffix == ".stablehlo":
        export_file = _export_stablehlo
        os.environ["KERAS_BACKEND"] = "jax"
    flags = [os.environ.get("XLA_FLAGS", ""), *QUICK_TO_COMPILE]
    os.environ["XLA_FLAGS"] = " ".join(flags)
    from kerasseq import export

    shared = {
        "samples": arguments.samples,
        "quantize": _quantize(export.Int8, arguments),
        "tolerance": arguments.tolerance,
        "card": {"task": "export", "data": pathlib.Path(arguments.model).name},
        "time_limit": arguments.time_limit,
    }
    try:
        with stages.shown(logging.StreamHandler(sys.stdout)):
            report = export_file(arguments, export, shared)
    except (RuntimeError, OSError) as error:  # a converter that crashed, a full disk
        raise ValueError(f"The export failed; nothing was written. {error}") from error
    _print(report, arguments.out)
    return 0


def _export_model(arguments, export, shared):
    import keras

    objects = custom_objects.load(arguments.custom)
    return export.export_model(
        _load(keras, arguments.model, objects),
        arguments.out,
        signatures=_signatures(arguments.signature),
        batch_size=arguments.batch_size,
        input_shapes=_shapes(arguments.input_shape),
        loop_strategy=arguments.loop_strategy,
        converter=arguments.converter,
        **shared,
    )


def _export_stablehlo(arguments, export, shared):
    for flag in ("signature", "input_shape", "custom"):
        if getattr(arguments, flag):
            raise ValueError(
                f"--{flag} is for a .keras file; a .stablehlo file has its shapes and "
                f"functions already. Received: {arguments.model}"
            )
    return export.export_stablehlo(arguments.model, arguments.out, **shared)


def _check_file(path):
    if not pathlib.Path(path).is_file():
        raise ValueError(f"There is no file at this path. Received: '{path}'")


def _names(arguments):
    return list(filter(None, arguments.quantize.split(",")))


def _check_quantize(arguments):
    names = _names(arguments)
    if not set(names) <= set(PRECISIONS):
        raise ValueError(
            f"--quantize is a comma-separated list out of {','.join(PRECISIONS)}. "
            f"Received: --quantize {arguments.quantize}"
        )
    if "int8" in names and arguments.representative is None:
        raise ValueError(
            "--quantize int8 measures the range of each activation on some hundred "
            "real inputs; add --representative FILE, an .npz file with an array by "
            f"the name of each input. Received: --quantize {arguments.quantize}"
        )
    if arguments.float_layers and "int8" not in names:
        raise ValueError(
            "--float_layers names layers that stay float in the int8 file; add int8 "
            f"to --quantize. Received: --float_layers {arguments.float_layers[0]}, "
            f"--quantize {arguments.quantize or 'nothing'}"
        )


def _quantize(int8, arguments):
    """`quantize` of `export_model`."""
    options = {"int8": int8(arguments.representative or {}, arguments.float_layers)}
    return [options.get(name, name) for name in _names(arguments)]


def _load(keras, path, objects):
    try:
        import kerasseq.layers  # noqa: F401 (registers its classes)

        return keras.saving.load_model(path, objects, compile=False)
    except Exception as error:  # Keras raises anything for a file it cannot read
        raise ValueError(
            f"Keras cannot load '{path}'. A `.h5` file, or one of Keras 2, goes "
            "through `kerasseq import` first; your own classes need --custom. "
            f"({type(error).__name__}: {str(error).strip().splitlines()[0]})"
        ) from error


def _shapes(entries):
    """`{name: shape}` of `NAME=A,B` entries."""
    shapes = {}
    for entry in entries:
        name, found, sizes = entry.partition("=")
        numbers = sizes.split(",")
        if not found or not all(number.isdigit() for number in numbers):
            raise ValueError(
                "--input_shape is NAME=SIZE,SIZE... with positive numbers. "
                f"Received: {entry!r}"
            )
        shapes[name] = tuple(map(int, numbers))
    return shapes or None


def _signatures(kinds):
    """A function of the model that makes all signatures asked for, or `None`."""
    makers = [_maker(kind) for kind in kinds]
    if not makers:
        return None
    return lambda model: {
        name: entry for make in makers for name, entry in make(model).items()
    }


def _maker(kind):
    from kerasseq import decoding

    name, _, rest = kind.partition(":")
    makers = {
        "translation": decoding.translation_signatures,
        "generation": decoding.generation_signatures,
    }
    if name == "step" and not rest:
        return decoding.step_signature
    if name in makers:
        sizes = rest.split(",")
        if len(sizes) != 2 or not all(size.isdigit() for size in sizes):
            raise ValueError(
                f"--signature {name} needs two lengths, as {name}:32,32. "
                f"Received: {kind!r}"
            )
        return lambda model: makers[name](model, *map(int, sizes))
    function = custom_objects.find(kind) if rest else None
    if not callable(function):
        raise ValueError(
            "--signature is step, translation:SOURCE,TARGET, generation:PROMPT,TOTAL "
            f"or module:function. Received: {kind!r}"
        )
    return function


def _number(value, style):
    return "" if value is None else format(value, style)


def _print(report, folder):
    """A line for each file."""
    print(f"{'file':24}{'bytes':>12}{'max abs diff':>15}{'rel. error':>12}{'ms':>9}")
    for item in report["artifacts"]:
        diff = _number(item["max_abs_diff"], ".1e")
        error = _number(item["relative_error"], ".1e")
        latency = _number(item["latency_ms"], ".2f")
        size = f"{item['bytes']:,}"
        print(f"{item['file']:24}{size:>12}{diff:>15}{error:>12}{latency:>9}")
    for warning in report["warnings"]:
        print(f"warning: {warning}")
    refused = report["artifacts"][0]["gpu_refused_ops"]
    print(f"left to the CPU by a GPU delegate: {', '.join(refused) or 'nothing'}")
    print(f"All files are in {folder}/; start with report.html.")
