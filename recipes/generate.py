"""Train a language model on characters, export it, write text with the exported file.

What: a step model (`kerasseq.models.language_model`) of LSTM, GRU or Transformer,
trained on one long text whose state is carried from batch to batch. The exported file
draws its tokens itself, from a prompt and a seed.

    python -m recipes.generate                          # Python's help topics
    python -m recipes.generate --arch lstm --data a.txt --output_dir saved_models/mine
    python -m recipes.generate --prompt "The for statement" --seed 3
    python -m recipes.generate --from saved_models/mine --prompt "O Romeo" --count 3

Writes to `saved_models/generate/`: `model.tflite` (signatures `generate` and `step`),
`saved_model/`, `model.keras`, `characters.json` for the phone, `report.json`,
`report.html`, `card.json` and `history.csv`.
"""

import math
import os
import shutil
import sys
import time

import numpy as np

import kerasseq
from recipes import (
    common,
    generate_file,
    publishing,
    remedies,
    training_run,
)

FREE_FLAGS = ("from", "prompt", "count", "prompt_length", "max_length", "temperature")
FREE_FLAGS += ("top_k", "top_p", "repetition_penalty", "no_repeat_ngram")
NUM_COMPARED = 8
NUM_SHOWN = 3


def define_flags():
    """The flags of this recipe."""
    values = common.new_flags("generate", epochs=12, batch_size=32)
    define = common.definer(values)
    share = {"lower_bound": 0.0, "upper_bound": 1.0}
    text = "Cut off before the test's share."
    define("float", "validation_share", 0.05, text, **share)
    define("float", "test_share", 0.05, "Cut off at the end; may be 0.", **share)
    kinds = ("transformer", "lstm", "gru")
    define("enum", "arch", "transformer", "Kind of model.", kinds)
    define("integer", "units", 128, "Size of states, or features of a token.")
    define("integer", "num_layers", 3, "Layers.", lower_bound=1)
    define("integer", "length", 128, "Characters of a chunk.", lower_bound=2)
    define("integer", "num_heads", 4, "Transformer: attention heads.")
    define("integer", "mlp_dim", None, "Transformer: width of perceptrons.")
    define("integer", "window", 128, "Transformer: characters that it looks back.")
    define("enum", "positions", "rotary", "Transformer.", ("rotary", "alibi"))
    define("float", "dropout", 0.1, "Dropout.")
    define("float", "learning_rate", 3e-3, "Peak learning rate of Adam.")
    define("integer", "warmup_steps", 100, "Steps until the peak.", lower_bound=0)
    define("integer", "patience", 4, "Epochs without a better validation score.")
    remedies.define_optimizer_flags(values, clip_global_norm=1.0)
    generate_file.define_flags(values)
    return values


def load_data(values):
    """Loads, numbers and batches the text.

    Returns:
        A dict: `text`, `characters`, `train`, `validation`, `test` (batches; `test` is
        `None` without a share), and `settings`, what a resumed run must share.
    """
    text = kerasseq.data.load_running_text(
        values.data,
        data_dir=values.data_dir,
        validation_share=values.validation_share,
        test_share=values.test_share,
    )
    characters = kerasseq.data.Characters("".join(text[1:]))
    parts = {"train": text.train, "validation": text.validation, "test": text.test}
    counts = ", ".join(f"{name} {len(part):,}" for name, part in parts.items())
    print(f"data: {text.name}, {len(characters)} kinds of characters; {counts}")
    batches = {
        name: kerasseq.data.ContiguousBatches(
            characters.encode(part), values.batch_size, values.length
        )
        if part
        else None
        for name, part in parts.items()
    }
    contents = [text.train.encode(), text.validation.encode()]
    settings = training_run.fingerprint(values, contents, FREE_FLAGS)
    return {"text": text, "characters": characters, "settings": settings} | batches


def build_model(values, data):
    """Builds the step model, and the trainer that carries its state, compiled."""
    model = kerasseq.models.language_model(
        len(data["characters"]),
        embedding_dim=values.units,
        units=values.units,
        num_layers=values.num_layers,
        cell=values.arch,
        dropout=values.dropout,
        num_heads=values.num_heads,
        mlp_dim=values.mlp_dim,
        window=values.window,
        positions=values.positions,
    )
    trainer = kerasseq.training.CarriedState(model, values.batch_size)
    steps = values.epochs * len(data["train"])
    schedule = training_run.cosine_schedule(
        values.learning_rate, steps, values.warmup_steps
    )
    trainer.compile(
        remedies.make_optimizer(values, schedule),
        kerasseq.training.SmoothedCrossEntropy(0.0),
        weighted_metrics=kerasseq.training.token_metrics(),
        jit_compile=values.jit_compile,
    )
    print(f"model: {values.arch}, {model.count_params():,} parameters")
    return model, trainer


