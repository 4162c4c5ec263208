"""Does kerasseq compute the same on a GPU, and how fast does it train there?

    python -m benchmarks.gpu
    python -m benchmarks.gpu --precisions tf32 --rows stacked,large --minutes 20
    python -m benchmarks.gpu --quick    # tiny sizes, on any device
    python -m benchmarks.gpu --record   # writes the losses of a CPU

Needs JAX with CUDA and Keras, and no TensorFlow. First models train for some steps
(`benchmarks/gpu_models.py`), and their losses are compared with those recorded on a
CPU; the exit code is 1 if one differs. Then the training step of LSTM and GRU
(`benchmarks/gpu_baseline.py`) is timed beside Keras on JAX, `jax.experimental.rnn`
(cuDNN) and, where it is installed, PyTorch, and beside kerasseq with its loops run in
other ways, interleaved (`benchmarks/interleaved.py`). Ratios above 1 mean that kerasseq
as it is takes less time. Rows come by importance; the results name those that no time
was left for. With `JAX_COMPILATION_CACHE_DIR` set, a second run compiles less and gets
further.
"""

import contextlib
import functools
import json
import pathlib
import re
import sys
from concurrent import futures

from benchmarks import (
    gpu_models,
    gpu_processes,
    gpu_rows,
    machine,
    training_baselines,
)
from kerasseq.utils import atomic
from recipes.shared import command_line

RESULTS = "benchmarks/results"
# Losses on a CPU with and without jit differ by 4e-7 at most. A gradient of the LSTM's
# recurrent kernel that is wrong by one percent changes them by 3e-5.
TOLERANCE = 1e-5
NUM_LOSSES = 6
AT_ONCE = 4  # models, each of which takes some 500 MB of the card
SLACK = 1.5  # the rows of later sizes take longer


def define_flags():
    """Defines the flags of this benchmark."""
    choices = {
        "models": (gpu_models.MODELS, gpu_models.MODELS),
        "rows": (gpu_rows.SIZES, [name for name in gpu_rows.SIZES if name != "tiny"]),
        "cells": (gpu_rows.CELLS, gpu_rows.CELLS),
        "precisions": (gpu_rows.PRECISIONS, gpu_rows.PRECISIONS),
        "baselines": (gpu_rows.BASELINES, gpu_rows.BASELINES),
    }
    flags = training_baselines.define_flags(choices, 2, None)
    flags.set_default("threads", machine.num_cores())  # most of which compile
    flags.set_default("seconds", 0.25)
    define = command_line.definer(flags)
    text = "Time for all; no row begins that might exceed it."
    define("float", "minutes", 8.0, text, lower_bound=1.0)
    define("bool", "quick", False, "Tiny sizes and one round, on any device.")
    define("bool", "record", False, "Record the losses of a CPU, and no more.")
    expected = f"{RESULTS}/gpu_expected_losses.json"
    define("string", "expected", expected, "Path of the losses of a CPU.")
    return flags


def run(argv=None):
    """Runs the benchmark; returns the exit code, 1 if a loss differs."""
    different = []
    code = command_line.run(
        lambda flags: different.extend(main(flags)), define_flags(), __doc__, argv
    )
    return code or int(bool(different))


def main(flags):
    """Checks and measures, or records; returns the names of the models that differ."""
    if flags.quick:
        flags.rows, flags.rounds, flags.seconds = ["tiny"], 1, 0.01
    environment = {"JAX_PLATFORMS": "cpu"} if flags.record else {}
    processes = gpu_processes.Processes(60 * flags.minutes, environment)
    with contextlib.closing(processes):
        if flags.record:
            record(flags, processes)
            return []
        return check_and_measure(flags, processes)


def record(flags, processes):
    """Writes the losses of the models on a CPU."""
    losses = {name: train(processes, name) for name in flags.models}
    facts = machine.description()
    atomic.write_json(flags.expected, {"machine": facts, "losses": losses})
    print(f"Written to {flags.expected}")


def train(processes, model):
    """Returns the losses of a model at steps 1, 3, 5, ..., in a process of its own."""
    worker = processes.load(model, "benchmarks.gpu_models", {"model": model})
    worker.receive()
    losses = [worker.ask("prepare")["first_loss"]]
    while len(losses) < NUM_LOSSES:  # in no time it runs two steps
        losses.append(worker.ask("run_steps", seconds=0)["last_loss"])
    processes.drop(model)
    return losses


