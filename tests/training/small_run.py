"""A tiny run that can be killed: `python -m tests.training.small_run DIR [STEPS]`.

With a number of steps it goes on where it stood, saves at each step, and is killed
after so many; 0: never.
"""

import os
import signal
import sys

import keras
import numpy as np

from kerasseq import training

EPOCHS = 5
SHAPES = [(4, 3), (4, 6)]
VOCABULARY = 11


class Data(keras.utils.PyDataset):
    """Batches of two shapes, in an order that follows from the seed and the epoch."""

    def __init__(self, seed=0, batches=4, epoch=0):
        super().__init__()
        self.seed = seed
        self.batches = batches
        self.epoch = epoch

    def __len__(self):
        return self.batches

    def __getitem__(self, index):
        # Shapes alternate: Keras' TensorFlow backend infers which axes vary from the
        # first two batches, and fails when a later one is longer.
        order = np.random.default_rng((self.seed, self.epoch))
        pairs = order.permutation(len(self) // 2)
        number = 2 * int(pairs[index // 2]) + index % 2
        random = np.random.default_rng((self.seed, 1, number))
        batch_size, length = SHAPES[number % 2]
        tokens = random.integers(1, VOCABULARY, (batch_size, length + 1))
        weights = random.integers(0, 2, (batch_size, length)).astype("float32")
        weights[:, 0] = 1
        return tokens[:, :-1].astype("int32"), tokens[:, 1:].astype("int32"), weights

    def on_epoch_end(self):
        self.epoch += 1

    @property
    def shapes(self):
        return SHAPES[: self.batches]

    def tokens_in_batch(self, index):
        return int(self[index][2].sum())


class ValidationData(Data):
    def on_epoch_end(self):
        pass


class KillAt(keras.callbacks.Callback):
    """Kills its own process, as power loss would."""

    def __init__(self, epoch, step):
        super().__init__()
        self.at = (epoch, step)

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_begin(self, batch, logs=None):
        if (self.epoch, batch) == self.at:
            os.kill(os.getpid(), signal.SIGKILL)


class KillAfter(keras.callbacks.Callback):
    """Kills its own process when it has trained for so many steps."""

    def __init__(self, steps):
        super().__init__()
        self.left = steps

    def on_train_batch_end(self, batch, logs=None):
        self.left -= "loss" in (logs or {})  # not where a step is skipped
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def build_model(seed, units=8):
    keras.utils.set_random_seed(seed)
    tokens = keras.Input((None,), dtype="int32")
    x = keras.layers.Embedding(VOCABULARY, 6)(tokens)
    x = keras.layers.Dropout(0.3, seed=seed)(x)
    x = keras.layers.GRU(units, return_sequences=True, use_cudnn=False)(x)
    model = keras.Model(tokens, keras.layers.Dense(VOCABULARY)(x))
    learning_rate = keras.optimizers.schedules.CosineDecay(
        0.0, decay_steps=18, warmup_target=0.02, warmup_steps=2
    )
    model.compile(
        keras.optimizers.Adam(learning_rate, global_clipnorm=1.0),
        loss=training.SmoothedCrossEntropy(),
        weighted_metrics=training.token_metrics(),
        jit_compile=True,
    )
    return model


def build_state(
    directory, patience=EPOCHS, min_delta=0, save_every=None, **fingerprint
):
    early_stopping = keras.callbacks.EarlyStopping(
        "val_cross_entropy",
        patience=patience,
        min_delta=min_delta,
        restore_best_weights=True,
    )
    fingerprint = {"seed": 1, "epochs": EPOCHS, **fingerprint}
    path = f"{directory}/state.npz"
    return training.RunState(path, early_stopping, fingerprint, save_every=save_every)


def fit(model, state, epochs=EPOCHS, callbacks=()):
    data = Data(seed=1, epoch=state.initial_epoch)
    return model.fit(
        data,
        validation_data=ValidationData(seed=2, batches=2),
        epochs=epochs,
        initial_epoch=state.initial_epoch,
        shuffle=False,
        verbose=0,
        callbacks=[training.Throughput(data), *callbacks, state],
    )


def main(directory, steps=None):
    """Runs, until it is killed."""
    if steps is None:
        fit(build_model(1), build_state(directory), callbacks=[KillAt(2, 2)])
        return
    model, state = build_model(1), build_state(directory, save_every=1)
    state.restore(model)
    fit(model, state, callbacks=[KillAfter(int(steps))])


if __name__ == "__main__":
    main(*sys.argv[1:])
