"""What the exported captioner can do, and the inputs that it is compared on."""

import numpy as np

import kerasseq

NUM_COMPARED = 20
NUM_STEPS = 3


def export_options(flags, model, data):
    """Signatures, samples and limits, as arguments of `kerasseq.export.export_model`.

    Args:
        flags: The flags of the recipe.
        model: The trained model.
        data: The loaded data; images of its test split are the samples.

    Returns:
        A dict.
    """

    def signatures(twin):
        return kerasseq.decoding.caption_signatures(
            twin, data["length"], flags.beam_size, flags.length_penalty
        )

    images = data["images"].test[0]
    samples = [{"image": row[None]} for row in images[:NUM_COMPARED]]
    steps = _step_samples(signatures(model), images[:NUM_STEPS])
    return {
        "signatures": signatures,
        "samples": dict.fromkeys(("encode", "greedy", "beam"), samples)
        | {"step": steps},
        "min_token_agreement": 0.9,
        "main_signature": "greedy",
    }


def _step_samples(signatures, images):
    """Inputs of `step` as they occur: the state after the start token."""
    encode, _ = signatures["encode"]
    start = {"token": np.array([kerasseq.data.START_ID], "int32")}
    encoded = [encode(image=row[None]) for row in images]
    return [
        start | {name: np.asarray(x, "float32") for name, x in tensors.items()}
        for tensors in encoded
    ]