def check_and_measure(flags, processes):
    """Does both, writing results; returns the names of the models that differ."""
    expected = _expected_losses(flags)
    device = _device(flags, processes)
    output = pathlib.Path(flags.output or _default_output(flags, device))
    command_line.make_folder(output.parent)
    facts = machine.description() | {"driver": machine.nvidia_driver(), **device}
    print(f"{device['device']}; {machine.summary(facts)}\n")
    report = {"machine": facts, "quick": flags.quick, "tolerance": TOLERANCE}
    report |= {"models": {}, "rows": [], "skipped": [], "geometric_means": {}}
    save = functools.partial(atomic.write_json, output, report)
    check_models(flags, processes, expected, report, save)
    measure_rows(flags, processes, report, save)
    _print_table(flags.baselines, report)
    print(f"\nWritten to {output}")
    return [name for name, result in report["models"].items() if not result["agrees"]]


def check_models(flags, processes, expected, report, save):
    """Compares the losses of all models with those of a CPU, while there is time.

    Some train at once: most of the time is that of XLA.
    """
    with futures.ThreadPoolExecutor(AT_ONCE) as pool:
        names = flags.models
        found = pool.map(lambda name: check(processes, name, expected[name]), names)
        for name, result in zip(names, found, strict=True):
            if result is None:
                report["skipped"].append(name)
            else:
                report["models"][name] = result
            save()  # an interrupted run has results


def measure_rows(flags, processes, report, save):
    """Measures rows, while the time left is enough for another as long as any."""
    longest = 0
    for row in gpu_rows.rows(flags):
        left = processes.seconds_left()
        if left > SLACK * longest:
            row = gpu_rows.measure(flags, processes, report["machine"]["platform"], row)
            _print_row(row)
            report["rows"].append(row)
            report["geometric_means"] = training_baselines.means(report["rows"])
            longest = max(longest, left - processes.seconds_left())
        else:
            report["skipped"].append(row["name"])
        save()


def _expected_losses(flags):
    path = pathlib.Path(flags.expected)
    losses = json.loads(path.read_text())["losses"] if path.is_file() else {}
    missing = [name for name in flags.models if name not in losses]
    if missing:
        raise ValueError(
            f"'{path}' has no losses of {', '.join(missing)}; --record writes them."
        )
    return losses


def _device(flags, processes):
    name = [*flags.models, *gpu_models.MODELS][0]  # the check goes on with it
    worker = processes.load(name, "benchmarks.gpu_models", {"model": name})
    device = worker.receive()
    if device["platform"] != "gpu" and not flags.quick:
        raise ValueError(
            "JAX finds no GPU; --quick and --record run without one. "
            f"Received: {device['device']}"
        )
    return device


def _default_output(flags, device):
    card = re.sub(r"\W+", "_", device["device"].lower())
    return f"{RESULTS}/gpu_{card}{'_quick' if flags.quick else ''}.json"


def check(processes, model, expected):
    """Compares the losses of a model with those of a CPU; returns its result.

    `None` where no time is left for it.
    """
    if processes.seconds_left() <= 0:
        return None
    try:
        losses = train(processes, model)
    except RuntimeError as error:
        processes.drop(model)
        if processes.seconds_left() <= 0:
            return None
        print(f"{model} failed: {error}", flush=True)
        return {"agrees": False, "error": str(error)}
    pairs = zip(losses, expected, strict=True)
    difference = max(abs(loss - other) / other for loss, other in pairs)
    agrees = difference <= TOLERANCE
    print(f"{model}: losses differ from a CPU's by {difference:.1e} at most", end="")
    print("" if agrees else f", more than {TOLERANCE}", flush=True)
    return {"agrees": agrees, "largest_difference": difference, "losses": losses}


def _print_row(row):
    print(f"\n{row['name']}")
    for name, result in row["baselines"].items():
        if "median_ms" in result:
            text = f"{result['median_ms']:.3f} ms"
        else:
            text = result.get("not_available") or f"failed: {result['error']}"
        print(f"  {name}: {text}", flush=True)


def _print_table(baselines, report):
    others = [name for name in baselines if name != gpu_rows.OURS]
    print(f"\n| model | {gpu_rows.OURS}, ms | {' | '.join(others)} |")
    print("|---" * (2 + len(others)) + "|")
    for row in report["rows"]:
        ours = row["baselines"].get(gpu_rows.OURS, {}).get("median_ms")
        ours = "-" if ours is None else f"{ours:.3f}"
        print(f"| {row['name']} | {ours} | {_cells(row['ratios'], others)} |")
    print(f"| geometric mean | | {_cells(report['geometric_means'], others)} |")
    print(f"\nSkipped: {', '.join(report['skipped']) or 'none'}")


def _cells(numbers, names):
    return " | ".join(
        f"{numbers[name]:.2f} x" if name in numbers else "-" for name in names
    )


if __name__ == "__main__":
    sys.exit(run())
