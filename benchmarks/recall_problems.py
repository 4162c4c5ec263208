"""The adding and the copying problem: examples, losses and models."""

import math

import keras
import numpy as np

from kerasseq import layers
from kerasseq.data._epoch_batches import EpochBatches

PROBLEMS = ("adding", "copying")
NUM_SYMBOLS = 8
NUM_COPIED = 10
BLANK, SIGN = 0, NUM_SYMBOLS + 1
RECURRENT_FEATURES = 16


class Examples(EpochBatches):
    """Generated examples, a function of seed, epoch and index.

    Args:
        problem: One of `PROBLEMS`.
        length: T.
        batch_size: Number of rows per batch.
        num_batches: Number of batches per epoch.
        seed: Seed of the examples.
        fixed: Boolean, whether all epochs have the same examples.
    """

    def __init__(self, problem, length, batch_size, num_batches, seed, fixed=False):
        self._make = {"adding": adding, "copying": copying}[problem]
        self._sizes, self._size = (batch_size, length), num_batches
        self._seed, self._fixed = seed, fixed
        super().__init__()

    def __len__(self):
        return self._size

    def __getitem__(self, index):
        self._count(index)
        epoch = 0 if self._fixed else self.epoch
        generator = np.random.default_rng([self._seed, epoch, index])
        return self._make(generator, *self._sizes)


def adding(generator, batch_size, length):
    """Numbers and marks `(batch_size, length, 2)`, and the sum of the marked numbers.

    One number is marked in the first half, and one in the second.
    """
    inputs = np.zeros((batch_size, length, 2), "float32")
    inputs[:, :, 0] = generator.random((batch_size, length))
    rows, half = np.arange(batch_size), length // 2
    for start, end in ((0, half), (half, length)):
        inputs[rows, generator.integers(start, end, batch_size), 1] = 1
    return inputs, np.sum(inputs[:, :, 0] * inputs[:, :, 1], axis=1, keepdims=True)


def copying(generator, batch_size, length):
    """Inputs and outputs of the copying problem, int32 `(batch_size, length + 20)`.

    The inputs are symbols, blanks and the sign. The outputs are blank except the last
    ten, which are the first ten inputs.
    """
    symbols = generator.integers(1, NUM_SYMBOLS + 1, (batch_size, NUM_COPIED))
    inputs = np.full((batch_size, length + 2 * NUM_COPIED), BLANK, "int32")
    outputs = inputs.copy()
    inputs[:, :NUM_COPIED] = symbols
    inputs[:, length + NUM_COPIED - 1] = SIGN
    outputs[:, -NUM_COPIED:] = symbols
    return inputs, outputs


def baseline(problem, length):
    """The loss of the best model without memory."""
    if problem == "adding":
        return 1 / 6  # the variance of the sum of two uniform numbers
    return NUM_COPIED * math.log(NUM_SYMBOLS) / (length + 2 * NUM_COPIED)


def loss(problem):
    """The loss function: mean squared error, or cross entropy over all steps."""
    if problem == "adding":
        return keras.losses.MeanSquaredError()
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)


class StopBelow(keras.callbacks.Callback):
    """Callback that ends training when the validation loss is below a bound.

    Args:
        bound: Float.
    """

    def __init__(self, bound):
        super().__init__()
        self.bound = bound

    def on_epoch_end(self, epoch, logs=None):
        if logs["val_loss"] < self.bound:
            self.model.stop_training = True


def build(problem, length, cell, units):
    """Builds the model: one recurrent layer, or a Transformer with two.

    Args:
        problem: One of `PROBLEMS`.
        length: T.
        cell: A cell of `kerasseq.layers.StackedRNN`, or `"transformer"`.
        units: Units of the recurrent layer, or features per token.
    """
    features = units if cell == "transformer" else RECURRENT_FEATURES
    if problem == "adding":
        inputs = keras.Input((length, 2))
        x = keras.layers.Dense(features)(inputs)
    else:
        inputs = keras.Input((length + 2 * NUM_COPIED,), dtype="int32")
        x = keras.layers.Embedding(SIGN + 1, features)(inputs)
    if cell == "transformer":
        options = {"cross_attention": False, "positions": "rotary"}
        x = layers.TransformerDecoder(2, 4, 2 * units, **options)(x)
    else:
        x = layers.StackedRNN(units, 1, cell, return_sequences=True)(x)
    if problem == "adding":
        return keras.Model(inputs, keras.layers.Dense(1)(x[:, -1]))
    return keras.Model(inputs, keras.layers.Dense(SIGN + 1)(x))
