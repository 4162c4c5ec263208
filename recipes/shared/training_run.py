"""The training of a recipe: one `fit` that can be resumed, and the facts about it."""

import hashlib
import sys

import numpy as np

import kerasseq

# Flags that change nothing about what is learned, or whose content is hashed.
UNFINGERPRINTED = ("output_dir", "data", "data_dir", "resume", "tensorboard", "debug")
UNFINGERPRINTED += ("distribute", "from", "embed_files", "web", "web_library")


def fingerprint(flags, contents, free=()):
    """What a resumed run must have in common: settings and data, wherever they lie.

    Args:
        flags: The parsed flags.
        contents: The training and validation data, an iterable of bytes and arrays.
        free: Names of the recipe's own flags that may differ, beside `UNFINGERPRINTED`.

    Returns:
        A dict of the flags by name, with `data` the hash of the contents.
    """
    settings = flags.flag_values_dict()
    names = sorted(settings.keys() - {*UNFINGERPRINTED, *free})
    digest = hashlib.sha256()
    for part in contents:
        digest.update(part if isinstance(part, bytes) else np.ascontiguousarray(part))
    return {name: settings[name] for name in names} | {"data": digest.hexdigest()[:16]}


def train(flags, model, data, run_dir, monitor, mode="min", average_checkpoints=0):
    """Fits the model, resuming if asked; leaves it with its best weights.

    Args:
        flags: The common flags, and `patience`.
        model: A compiled model.
        data: A dict: `train`, a `keras.utils.PyDataset` with `epoch` and `shapes`, such
            as `kerasseq.data.BucketedPairs` or `ImageBatches`; `validation`, likewise,
            in the same order each epoch; and `settings`, from `fingerprint`.
        run_dir: Folder, a `pathlib.Path`, of `state.npz` and `history.csv`.
        monitor: Name of the validation score that selects the epoch.
        mode: `"min"` or `"max"`, which of it is better.
        average_checkpoints: See `kerasseq.training.RunState`.

    Returns:
        A dict of facts for the report.
    """
    import keras

    stopping = keras.callbacks.EarlyStopping(
        monitor, mode=mode, patience=flags.patience, restore_best_weights=True
    )
    path = run_dir / "state.npz"
    state = kerasseq.training.RunState(
        path, stopping, data["settings"], average_checkpoints
    )
    if flags.resume and state.restore(model):
        print(f"resumed after epoch {state.initial_epoch}")
    data["train"].epoch = state.initial_epoch
    compiles = 0
    if flags.jit_compile:
        compiles = kerasseq.training.count_compiles(data["train"], data["validation"])
    print(f"XLA compiles: {compiles}, one per shape and phase")
    if not state.finished:
        # TensorFlow traces a training step twice if the first one makes variables.
        model.optimizer.build(model.trainable_variables)
        model.fit(
            data["train"],
            validation_data=data["validation"],
            epochs=flags.epochs,
            initial_epoch=state.initial_epoch,
            shuffle=False,
            callbacks=_callbacks(flags, data["train"], run_dir, state),
            verbose=1 if sys.stdout.isatty() else 2,
        )
    return _facts(flags, model, state.history, compiles, monitor, mode)


def _callbacks(flags, train_batches, run_dir, state):
    """The state last: it saves what the others did."""
    import keras

    callbacks = [
        kerasseq.training.Throughput(train_batches),
        kerasseq.training.StopOnNaN(),
    ]
    if flags.tensorboard:
        callbacks.append(keras.callbacks.TensorBoard(run_dir / "tensorboard"))
    return [*callbacks, state]


def _facts(flags, model, history, compiles, monitor, mode):
    best = (min if mode == "min" else max)(history, key=lambda row: row[monitor])
    return {
        "seconds": round(sum(row["seconds"] for row in history), 1),
        "epochs": len(history),
        "best_epoch": int(best["epoch"]),
        monitor: best[monitor],
        "compiles": compiles,
        "parameters": model.count_params(),
        "seed": flags.seed,
    }
