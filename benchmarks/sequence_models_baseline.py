"""A baseline of `sequence_models`: one model, trained on one batch of random tokens."""

import numpy as np

from benchmarks import interleaved, machine

VOCABULARY = 64
FEATURES = 128


def build(cell, units, length):
    """The model: embedding, two layers, logits of the next token."""
    import keras

    from kerasseq import layers

    tokens = keras.Input((length,), dtype="int32")
    is_block = cell in layers.BLOCKS  # which has as many features as units
    x = keras.layers.Embedding(VOCABULARY, units if is_block else FEATURES)(tokens)
    if is_block:
        body = layers.ResidualStack(units, 2, cell)
    elif cell == "transformer":
        body = layers.TransformerDecoder(
            2, 4, 4 * units, cross_attention=False, positions="rotary"
        )
    else:
        body = layers.StackedRNN(units, 2, cell, return_sequences=True)
    return keras.Model(tokens, keras.layers.Dense(VOCABULARY)(body(x)))


def load(cell, units, shape, num_threads):
    """Imports the libraries; returns the builder and an empty dict."""
    machine.limit_threads(num_threads)
    if cell == "mambapy":
        return _load_mambapy(units, shape, num_threads)
    import keras

    machine.limit_tensorflow(num_threads)
    if cell == "mamba_by_steps":
        cell = "mamba"
        _take_automatic_gradient()

    def prepare():
        model = build(cell, units, shape[1])
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile("adam", loss, jit_compile=True)
        text = np.random.default_rng(0).integers(0, VOCABULARY, (2, *shape))
        x, y = (keras.ops.convert_to_tensor(part, "int32") for part in text)
        return lambda: float(model.train_on_batch(x, y))

    return prepare, {}


def _take_automatic_gradient():
    """Lets the selective scan be a loop that TensorFlow differentiates."""
    from kerasseq.ops import _selective_scan as scan

    scan._differentiable = lambda rows, a, state, zoh, _: scan._steps(
        rows, a, state, zoh
    )


def _load_mambapy(units, shape, num_threads):
    import torch
    from mambapy.mamba import Mamba, MambaConfig
    from torch import nn

    torch.set_num_threads(num_threads)

    def prepare():
        body = Mamba(MambaConfig(d_model=units, n_layers=2))
        embedding, head = nn.Embedding(VOCABULARY, units), nn.Linear(units, VOCABULARY)
        model = nn.Sequential(embedding, body, head)
        optimizer, loss = torch.optim.Adam(model.parameters()), nn.CrossEntropyLoss()
        text = np.random.default_rng(0).integers(0, VOCABULARY, (2, *shape))
        x, y = torch.from_numpy(text)

        def step():
            optimizer.zero_grad()
            value = loss(model(x).flatten(0, 1), y.flatten())
            value.backward()
            optimizer.step()
            return float(value.detach())

        return step

    return prepare, {}


if __name__ == "__main__":
    interleaved.serve(load)
