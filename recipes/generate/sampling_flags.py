"""How the exported file of `recipes.generate` draws its tokens, as flags."""

import kerasseq
from recipes.shared import command_line

NAMES = ("temperature", "top_k", "top_p", "repetition_penalty", "no_repeat_ngram")
LENGTHS = ("prompt_length", "max_length")
EXPORTED = (*LENGTHS, "prefill_length")


def define_flags(flags):
    """Adds the flags that `options` reads, and those of `EXPORTED`."""
    define = command_line.definer(flags, "export")
    text = "Tokens of a prompt that the file takes at most."
    define("integer", "prompt_length", 64, text, **command_line.WIDTH)
    text = "Tokens that the file writes, the prompt included."
    define(
        "integer", "max_length", 256, text, **command_line.WIDTH | {"lower_bound": 2}
    )
    text = "Tokens that the signature prefill reads at once, for apps that sample by "
    text += "themselves; 0: no such signature."
    define("integer", "prefill_length", 16, text, lower_bound=0, upper_bound=4096)
    text = "Below 1, likely tokens become likelier."
    define("float", "temperature", 0.8, text)
    text = "Sample from the k most likely tokens."
    define("integer", "top_k", None, text, **command_line.COUNT)
    define("float", "top_p", None, "Sample from the nucleus of this probability.")
    text = "Above 1, tokens that occurred become less likely."
    define("float", "repetition_penalty", 1.0, text)
    text = "Length of n-grams that must not repeat; 0: any may."
    define("integer", "no_repeat_ngram", 0, text, lower_bound=0, upper_bound=1000)


def options(flags):
    """The options of `kerasseq.decoding.sample` that were asked for."""
    return {name: flags[name].value for name in NAMES}


def check(flags):
    """Refuses what cannot be sampled from, before any work is done.

    Raises:
        ValueError: naming the option.
    """
    lengths = (flags[name].value for name in LENGTHS)
    kerasseq.decoding.check_sampling(*lengths, **options(flags))
