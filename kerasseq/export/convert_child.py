"""The child process of conversions: `python -m kerasseq.export.convert_child`.

The converter leaks memory and can crash the process it runs in, hence the child. One
child does several conversions, for TensorFlow takes long to import.
"""

import argparse
import json
import pathlib

from kerasseq.export import samples, slim


def convert(saved_model, signatures, precision="float32", data=None, float_ops=()):
    """Converts a SavedModel with builtin ops only.

    Args:
        saved_model: Path of the SavedModel folder.
        signatures: Names of the signatures to keep.
        precision: `"float32"`, `"float16"`, `"dynamic"` (int8 weights) or `"int8"`
            (int8 weights and activations, with the inputs and outputs as they are).
        data: `{signature name: [{input name: array}]}`, for `"int8"`.
        float_ops: Names of builtin ops that stay float, for `"int8"`.

    Returns:
        The bytes of the TFLite file.
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
    if precision == "int8":
        pairs = [(name, case) for name, cases in data.items() for case in cases]
        converter.representative_dataset = lambda: iter(pairs)
    content = _convert_but(converter, float_ops) if float_ops else converter.convert()
    return slim.without_inner_names(content)


def _convert_but(converter, float_ops):
    """Converts with some ops left in float; it is the debugger that can do so."""
    import tensorflow as tf

    lite = tf.lite.experimental
    options = lite.QuantizationDebugOptions(denylisted_ops=list(float_ops))
    try:
        debugger = lite.QuantizationDebugger(converter=converter, debug_options=options)
    except ValueError as error:  # it found no quantised op to look into
        raise ValueError(
            "`float_ops` leave no op to quantise; leave some of them out. "
            f"Received: float_ops={float_ops}"
        ) from error
    return debugger.get_nondebug_quantized_model()


def main(arguments=None):
    """Does the conversions one after the other; each writes its file or its refusal.

    Args:
        arguments: Command line arguments; those of the process by default.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("jobs", help="JSON file with a list of `converter.Job`")
    for job in json.loads(pathlib.Path(parser.parse_args(arguments).jobs).read_text()):
        data = job["data"] and samples.read(job["data"])
        output = pathlib.Path(job["output"])
        try:
            content = convert(
                job["saved_model"],
                job["signatures"],
                job["precision"],
                data,
                job["float_ops"],
            )
        except Exception as error:  # ConverterError has no public name
            if type(error).__name__ != "ConverterError":
                raise
            output.with_suffix(".error").write_text(str(error), encoding="utf-8")
        else:
            output.write_bytes(content)


if __name__ == "__main__":
    main()
