"""The flags of quantised files, the same for all recipes."""

from recipes import common

# The search loops of text are WHILE ops, and the converter has no int8 ones.
WITH_LOOPS = ("float16", "dynamic")
ALL = (*WITH_LOOPS, "int8")


def define_flags(values, precisions=ALL, default=()):
    """Adds `--quantize` and, where int8 is possible, `--keep_float`.

    Args:
        values: The `absl.flags.FlagValues` of the recipe.
        precisions: What can be asked for.
        default: What is made unless another is asked for.
    """
    define = common.definer(values)
    text = f"Quantised files to write, of {', '.join(precisions)}."
    define("list", "quantize", list(default), text)
    if "int8" in precisions:
        text = "Layers that the int8 file computes in float: patterns such as dense*."
        define("list", "keep_float", [], text)


def check(values, precisions=ALL):
    """Raises `ValueError` for an unknown precision."""
    if not set(values.quantize) <= set(precisions):
        raise ValueError(
            f"--quantize is a list out of {','.join(precisions)}, or nothing. "
            f"Received: --quantize={','.join(values.quantize)}"
        )
