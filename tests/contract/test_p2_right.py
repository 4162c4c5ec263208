"""P2: outputs and gradients equal NumPy and, where a twin exists, stock Keras.

The recurrent layers are held against stock Keras here, weight for weight, and
against NumPy in `layers/`; what Keras lacks is held against NumPy, its gradients
against differences of the NumPy function along random directions. Vision, the
Transformer and taggers are in files of their own.
"""

import importlib
import pathlib

import catalog
import keras
import numpy as np
import pytest
import reference

from tests.contract import slopes

WITH_TWIN = [p for p in catalog.keeping("P2") if p.values[0].stock is not None]
DECODERS = [
    p for p in catalog.keeping("P2") if p.values[0].covers == "AttentionDecoder"
]
CELLS = catalog.NEW_CELLS
NEW_CELLS = [p for p in catalog.keeping("P2") if p.values[0].covers in CELLS]
STACKS = [p for p in catalog.keeping("P2") if p.values[0].covers == "StackedRNN"]
LANGUAGE_MODELS = [
    p
    for p in catalog.keeping("P2")
    if p.values[0].covers == "language_model" and p.values[0].loops
]
SEQ2SEQ = [p for p in catalog.keeping("P2") if p.values[0].covers == "seq2seq"]


def test_every_entry_is_held_against_something():
    groups = WITH_TWIN, NEW_CELLS, STACKS, DECODERS, SEQ2SEQ, LANGUAGE_MODELS
    checked = {p.id for group in groups for p in group}
    here = pathlib.Path(__file__)
    for path in here.parent.glob("test_p2_*.py"):
        if path != here:
            part = importlib.import_module(f"tests.contract.{path.stem}")
            checked |= set(part.REFERENCES)
    assert checked == {p.id for p in catalog.keeping("P2")}


@pytest.mark.parametrize("entry", WITH_TWIN)
def test_equals_stock_keras(entry):
    ours, stock = entry.model(), entry.build(entry.stock)
    stock.set_weights(ours.get_weights())
    outputs, gradients = slopes.outputs_and_gradients(ours, entry.inputs())
    expected, expected_gradients = slopes.outputs_and_gradients(stock, entry.inputs())
    np.testing.assert_allclose(outputs, expected, atol=1e-5)
    for gradient, expected in zip(gradients, expected_gradients, strict=True):
        np.testing.assert_allclose(gradient, expected, atol=1e-4)


def reference_recurrent_model(cell, arrays, ids):
    """`catalog.recurrent_model`: a bidirectional layer, then one for the last state."""
    table, *cells, W, b = arrays
    each = len(cells) // 3
    forward, backward, last = (cells[k * each : (k + 1) * each] for k in range(3))
    x, mask = table[ids], ids != 0
    both = [[forward, backward]]
    x, _, _ = reference.stacked_rnn(cell, x, both, mask, merge="concat")
    x, _, states = reference.stacked_rnn(cell, x, [[last]], mask)
    return np.concatenate([x[:, -1], *states], axis=-1) @ W + b


def reference_stack_model(stack, arrays, ids):
    """`catalog.stack_model` of two bidirectional layers."""
    table, *cells, W, b = arrays
    each = len(cells) // 4
    parts = [cells[k * each : (k + 1) * each] for k in range(4)]
    x, final, states = reference.stacked_rnn(
        stack.cell,
        table[ids],
        [parts[:2], parts[2:]],
        ids != 0,
        merge=stack.merge_mode,
        residual=stack.residual,
    )
    if not stack.return_sequences:
        x = final
    if stack.return_state:
        x = np.concatenate([x, *states], axis=-1)
    return x @ W + b


@pytest.mark.parametrize("entry", NEW_CELLS + STACKS)
def test_recurrent_model_equals_numpy(entry):
    model, ids = entry.model(), entry.inputs()["ids"]

    def expected(arrays):
        if entry.covers in CELLS:
            return reference_recurrent_model(CELLS[entry.covers], arrays, ids)
        return reference_stack_model(model.layers[2], arrays, ids)

    arrays = [w.astype("float64") for w in model.get_weights()]
    outputs, gradients = slopes.outputs_and_gradients(model, {"ids": ids})
    np.testing.assert_allclose(outputs, expected(arrays), atol=1e-5)
    slopes.compare(expected, arrays, gradients)


