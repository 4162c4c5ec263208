"""How much of the gradient reaches earlier time steps?

    python -m benchmarks.gradient_flow

For untrained layers on random sequences of 200 steps: the norm of the gradient of a
projection of the last output with respect to each input `x_t`, relative to the norm at
the last step. It is the mean over a batch, and the geometric mean over random
initializations. Where the line falls the gradient vanishes, where it rises it explodes.
Computed in float64, to show what float32 would lose. Writes a plot and prints tables;
takes half a minute.
"""

import pathlib
import sys

import numpy as np
from absl import flags as absl_flags

from recipes.shared import command_line

LENGTH, BATCH, FEATURES = 200, 32, 16
STEPS_BACK = (0, 50, 100, 150, 199)
FLOAT32_EPSILON = np.finfo("float32").eps
HE, GLOROT, IDENTITY = (
    {"recurrent_initializer": name}
    for name in ("he_normal", "glorot_uniform", "identity")
)
RELU = {"activation": "relu"}
PANELS = {  # title: {line: (layer, arguments, color, style)}
    "Layers with their default initializers": {
        "IRNN": ("IRNN", {}, "C0", "-"),
        "LSTM": ("LSTM", {}, "C1", "-"),
        "GRU": ("GRU", {}, "C2", "-"),
        "SimpleRNN, tanh": ("SimpleRNN", {}, "C3", "-"),
        "SimpleRNN, relu": ("SimpleRNN", RELU, "C4", ":"),
    },
    "What the initializer changes": {
        "SimpleRNN, relu, He": ("SimpleRNN", RELU | HE, "C4", "-"),
        "SimpleRNN, tanh, He": ("SimpleRNN", HE, "C5", "-"),
        "LSTM, forget bias 1": ("LSTM", {}, "C1", "-"),
        "SimpleRNN, tanh, identity": ("SimpleRNN", IDENTITY, "C6", "-"),
        "SimpleRNN, tanh, orthogonal": ("SimpleRNN", {}, "C3", "-"),
        "SimpleRNN, tanh, Glorot": ("SimpleRNN", GLOROT, "black", ":"),
        "LSTM, forget bias 0": ("LSTM", {"unit_forget_bias": False}, "C1", "--"),
    },
}


def define_flags():
    """Defines the flags of this benchmark."""
    flags = absl_flags.FlagValues()
    integer = absl_flags.DEFINE_integer
    integer("units", 64, "Units of the layers.", lower_bound=1, flag_values=flags)
    integer("draws", 5, "Random initializations.", lower_bound=1, flag_values=flags)
    output = "benchmarks/results/gradient_flow.png"
    absl_flags.DEFINE_string("output", output, "Path of the plot.", flag_values=flags)
    absl_flags.DEFINE_bool("debug", False, "Show tracebacks.", flag_values=flags)
    return flags


def main(flags):
    """Measures, prints tables and writes the plot."""
    if command_line.backend() != "tensorflow":
        raise ValueError(
            "This benchmark runs on the TensorFlow backend. Received: "
            f"KERAS_BACKEND={command_line.backend()}"
        )
    output = pathlib.Path(flags.output)
    command_line.make_folder(output.parent)
    panels = {}
    for title, lines in PANELS.items():
        panels[title] = {
            label: relative_norms(name, options, flags.units, flags.draws)
            for label, (name, options, *_) in lines.items()
        }
        _print_table(title, panels[title])
    draw(output, panels)
    print(f"\nPlotted to {output}")


def relative_norms(name, options, units, draws):
    """Norms of the gradient per step, from the last step back, relative to the last.

    Args:
        name: Name of a layer of `kerasseq.layers`.
        options: Its arguments.
        units: Its number of units.
        draws: Number of random initializations and inputs.

    Returns:
        Array of `LENGTH` numbers, of which the first is 1.
    """
    import keras
    import tensorflow as tf

    from kerasseq import layers

    relative = []
    for seed in range(draws):
        keras.utils.set_random_seed(seed)
        generator = np.random.default_rng(seed)
        inputs = tf.constant(generator.normal(size=(BATCH, LENGTH, FEATURES)))
        projection = tf.constant(generator.normal(size=(units, 1)))
        layer = getattr(layers, name)(units, dtype="float64", **options)
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            loss = tf.reduce_sum(tf.matmul(layer(inputs), projection))
        gradient = tape.gradient(loss, inputs)
        norms = np.linalg.norm(gradient, axis=-1).mean(0)
        relative.append(norms[::-1] / norms[-1])
    return np.exp(np.mean(np.log(relative), axis=0))


def draw(path, panels):
    """Plots one panel per group of lines, on a logarithmic axis."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot as plt
    from PIL import Image

    figure, axes = plt.subplots(
        1, len(panels), figsize=(9, 4.6), sharey=True, layout="constrained"
    )
    for axis, (title, lines) in zip(axes, panels.items(), strict=True):
        for label, norms in lines.items():
            *_, color, style = PANELS[title][label]
            axis.semilogy(norms, style, color=color, label=label, linewidth=1.8)
        axis.axhline(FLOAT32_EPSILON, color="gray", linewidth=0.8)
        axis.set(title=title, xlabel="steps back from the last one", ylim=(1e-16, 1e5))
        axis.set_xlim(0, LENGTH)
        axis.grid(alpha=0.25)
        axis.spines[["top", "right"]].set_visible(False)
        axis.legend(
            fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.15), ncols=2
        )
    place = {"x": LENGTH, "y": 2 * FLOAT32_EPSILON, "ha": "right", "fontsize": 8}
    axes[0].text(s="precision of float32", **place)
    axes[0].set_ylabel("norm of the gradient, relative to the last step")
    figure.savefig(path, dpi=100)
    plt.close(figure)
    Image.open(path).convert("RGB").quantize(128).save(
        path, optimize=True
    )  # a third of the size


def _print_table(title, lines):
    print(f"\n{title}: relative norm of the gradient, by steps back\n")
    print(f"| layer | {' | '.join(map(str, STEPS_BACK))} |")
    print("|---" * (1 + len(STEPS_BACK)) + "|")
    for label, norms in lines.items():
        values = [f"{norms[steps]:.0e}" for steps in STEPS_BACK]
        print(f"| {label} | {' | '.join(values)} |")


if __name__ == "__main__":
    sys.exit(command_line.run(main, define_flags(), __doc__))
