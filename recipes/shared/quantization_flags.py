"""The flags of quantized files, the same for all recipes."""

import kerasseq
from recipes.shared import command_line

# The search loops of text are WHILE ops, and the converter has no int8 ones.
WITH_LOOPS = ("float16", "dynamic", "int4")
ALL = ("float16", "dynamic", "int8")


def define_flags(flags, precisions=ALL, default=()):
    """Adds `--quantize` and, where int8 is possible, `--float_layers`.

    Args:
        flags: The `absl.flags.FlagValues` of the recipe.
        precisions: What can be asked for.
        default: What is made unless another is asked for.
    """
    define = command_line.definer(flags, "export")
    text = f"Quantized files to write, of {', '.join(precisions)}."
    define("list", "quantize", list(default), text)
    if "int8" in precisions:
        text = "Layers that the int8 file computes in float: patterns such as dense*."
        define("list", "float_layers", [], text)


def check(flags, precisions=ALL):
    """Raises `ValueError` for an unknown precision, or layers without int8."""
    if not set(flags.quantize) <= set(precisions):
        raise ValueError(
            f"--quantize is a list out of {','.join(precisions)}, or nothing. "
            f"Received: --quantize={','.join(flags.quantize)}"
        )
    if "float_layers" in flags and flags.float_layers and "int8" not in flags.quantize:
        raise ValueError(
            "--float_layers is for the int8 file; add int8 to --quantize. Received: "
            f"--quantize={','.join(flags.quantize)}"
        )


def options(flags, representative_data=None):
    """What the flags ask for, as `quantize` of `kerasseq.export.export_model`.

    Args:
        flags: Flags with those of `define_flags`.
        representative_data: See `kerasseq.export.Int8`.

    Returns:
        A list of names and `kerasseq.export.Int8`.
    """
    return [
        kerasseq.export.Int8(representative_data, float_layers=flags.float_layers)
        if precision == "int8"
        else precision
        for precision in flags.quantize
    ]
