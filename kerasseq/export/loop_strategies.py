"""Which way of writing the loops over time serves a model best."""

import os

import tensorflow as tf

from kerasseq import ops
from kerasseq.export import converter, parity
from kerasseq.lite import benchmark

LOOP_STRATEGIES = ("auto", "fused", "while", "unrolled")

# Longer loops that are unrolled take minutes to convert and never pass the bound on
# the size below: a step written out takes 0.25 to 4 KB of the file.
_MOST_UNROLLED = 64
_MOST_INT8_STEPS = 512
# The runtime packs a copy of the weights for each step written out. Beyond the caches
# these come from memory each time, which a test that runs nothing else does not show.
_MOST_PACKED_BYTES = 8 * 2**20
# `auto` takes no file larger than stock Keras' loop would be: that holds a buffer of
# zeros for the outputs, which ours does without.
_SIZE_BOUND = 1.01


def check(loop_strategy):
    """Checks the name of a loop_strategy.

    Args:
        loop_strategy: One of `LOOP_STRATEGIES`.

    Raises:
        ValueError: If it is another.
    """
    if loop_strategy not in LOOP_STRATEGIES:
        raise ValueError(
            f"`loop_strategy` must be one of {LOOP_STRATEGIES}. "
            f"Received: loop_strategy={loop_strategy!r}"
        )


def check_padding(variants, settings):
    """Raises if a form with fused LSTMs computes something else on the samples.

    Args:
        variants: `traced_variants.TracedVariants`.
        settings: `traced_variants.Settings`.

    Raises:
        ValueError: That says which mask is not padded on the right, if one is.
    """
    if not variants.num_fusible:
        return
    figures = parity.compare(
        variants.run("while"), variants.run("fused"), settings.samples
    )
    try:
        parity.check(figures, *settings.limits, "The model with fused LSTMs")
    except ValueError:
        with ops.loop_strategy("fused"):  # eagerly, where the masks have values
            for name, cases in settings.samples.items():
                for case in cases:
                    tensors = {key: tf.constant(value) for key, value in case.items()}
                    variants.reference[name].function(**tensors)
        raise


def takes_fused(variants, settings):
    """Whether a model has fusible LSTMs, and samples that suit them.

    Args:
        variants: `traced_variants.TracedVariants`.
        settings: `traced_variants.Settings`.

    Returns:
        A boolean.
    """
    if not variants.num_fusible:
        return False
    try:
        check_padding(variants, settings)
    except ValueError:
        return False
    return True


def candidates(variants, loop_strategy, settings):
    """The loop_strategies to try.

    Args:
        variants: `traced_variants.TracedVariants`.
        loop_strategy: One of `LOOP_STRATEGIES`.
        settings: `traced_variants.Settings`.

    Returns:
        A list of names; the first of them is the one that always works.

    Raises:
        ValueError: If `"fused"` is asked for and a sample's mask is not padded on
            the right.
    """
    if loop_strategy == "fused":
        check_padding(variants, settings)
    if loop_strategy != "auto":
        return [loop_strategy]
    names = ["while"]
    if takes_fused(variants, settings):
        names.append("fused")
    packed = variants.num_steps * variants.weight_bytes
    if 0 < variants.num_steps <= _MOST_UNROLLED and packed <= _MOST_PACKED_BYTES:
        names.append("unrolled")
    return names


def choose(variants, names, settings):
    """Converts the candidates, and measures them if there are several.

    Args:
        variants: `traced_variants.TracedVariants`.
        names: From `candidates`.
        settings: `traced_variants.Settings`.

    Returns:
        `(name, measured)`: the fastest candidate that is not much larger than the
        first, and `{name: {"latency_ms", "bytes"}}`, empty if there was no choice.

    Raises:
        ValueError: If the model needs ops that are no builtins.
        RuntimeError: If a child process crashes.
    """
    paths = [variants.tflite(name) for name in names]
    signatures = list(variants.reference)
    converter.convert(
        [
            converter.Job(variants.saved_model(name), path, signatures)
            for name, path in zip(names, paths, strict=True)
        ],
        variants.layers,
        settings.time_limit,
    )
    if len(names) == 1:
        return names[0], {}
    results = benchmark.interleaved(
        paths, settings.timed, time_limit=settings.time_limit
    )
    measured = {
        name: {
            "latency_ms": result["latency_ms_by_signature"][settings.main_signature],
            "bytes": os.path.getsize(path),
        }
        for name, path, result in zip(names, paths, results, strict=True)
    }
    most = measured[names[0]]["bytes"] * _SIZE_BOUND + variants.buffer_bytes
    allowed = [name for name in names if measured[name]["bytes"] <= most]
    return min(allowed, key=lambda name: measured[name]["latency_ms"]), measured


def for_precision(variants, precision, chosen, settings):
    """The form that a quantized file is made from.

    The converter has no int8 loops: LSTMs become one op, and what is left of loops
    is written out. `"dynamic"` wants the LSTM as one op too, for its speed.

    Args:
        variants: `traced_variants.TracedVariants`.
        precision: `"float16"`, `"dynamic"` or `"int8"`.
        chosen: The loop_strategy of the float32 file.
        settings: `traced_variants.Settings`.

    Returns:
        Name of the form.

    Raises:
        ValueError: If too many steps would have to be written out.
    """
    if precision == "float16" or not variants.num_steps:
        return chosen
    fused = takes_fused(variants, settings)
    if precision == "dynamic":
        return "fused" if fused else "while"
    kind = "loopless" if fused else "unrolled"
    steps = variants.counts(kind).num_steps
    if steps > _MOST_INT8_STEPS:
        raise ValueError(
            "The converter has no int8 loops, and this model has too many time steps "
            f"to write them all out (at most {_MOST_INT8_STEPS}). Use LSTMs that do "
            "not return their states and masks padded on the right, shorter inputs, "
            f'or quantize=("dynamic",). Received: {steps} steps in all loops'
        )
    return kind
