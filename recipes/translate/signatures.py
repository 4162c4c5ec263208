"""What the exported translator can do, and the inputs that it is compared on."""

import numpy as np

import kerasseq
from recipes.translate import data as translate_data

NUM_COMPARED = 20
NUM_STEPS = 3


def export_options(flags, model, data, results):
    """Signatures, samples and limits, as arguments of `kerasseq.export.export_model`.

    Args:
        flags: The flags of the recipe.
        model: The trained model.
        data: The loaded data.
        results: What `evaluate` returned; its sources are the samples.

    Returns:
        A dict.
    """
    lengths = translate_data.lengths(data)

    def signatures(twin):
        return kerasseq.decoding.translation_signatures(
            twin, *lengths, flags.beam_size, flags.length_penalty
        )

    source = results["source"]
    samples = [{"source": row[None]} for row in source[:NUM_COMPARED]]
    steps = _step_samples(signatures(model), source[:NUM_STEPS])
    return {
        "signatures": signatures,
        "samples": dict.fromkeys(("encode", "greedy", "beam"), samples)
        | {"step": steps},
        "min_token_agreement": 0.9,
        "main_signature": "greedy",
    }


def _step_samples(signatures, source):
    """Inputs of `step` as they occur: the state after the start token."""
    encode, _ = signatures["encode"]
    start = {"token": np.array([kerasseq.data.START_ID], "int32")}
    encoded = [encode(source=row[None]) for row in source]
    return [
        start | {name: _numpy(x) for name, x in tensors.items()} for tensors in encoded
    ]


def _numpy(tensor):
    """An array; float32 in place of half precision, which a file does not take."""
    array = np.asarray(tensor)
    return array if array.dtype == "int32" else array.astype("float32")
