"""`--dry_run`: what a run would take, from a few of its steps."""

import statistics
import time

from kerasseq.utils import stages

NUM_STEPS = 8
BYTES = {"float32": 4, "float16": 2, "dynamic": 1, "int8": 1, "int4": 0.5}


def show(flags, model, data):
    """Takes some training steps and prints estimates of time and size.

    The recipe has printed what was read, and shapes and parameters, by then.

    Args:
        flags: The flags of the recipe.
        model: The compiled model.
        data: The loaded data.
    """
    batches = data["train"]
    first, second = _steps(model, batches)
    step = statistics.median(second)
    compiling = max(sum(first) - step * len(first), 0)
    epoch = step * (len(batches) + len(data["validation"]) / 3)
    print(
        f"time: {stages.duration(compiling)} to compile, then at most "
        f"{stages.duration(epoch * flags.epochs)} of training, {flags.epochs} epochs "
        f"of {stages.duration(epoch)}, {len(batches)} steps of {step:.2g} s each; "
        "after it evaluation and export"
    )
    sizes = ((name, BYTES[name]) for name in ("float32", *flags.quantize))
    count = model.count_params()
    shown = (f"{name} {count * size / 1e6:.2g} MB" for name, size in sizes)
    print(f"size: about {', '.join(shown)}")
    print(f"dry run: nothing was written to {flags.output_dir}")


def _steps(model, batches):
    """The seconds of some steps, those that compile, and the same again."""
    import keras

    times = []
    callback = keras.callbacks.LambdaCallback(
        on_train_batch_begin=lambda batch, logs: times.append(-time.monotonic()),
        on_train_batch_end=lambda batch, logs: times.append(time.monotonic()),
    )
    # Keras goes on in the second epoch where the first one stopped.
    count = min(NUM_STEPS, len(batches) // 2 or 1)
    options = {"epochs": 2, "steps_per_epoch": count, "shuffle": False, "verbose": 0}
    model.fit(batches, callbacks=[callback], **options)
    steps = [sum(pair) for pair in zip(times[::2], times[1::2], strict=True)]
    return steps[:count], steps[count:]
