"""How many images per second does a vision model train on?

    python -m benchmarks.vision_train
    python -m benchmarks.vision_train --rows vit_28,unet_64 --rounds 3

Compares five baselines, interleaved in one run: kerasseq under XLA (and without, for
information), the same model of keras-nlp with and without XLA (the better one counts),
and a model of PyTorch's own layers in eager mode. The U-Net has no Keras baseline: ours
consists of stock Keras layers, so that a twin would be the same graph, and keras-nlp
has none. A step is described in `benchmarks/vision_train_baseline.py`, the rounds in
`benchmarks/interleaved.py`. All baselines of a row have the same number of trainable
weights, which each checks. Ratios above 1 mean that kerasseq is faster. Takes 6 minutes
on two cores, which must be idle otherwise.
"""

import functools
import sys

from benchmarks import interleaved, training_baselines
from recipes.shared import command_line

ROWS = {  # model, batch size, (height, width, channels), sizes, trainable weights
    "vit_28": (
        "vit",
        128,
        (28, 28, 1),
        {
            "patch_size": 4,
            "hidden_dim": 64,
            "num_layers": 6,
            "num_heads": 2,
            "mlp_dim": 128,
        },
        205962,
    ),
    "vit_96": (
        "vit",
        16,
        (96, 96, 3),
        {
            "patch_size": 8,
            "hidden_dim": 192,
            "num_layers": 6,
            "num_heads": 3,
            "mlp_dim": 768,
        },
        2736586,
    ),
    "unet_96": ("unet", 16, (96, 96, 3), {"width": 16, "depth": 4}, 1942594),
    "unet_64": ("unet", 16, (64, 64, 1), {"width": 16, "depth": 3}, 482466),
    "vit_tiny": (  # for tests
        "vit",
        2,
        (8, 8, 1),
        {
            "patch_size": 4,
            "hidden_dim": 8,
            "num_layers": 1,
            "num_heads": 2,
            "mlp_dim": 8,
        },
        754,
    ),
    "unet_tiny": ("unet", 2, (8, 8, 1), {"width": 2, "depth": 1}, 450),  # for tests
}
BASELINES = {  # library, jit_compile
    "kerasseq": ("kerasseq", True),
    "kerasseq_no_jit": ("kerasseq", False),
    "keras_jit": ("keras", True),
    "keras": ("keras", False),
    "torch": ("torch", None),
}
COLUMNS = {  # key in a result: title, format
    "images_per_second": ("Images per second, from the median step", "{:.0f}"),
    "median_ms": ("Median time of a training step, ms", "{:.1f}"),
    "first_step_seconds": ("Building, compiling and the first step, s", "{:.1f}"),
}


def define_flags():
    """Defines the flags of this benchmark."""
    rows = [name for name in ROWS if not name.endswith("tiny")]
    choices = {"rows": (ROWS, rows), "baselines": (BASELINES, BASELINES)}
    output = "benchmarks/results/vision_train.json"
    flags = training_baselines.define_flags(choices, 7, output)
    return training_baselines.define_keep_memory(flags)


def main(flags):
    """Measures all rows, prints tables and writes the results."""
    measurements = [functools.partial(measure_row, flags, row) for row in flags.rows]
    training_baselines.run(flags, COLUMNS, measurements)


def measure_row(flags, name, baselines):
    """Measures one model with all baselines that have it; returns a row."""
    model, batch_size, input_shape, sizes, num_weights = ROWS[name]
    row = {
        "name": name,
        "model": model,
        "batch_size": batch_size,
        "input_shape": input_shape,
        "sizes": sizes,
        "num_weights": num_weights,
    }
    workers = {}
    for baseline in baselines:
        library, jit_compile = BASELINES[baseline]
        if (model, library) == ("unet", "keras"):
            continue  # ours consists of stock layers
        settings = row | {"library": library, "jit_compile": jit_compile}
        settings["num_threads"] = flags.threads
        del settings["name"]
        workers[baseline] = interleaved.Worker(
            "benchmarks.vision_train_baseline",
            settings,
            training_baselines.environment(flags, library, "tensorflow"),
        )
    results = interleaved.measure(workers, flags.rounds, flags.seconds)
    for result in results.values():
        if "median_ms" in result:
            result["images_per_second"] = 1e3 * batch_size / result["median_ms"]
    return row | {"baselines": results}


if __name__ == "__main__":
    sys.exit(command_line.run(main, define_flags(), __doc__))
