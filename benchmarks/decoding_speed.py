"""What does the cache of keys and values save when a phone decodes?

    python -m benchmarks.decoding_speed
    python -m benchmarks.decoding_speed --turns 50 --units 256

A Transformer for translation (4 + 4 layers) in one .tflite file, batch 1, one thread of
LiteRT. Cached decoding calls `step` for each token. Uncached decoding computes the
whole target anew for each token, once padded to the full length, as one file of fixed
shape does it, and once at the length that there is (files of 8, 16, ... tokens, in
between interpolated), which a phone could do only with a file for each length. All
calls run in turns in one process; medians. The encoder, the same for all, is left out.
Takes two minutes on two cores.
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
from kerasseq import atomic, decoding, export, lite, models

LENGTHS = (8, 16, 24, 32, 40, 48, 56, 64)
POSITIONS = (8, 120)

_UNITS = flags.DEFINE_integer("units", 128, "Features of a token.")
_VOCABULARY = flags.DEFINE_integer("vocabulary_size", 10000, "Subwords.")
_TURNS = flags.DEFINE_integer("turns", 200, "Runs of each call.")
_OUTPUT = flags.DEFINE_string(
    "output", "benchmarks/results/decoding_speed.json", "file for the results"
)


def signatures(model, source_length, max_length):
    """`encode` and `step`, and `whole_N`: the last logits of N target tokens."""
    made = decoding.translation_signatures(model, source_length, max_length)
    memory_shape = (1, source_length, model.get_layer("decoder").num_features)

    def whole(target, memory):
        embedding = model.get_layer("embedding")
        outputs = model.get_layer("decoder")(embedding(target), memory)
        return {"logits": embedding(outputs[:, -1], reverse=True)}

    found = {name: made[name] for name in ("encode", "step")}
    for length in LENGTHS:
        specs = {"target": ((1, length), "int32"), "memory": (memory_shape, "float32")}
        found[f"whole_{length}"] = (whole, specs)
    return found


def make_calls(runner, source_length):
    """The calls to measure: `{name: (signature, inputs)}`."""
    generator = np.random.default_rng(0)
    context = runner.run("encode", source=np.full((1, source_length), 5, "int32"))
    names = [name for name in context if name.startswith("state_")]
    outputs, calls = context, {}
    for position in range(max(POSITIONS) + 1):
        token = generator.integers(4, 99, 1).astype("int32")
        inputs = context | {name: outputs[name] for name in names} | {"token": token}
        if position in POSITIONS:
            calls[f"step_at_{position}"] = ("step", inputs)
        outputs = runner.run("step", **inputs)
    for length in LENGTHS:
        specs = runner.signatures[f"whole_{length}"]["inputs"]
        inputs = {
            "target": np.full(specs["target"][0], 5, "int32"),
            "memory": generator.normal(size=specs["memory"][0]).astype("float32"),
        }
        calls[f"whole_{length}"] = (f"whole_{length}", inputs)
    return calls


def measure(runner, calls, num_turns):
    """Median milliseconds of each call, in turns."""
    times = {name: [] for name in calls}
    for _ in range(num_turns):
        for name, (signature, inputs) in calls.items():
            began = time.perf_counter()
            runner.run(signature, **inputs)
            times[name].append(1e3 * (time.perf_counter() - began))
    return {name: statistics.median(values) for name, values in times.items()}


def summary(medians):
    """Milliseconds for 64 tokens, and the ratios."""
    last = LENGTHS[-1]
    cached = last * medians[f"step_at_{POSITIONS[0]}"]
    each = [medians[f"whole_{length}"] for length in LENGTHS]
    exact = float(np.sum(np.interp(np.arange(1, last + 1), LENGTHS, each)))
    padded = last * medians[f"whole_{last}"]
    first, later = (medians[f"step_at_{position}"] for position in POSITIONS)
    return {
        "cached_ms": cached,
        "uncached_padded_ms": padded,
        "uncached_exact_ms": exact,
        "padded_to_cached": padded / cached,
        "exact_to_cached": exact / cached,
        "later_to_first_step": later / first,
    }


def main(_):
    logging.set_verbosity(logging.WARNING)
    facts = machine.description()
    print(f"{machine.summary(facts)}; one thread")
    source_length, max_length = 32, max(POSITIONS) + 8
    model = models.transformer(
        _VOCABULARY.value,
        hidden_dim=_UNITS.value,
        mlp_dim=2 * _UNITS.value,
        max_length=max_length,
        seed=0,
    )
    model({name: ops.ones((1, 4), "int32") for name in ("source", "target")})
    with tempfile.TemporaryDirectory() as folder:
        export.export_model(
            model,
            folder,
            signatures=lambda twin: signatures(twin, source_length, max_length),
        )
        runner = lite.Runner(pathlib.Path(folder) / "model.tflite")
        medians = measure(runner, make_calls(runner, source_length), _TURNS.value)
    found = summary(medians)
    print("\n| call | median, ms |\n|---|---|")
    for name, value in medians.items():
        print(f"| {name} | {value:.3f} |")
    print(
        f"\n64 tokens: cached {found['cached_ms']:.1f} ms, uncached "
        f"{found['uncached_padded_ms']:.1f} ms padded "
        f"({found['padded_to_cached']:.1f} x), {found['uncached_exact_ms']:.1f} ms at "
        f"exact lengths ({found['exact_to_cached']:.1f} x)\n"
        f"A step at {POSITIONS[1]} takes {found['later_to_first_step']:.2f} x as long "
        f"as at {POSITIONS[0]}"
    )
    settings = {"units": _UNITS.value, "vocabulary_size": _VOCABULARY.value}
    settings["turns"] = _TURNS.value
    output = pathlib.Path(_OUTPUT.value)
    output.parent.mkdir(parents=True, exist_ok=True)
    report = {"machine": facts, "settings": settings, "medians_ms": medians}
    atomic.write_json(output, report | found)


if __name__ == "__main__":
    app.run(main)
