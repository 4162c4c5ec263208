"""What does dropout cost under XLA, per element?

    python -m benchmarks.dropout
    KERAS_BACKEND=jax python -m benchmarks.dropout

Forward and backward of a layer that scales and drops, with `keras.layers.Dropout`, with
`kerasseq.layers.Dropout` and without, one after the other in each round. The medians of
the differences to the step without are the cost. Takes a minute.
"""

import statistics
import sys
import time

from absl import flags as absl_flags

from benchmarks import machine
from recipes.shared import command_line


def define_flags():
    """Defines the flags of this benchmark."""
    flags = absl_flags.FlagValues()
    define = command_line.definer(flags)
    define("integer", "elements", 1 << 19, "Elements that drop.", lower_bound=1)
    define("integer", "rounds", 15, "Number of rounds.", lower_bound=2)
    define("bool", "debug", False, "Show tracebacks.")
    return flags


def main(flags):
    """Measures and prints a line per layer."""
    import keras

    from kerasseq import layers

    print(f"{machine.summary(machine.description())}; {keras.backend.backend()}")
    makers = {
        "none": lambda: keras.layers.Identity(),
        "keras": lambda: keras.layers.Dropout(0.2),
        "kerasseq": lambda: layers.Dropout(0.2),
    }
    steps = {name: _step(make(), flags.elements) for name, make in makers.items()}
    seconds = {name: [] for name in steps}
    for _ in range(flags.rounds):
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            seconds[name].append(time.perf_counter() - start)
    for name in ("keras", "kerasseq"):
        pairs = zip(seconds[name], seconds["none"], strict=True)
        cost = statistics.median(one - other for one, other in pairs)
        print(f"{name}: {1e9 * cost / flags.elements:.1f} ns per element")


def _step(dropout, elements):
    """A compiled training step of one weight and the layer."""
    import keras
    import numpy as np

    inputs = keras.Input((elements,))
    x = keras.layers.Rescaling(0.5)(inputs)
    scaled = keras.layers.Dense(1, kernel_initializer="zeros")(dropout(x))
    model = keras.Model(inputs, scaled)
    model.compile("sgd", "mse", jit_compile=True)
    x, y = (keras.ops.convert_to_tensor(np.ones(n)) for n in ((1, elements), (1, 1)))
    model.train_on_batch(x, y)
    return lambda: float(model.train_on_batch(x, y))


if __name__ == "__main__":
    sys.exit(command_line.run(main, define_flags(), __doc__))
