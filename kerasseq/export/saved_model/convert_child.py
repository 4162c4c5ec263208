"""The child process of conversions from a SavedModel.

The converter leaks memory and can crash the process it runs in, hence the child. One
child does several conversions, since TensorFlow takes seconds to import.
"""

import argparse
import fnmatch
import functools
import json
import os
import pathlib
import re
from collections.abc import Sequence
from typing import Any

from kerasseq.export import layer_nodes, postprocess
from kerasseq.export import samples as samples_lib
from kerasseq.export.saved_model import input_names, int8_ranges
from kerasseq.lite import sample_files

# loc(callsite(fused["Cumprod:", "functional_1/my_layer_1/Cumprod@__inference_f_42"] ...
_FAILING_NODE = re.compile(r'fused\["(\w+):", "([^"@]+)(?:@[^"]*)?"\]')
_UNSUPPORTED = re.compile(r"^(?:TF Select|Custom) ops: (.+)$", re.MULTILINE)


def convert(
    saved_model: str | os.PathLike,
    signatures: Sequence[str],
    precision: str = "float32",
    data: samples_lib.Samples | None = None,
    float_ops: Sequence[str] = (),
    float_layers: Sequence[str] = (),
    layers: Sequence[str] = (),
) -> bytes:
    """Converts a SavedModel with builtin ops only.

    Args:
        saved_model: Path of the SavedModel folder.
        signatures: Names of the signatures to keep.
        precision: As for `make_converter`.
        data: As for `make_converter`.
        float_ops: Names of builtin ops that stay float, for `"int8"`.
        float_layers: Patterns of names of layers that stay float, for `"int8"`.
        layers: Names of the layers.

    Returns:
        The bytes of the TFLite file.
    """
    converter = make_converter(saved_model, signatures, precision, data)
    if float_ops or float_layers:
        debugger = make_debugger(converter, float_ops, float_layers, layers)
        content = debugger.get_nondebug_quantized_model()
    else:
        content = converter.convert()
    names = input_names.read(saved_model)
    passes = [functools.partial(input_names.restore, table=names)]
    return postprocess.apply(
        content, passes + [int8_ranges.mend] * (precision == "int8")
    )


def make_converter(
    saved_model: str | os.PathLike,
    signatures: Sequence[str],
    precision: str = "float32",
    data: samples_lib.Samples | None = None,
) -> Any:
    """A converter of a SavedModel to builtin ops only.

    Args:
        saved_model: Path of the SavedModel folder.
        signatures: Names of the signatures to keep.
        precision: `"float32"`, `"float16"`, `"dynamic"` (int8 weights) or `"int8"`
            (int8 weights and activations, with the inputs and outputs as they are).
        data: `{signature name: [{input name: array}]}`, for `"int8"`.

    Returns:
        A `tf.lite.TFLiteConverter`.
    """
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_saved_model(
        saved_model, signature_keys=signatures
    )
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    if precision != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if precision == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if precision == "int8" and data is not None:
        data = input_names.renamed(data, input_names.read(saved_model))
        pairs = [(name, inputs) for name, given in data.items() for inputs in given]
        converter.representative_dataset = lambda: iter(pairs)
    return converter


def make_debugger(
    converter: Any,
    float_ops: Sequence[str] = (),
    float_layers: Sequence[str] = (),
    layers: Sequence[str] = (),
) -> Any:
    """The debugger of a quantized model; only it can keep ops and layers in float.

    Args:
        converter: From `make_converter`, for `"int8"`.
        float_ops: Names of builtin ops that stay float.
        float_layers: Patterns of names of layers that stay float.
        layers: Names of the layers.

    Returns:
        A `tf.lite.experimental.QuantizationDebugger`.
    """
    import tensorflow as tf

    lite = tf.lite.experimental
    options: dict[str, Any] = {"denylisted_ops": list(float_ops)}
    try:
        debugger = lite.QuantizationDebugger(
            converter=converter,
            debug_options=lite.QuantizationDebugOptions(**options),
        )
        if float_layers:
            found = layer_nodes.layers_of_nodes(debugger.calibrated_model, layers)
            options["denylisted_nodes"] = [
                node
                for node, layer in found.items()
                if any(fnmatch.fnmatch(layer or "", p) for p in float_layers)
            ]
            debugger.options = lite.QuantizationDebugOptions(**options)
    except ValueError as error:  # it found no quantized op
        raise ValueError(
            "With these ops and layers in float no op is left to quantize; name fewer. "
            f"Received: float_ops={list(float_ops)}, "
            f"float_layers={list(float_layers)}"
        ) from error
    return debugger


def failing(message: str) -> list[tuple[str, str | None]]:
    """The ops and the nodes that an error of the converter names.

    Args:
        message: Text of the error.

    Returns:
        A list of pairs; of nested locations the innermost, `None` where there is none.
    """
    lines = [line for line in message.splitlines() if "error:" in line]
    matches = filter(None, map(_FAILING_NODE.search, lines))
    found: list[tuple[str, str | None]] = [(m.group(1), m.group(2)) for m in matches]
    named = {op for op, _ in found}
    for group in _UNSUPPORTED.findall(message):
        rest = {op.strip() for op in group.split(",")} - named
        found += [(op, None) for op in sorted(rest)]
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Does the conversions one after the other; each writes its file or its error.

    Args:
        arguments: Command line arguments; those of the process by default.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("jobs", help="JSON file with a list of `converter.Job`")
    for job in json.loads(pathlib.Path(parser.parse_args(arguments).jobs).read_text()):
        data = job["data"] and sample_files.read(job["data"])
        output = pathlib.Path(job["output"])
        try:
            content = convert(
                job["source"],
                job["signatures"],
                job["precision"],
                data,
                job["float_ops"],
                job["float_layers"],
                job["layers"],
            )
        except Exception as error:  # ConverterError has no public name
            if type(error).__name__ != "ConverterError":
                raise
            described = {"message": str(error), "failing": failing(str(error))}
            output.with_suffix(".error").write_text(json.dumps(described))
        else:
            output.write_bytes(content)


if __name__ == "__main__":
    main()
