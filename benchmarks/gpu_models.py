"""A model of `gpu`, trained for some steps on one batch.

Weights and data come from NumPy: the last bits of JAX's random numbers depend on the
device, their values on its version. Plain SGD, since Adam divides by the size of the
gradient, so that where it is zero, rounding decides the step. No dropout; products of
full precision.
"""

import math

import numpy as np

from benchmarks import interleaved, machine

BATCH, LENGTH, VOCABULARY, UNITS = 8, 24, 50, 32
LONGER = 150  # more than a chunk
_STARTS = {"gamma": 1, "moving_variance": 1, "scale": 1, "skip": 1, "k_k": 1}


def load(model):
    """Imports the libraries; returns the builder and the device."""
    import jax
    import keras

    jax.config.update("jax_default_matmul_precision", "highest")

    def prepare():
        keras.utils.clear_session()
        learning_rate, build = MODELS[model]
        network, inputs, outputs = build(np.random.default_rng(0))
        _set_weights(network, np.random.default_rng(1))
        network.compile(
            keras.optimizers.SGD(learning_rate),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            jit_compile=True,
        )
        return lambda: float(network.train_on_batch(inputs, outputs))

    return prepare, machine.jax_device()


def _set_weights(network, generator):
    for weight in network.weights:
        start = _STARTS.get(weight.name, 0)
        scale = max(1, math.prod(weight.shape[:-1])) ** -0.5
        scale = 0.1 if len(weight.shape) == 1 else scale
        weight.assign(start + generator.normal(0, scale, weight.shape))


def _tagger(layer):
    """Padded tokens, a recurrent layer, and the token itself to be told."""

    def build(generator):
        import keras

        ids = keras.Input((LENGTH,), dtype="int32")
        x = keras.layers.Embedding(VOCABULARY, UNITS, mask_zero=True)(ids)
        logits = keras.layers.Dense(VOCABULARY)(layer()(x))
        tokens = _tokens(generator)
        return keras.Model(ids, logits), tokens, tokens

    return build


def _recurrent(name):
    def layer():
        from kerasseq import layers

        return getattr(layers, name)(UNITS, return_sequences=True)

    return layer


def _bidirectional():
    import keras

    return keras.layers.Bidirectional(_recurrent("LSTM")())


def _translator(name, **sizes):
    def build(generator):
        from kerasseq import models

        network = getattr(models, name)(VOCABULARY, dropout=0.0, **sizes)
        source, target = _tokens(generator), _tokens(generator)
        return network, {"source": source, "target": target}, np.roll(target, -1, 1)

    return build


def _tokens(generator, length=LENGTH):
    """Of several lengths, padded on the right."""
    ids = generator.integers(1, VOCABULARY, (BATCH, length))
    lengths = length - np.arange(BATCH) % 5
    return np.where(np.arange(length) < lengths[:, None], ids, 0).astype("int32")


def _blocks(cell):
    """Two residual blocks that tell the next token."""

    def build(generator):
        from benchmarks import sequence_models_baseline

        network = sequence_models_baseline.build(cell, UNITS, LONGER)
        tokens = _tokens(generator, LONGER)
        return network, tokens, np.roll(tokens, -1, 1)

    return build


def _vit(generator):
    from kerasseq import models

    sizes = {"patch_size": 4, "hidden_dim": UNITS, "num_layers": 2}
    images = generator.random((BATCH, 16, 16, 3), "float32")
    return models.vit((16, 16, 3), 10, **sizes), images, np.arange(BATCH) % 10


def _unet(generator):
    from kerasseq import models

    images = generator.random((BATCH, 32, 32, 3), "float32")
    network = models.unet((32, 32, 3), 2, width=8, depth=2)
    return network, images, (images.mean(-1) > 0.5).astype("int32")


MODELS = {  # learning rate, function of a generator: model, inputs, outputs
    "LSTM": (4.0, _tagger(_recurrent("LSTM"))),
    "GRU": (4.0, _tagger(_recurrent("GRU"))),
    "BiLSTM": (4.0, _tagger(_bidirectional)),
    "seq2seq": (4.0, _translator("seq2seq", units=UNITS, embedding_dim=UNITS)),
    "transformer": (
        0.1,
        _translator("transformer", hidden_dim=UNITS, num_layers=2, mlp_dim=2 * UNITS),
    ),
    "vit": (0.1, _vit),
    # At 0.3 the rounding of another processor grows to 3e-4 in six steps.
    "unet": (0.03, _unet),
    "mamba": (0.03, _blocks("mamba")),
    "mamba2": (0.01, _blocks("mamba2")),
    "s4d": (1.0, _blocks("s4d")),
    "rwkv4": (1.0, _blocks("rwkv4")),
    "rwkv7": (0.01, _blocks("rwkv7")),
}

if __name__ == "__main__":
    interleaved.serve(load)
