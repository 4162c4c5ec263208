"""Train a text classifier, export it, classify texts with the exported file.

What: any encoder over words (`kerasseq.models.text_classifier`): recurrent in one
direction or both, convolutions (Kim 2014), a Transformer; pooled by the last word, the
mean, the maximum or attention; a bag of words beside it. Time: one minute on two CPU
cores for generated reviews whose words alone tell nothing. Score: an accuracy of 1.00
on unseen ones (bag of words: 0.48). Size: 0.15 MB, dynamic 0.07 MB.

    python -m recipes.classify_text                     # generated reviews
    python -m recipes.classify_text --data mails.csv --output_dir saved_models/mails
    python -m recipes.classify_text --arch cnn --pooling max --data reviews/
    python -m recipes.classify_text --data train.tsv --validation_data dev.tsv \\
        --test_data test.tsv --arch bigru --pooling attention --dropout 0.5
    python -m recipes.classify_text --from saved_models/mails --classify "Dear sir"

`mails.csv` has a header with, say, `text` and `label`; a TSV file needs none; `.jsonl`
holds an object on each line; `reviews/` holds a folder of `.txt` files for each class.
`--classify` uses the file of `--from`, else that of the last run, else the published
one, and needs no training.

Writes to `saved_models/classify_text/`: `model.tflite` (signature `serve`: words in,
calibrated probabilities out; words, labels and card are packed into it),
`saved_model/`, `model.keras`, `report.json`, `report.html`, `card.json`,
`history.csv`, `words.png`, `confusion.png` and `calibration.png`; with `--web` also
`web/`, a page.
"""

import sys

import kerasseq
from recipes.classify_text import data as classify_text_data
from recipes.classify_text import evaluate as classify_text_evaluate
from recipes.classify_text import model as classify_text_model
from recipes.classify_text import plots as classify_text_plots
from recipes.classify_text import signatures as classify_text_signatures
from recipes.classify_text import use_file as classify_text_file
from recipes.shared import (
    artifacts,
    command_line,
    dry_run,
    optimizer_flags,
    quantization_flags,
    run_folder,
    training_run,
    web_page,
)


def define_flags():
    """The flags of this recipe."""
    flags = command_line.new_flags("classify_text", epochs=10, batch_size=64)
    classify_text_data.define_flags(flags)
    classify_text_model.define_flags(flags)
    quantization_flags.define_flags(flags, quantization_flags.WITH_LOOPS)
    classify_text_file.define_flags(flags)
    web_page.define_flags(flags)
    return flags


def check(flags):
    """Refuses flags that do not go together, before any work is done.

    Raises:
        ValueError: naming the flag.
    """
    classify_text_model.check(flags)
    optimizer_flags.check(flags)
    quantization_flags.check(flags, quantization_flags.WITH_LOOPS)
    web_page.check(flags)


def load_data(flags, run_dir):
    """Loads, numbers and batches the texts."""
    del run_dir  # the words follow from the texts
    return classify_text_data.load(flags)


def build_model(flags, data):
    """Builds and compiles the model."""
    model = classify_text_model.build(
        flags, len(data["vocabulary"]), len(data["texts"].class_names)
    )
    classify_text_model.compile_model(flags, model, len(data["train"]))
    print(f"model: {flags.arch}, {model.count_params():,} parameters")
    return model


def train(flags, model, data, run_dir):
    """Fits the model, resuming if asked; returns a `Training`."""
    mode = "max" if flags.monitor == "accuracy" else "min"
    return training_run.train(flags, model, data, run_dir, f"val_{flags.monitor}", mode)


def evaluate(flags, model, data):
    """Classifies the test split with Keras, and scores it."""
    return classify_text_evaluate.evaluate(flags, model, data)


def export(flags, model, data, training, results, run_dir):
    """Exports, verifies on the whole test split, and publishes all files at once."""
    weights, title = classify_text_plots.importance(model, results["tokens"])
    with artifacts.artifact_dir(flags.output_dir) as folder:
        report = kerasseq.export.export_model(
            model,
            folder,
            **classify_text_signatures.export_options(data, results),
            quantize=quantization_flags.options(flags),
            card={
                "task": "classify_text",
                "data": data["texts"].name,
                "metrics": results["scores"],
                "training": training.facts,
            },
        )
        classify_text_evaluate.verify_all(data, results, report, folder)
        model.save(folder / "model.keras")
        artifacts.write(
            folder,
            report,
            flags=flags,
            recipe="classify_text",
            settings=data["settings"],
            history=training.history,
            warnings=results["warnings"],
            files=classify_text_data.app_files(data),
            samples=classify_text_evaluate.samples(data, results, weights, 10),
            pictures=classify_text_plots.draw(data, results, weights, title, folder),
        )
        web_page.add(flags, "classify_text", folder, data["texts"].test[0])
    return report


def main(flags):
    """Runs the whole job, or classifies with its result."""
    if flags.classify is not None or flags["from"].value is not None:
        classify_text_file.use_file(flags)
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
        if not artifacts.exports_here(flags, model):
            return
        export(flags, model, data, training, results, run_dir)
        classify_text_file.print_samples(flags.output_dir, data["texts"])
        artifacts.print_folder(flags.output_dir)


if __name__ == "__main__":
    sys.exit(command_line.run(main, define_flags(), __doc__))