def decoder_weights(decoder, arrays):
    """Sorts a decoder's weights, in Keras' order, into the reference's dict."""
    by_name = {
        w.path.split("/", 1)[-1]: a
        for w, a in zip(decoder.weights, arrays, strict=True)
    }
    parts = {"cells": [], "output": ["output/kernel", "output/bias"]}
    for index in range(decoder.num_layers):
        start = f"cell_{index}/"
        parts["cells"].append([a for name, a in by_name.items() if start in name])
    parts["output"] = [by_name[name] for name in parts["output"]]
    optional = {"query": "query/kernel", "key": "key/kernel", "score": "score_kernel"}
    for name, path in optional.items():
        path = f"attention/{path}"
        if path in by_name:
            parts[name] = by_name[path]
    return parts


def reference_decoder(decoder, inputs, arrays):
    return reference.attention_decoder(
        inputs["target"].astype("float64"),
        inputs["memory"].astype("float64"),
        inputs["ids"] != 0,
        decoder_weights(decoder, arrays),
        cell=decoder.cell,
        attention=decoder.attention,
        feeding=decoder.input_feeding,
        residual=decoder.residual,
    )


@pytest.mark.parametrize("entry", DECODERS)
def test_decoder_equals_numpy(entry):
    model, inputs = entry.model(), entry.inputs()
    (decoder,) = (layer for layer in model.layers if "decoder" in layer.name)
    arrays = [w.astype("float64") for w in decoder.get_weights()]
    outputs, gradients = slopes.outputs_and_gradients(model, inputs)
    expected, _ = reference_decoder(decoder, inputs, arrays)
    np.testing.assert_allclose(outputs, expected, atol=1e-5)

    slopes.compare(
        lambda arrays: reference_decoder(decoder, inputs, arrays)[0],
        arrays,
        gradients,
    )


@pytest.mark.parametrize("entry", SEQ2SEQ)
def test_seq2seq_equals_its_parts_in_numpy(entry):
    """Embedding, decoder and output in NumPy on top of the encoder's output."""
    model, inputs = entry.model(), entry.inputs()
    decoder = model.get_layer("decoder")
    names = [layer.name for layer in model.layers]
    tied = "embedding" in names
    table = model.get_layer("embedding" if tied else "target_embedding")
    source_table = table if tied else model.get_layer("source_embedding")
    valid = inputs["source"] != 0
    embedded = np.asarray(source_table.embeddings)[inputs["source"]]
    memory, *states = model.get_layer("encoder")([embedded, valid])

    zeros = [np.zeros_like(state) for state in states]
    model_from_zero, _ = run_decoder(decoder, table, inputs, memory, zeros, valid)
    arrays = [w.astype("float64") for w in decoder.get_weights()]
    target = np.asarray(table.embeddings)[inputs["target"]]
    parts = {"target": target, "memory": np.asarray(memory), "ids": inputs["source"]}
    expected, _ = reference_decoder(decoder, parts, arrays)
    weights = table.get_weights()
    output_matrix = weights[0].T if tied else weights[1]
    np.testing.assert_allclose(model_from_zero, expected @ output_matrix, atol=1e-5)

    with_states, _ = run_decoder(decoder, table, inputs, memory, states, valid)
    np.testing.assert_allclose(model(inputs), with_states, atol=1e-5)


def run_decoder(decoder, table, inputs, memory, states, valid):
    context, states = decoder.start(memory, states, valid)
    logits = []
    for tokens in inputs["target"].T:
        output, weights, states = decoder.step(
            decoder.project(table(tokens)), states, context
        )
        logits.append(keras.ops.convert_to_numpy(table(output, reverse=True)))
    return np.stack(logits, axis=1), weights


@pytest.mark.parametrize("entry", LANGUAGE_MODELS)
def test_language_model_equals_numpy(entry):
    model, inputs = entry.model(), entry.inputs()
    step_model = model.get_layer("language_model")
    stack = step_model.get_layer("body")
    names = [layer.name for layer in step_model.layers]

    def expected(arrays):
        logits, states = reference.language_model(
            inputs["tokens"],
            [inputs[name] for name in inputs if name != "tokens"],
            arrays,
            cell=stack.cell,
            num_layers=stack.num_layers,
            residual=stack.residual,
            tied="projection" in names,
        )
        return np.concatenate([logits.reshape(len(logits), -1), *states], axis=-1)

    arrays = [w.astype("float64") for w in model.get_weights()]
    outputs, gradients = slopes.outputs_and_gradients(model, inputs)
    np.testing.assert_allclose(outputs, expected(arrays), atol=1e-5)
    slopes.compare(expected, arrays, gradients)
