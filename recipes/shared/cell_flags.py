"""The recurrent cell of a recipe as flags: its kind, and how its weights start.

`benchmarks/gradient_flow.py` shows what the starts do to the gradient over 200 steps.
"""

import kerasseq
from recipes.shared import command_line

KERNEL_INITIALIZERS = (
    "glorot_uniform",
    "glorot_normal",
    "he_uniform",
    "he_normal",
    "orthogonal",
)
RECURRENT_INITIALIZERS = (*KERNEL_INITIALIZERS, "identity")


def define_flags(flags, default):
    """Adds `--cell` and the flags of `define_start_flags`.

    Args:
        flags: The `absl.flags.FlagValues` of the recipe.
        default: Default of `--cell`.
    """
    define = command_line.definer(flags, "model")
    # No enum: to name the cells here would import Keras for every use of a file.
    define("string", "cell", default, "RNN: cell, as gru, lstm or simple_rnn.")
    define_start_flags(flags)


def define_start_flags(flags):
    """Adds the flags that `options` reads."""
    define = command_line.definer(flags, "model")
    text = "RNN: initializer of the input weights; else the cell's own."
    define("enum", "kernel_initializer", None, text, KERNEL_INITIALIZERS)
    text = "RNN: initializer of the state weights; else the cell's own."
    define("enum", "recurrent_initializer", None, text, RECURRENT_INITIALIZERS)
    define("bool", "forget_bias", True, "RNN: forget gates of an LSTM start at 1.")


def check(flags):
    """Refuses an unknown cell, and an initializer that it cannot have.

    Raises:
        ValueError: naming the flag.
    """
    command_line.import_keras(flags)
    cells = kerasseq.layers.CELLS
    if flags.cell not in cells:
        raise ValueError(
            f"--cell is one of {', '.join(sorted(cells))}. "
            f"Received: --cell={flags.cell}"
        )
    check_start(flags, "cell", flags.cell)


def check_start(flags, name, cell):
    """Refuses an initializer that a cell cannot have.

    Args:
        flags: Flags with those of `define_start_flags`.
        name: Name of the flag that says which cell.
        cell: Name of the cell.

    Raises:
        ValueError: naming the flag.
    """
    square = ("simple_rnn", "irnn")
    if flags.recurrent_initializer == "identity" and cell not in square:
        # Keras would fill the first gate's block and leave the others zero.
        raise ValueError(
            "--recurrent_initializer=identity needs a square matrix, that of "
            f"--{name}=simple_rnn. Received: --{name}={flags[name].value}. "
            "Use orthogonal."
        )


def options(flags):
    """How cells start, as arguments of models and layers.

    Args:
        flags: Flags with those of `define_start_flags`, checked.

    Returns:
        A dict: `kernel_initializer` and `recurrent_initializer`, `None` for the cell's
        own, and `unit_forget_bias`.
    """
    return {
        "kernel_initializer": flags.kernel_initializer,
        "recurrent_initializer": flags.recurrent_initializer,
        "unit_forget_bias": flags.forget_bias,
    }
