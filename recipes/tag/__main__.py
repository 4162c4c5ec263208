"""Train a tagger, export it, tag the words of sentences with the exported file.

What: an encoder over words and their characters (`kerasseq.models.tagger`), recurrent,
convolutional or a Transformer, with a softmax or a CRF. Time: two minutes on two CPU
cores for the generated sentences. Score: 1.00 of the words with two senses, as "apple"
and "bank"; a network that sees each word on its own stays at their more frequent sense,
0.55. Size: 0.6 MB.

    python -m recipes.tag                               # generated sentences
    python -m recipes.tag --arch gru --data train.conllu --validation_data dev.conllu \\
        --output_dir saved_models/mine
    python -m recipes.tag --crf --data entities.tsv     # word<TAB>tag on each line
    python -m recipes.tag --tag "The bat flew out of the cave."
    python -m recipes.tag --from saved_models/mine --tag - < sentences.txt

`--tag` uses the file of `--from`, else that of the last run, else the published one,
and needs no training.

Writes to `saved_models/tag/`: `model.tflite` (signature `tag` and, where the model
reads forward, `step` for one word at a time; words, characters, tags and the card are
packed into it), `saved_model/`, `model.keras`, `report.json`, `report.html`,
`card.json`, `history.csv` and `confusion.png`; with `--web` also `web/`, a page.
"""

import sys

import kerasseq
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
from recipes.tag import data as tag_data
from recipes.tag import evaluate as tag_evaluate
from recipes.tag import model as tag_model
from recipes.tag import plots as tag_plots
from recipes.tag import use_file as tag_file


def define_flags():
    """The flags of this recipe."""
    flags = command_line.new_flags("tag", epochs=8, batch_size=32)
    tag_data.define_flags(flags)
    tag_model.define_flags(flags)
    quantization_flags.define_flags(flags, quantization_flags.WITH_LOOPS)
    tag_file.define_flags(flags)
    web_page.define_flags(flags)
    return flags


def check(flags):
    """Refuses flags that do not go together, before any work is done.

    Raises:
        ValueError: naming the flag.
    """
    tag_model.check(flags)
    optimizer_flags.check(flags)
    quantization_flags.check(flags, quantization_flags.WITH_LOOPS)
    web_page.check(flags)


def load_data(flags, run_dir):
    """Loads, numbers and batches the sentences."""
    del run_dir  # nothing about the data is kept
    return tag_data.load(flags)


def build_model(flags, data):
    """Builds and compiles the model."""
    model = tag_model.build(flags, data["features"], flags.arch)
    tag_model.compile_model(flags, model, len(data["train"]))
    print(f"model: {flags.arch}, {model.count_params():,} parameters")
    return model


def train(flags, model, data, run_dir):
    """Fits the model, resuming if asked; returns a `Training`."""
    return training_run.train(flags, model, data, run_dir, "val_accuracy", "max")


def evaluate(flags, model, data):
    """Tags the test sentences with Keras and the baselines, and scores them."""
    return tag_evaluate.evaluate(flags, model, data)


def export(flags, model, data, training, results, run_dir):
    """Exports, verifies on the test sentences, and publishes all files at once."""
    features = data["features"]
    with artifacts.artifact_dir(flags.output_dir) as folder:
        report = kerasseq.export.export_model(
            model,
            folder,
            **tag_evaluate.export_options(data),
            quantize=quantization_flags.options(flags),
            card={
                "task": "tag",
                "data": data["sentences"].name,
                "metrics": results["scores"],
                "training": training.facts,
            },
        )
        tag_evaluate.verify_all(data, results, report, folder)
        model.save(folder / "model.keras")
        artifacts.write(
            folder,
            report,
            flags=flags,
            recipe="tag",
            settings=data["settings"],
            history=training.history,
            warnings=results["warnings"],
            files={features.file_name: features.to_bytes()},
            samples=tag_evaluate.samples(data, results),
            pictures=tag_plots.draw(data, results, folder),
        )
        shown = [" ".join(words) for words, _ in data["sentences"].test]
        web_page.add(flags, "tag", folder, shown)
    return report


def main(flags):
    """Runs the whole job, or tags with its result."""
    if flags.tag is not None or flags["from"].value is not None:
        tag_file.use_file(flags)
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
        artifacts.print_folder(flags.output_dir)


if __name__ == "__main__":
    sys.exit(command_line.run(main, define_flags(), __doc__))
