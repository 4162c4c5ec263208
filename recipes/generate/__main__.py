"""Train a language model on a text, export it, write text with the exported file.

What: a step model (`kerasseq.models.language_model`) of LSTM, GRU or Transformer over
characters or subwords, trained on one long text whose state is carried from batch to
batch. The exported file draws its tokens itself, from a prompt and a seed.

    python -m recipes.generate                          # Python's help topics
    python -m recipes.generate --arch lstm --data a.txt --output_dir saved_models/mine
    python -m recipes.generate --tokens subwords --vocab_size 2000 --data a.txt
    python -m recipes.generate --prompt "The for statement" --seed 3
    python -m recipes.generate --from saved_models/mine --prompt "O Romeo" --count 3

Writes to `saved_models/generate/`: `model.tflite` (signatures `generate` and `step`),
`saved_model/`, `model.keras`, `characters.json` or `subwords.model` for the phone,
`report.json`, `report.html`, `card.json` and `history.csv`.
"""

import math
import os
import shutil
import sys
import time

import numpy as np

import kerasseq
from recipes.generate import data as generate_data
from recipes.generate import use_file as generate_file
from recipes.shared import (
    artifacts,
    command_line,
    optimizer_flags,
    quantization_flags,
    training_run,
)

NUM_SHOWN = 3


def define_flags():
    """The flags of this recipe."""
    flags = command_line.new_flags("generate", epochs=12, batch_size=32)
    define = command_line.definer(flags)
    share = {"lower_bound": 0.0, "upper_bound": 1.0}
    text = "Cut off before the test's share."
    define("float", "validation_share", 0.05, text, **share)
    define("float", "test_share", 0.05, "Cut off at the end; may be 0.", **share)
    kinds = ("characters", "subwords")
    define("enum", "tokens", "characters", "What the model reads and writes.", kinds)
    text = "Subwords: how many, of which 256 are bytes."
    define("integer", "vocab_size", 1000, text)
    kinds = ("transformer", "lstm", "gru")
    define("enum", "arch", "transformer", "Kind of model.", kinds)
    define("integer", "units", 128, "Size of states, or features of a token.")
    define("integer", "num_layers", 3, "Layers.", lower_bound=1)
    define("integer", "length", 128, "Tokens of a chunk.", lower_bound=2)
    define("integer", "num_heads", 4, "Transformer: attention heads.")
    define("integer", "mlp_dim", None, "Transformer: width of the feed-forward layers.")
    define("integer", "window", 128, "Transformer: tokens that it looks back.")
    define("enum", "positions", "rotary", "Transformer.", ("rotary", "alibi"))
    define("float", "dropout", 0.1, "Dropout.")
    define("float", "learning_rate", 3e-3, "Peak learning rate of Adam.")
    define("integer", "warmup_steps", 100, "Steps until the peak.", lower_bound=0)
    define("integer", "patience", 4, "Epochs without a better validation score.")
    optimizer_flags.define_optimizer_flags(flags, clip_global_norm=1.0)
    quantization_flags.define_flags(flags, quantization_flags.WITH_LOOPS)
    generate_file.define_flags(flags)
    return flags


def build_body(flags):
    """What lies between the embeddings and the logits."""
    shared = {"num_layers": flags.num_layers, "dropout": flags.dropout}
    if flags.arch != "transformer":
        outputs = {"return_sequences": True, "return_state": True}
        return kerasseq.layers.StackedRNN(
            flags.units, cell=flags.arch, **outputs, **shared
        )
    return kerasseq.layers.WindowTransformer(
        num_heads=flags.num_heads,
        mlp_dim=flags.mlp_dim or 4 * flags.units,
        window=flags.window,
        positions=flags.positions,
        activation="gelu",
        **shared,
    )


def build_model(flags, data):
    """Builds the step model, and the trainer that carries its state, compiled."""
    model = kerasseq.models.language_model(
        len(data["vocabulary"]),
        build_body(flags),
        embedding_dim=flags.units,
        dropout=flags.dropout,
    )
    trainer = kerasseq.training.TruncatedBPTT(model, flags.batch_size)
    steps = flags.epochs * len(data["train"])
    schedule = training_run.cosine_schedule(
        flags.learning_rate, steps, flags.warmup_steps
    )
    trainer.compile(
        optimizer_flags.make_optimizer(flags, schedule),
        kerasseq.training.SmoothedCrossEntropy(0.0),
        weighted_metrics=kerasseq.training.token_metrics(),
        jit_compile=flags.jit_compile,
    )
    print(f"model: {flags.arch}, {model.count_params():,} parameters")
    return model, trainer