def train(values, trainer, data, run_dir):
    """Fits the model, resuming if asked; returns facts for the report."""
    return training_run.train(
        values,
        trainer,
        data["train"],
        data["validation"],
        run_dir,
        data["settings"],
        monitor="val_cross_entropy",
    )


def evaluate(trainer, data):
    """Cross entropy of validation and test text, in nats and bits a character."""
    scores = {}
    for name in ("validation", "test"):
        if data[name] is None:
            continue
        found = trainer.evaluate(data[name], verbose=0, return_dict=True)
        nats = float(found["cross_entropy"])
        scores |= {f"{name}_nats": nats, f"{name}_bits": nats / math.log(2)}
    print("Keras:", ", ".join(f"{name} {x:.4f}" for name, x in scores.items()))
    return scores


def export(values, model, data, training, scores, run_dir):
    """Exports, compares with Keras, and publishes all files at once."""
    options = generate_file.sampling_options(values)
    prompts = _prompts(values, data)

    def signatures(twin):
        return kerasseq.decoding.generation_signatures(
            twin, values.prompt_length, values.max_length, **options
        )

    with publishing.published(values.output_dir) as folder:
        report = kerasseq.export.export_model(
            model,
            folder,
            signatures=signatures,
            samples={"generate": _samples(prompts)},
            task="generate",
            data=data["text"].name,
            metrics=scores,
            training=training,
            min_token_agreement=0.9,
            main_signature="generate",
        )
        data["characters"].save(folder / "characters.json")
        generator = kerasseq.decoding.Generator(model, values.max_length, **options)
        found, rows = verify(generator, data["characters"], prompts, folder)
        report["artefacts"][0]["metrics"] = scores | found
        model.save(folder / "model.keras")
        shutil.copy(run_dir / "history.csv", folder)
        publishing.write_report(
            folder, report, "recipes.generate", data["settings"], rows, []
        )
    print("\nWritten with model.tflite alone:")
    for row in rows[:NUM_SHOWN]:
        print(f"--- from {row['prompt']!r}\n{row['text']}")
    return report


def _prompts(values, data):
    """Beginnings of lines of unseen text."""
    text = data["text"].test or data["text"].validation
    lines = [line[: values.prompt_length // 2] for line in text.splitlines()]
    lines = [line for line in lines if line.strip()][:NUM_COMPARED] or [text[:1]]
    ids = [data["characters"].encode(line) for line in lines]
    return [generate_file.padded(row, values.prompt_length) for row in ids]


def _samples(prompts):
    return [
        {"prompt": prompt[None], "seed": np.array([seed], "int32")}
        for seed, prompt in enumerate(prompts)
    ]


def verify(generator, characters, prompts, folder):
    """Writes with the exported file and with Keras from the same seeds.

    Returns:
        `(metrics, rows)`: how many texts are the same and the time that the file takes
        a character, and the texts for the page.
    """
    seeds = np.arange(len(prompts), dtype="int32")
    inputs = {"prompt": np.stack(prompts), "seed": seeds}
    expected = generator.predict(inputs, batch_size=len(prompts), verbose=0)["tokens"]
    runner = kerasseq.lite.Runner(folder / "model.tflite")
    began = time.perf_counter()
    found = [runner.run("generate", **sample)["tokens"] for sample in _samples(prompts)]
    seconds = time.perf_counter() - began
    found = np.concatenate(found)
    metrics = {
        "texts": len(prompts),
        "texts_identical": int(np.sum(np.all(found == expected, axis=1))),
        "ms_per_character": 1e3 * seconds / found.size,
    }
    print(
        f"model.tflite: {metrics['texts_identical']} of {len(prompts)} as Keras', "
        f"{metrics['ms_per_character']:.3f} ms a character"
    )
    rows = [
        {"prompt": characters.decode(prompt), "text": characters.decode(tokens)}
        for prompt, tokens in zip(prompts, found, strict=True)
    ]
    return metrics, rows


def main(values):
    """Runs the whole job, or writes with its result."""
    if values.prompt is not None or values["from"].value is not None:
        generate_file.write_with_file(values)
        return
    generate_file.check(values)
    remedies.check(values)
    common.prepare(values)
    run_dir = common.make_folder(os.path.join(values.output_dir, "run"))
    data = load_data(values)
    model, trainer = build_model(values, data)
    training = train(values, trainer, data, run_dir)
    scores = evaluate(trainer, data)
    if common.backend() != "tensorflow":
        publishing.save_for_tensorflow(values, model)
        return
    export(values, model, data, training, scores, run_dir)
    publishing.print_folder(values.output_dir)


if __name__ == "__main__":
    sys.exit(common.run(main, define_flags(), __doc__))
