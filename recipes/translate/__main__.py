"""Train an attention translator, export it whole, translate with the exported file.

What: recurrent encoder and attention decoder (`kerasseq.models.seq2seq`), or a
Transformer with `--arch transformer`; SentencePiece subwords, or words or characters
with `--tokenizer`; beam search inside the exported file. Time: 3 minutes on two CPU
cores for the embedded phrases. Score: an exact match of 0.99 on unseen ones. Size:
3.0 MB, vocabulary included.

    python -m recipes.translate                     # English to German phrases
    python -m recipes.translate --translate "Thursday, May 4, 1995"
    python -m recipes.translate --data train.en,train.de \\
        --validation_data val.en,val.de --test_data test.en,test.de
    python -m recipes.translate --data sounds.tsv --tokenizer character,word
    echo "Ein Satz." | python -m recipes.translate --translate - --num_best 3

`--translate` uses the file of `--from`, else that of the last run, else the published
one, and needs no training.

Writes to `saved_models/translate/`: `model.tflite` (signatures `encode`, `step`,
`greedy`, `beam`; vocabulary and card are packed into it), `saved_model/`,
`model.keras`, `report.json`, `report.html`, `card.json`, `history.csv` and
`attention_*.png`; with `--web` also `web/`, a page that translates in a browser.
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
from recipes.translate import data as translate_data
from recipes.translate import evaluate as translate_evaluate
from recipes.translate import model as translate_model
from recipes.translate import plots as translate_plots
from recipes.translate import signatures as translate_signatures
from recipes.translate import use_file as translate_file

NUM_SHOWN = 3


def define_flags():
    """The flags of this recipe."""
    flags = command_line.new_flags("translate", epochs=15, batch_size=32)
    translate_data.define_flags(flags)
    translate_model.define_flags(flags)
    quantization_flags.define_flags(flags, quantization_flags.WITH_LOOPS)
    translate_file.define_flags(flags)
    web_page.define_flags(flags)
    return flags


def check(flags):
    """Refuses flags that do not go together, before any work is done.

    Raises:
        ValueError: naming the flag.
    """
    translate_data.check(flags)
    translate_model.check(flags)
    optimizer_flags.check(flags)
    quantization_flags.check(flags, quantization_flags.WITH_LOOPS)
    web_page.check(flags)


def load_data(flags, run_dir):
    """Loads, tokenizes and batches the sentences."""
    return translate_data.load(flags, run_dir)


def build_model(flags, data):
    """Builds and compiles the model."""
    model = translate_model.build(
        flags, data["vocabularies"], translate_data.lengths(data)
    )
    translate_model.compile_model(flags, model, len(data["train"]))
    print(f"model: {model.count_params():,} parameters")
    return model


def train(flags, model, data, run_dir):
    """Fits the model, resuming if asked; returns a `Training`."""
    count = flags.average_checkpoints
    return training_run.train(
        flags, model, data, run_dir, "val_cross_entropy", average_checkpoints=count
    )


def evaluate(flags, model, data):
    """Translates the test split with Keras, and scores it."""
    return translate_evaluate.evaluate(flags, model, data)


def export(flags, model, data, training, results, run_dir):
    """Exports, verifies on the whole test split, and publishes all files at once."""
    with artifacts.artifact_dir(flags.output_dir) as folder:
        report = kerasseq.export.export_model(
            model,
            folder,
            **translate_signatures.export_options(flags, model, data, results),
            quantize=quantization_flags.options(flags),
            card={
                "task": "translate",
                "data": data["text"].name,
                "metrics": results["scores"],
                "training": training.facts,
            },
        )
        translate_evaluate.verify_all(flags, data, results, report, folder)
        model.save(folder / "model.keras")
        shown = results["source"][:NUM_SHOWN]
        artifacts.write(
            folder,
            report,
            flags=flags,
            recipe="translate",
            settings=data["settings"],
            history=training.history,
            warnings=results["warnings"],
            files=translate_data.app_files(data),
            samples=translate_evaluate.samples(data, results, 10),
            pictures=translate_plots.draw_attention(model, data, shown, folder),
        )
        sentences = translate_evaluate.whole_sentences(data, results)
        web_page.add(flags, "translate", folder, sentences)
    return report


def main(flags):
    """Runs the whole job, or translates with its result."""
    if flags.translate is not None or flags["from"].value is not None:
        translate_file.use_file(flags)
        return
    translate_model.apply_defaults(flags)
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
        translate_file.print_samples(flags.output_dir, data["text"].test[:NUM_SHOWN])
        artifacts.print_folder(flags.output_dir)


if __name__ == "__main__":
    sys.exit(command_line.run(main, define_flags(), __doc__))