def evaluate(trainer, data):
    """Cross entropy of the unseen text: nats a token, and bits a character."""
    scores = {}
    for name in ("validation", "test"):
        if not data[name]:
            continue
        found = trainer.evaluate(data[name], verbose=0, return_dict=True)
        nats = float(found["cross_entropy"])
        bits = nats / math.log(2) / data["characters_per_token"][name]
        scores |= {f"{name}_nats": nats, f"{name}_bits_per_character": bits}
    print("Keras:", ", ".join(f"{name} {x:.4f}" for name, x in scores.items()))
    return scores


def export(flags, model, data, training, scores, run_dir):
    """Exports, compares with Keras, and publishes all files at once."""
    options = generate_file.sampling_options(flags)
    prompts = generate_data.prompts(flags, data)

    def signatures(twin):
        return kerasseq.decoding.generation_signatures(
            twin, flags.prompt_length, flags.max_length, **options
        )

    with artifacts.artifact_dir(flags.output_dir) as folder:
        report = kerasseq.export.export_model(
            model,
            folder,
            signatures=signatures,
            samples={"generate": _samples(prompts)},
            quantize=tuple(flags.quantize),
            task="generate",
            data=data["text"].name,
            metrics=scores,
            training=training,
            min_token_agreement=0.9,
            main_signature="generate",
        )
        vocabulary = data["vocabulary"]
        vocabulary.save(folder / vocabulary.file_name)
        generator = kerasseq.decoding.Generator(model, flags.max_length, **options)
        rows = verify(generator, vocabulary, prompts, report, folder)
        report["artifacts"][0]["metrics"] |= scores
        model.save(folder / "model.keras")
        shutil.copy(run_dir / "history.csv", folder)
        artifacts.write_report(
            folder, report, "recipes.generate", data["settings"], rows, []
        )
    print("\nWritten with model.tflite alone:")
    for row in rows[:NUM_SHOWN]:
        print(f"--- from {row['prompt']!r}\n{row['text']}")
    return report


def _samples(prompts):
    return [
        {"prompt": prompt[None], "seed": np.array([seed], "int32")}
        for seed, prompt in enumerate(prompts)
    ]


def verify(generator, vocabulary, prompts, report, folder):
    """Writes with each exported file and with Keras from the same seeds.

    How many texts are the same, and the time that a file takes a token, go into the
    report, as each file's `metrics`.

    Returns:
        Rows of texts for the page, of the float32 file.
    """
    seeds = np.arange(len(prompts), dtype="int32")
    inputs = {"prompt": np.stack(prompts), "seed": seeds}
    expected = generator.predict(inputs, batch_size=len(prompts), verbose=0)["tokens"]
    written = {}
    for artifact in report["artifacts"]:
        name = artifact["file"]
        if not name.endswith(".tflite"):
            continue
        runner = kerasseq.lite.Runner(folder / name)
        began = time.perf_counter()
        found = [runner.run("generate", **x)["tokens"] for x in _samples(prompts)]
        seconds = time.perf_counter() - began
        written[name] = found = np.concatenate(found)
        metrics = artifact["metrics"] = {
            "texts": len(prompts),
            "texts_identical": int(np.sum(np.all(found == expected, axis=1))),
            "ms_per_token": 1e3 * seconds / found.size,
        }
        print(
            f"{name}: {metrics['texts_identical']} of {len(prompts)} as Keras', "
            f"{metrics['ms_per_token']:.3f} ms a token"
        )
    return [
        {"prompt": vocabulary.decode(prompt), "text": vocabulary.decode(tokens)}
        for prompt, tokens in zip(prompts, written["model.tflite"], strict=True)
    ]


def main(flags):
    """Runs the whole job, or writes with its result."""
    if flags.prompt is not None or flags["from"].value is not None:
        generate_file.write_with_file(flags)
        return
    optimizer_flags.check(flags)
    quantization_flags.check(flags, quantization_flags.WITH_LOOPS)
    command_line.prepare(flags)
    kerasseq.decoding.check_sampling(
        flags.prompt_length,
        flags.max_length,
        **generate_file.sampling_options(flags),
    )
    run_dir = command_line.make_folder(os.path.join(flags.output_dir, "run"))
    data = generate_data.load(flags, run_dir)
    model, trainer = build_model(flags, data)
    training = training_run.train(flags, trainer, data, run_dir, "val_cross_entropy")
    scores = evaluate(trainer, data)
    if command_line.backend() != "tensorflow":
        artifacts.save_for_tensorflow(flags, model)
        return
    export(flags, model, data, training, scores, run_dir)
    artifacts.print_folder(flags.output_dir)


if __name__ == "__main__":
    sys.exit(command_line.run(main, define_flags(), __doc__))
