"""How much time does the key-value cache save when LiteRT decodes?

    python -m benchmarks.decoding_speed
    python -m benchmarks.decoding_speed --rounds 50 --units 256

A Transformer for translation (4 + 4 layers) in one .tflite file, batch size 1, one
thread. A call decodes 16, 32 or 64 tokens in a loop inside the file. `cached` computes
one position per step (`TransformerDecoder.step`); `uncached` computes all positions of
the target for each token, as a file with fixed shapes and no cache must. `step` is a
single step, called from outside, early and late in a cache for 128 tokens. All calls
run interleaved in one process; the results are medians. The encoder, the same for all,
is not measured. Takes a minute on two cores.
"""

import os
import pathlib
import statistics
import tempfile
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow reads it

import numpy as np
from absl import app, flags, logging
from keras import ops

from benchmarks import machine
from kerasseq import decoding, export, lite, models
from kerasseq.utils import atomic

LENGTHS = (16, 32, 64)
POSITIONS = (8, 120)
SOURCE_LENGTH = 32

_UNITS = flags.DEFINE_integer("units", 128, "Features per token.")
_VOCABULARY = flags.DEFINE_integer("vocabulary_size", 10000, "Subwords.")
_ROUNDS = flags.DEFINE_integer("rounds", 100, "Runs per call.")
_OUTPUT = flags.DEFINE_string(
    "output", "benchmarks/results/decoding_speed.json", "file for the results"
)


def build(units, vocabulary_size):
    """The model, with room for the later position."""
    model = models.transformer(
        vocabulary_size,
        hidden_dim=units,
        num_layers=4,
        mlp_dim=2 * units,
        max_length=max(POSITIONS) + 8,
        seed=0,
    )
    model({name: ops.ones((1, 4), "int32") for name in ("source", "target")})
    return model


def signatures(model):
    """`encode` and `step`, and `cached_N` and `uncached_N`, which decode N tokens."""
    made = decoding.translation_signatures(model, SOURCE_LENGTH, max(POSITIONS) + 8)
    wanted = {name: made[name] for name in ("encode", "step")}
    decoder = model.get_layer("decoder")
    specs = {"memory": ((1, SOURCE_LENGTH, decoder.num_features), "float32")}
    for length in LENGTHS:
        for name, make in (("cached", cached), ("uncached", uncached)):
            wanted[f"{name}_{length}"] = (make(model, length), specs)
    return wanted


def cached(model, length):
    """Decodes `length` tokens, one position at a time."""

    def decode(memory):
        context, states = model.get_layer("decoder").start(memory, None, length)

        def step(token, states):
            return models.seq2seq_step(model, token, states, context)

        return _search(step, states, length)

    return decode


def uncached(model, length):
    """Decodes `length` tokens, computing all positions for each token."""
    embedding, decoder = model.get_layer("embedding"), model.get_layer("decoder")
    places = ops.arange(length, dtype="int32")[None]

    def decode(memory):
        def step(token, states):
            position, tokens = states
            here = ops.equal(places, position)
            tokens = ops.where(here, token[:, None], tokens)
            outputs = decoder(embedding(tokens), memory)
            last = ops.sum(outputs * ops.cast(here, outputs.dtype)[..., None], axis=1)
            return embedding(last, reverse=True), None, [position + 1, tokens]

        states = [ops.zeros((), "int32"), ops.zeros((1, length), "int32")]
        return _search(step, states, length)

    return decode


def _search(step, states, length):
    never = -1  # no token ends the row
    start = ops.full((1,), 2, "int32")
    return decoding.greedy_search(step, start, states, length, end_id=never)


def make_calls(runner):
    """The calls to measure: `{name: (signature, inputs)}`."""
    generator = np.random.default_rng(0)
    context = runner.run("encode", source=np.full((1, SOURCE_LENGTH), 5, "int32"))
    names = [name for name in context if name.startswith("state_")]
    outputs, calls = context, {}
    for position in range(max(POSITIONS) + 1):
        token = generator.integers(4, 99, 1).astype("int32")
        inputs = context | {name: outputs[name] for name in names} | {"token": token}
        if position in POSITIONS:
            calls[f"step_at_{position}"] = ("step", inputs)
        outputs = runner.run("step", **inputs)
    shape = runner.signatures[f"cached_{LENGTHS[0]}"]["inputs"]["memory"][0]
    memory = generator.normal(size=shape).astype("float32")
    for length in LENGTHS:
        for name in ("cached", "uncached"):
            calls[f"{name}_{length}"] = (f"{name}_{length}", {"memory": memory})
    return calls


def measure(runner, calls, num_rounds):
    """Median milliseconds of each call, interleaved in a random order per round."""
    times = {name: [] for name in calls}
    generator = np.random.default_rng(0)
    for _ in range(num_rounds):
        for name in generator.permutation(list(calls)):
            signature, inputs = calls[name]
            runner.run(signature, **inputs)  # warms up: the call before used other data
            began = time.perf_counter()
            runner.run(signature, **inputs)
            times[name].append(1e3 * (time.perf_counter() - began))
    return {name: statistics.median(values) for name, values in times.items()}


def check(runner, calls):
    """Checks that both ways decode the same tokens."""
    for length in LENGTHS:
        tokens = []
        for name in ("cached", "uncached"):
            signature, inputs = calls[f"{name}_{length}"]
            tokens.append(runner.run(signature, **inputs)["tokens"])
        np.testing.assert_array_equal(*tokens)


def summary(medians):
    """Slowdown of decoding without a cache, and of a late step."""
    first, later = (medians[f"step_at_{position}"] for position in POSITIONS)
    ratios = {
        f"uncached_to_cached_{length}": medians[f"uncached_{length}"]
        / medians[f"cached_{length}"]
        for length in LENGTHS
    }
    return ratios | {"later_to_first_step": later / first}


def main(_):
    logging.set_verbosity(logging.WARNING)
    facts = machine.description()
    print(f"{machine.summary(facts)}; one thread")
    model = build(_UNITS.value, _VOCABULARY.value)
    with tempfile.TemporaryDirectory() as folder:
        export.export_model(model, folder, signatures=signatures)
        runner = lite.Runner(pathlib.Path(folder) / "model.tflite")
        calls = make_calls(runner)
        check(runner, calls)
        medians = measure(runner, calls, _ROUNDS.value)
    ratios = summary(medians)
    print("\n| tokens | cached, ms | uncached, ms | ratio |\n|---|---|---|---|")
    for length in LENGTHS:
        times = [medians[f"{name}_{length}"] for name in ("cached", "uncached")]
        ratio = ratios[f"uncached_to_cached_{length}"]
        print(f"| {length} | {times[0]:.1f} | {times[1]:.1f} | {ratio:.1f} |")
    first, later = (medians[f"step_at_{position}"] for position in POSITIONS)
    print(
        f"\nA step at {POSITIONS[0]} takes {first:.3f} ms, at {POSITIONS[1]} "
        f"{later:.3f} ms: {ratios['later_to_first_step']:.2f} x"
    )
    settings = {"units": _UNITS.value, "vocabulary_size": _VOCABULARY.value}
    settings["rounds"] = _ROUNDS.value
    output = pathlib.Path(_OUTPUT.value)
    output.parent.mkdir(parents=True, exist_ok=True)
    report = {"machine": facts, "settings": settings, "medians_ms": medians}
    atomic.write_json(output, report | ratios)


if __name__ == "__main__":
    app.run(main)
