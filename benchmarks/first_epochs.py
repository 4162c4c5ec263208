"""Does a model learn as fast as the same one of PyTorch's own layers?

    python -m benchmarks.first_epochs
    python -m benchmarks.first_epochs --rows vit --seeds 0,1,2,3,4

Weak scores come from weak defaults more often than from short training, and a weak
initializer shows in the first epochs. Each row trains a model of `kerasseq.models` and
its twin (`benchmarks/torch_*.py`), each with its own initial weights, on the same
batches in the same order, with Adam and without dropout. The curve is the mean loss of
each eighth of the run, over the seeds; a quotient above 1 means that ours is higher.
Takes 15 minutes on two cores; times do not count.
"""

import functools
import json
import pathlib
import statistics
import subprocess
import sys

import numpy as np
from absl import flags as absl_flags

from benchmarks import machine, training_baselines
from kerasseq.utils import atomic
from recipes.shared import command_line

_SEQ2SEQ = {
    "embedding_dim": 128,
    "units": 256,
    "attention": "general",
    "input_feeding": True,
}
ROWS = {  # model, epochs, batch size, learning rate, its arguments
    "seq2seq_gru": ("seq2seq", 2, 64, 1e-3, _SEQ2SEQ | {"cell": "gru"}),
    "seq2seq_lstm": ("seq2seq", 2, 64, 1e-3, _SEQ2SEQ | {"cell": "lstm"}),
    "transformer": (
        "transformer",
        2,
        64,
        1e-3,
        {"hidden_dim": 128, "num_layers": 2, "num_heads": 4, "mlp_dim": 512},
    ),
    "vit": (
        "vit",
        20,
        64,
        1e-3,
        {
            "patch_size": 2,
            "hidden_dim": 64,
            "num_layers": 4,
            "num_heads": 4,
            "mlp_dim": 128,
        },
    ),
    "unet": ("unet", 2, 16, 1e-3, {"width": 16, "depth": 3}),
    "tiny": (  # for tests
        "vit",
        1,
        64,
        1e-3,
        {
            "patch_size": 4,
            "hidden_dim": 8,
            "num_layers": 1,
            "num_heads": 2,
            "mlp_dim": 8,
        },
    ),
}
LIBRARIES = ("kerasseq", "torch")
TRANSLATORS = ("seq2seq", "transformer")
LENGTH = 8  # tokens of a sentence: those that have more are cut, the rest left out
PARTS = 8


def define_flags():
    """Defines the flags of this benchmark."""
    flags = absl_flags.FlagValues()
    define = command_line.definer(flags)
    rows = [name for name in ROWS if name != "tiny"]
    training_baselines.define_names(flags, "rows", ROWS, rows)
    define("list", "seeds", ["0", "1", "2"], "Of weights and order, comma-separated.")
    define("string", "output", "benchmarks/results/first_epochs.json", "Of results.")
    define("bool", "debug", False, "Show tracebacks.")
    return flags


def main(flags):
    """Trains all models, prints the table and writes the results."""
    output = pathlib.Path(flags.output)
    command_line.make_folder(output.parent)
    facts = machine.description()
    print(f"{machine.summary(facts)}\n")
    rows = []
    for name in flags.rows:
        curves = {library: _curve(library, name, flags.seeds) for library in LIBRARIES}
        pairs = zip(*curves.values(), strict=True)
        quotients = [ours / other for ours, other in pairs]
        rows.append({"name": name, "losses": curves, "ours/torch": quotients})
        atomic.write_json(output, {"machine": facts, "rows": rows})
        for library, curve in curves.items():
            print(f"{name}, {library}: {' '.join(f'{x:.3f}' for x in curve)}")
        print(f"  quotient: {' '.join(f'{x:.2f}' for x in quotients)}", flush=True)
    print(f"\nWritten to {output}")


