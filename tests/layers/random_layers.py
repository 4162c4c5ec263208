"""Random recurrent layers, and whether ours do what Keras' own do."""

import keras
import numpy as np
import tensorflow as tf
from hypothesis import strategies as st

import kerasseq
from tests.layers import own_cells

POLICIES = ["float32"] * 3 + ["float64", "mixed_float16", "mixed_bfloat16"]
TOLERANCES = {"float32": 1e-4, "float64": 1e-5, "float16": 0.03, "bfloat16": 0.2}
ACTIVATIONS = ["tanh", "tanh", "relu", "sigmoid", "elu", "softsign", None]
# Not linear ones, with which a GRU grows until rounding is all that is compared.
GATES = ["sigmoid", "sigmoid", "hard_sigmoid", "tanh"]
INPUTS = ["float32"] * 3 + ["float64", "int32", "int64"]
MERGES = ["concat", "sum", "mul", "ave", None]
CELLS = ["SimpleRNN", "LSTM", "GRU"]
few, flag = st.integers(1, 4), st.booleans()


@st.composite
def cells(draw, own):
    """`(name, options)` of one of Keras' cells, or of one of a user."""
    name = draw(st.sampled_from([*CELLS, *CELLS, *own]))
    if name not in CELLS:
        return name, {}
    options = {"activation": draw(st.sampled_from(ACTIVATIONS)), "use_bias": draw(flag)}
    if name != "SimpleRNN":
        options["recurrent_activation"] = draw(st.sampled_from(GATES))
    if name == "GRU":
        options["reset_after"] = draw(flag)
    return name, options


@st.composite
def cases(draw):
    """A layer with its input, mask, states and precision, as a dict."""
    alone = draw(flag)
    # Keras stacks no others.
    own = own_cells.ALL if alone else ("Cell", "Narrow", "WithDropout")
    both_ways = draw(st.sampled_from([False] * 3 + MERGES))
    flags = ["return_sequences", "return_state", "unroll", "stateful"]
    flags += ["zero_output_for_mask"] + ["go_backwards"] * (both_ways is False)
    return {
        "cells": draw(st.lists(cells(own), min_size=1, max_size=1 if alone else 3)),
        "alone": alone,
        "units": draw(few),
        "shape": (draw(few), draw(st.integers(1, 6)), draw(few)),
        "layer": {name: draw(flag) for name in flags},
        "both_ways": both_ways,
        "mask": draw(st.sampled_from([None, None, "any", "right", "last axis"])),
        "initial": draw(st.sampled_from([None, "all rows", "one row"])),
        "policy": draw(st.sampled_from(POLICIES)),
        "inputs": draw(st.sampled_from(INPUTS)),
        "compiled": draw(st.sampled_from([False] * 19 + [True])),
        "seed": draw(st.integers(0, 99)),
    }


def make(package, case):
    """The layer of a case from `keras.layers` or `kerasseq.layers`."""
    options = dict(case["layer"])
    made = [_cell(*cell, case) for cell in case["cells"]]
    (name, cell_options), alone = case["cells"][0], case["alone"]
    if alone and name in CELLS:
        layer = getattr(package, name)(case["units"], **cell_options, **options)
    else:
        layer = package.RNN(made[0] if alone else made, **options)
    if case["both_ways"] is False:
        return layer
    return keras.layers.Bidirectional(layer, merge_mode=case["both_ways"])


def _cell(name, options, case):
    if name in CELLS:
        return getattr(keras.layers, f"{name}Cell")(case["units"], **options)
    return own_cells.ALL[name](case["units"])


def run(package, case):
    """Outputs, states and gradients of a layer, as float64 arrays."""
    rng = np.random.default_rng(case["seed"])
    layer, x = make(package, case), _input(rng, case)
    layer.build(x.shape)
    layer.set_weights([rng.normal(0, 0.4, w.shape) for w in layer.get_weights()])
    mask, states = _mask(rng, case), _states(rng, case, layer)
    variables = [v.value for v in layer.trainable_variables]

    def compute(x, states):
        watched = [t for t in keras.tree.flatten([x, states]) if _is_float(t)]
        with tf.GradientTape() as tape:
            tape.watch(watched)
            for _ in range(1 + case["layer"]["stateful"]):
                outputs = layer(x, mask=mask, initial_state=states)
            outputs = [tf.cast(y, "float64") for y in keras.tree.flatten(outputs)]
            loss = tf.add_n([tf.reduce_sum(y * _waves(y)) for y in outputs])
        sources = [*variables, *watched]
        return outputs, tape.gradient(loss, sources, unconnected_gradients="zero")

    if package is kerasseq.layers and case["compiled"]:
        compute = tf.function(compute, jit_compile=True, autograph=False)
    return [np.asarray(y, "float64") for part in compute(x, states) for y in part]


def _is_float(tensor):
    return tensor is not None and tensor.dtype.is_floating


def _input(rng, case):
    x = rng.normal(0, 1, case["shape"])
    return tf.constant((3 * x if "int" in case["inputs"] else x).astype(case["inputs"]))


def _mask(rng, case):
    batch, time, _ = case["shape"]
    if case["mask"] is None:
        return None
    if case["mask"] == "right":
        return np.arange(time) < rng.integers(0, time + 1, (batch, 1))
    mask = rng.random((batch, time)) < 0.6
    return mask[..., None] if case["mask"] == "last axis" else mask


def _states(rng, case, layer):
    if case["initial"] is None:
        return None
    one = getattr(layer, "forward_layer", layer)
    rows = 1 if case["initial"] == "one row" else case["shape"][0]
    zeros = one.get_initial_state(rows)
    zeros = zeros if one is layer else [*zeros, *zeros]
    return keras.tree.map_structure(
        lambda z: tf.constant(rng.normal(0, 1, z.shape), z.dtype), zeros
    )


def _waves(y):
    return tf.reshape(tf.cos(tf.range(tf.size(y), dtype=y.dtype)), tf.shape(y))


def outcome(case):
    """`"equal"` or `"refused"`; raises where ours does neither.

    A case that Keras itself does not run counts as refused where ours does not either,
    and as `"more"` where it does.
    """
    stock, ours = _attempt(keras.layers, _looped(case)), _attempt(kerasseq.layers, case)
    if isinstance(stock, Exception):
        return "refused" if isinstance(ours, Exception) else "more"
    if isinstance(ours, ValueError) and "Received:" in str(ours):
        return "refused"
    if isinstance(ours, Exception):
        raise ours
    tolerance = TOLERANCES[case["policy"].removeprefix("mixed_")]
    for found, expected in zip(ours, stock, strict=True):
        scale = max(1, np.abs(expected).max(initial=0))
        np.testing.assert_allclose(found, expected, atol=tolerance * scale)
    return "equal"


def _looped(case):
    """Keras' unrolled loop that goes backwards takes the zeros of the wrong steps."""
    return case | {"layer": case["layer"] | {"unroll": False}}


def _attempt(package, case):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(case["policy"])
    try:
        return run(package, case)
    except Exception as error:
        return error
    finally:
        keras.config.set_dtype_policy(before)
