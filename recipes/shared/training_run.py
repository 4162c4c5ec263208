"""The training of a recipe: one `fit` that can be resumed, and the facts about it."""

import hashlib
import sys
import typing

import numpy as np

import kerasseq
from kerasseq.utils import interrupts
from recipes.shared import progress

# Flags that change nothing about what is learned, or whose content is hashed.
UNFINGERPRINTED = ("output_dir", "data", "data_dir", "resume", "tensorboard", "debug")
UNFINGERPRINTED += ("distribute", "from", "embed_files", "web", "web_library")
UNFINGERPRINTED += ("dry_run", "save_every")


class Training(typing.NamedTuple):
    """What is known of a training.

    Args:
        facts: Dict for the report.
        history: List with a dict per epoch, see `kerasseq.training.RunState`.
    """

    facts: dict
    history: list


def fingerprint(flags, contents, free=(), tokenizer=None):
    """What a resumed run must have in common: settings and data, wherever they lie.

    Args:
        flags: The parsed flags.
        contents: The training and validation data, an iterable of bytes and arrays.
        free: Names of the recipe's own flags that may differ, beside `UNFINGERPRINTED`.
        tokenizer: Bytes of the subwords that the contents become, if any.

    Returns:
        A dict of the flags by name, with `data` the hash of the contents, and
        `vocabulary` that of the tokenizer.
    """
    settings = flags.flag_values_dict()
    names = sorted(settings.keys() - {*UNFINGERPRINTED, *free})
    found = {name: settings[name] for name in names} | {"data": _digest(contents)}
    return found if tokenizer is None else found | {"vocabulary": _digest([tokenizer])}


def _digest(contents):
    digest = hashlib.sha256()
    for part in contents:
        digest.update(part if isinstance(part, bytes) else np.ascontiguousarray(part))
    return digest.hexdigest()[:16]


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
        A `Training`.
    """
    import keras

    stopping = keras.callbacks.EarlyStopping(
        monitor, mode=mode, patience=flags.patience, restore_best_weights=True
    )
    path = run_dir / "state.npz"
    state = kerasseq.training.RunState(
        path, stopping, data["settings"], average_checkpoints, flags.save_every
    )
    if flags.resume and state.restore(model):
        within = f", step {state.initial_step} of the next" * bool(state.initial_step)
        print(f"resumed after epoch {state.initial_epoch}{within}")
    data["train"].epoch = state.initial_epoch
    compiles = 0
    if flags.jit_compile:
        compiles = kerasseq.training.count_compiles(data["train"], data["validation"])
    if compiles:
        print(f"XLA compiles: {compiles}, one per shape and phase")
    if not state.finished:
        # TensorFlow traces a training step twice if the first one makes variables.
        model.optimizer.build(model.trainable_variables)
        with interrupts.deferred():
            model.fit(
                data["train"],
                validation_data=data["validation"],
                epochs=flags.epochs,
                initial_epoch=state.initial_epoch,
                shuffle=False,
                callbacks=_callbacks(flags, data["train"], run_dir, state),
                verbose=1 if sys.stdout.isatty() else 2,
            )
    facts = _facts(flags, model, state.history, compiles, monitor, mode)
    return Training(facts, state.history)


def _callbacks(flags, train_batches, run_dir, state):
    """The state last: it saves what the others did."""
    import keras

    callbacks = [
        kerasseq.training.Throughput(train_batches),
        kerasseq.training.StopOnNaN(),
        progress.remaining_time(len(train_batches), flags.epochs, state.initial_epoch),
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
