"""Problems of remembering and of selecting: examples, losses, models and training."""

import math

import keras
import numpy as np

from kerasseq import layers, training
from kerasseq.data._epoch_batches import EpochBatches

PROBLEMS = ("adding", "copying")  # of Hochreiter and Schmidhuber
SELECTION = ("selective", "induction")  # of Gu and Dao
NUM_SYMBOLS = 8
NUM_COPIED = 10
BLANK, SIGN = 0, NUM_SYMBOLS + 1
NUM_SELECTED = 16  # symbols among blanks
NUM_IDS = 16  # of the problems of selection, with the blank and the sign
RECURRENT_FEATURES = 16


class Examples(EpochBatches):
    """Generated examples, a function of seed, epoch and index.

    Args:
        problem: One of `PROBLEMS` or `SELECTION`.
        length: T.
        batch_size: Number of rows per batch.
        num_batches: Number of batches per epoch.
        seed: Seed of the examples.
        fixed: Boolean, whether all epochs have the same examples.
    """

    def __init__(self, problem, length, batch_size, num_batches, seed, fixed=False):
        made = {"adding": adding, "copying": copying}
        self._make = (made | {"selective": selective, "induction": induction})[problem]
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


def selective(generator, batch_size, length):
    """Inputs `(batch_size, length + 16)` and answers `(batch_size, 16)`, int32.

    Sixteen symbols lie at random steps among blanks, then comes the sign sixteen times:
    the steps at which they are to be named in their order.
    """
    symbols = generator.integers(1, NUM_IDS - 1, (batch_size, NUM_SELECTED))
    inputs = np.full((batch_size, length + NUM_SELECTED), BLANK, "int32")
    steps = generator.random((batch_size, length)).argpartition(NUM_SELECTED, axis=1)
    steps = np.sort(steps[:, :NUM_SELECTED], axis=1)
    np.put_along_axis(inputs, steps, symbols, axis=1)
    inputs[:, length:] = NUM_IDS - 1
    return inputs, symbols.astype("int32")


def induction(generator, batch_size, length):
    """Inputs `(batch_size, length)` and answers `(batch_size, 1)`, int32.

    Random ids, the sign once among them and once as the last: the answer is the id that
    followed the sign.
    """
    inputs = generator.integers(0, NUM_IDS - 1, (batch_size, length)).astype("int32")
    rows, steps = np.arange(batch_size), generator.integers(0, length - 2, batch_size)
    inputs[rows, steps] = inputs[:, -1] = NUM_IDS - 1
    return inputs, inputs[rows, steps + 1][:, None]


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


class Solved(keras.callbacks.Callback):
    """Callback that ends training when a problem is solved.

    Args:
        name: `"val_loss"`, to be below the bound, or `"val_accuracy"`, to reach it.
        bound: Float.
    """

    def __init__(self, name, bound):
        super().__init__()
        self.name, self.bound = name, bound

    def on_epoch_end(self, epoch, logs=None):
        value = logs[self.name]
        below = value < self.bound
        if below == (self.name == "val_loss"):
            self.model.stop_training = True


def fit(model, batches, validation, epochs, stop, folder, settings):
    """Trains a compiled model, or goes on with it, until a problem is solved.

    Args:
        model: The model.
        batches: `Examples` to train on.
        validation: Others.
        epochs: The most epochs.
        stop: A `Solved`.
        folder: `pathlib.Path` of a folder for the state of the run.
        settings: Dict of what an interrupted run must have in common.

    Returns:
        The history, a list with a dict for each epoch.
    """
    state = training.RunState(folder / "state.npz", fingerprint=settings)
    if state.restore(model):
        print(f"resumed after {len(batches) * state.initial_epoch} steps")
    batches.epoch = state.initial_epoch
    if not state.finished:
        model.fit(
            batches,
            validation_data=validation,
            epochs=epochs,
            initial_epoch=state.initial_epoch,
            shuffle=False,
            callbacks=[stop, state],
            verbose=2,
        )
    return state.history


def build(problem, length, cell, units):
    """Builds the model: one recurrent layer, or two of blocks or of a Transformer.

    Args:
        problem: One of `PROBLEMS` or `SELECTION`.
        length: T.
        cell: One of `kerasseq.layers.CELLS` or `BLOCKS`, or `"transformer"`.
        units: Units of the recurrent layer, or features per token.
    """
    is_wide = cell == "transformer" or cell in layers.BLOCKS
    features = units if is_wide else RECURRENT_FEATURES
    if problem == "adding":
        inputs = keras.Input((length, 2))
        x = keras.layers.Dense(features)(inputs)
    else:
        more = {"copying": 2 * NUM_COPIED, "selective": NUM_SELECTED}.get(problem, 0)
        inputs = keras.Input((length + more,), dtype="int32")
        ids = SIGN + 1 if problem == "copying" else NUM_IDS
        x = keras.layers.Embedding(ids, features)(inputs)
    if cell in layers.BLOCKS:
        x = layers.ResidualStack(units, 2, cell)(x)
    elif cell == "transformer":
        options = {"cross_attention": False, "positions": "rotary"}
        x = layers.TransformerDecoder(2, 4, 2 * units, **options)(x)
    else:
        x = layers.StackedRNN(units, 1, cell, return_sequences=True)(x)
    if problem == "adding":
        return keras.Model(inputs, keras.layers.Dense(1)(x[:, -1]))
    if problem in SELECTION:
        x = x[:, -(NUM_SELECTED if problem == "selective" else 1) :]
    return keras.Model(inputs, keras.layers.Dense(ids)(x))
