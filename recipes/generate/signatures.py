"""What the exported language model can do, and the inputs that it is compared on."""

import numpy as np

import kerasseq
from recipes.generate import sampling_flags


def export_options(flags, prompts):
    """Signatures, samples and limits, as arguments of `kerasseq.export.export_model`.

    Args:
        flags: The flags of the recipe.
        prompts: From `generate_data.prompts`.

    Returns:
        A dict.
    """

    def signatures(twin):
        return kerasseq.decoding.generation_signatures(
            twin,
            flags.prompt_length,
            flags.max_length,
            flags.prefill_length or None,
            **sampling_flags.options(flags),
        )

    return {
        "signatures": signatures,
        "samples": {"generate": inputs(prompts)},
        "min_token_agreement": 0.9,
        "main_signature": "generate",
    }


def inputs(prompts):
    """Inputs of the signature `generate`: each prompt with its own seed."""
    return [
        {"prompt": prompt[None], "seed": np.array([seed], "int32")}
        for seed, prompt in enumerate(prompts)
    ]
