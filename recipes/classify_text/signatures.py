"""What the exported text classifier takes and returns."""

import numpy as np

import kerasseq

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
    """The signatures: words in, calibrated probabilities out.

    A number outside of the vocabulary counts as the unknown word. With attention the
    weight of each word is an output too. A model that goes word by word has the
    signature `step` too: one word and the states in, the probabilities of the text so
    far and the states out.
    """
    from keras import ops

    outputs = _outputs(model)

    def function(tokens):
        found = outputs(_known(model, tokens), training=False)
        logits = found.pop("logits")
        return {"probabilities": ops.softmax(logits / temperature, axis=-1)} | found

    found = {"serve": (function, {"tokens": ((1, length), "int32")})}
    if kerasseq.models.is_streamable(model):
        found["step"] = _step(model, temperature)
    return found


def _known(model, tokens):
    from keras import ops

    size = model.get_layer("embedding").input_dim
    inside = ops.logical_and(tokens >= 0, tokens < size)
    return ops.where(inside, tokens, np.int32(1))


def _step(model, temperature):
    from keras import ops

    step_model = kerasseq.models.streaming_model(model)
    run, specs = kerasseq.decoding.step_signature(step_model)["step"]

    def step(tokens, **states):
        found = run(tokens=_known(model, tokens), **states)
        logits = found.pop("outputs")
        return {"probabilities": ops.softmax(logits / temperature, axis=-1)} | found

    return step, specs


def _outputs(model):
    """The model with its outputs by name."""
    import keras

    named = {"logits": model.output}
    names = [layer.name for layer in model.layers]
    if "attention_weights" in names:
        named["attention"] = model.get_layer("attention_weights").output
    return keras.Model(model.input, named)
