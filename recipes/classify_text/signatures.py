"""What the exported text classifier takes and returns."""

import numpy as np

NUM_COMPARED = 20


def export_options(data, results):
    """Signatures and samples, as arguments of `kerasseq.export.export_model`.

    Args:
        data: The loaded data.
        results: What `evaluate` returned; its texts are the samples.

    Returns:
        A dict.
    """
    rows = results["tokens"][:NUM_COMPARED]
    return {
        "signatures": lambda twin: serve(twin, data["length"], results["temperature"]),
        "samples": {"serve": [{"tokens": row[None]} for row in rows]},
    }


def serve(model, length, temperature):
    """The signature: words in, calibrated probabilities out.

    A number outside of the vocabulary counts as the unknown word. With attention the
    weight of each word is an output too.
    """
    from keras import ops

    size = model.get_layer("embedding").input_dim
    outputs = _outputs(model)

    def function(tokens):
        known = ops.logical_and(tokens >= 0, tokens < size)
        found = outputs(ops.where(known, tokens, np.int32(1)), training=False)
        logits = found.pop("logits")
        return {"probabilities": ops.softmax(logits / temperature, axis=-1)} | found

    return {"serve": (function, {"tokens": ((1, length), "int32")})}


def _outputs(model):
    """The model with its outputs by name."""
    import keras

    named = {"logits": model.output}
    names = [layer.name for layer in model.layers]
    if "attention_weights" in names:
        named["attention"] = model.get_layer("attention_weights").output
    return keras.Model(model.input, named)
