"""What does a deep Mamba cost on a phone's runtime, frame by frame?

    python -m benchmarks.enhancer
    python -m benchmarks.enhancer --num_layers 4 --units 64

A speech enhancer of 30 Mamba blocks and 9.6 million weights, untrained: frames of 257
magnitudes every 10 ms go in, a mask for each comes out, states go in and come out. The
size to compare with is that of microsoft/onnxruntime issue 27796, where such a model
took 1.7 s for 0.1 s of audio as a loop, and 298 MB unrolled. Of the float file and that
with dynamic range quantization: bytes, seconds to load, and the median milliseconds of
a step of one frame and of 0.1 s, ten frames, one after the other and at once (one
thread). Takes five minutes on two cores.
"""

import os
import pathlib
import statistics
import sys
import tempfile
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow reads it

import numpy as np
from absl import flags as absl_flags

from benchmarks import machine
from kerasseq.utils import atomic
from recipes.shared import command_line

BINS = 257  # magnitudes of a window of 512 samples
FRAMES = 10  # in 0.1 s
FILES = ("model.tflite", "model_dynamic.tflite")


def define_flags():
    """Defines the flags of this benchmark."""
    flags = absl_flags.FlagValues()
    define = command_line.definer(flags)
    define("integer", "num_layers", 30, "Mamba blocks.", lower_bound=1)
    define("integer", "units", 216, "Features.", lower_bound=1)
    define("integer", "rounds", 100, "Measured calls.", lower_bound=1)
    output = "benchmarks/results/enhancer.json"
    define("string", "output", output, "Path of the results.")
    define("bool", "debug", False, "Show tracebacks.")
    return flags


def main(flags):
    """Exports the model, measures its files, prints a table and writes the results."""
    from kerasseq import decoding, export

    output = pathlib.Path(flags.output)
    command_line.make_folder(output.parent)
    facts = machine.description()
    model = build(flags.units, flags.num_layers)
    print(f"{machine.summary(facts)}; one thread; {model.count_params():,} weights\n")

    def signatures(twin):
        ten = decoding.step_signature(twin, length=FRAMES, name="prefill")
        return decoding.step_signature(twin) | ten

    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        export.export_model(model, folder, signatures=signatures, quantize=["dynamic"])
        rows = [measure(folder / name, flags.rounds) for name in FILES]
    report = {"machine": facts, "weights": model.count_params(), "rows": rows}
    sizes = {name: flags[name].value for name in ("units", "num_layers")}
    atomic.write_json(output, report | sizes)
    _print_table(rows)
    print(f"\nWritten to {output}")


def build(units, num_layers):
    """The step model: frames and states in, masks and states out."""
    import keras

    from kerasseq import layers

    keras.utils.set_random_seed(0)
    body = layers.ResidualStack(units, num_layers, "mamba", return_state=True)
    frames = keras.Input((None, BINS), name="frames")
    x = keras.layers.Dense(units)(frames)
    body.build(x.shape)
    states = {
        f"state_{number}": keras.Input(size, name=f"state_{number}")
        for number, size in enumerate(body.state_size)
    }
    x, *final = body(x, initial_state=list(states.values()))
    outputs = {"masks": keras.layers.Dense(BINS, activation="sigmoid")(x)}
    outputs |= dict(zip(states, final, strict=True))
    return keras.Model({"frames": frames} | states, outputs)


def measure(path, num_rounds):
    """Bytes, seconds to load, and milliseconds of a file's calls."""
    from kerasseq import lite

    began = time.perf_counter()
    runner = lite.Runner(path, num_threads=1)
    step = runner.stateful("step")
    frame = np.random.default_rng(0).random((1, FRAMES, BINS), "float32")
    step(frames=frame[:, :1])
    seconds = time.perf_counter() - began
    ten = runner.stateful("prefill")
    calls = {
        "frame": lambda: step(frames=frame[:, :1]),
        "frames_in_turn": lambda: [step(frames=x[None]) for x in frame[0, :, None]],
        "frames_at_once": lambda: ten(frames=frame),
    }
    times = {name: [] for name in calls}
    for _ in range(num_rounds):
        for name, call in calls.items():
            call()  # warms up: the call before used other data
            began = time.perf_counter()
            call()
            times[name].append(1e3 * (time.perf_counter() - began))
    return {
        "file": path.name,
        "bytes": path.stat().st_size,
        "seconds_to_load": seconds,
        "state_bytes": sum(x.nbytes for x in step.states.values()),
        "ms": {name: statistics.median(found) for name, found in times.items()},
    }


def _print_table(rows):
    print("| file | MB | load, s | states, KiB | 1 frame, ms | 10 in turn | at once |")
    print("|---" * 7 + "|")
    for row in rows:
        times = " | ".join(f"{x:.2f}" for x in row["ms"].values())
        print(
            f"| {row['file']} | {row['bytes'] / 1e6:.1f} "
            f"| {row['seconds_to_load']:.2f} | {row['state_bytes'] / 1024:,.0f} "
            f"| {times} |"
        )


if __name__ == "__main__":
    sys.exit(command_line.run(main, define_flags(), __doc__))
