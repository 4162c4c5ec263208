"""Files of stock Keras: builtin ops and static shapes, which its own export has not."""

import keras
import tensorflow as tf


def convert(models, signatures, folder):
    """Writes a model of stock layers; returns the path of its `.tflite` file.

    Args:
        models: The models whose weights it holds.
        signatures: Dict `{name: (function, {input: (shape, dtype)})}`.
        folder: Where to, a `pathlib.Path`; a SavedModel comes beside.
    """
    archive = keras.export.ExportArchive()
    for model in models:
        archive.track(model)
    for name, (function, specs) in signatures.items():
        tensors = {
            key: tf.TensorSpec(shape, dtype, name=key)
            for key, (shape, dtype) in specs.items()
        }
        archive.add_endpoint(name, _with_dict(function), [tensors])
    archive.write_out(str(folder), verbose=False)
    converter = tf.lite.TFLiteConverter.from_saved_model(
        str(folder), signature_keys=list(signatures)
    )
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    path = folder / "model.tflite"
    path.write_bytes(converter.convert())
    return path


def _with_dict(function):
    return lambda inputs: function(**inputs)
