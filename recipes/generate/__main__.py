"""Train a language model on a text, export it, write text with the exported file.

What: a step model (`kerasseq.models.language_model`) of a Transformer or a recurrent
cell, over characters or subwords, trained by truncated backpropagation through time on
one long text. The exported file draws its tokens itself, from a prompt and a seed.
Time: 6 minutes on two CPU cores for Python's help topics. Score: 1.71 bits per
character of unseen text. Size: 2.6 MB.

    python -m recipes.generate                          # Python's help topics
    python -m recipes.generate --arch lstm --data a.txt --output_dir saved_models/mine
    python -m recipes.generate --tokens subwords --vocab_size 2000 --data a.txt
    python -m recipes.generate --prompt "The for statement" --seed 3
    python -m recipes.generate --from saved_models/mine --prompt "O Romeo" --count 3

`--prompt` uses the file of `--from`, else that of the last run, else the published
one, and needs no training.

Writes to `saved_models/generate/`: `model.tflite` (signatures `generate`, `step` and
`prefill`; the characters or subwords and the card are packed into it), `saved_model/`,
`model.keras`, `report.json`, `report.html`, `card.json` and `history.csv`.
"""

import sys

import kerasseq
from recipes.generate import data as generate_data
from recipes.generate import evaluate as generate_evaluate
from recipes.generate import model as generate_model
from recipes.generate import sampling_flags
from recipes.generate import signatures as generate_signatures
from recipes.generate import use_file as generate_file
from recipes.shared import (
    artifacts,
    command_line,
    dry_run,
    optimizer_flags,
    quantization_flags,
    run_folder,
    training_run,
)


def define_flags():
    """The flags of this recipe."""
    flags = command_line.new_flags("generate", epochs=12, batch_size=32)
    generate_data.define_flags(flags)
    generate_model.define_flags(flags)
    quantization_flags.define_flags(flags, quantization_flags.WITH_LOOPS)
    sampling_flags.define_flags(flags)
    generate_file.define_flags(flags)
    return flags


def check(flags):
    """Refuses flags that do not go together, before any work is done.

    Raises:
        ValueError: naming the flag.
    """
    generate_model.check(flags)
    optimizer_flags.check(flags)
    quantization_flags.check(flags, quantization_flags.WITH_LOOPS)
    sampling_flags.check(flags)


def load_data(flags, run_dir):
    """Loads, numbers and batches the text."""
    return generate_data.load(flags, run_dir)


def build_model(flags, data):
    """Builds the step model, in the trainer that keeps its states; compiles it."""
    model = generate_model.build(flags, len(data["vocabulary"]))
    trainer = kerasseq.training.TruncatedBPTT(model, flags.batch_size)
    generate_model.compile_model(flags, trainer, len(data["train"]))
    print(f"model: {flags.arch}, {model.count_params():,} parameters")
    return trainer


def train(flags, model, data, run_dir):
    """Fits the model, resuming if asked; returns a `Training`."""
    return training_run.train(flags, model, data, run_dir, "val_cross_entropy")


def evaluate(flags, model, data):
    """Scores the model on the unseen text with Keras."""
    return generate_evaluate.evaluate(model, data)


def export(flags, model, data, training, results, run_dir):
    """Exports, compares with Keras, and publishes all files at once."""
    step_model = model.step_model
    prompts = generate_data.prompts(flags, data)
    with artifacts.artifact_dir(flags.output_dir) as folder:
        report = kerasseq.export.export_model(
            step_model,
            folder,
            **generate_signatures.export_options(flags, prompts),
            quantize=quantization_flags.options(flags),
            card={
                "task": "generate",
                "data": data["text"].name,
                "metrics": results["scores"],
                "training": training.facts,
            },
        )
        rows = generate_evaluate.verify_all(
            flags, step_model, data, results, prompts, report, folder
        )
        step_model.save(folder / "model.keras")
        artifacts.write(
            folder,
            report,
            flags=flags,
            recipe="generate",
            settings=data["settings"],
            history=training.history,
            warnings=results["warnings"],
            files=generate_data.app_files(data, run_dir),
            samples=rows,
            pictures=[],
        )
    generate_file.print_rows(rows)
    return report


def main(flags):
    """Runs the whole job, or writes with its result."""
    if flags.prompt is not None or flags["from"].value is not None:
        generate_file.use_file(flags)
        return
    check(flags)
    with run_folder.opened(flags) as run_dir:
        data = load_data(flags, run_dir)
        model = build_model(flags, data)
        if flags.dry_run:
            dry_run.show(flags, model, data)
            return
        training = train(flags, model, data, run_dir)
        results = evaluate(flags, model, data)
        if not artifacts.exports_here(flags, model.step_model):
            return
        export(flags, model, data, training, results, run_dir)
        artifacts.print_folder(flags.output_dir)


if __name__ == "__main__":
    sys.exit(command_line.run(main, define_flags(), __doc__))
