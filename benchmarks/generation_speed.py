"""What does the next token cost after a long text, with states and with a cache?

    python -m benchmarks.generation_speed
    python -m benchmarks.generation_speed --models Mamba,Transformer --lengths 256,4096

Language models of about 0.4 million weights (`benchmarks.sequence_models`), batch size
1: recurrent ones and blocks, whose states have one size, and a Transformer with a cache
of the keys and values of all tokens so far. Of each the step is measured in its .tflite
file (one thread) and in Keras (compiled by XLA), after so many tokens, and the bytes
that a step takes in and hands on. A Transformer has a file for each length; of the
others the file runs through the text. All files run interleaved in one process; times
are medians. Takes ten minutes on two cores.
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

from benchmarks import machine, sequence_models
from kerasseq.utils import atomic
from recipes.shared import command_line

VOCABULARY = 64
TRANSFORMER = "Transformer"


def define_flags():
    """Defines the flags of this benchmark."""
    flags = absl_flags.FlagValues()
    define = command_line.definer(flags)
    names = list(sequence_models.MODELS)
    define("list", "models", names, f"Out of {','.join(names)}.")
    define("list", "lengths", ["256", "4096"], "Tokens before the measured ones.")
    text = "Tokens after which the models with states are measured again; 0: not."
    define("integer", "far", 65536, text, lower_bound=0)
    define("integer", "rounds", 200, "Measured steps.", lower_bound=1)
    output = "benchmarks/results/generation_speed.json"
    define("string", "output", output, "Path of the results.")
    define("bool", "debug", False, "Show tracebacks.")
    return flags


def main(flags):
    """Measures all models, prints a table and writes the results.

    Raises:
        ValueError: for an unknown model, or a length that is no positive number.
    """
    lengths = _check(flags)
    output = pathlib.Path(flags.output)
    command_line.make_folder(output.parent)
    facts = machine.description()
    print(f"{machine.summary(facts)}; one thread\n")
    with tempfile.TemporaryDirectory() as folder:
        steps = {
            (name, length): Step(name, length, pathlib.Path(folder))
            for length in lengths
            for name in flags.models
        }
        rows = measure(steps, flags.rounds)
        far = _far(steps, lengths, flags) if flags.far else {}
    report = {"machine": facts, "rows": rows, "far": far}
    atomic.write_json(output, report)
    _print_table(rows, far, flags.far)
    print(f"\nWritten to {output}")


def _check(flags):
    command_line.check_known("models", flags, sequence_models.MODELS)
    lengths = [int(length) for length in flags.lengths if length.isdigit()]
    if len(lengths) < len(flags.lengths) or min(lengths, default=0) < 1:
        raise ValueError(
            "--lengths must be positive numbers. Received: "
            f"--lengths={','.join(flags.lengths)}"
        )
    return lengths


def build(name, length):
    """A step model; of a Transformer with room for so many tokens."""
    from kerasseq import layers, models

    cell, units = sequence_models.MODELS[name]
    body, options = None, {"cell": cell, "num_layers": 2}
    if name == TRANSFORMER:
        body, options = layers.WindowTransformer(2, 4, 4 * units, window=length), {}
    sizes = {"embedding_dim": units, "dropout": 0.0, "seed": 0}
    return models.language_model(VOCABULARY, body, **sizes, **options)


class Step:
    """The step of a model after a text, in its file and in Keras.

    Args:
        name: One of `sequence_models.MODELS`.
        length: Tokens of the text.
        folder: Folder for the files, a `pathlib.Path`.
    """

    def __init__(self, name, length, folder):
        from kerasseq import decoding, export, lite

        model = build(name, length)
        folder = folder / f"{name}_{length}"
        export.export_model(model, folder, signatures=decoding.step_signature)
        runner = lite.Runner(folder / "model.tflite")
        self.file = runner.stateful("step")
        self.bytes = sum(x.nbytes for x in self.file.states.values())
        self.weights = model.count_params()
        self._keras = _compiled(model)
        self._generator = np.random.default_rng(0)
        if name == TRANSFORMER:  # the cache is full, as after the text
            first = next(iter(self.file.states))
            self.file.states[first] = np.ones_like(self.file.states[first])
        else:
            self.run(length)
        self.states = dict(self.file.states)

    def run(self, count):
        """Goes on by so many tokens."""
        for token in self._generator.integers(0, VOCABULARY, count):
            self.file(tokens=np.full((1, 1), token, "int32"))

    def time_file(self):
        """Milliseconds of one step of the file."""
        tokens = self._generator.integers(0, VOCABULARY, (1, 1)).astype("int32")
        began = time.perf_counter()
        self.file(tokens=tokens)
        return 1e3 * (time.perf_counter() - began)

    def time_keras(self):
        """Milliseconds of one step in Keras, from the states after the text."""
        tokens = self._generator.integers(0, VOCABULARY, (1, 1)).astype("int32")
        began = time.perf_counter()
        np.asarray(self._keras({"tokens": tokens} | self.states)["logits"])
        return 1e3 * (time.perf_counter() - began)


def _compiled(model):
    import tensorflow as tf

    return tf.function(lambda inputs: model(inputs, training=False), jit_compile=True)


def measure(steps, num_rounds):
    """Median times of all steps, interleaved in a random order per round."""
    times = {key: {"file": [], "keras": []} for key in steps}
    generator, keys = np.random.default_rng(0), list(steps)
    for _ in range(num_rounds):
        for number in generator.permutation(len(keys)):
            step, found = steps[keys[number]], times[keys[number]]
            step.time_file()  # warms up: the call before used other data
            found["file"].append(step.time_file())
            step.time_keras()
            found["keras"].append(step.time_keras())
    return [
        {
            "model": name,
            "length": length,
            "weights": steps[name, length].weights,
            "state_bytes": steps[name, length].bytes,
            "file_ms": statistics.median(times[name, length]["file"]),
            "keras_ms": statistics.median(times[name, length]["keras"]),
        }
        for name, length in steps
    ]


def _far(steps, lengths, flags):
    """`{model: times}` far into the text and near its beginning, interleaved."""
    found = {}
    for name in flags.models:
        if name == TRANSFORMER or len(lengths) < 2:
            continue
        pair = [steps[name, min(lengths)], steps[name, max(lengths)]]
        pair[1].run(max(flags.far - max(lengths), 0))
        times = []
        for _ in range(flags.rounds):
            # The second of two in a row: the first one warms up.
            times.append([[step.time_file(), step.time_file()][1] for step in pair])
        near, far = (statistics.median(one) for one in zip(*times, strict=True))
        found[name] = {"near_ms": near, "far_ms": far, "ratio": far / near}
    return found


def _print_table(rows, far, tokens):
    others = {row["length"]: row for row in rows if row["model"] == TRANSFORMER}
    names = "model | tokens before | file, ms | Keras, ms | state, KiB"
    print(f"| {names} | file: times as fast as the Transformer | Keras |")
    print("|---" * 7 + "|")
    for row in rows:
        other = others.get(row["length"])
        ratios = ["", ""]
        if other:
            ratios = [f"{other[x] / row[x]:.1f}" for x in ("file_ms", "keras_ms")]
        print(
            f"| {row['model']} | {row['length']:,} | {row['file_ms']:.3f} "
            f"| {row['keras_ms']:.3f} | {row['state_bytes'] / 1024:,.0f} "
            f"| {' | '.join(ratios)} |"
        )
    for name, times in far.items():
        print(f"{name}: after {tokens:,} tokens {times['ratio']:.2f} times as long")


if __name__ == "__main__":
    sys.exit(command_line.run(main, define_flags(), __doc__))