def _curve(library, name, seeds):
    """Mean loss of each part of the run, over seeds, each in a fresh process."""
    curves = []
    for seed in seeds:
        command = [sys.executable, "-m", "benchmarks.first_epochs", library, name, seed]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            last = done.stderr.strip().splitlines()[-1:]
            raise ValueError(f"{name} of {library} failed: {' '.join(last)}")
        losses = json.loads(done.stdout.splitlines()[-1])
        curves.append([float(np.mean(part)) for part in np.array_split(losses, PARTS)])
    return [statistics.mean(losses) for losses in zip(*curves, strict=True)]


def train(library, name, seed):
    """Returns the loss of every step of one run."""
    kind, epochs, batch_size, learning_rate, settings = ROWS[name]
    arrays, labels, sizes = _data(kind)
    load = _torch if library == "torch" else _kerasseq
    step = load(kind, sizes | settings, learning_rate, seed)
    generator, losses = np.random.default_rng(seed), []
    for _ in range(epochs):
        order = generator.permutation(len(labels))
        for start in range(0, len(order) - batch_size + 1, batch_size):
            rows = order[start : start + batch_size]
            losses.append(step([x[rows] for x in arrays], labels[rows]))
    return losses


def _data(kind):
    """Arrays of the inputs, the labels, and what the sizes of the model follow from."""
    if kind in TRANSLATORS:
        return _sentences()
    from kerasseq import data

    load = {"vit": data.load_labeled_images, "unet": data.load_masked_images}[kind]
    found = load("synthetic")
    images, labels = found.train
    sizes = {"input_shape": images.shape[1:], "num_classes": len(found.class_names)}
    return [images.astype("float32") / 255], labels.astype("int32"), sizes


def _sentences():
    """Phrases of the translator's default data, characters as tokens."""
    from kerasseq import data

    pairs = data.load_parallel_text("synthetic", num_examples=12000, seed=0).train
    pairs = [pair for pair in pairs if min(map(len, pair)) >= LENGTH]
    sides = ["".join(x[:LENGTH] for x in side) for side in zip(*pairs, strict=True)]
    names = {x: 2 + i for i, x in enumerate(sorted(set("".join(sides))))}
    source, target = (
        np.array([names[x] for x in side], "int32").reshape(-1, LENGTH)
        for side in sides
    )
    shifted = np.concatenate([np.ones_like(target[:, :1]), target[:, :-1]], axis=1)
    return [source, shifted], target, {"vocabulary_size": 2 + len(names)}


def _kerasseq(kind, settings, learning_rate, seed):
    import keras

    from kerasseq import models

    keras.utils.set_random_seed(seed)
    options = {"dropout": 0.0} if kind in TRANSLATORS else {}
    model = getattr(models, kind)(**settings, **options)
    model.compile(
        keras.optimizers.Adam(learning_rate, epsilon=1e-8),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=True,
    )
    names = ("source", "target")

    def step(arrays, labels):
        x = dict(zip(names, arrays, strict=True)) if len(arrays) == 2 else arrays[0]
        model.reset_metrics()
        return float(model.train_on_batch(x, labels))

    return step


def _torch(kind, settings, learning_rate, seed):
    import torch

    from benchmarks import torch_seq2seq, torch_transformer, torch_vision

    torch.manual_seed(seed)
    twins = {
        "seq2seq": functools.partial(torch_seq2seq.Seq2Seq, dropout=0.0),
        "transformer": torch_transformer.Transformer,
        "vit": torch_vision.VisionTransformer,
        "unet": torch_vision.UNet,
    }
    model = twins[kind](**settings)
    trained = [w for w in model.parameters() if w.requires_grad]
    optimizer = torch.optim.Adam(trained, learning_rate)

    def step(arrays, labels):
        x = [torch.from_numpy(array) for array in arrays]
        x = [a.movedim(-1, 1) if a.dim() == 4 else a.long() for a in x]
        logits = model(*x)
        if kind in TRANSLATORS:
            logits = logits.movedim(-1, 1)
        loss = torch.nn.functional.cross_entropy(
            logits, torch.from_numpy(labels).long()
        )
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in LIBRARIES:
        print(json.dumps(train(sys.argv[1], sys.argv[2], int(sys.argv[3]))))
    else:
        sys.exit(command_line.run(main, define_flags(), __doc__))
