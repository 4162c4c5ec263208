"""Which way of writing the loops over time serves a model best."""

import os

import tensorflow as tf

from kerasseq import ops
from kerasseq.export import converter, measure, parity

LOWERINGS = ("auto", "fused", "while", "unrolled")

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


def check(lowering):
    """Checks the name of a lowering.

    Args:
        lowering: One of `LOWERINGS`.

    Raises:
        ValueError: If it is another.
    """
    if lowering not in LOWERINGS:
        raise ValueError(
            f"`lowering` must be one of {LOWERINGS}. Received: lowering={lowering!r}"
        )


def check_padding(forms, settings):
    """Raises if a form with fused LSTMs computes something else on the samples.

    Args:
        forms: `forms.Forms`.
        settings: `forms.Settings`.

    Raises:
        ValueError: That says which mask is not padded on the right, if one is.
    """
    if not forms.num_fusible:
        return
    figures = parity.compare(forms.run("while"), forms.run("fused"), settings.samples)
    try:
        parity.check(figures, *settings.limits, "The model with fused LSTMs")
    except ValueError:
        with ops.lowering("fused"):  # eagerly, where the masks have values
            for name, cases in settings.samples.items():
                for case in cases:
                    tensors = {key: tf.constant(value) for key, value in case.items()}
                    forms.reference[name].function(**tensors)
        raise


def takes_fused(forms, settings):
    """Whether a model has fusible LSTMs, and samples that suit them.

    Args:
        forms: `forms.Forms`.
        settings: `forms.Settings`.

    Returns:
        A boolean.
    """
    if not forms.num_fusible:
        return False
    try:
        check_padding(forms, settings)
    except ValueError:
        return False
    return True


def candidates(forms, lowering, settings):
    """The lowerings to try.

    Args:
        forms: `forms.Forms`.
        lowering: One of `LOWERINGS`.
        settings: `forms.Settings`.

    Returns:
        A list of names; the first of them is the one that always works.

    Raises:
        ValueError: If `"fused"` is asked for and a sample's mask is not padded on
            the right.
    """
    if lowering == "fused":
        check_padding(forms, settings)
    if lowering != "auto":
        return [lowering]
    names = ["while"]
    if takes_fused(forms, settings):
        names.append("fused")
    packed = forms.num_steps * forms.weight_bytes
    if 0 < forms.num_steps <= _MOST_UNROLLED and packed <= _MOST_PACKED_BYTES:
        names.append("unrolled")
    return names


def choose(forms, names, settings):
    """Converts the candidates, and measures them if there are several.

    Args:
        forms: `forms.Forms`.
        names: From `candidates`.
        settings: `forms.Settings`.

    Returns:
        `(name, measured)`: the fastest candidate that is not much larger than the
        first, and `{name: {"latency_ms", "bytes"}}`, empty if there was no choice.

    Raises:
        ValueError: If the model needs ops that are no builtins.
        RuntimeError: If a child process crashes.
    """
    paths = [forms.tflite(name) for name in names]
    signatures = list(forms.reference)
    converter.convert(
        [
            converter.Job(forms.saved_model(name), path, signatures)
            for name, path in zip(names, paths, strict=True)
        ],
        forms.layers,
        settings.time_limit,
    )
    if len(names) == 1:
        return names[0], {}
    results = measure.in_turns(paths, settings.timed, time_limit=settings.time_limit)
    measured = {
        name: {
            "latency_ms": result["latency_ms_by_signature"][settings.main_signature],
            "bytes": os.path.getsize(path),
        }
        for name, path, result in zip(names, paths, results, strict=True)
    }
    most = measured[names[0]]["bytes"] * _SIZE_BOUND + forms.buffer_bytes
    allowed = [name for name in names if measured[name]["bytes"] <= most]
    return min(allowed, key=lambda name: measured[name]["latency_ms"]), measured


def for_precision(forms, precision, chosen, settings):
    """The form that a quantised file is made from.

    The converter has no int8 loops: LSTMs become one op, and what is left of loops
    is written out. `"dynamic"` wants the LSTM as one op too, for its speed.

    Args:
        forms: `forms.Forms`.
        precision: `"float16"`, `"dynamic"` or `"int8"`.
        chosen: The lowering of the float32 file.
        settings: `forms.Settings`.

    Returns:
        Name of the form.

    Raises:
        ValueError: If too many steps would have to be written out.
    """
    if precision == "float16" or not forms.num_steps:
        return chosen
    fused = takes_fused(forms, settings)
    if precision == "dynamic":
        return "fused" if fused else "while"
    kind = "loopless" if fused else "unrolled"
    steps = forms.counts(kind).num_steps
    if steps > _MOST_INT8_STEPS:
        raise ValueError(
            "The converter has no int8 loops, and this model has too many time steps "
            f"to write them all out (at most {_MOST_INT8_STEPS}). Use LSTMs that do "
            "not return their states and masks padded on the right, shorter inputs, "
            f'or quantize=("dynamic",). Received: {steps} steps in all loops'
        )
    return kind
