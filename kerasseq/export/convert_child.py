"""The child process of a conversion: `python -m kerasseq.export.convert_child`.

The converter leaks memory and can crash the process it runs in, hence the child.
"""

import argparse
import pathlib
import sys

REFUSED = 3  # exit status when the converter itself says no


def convert(saved_model, signatures):
    """Converts a SavedModel with builtin ops only.

    Args:
        saved_model: Path of the SavedModel folder.
        signatures: Names of the signatures to keep.

    Returns:
        The bytes of the TFLite file.
    """
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_saved_model(
        saved_model, signature_keys=signatures
    )
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    return converter.convert()


def main(arguments=None):
    """Converts and writes the file, or writes the converter's error.

    Args:
        arguments: Command line arguments; those of the process by default.

    Returns:
        The exit status: 0, or `REFUSED` with the message in the error file.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("saved_model")
    parser.add_argument("output", help="path of the .tflite file to write")
    parser.add_argument("errors", help="path of the file for a refusal")
    parser.add_argument("signatures", nargs="+")
    flags = parser.parse_args(arguments)
    try:
        content = convert(flags.saved_model, flags.signatures)
    except Exception as error:  # ConverterError has no public name
        if type(error).__name__ != "ConverterError":
            raise
        pathlib.Path(flags.errors).write_text(str(error), encoding="utf-8")
        return REFUSED
    pathlib.Path(flags.output).write_bytes(content)
    return 0


if __name__ == "__main__":
    sys.exit(main())
