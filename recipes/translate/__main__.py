"""Train an attention translator, export it whole, translate with the exported file.

What: recurrent encoder and attention decoder (`kerasseq.models.seq2seq`), SentencePiece
subwords, beam search inside the exported file. On two CPU cores the embedded phrases
take 9 minutes and reach an exact match of 0.99 on unseen ones, in a file of 2.7 MB;
`saved_models/` holds the cards of the best runs, on Multi30k too.

    python -m recipes.translate                     # English to German phrases
    python -m recipes.translate --translate "Thursday, May 4, 1995"
    python -m recipes.translate --data train.en,train.de \\
        --validation_data val.en,val.de --test_data test.en,test.de
    echo "Ein Satz." | python -m recipes.translate --translate - --from DIR --nbest 3

Writes to `saved_models/translate/`: `model.tflite` (signatures `encode`, `step`,
`greedy`, `beam`), `saved_model/`, `model.keras`, `subwords.model` and
`vocabulary.json` for the phone, `report.json`, `report.html`, `card.json`,
`history.csv` and `attention_*.png`; with `--web` also `web/`, a page that translates in
a browser.
"""

import os
import shutil
import sys

import numpy as np

import kerasseq
from recipes.shared import (
    artifacts,
    command_line,
    optimizer_flags,
    quantization_flags,
    training_run,
    web_page,
)
from recipes.translate import data as translate_data
from recipes.translate import evaluate as translate_evaluation
from recipes.translate import model as translate_model
from recipes.translate import plots as attention_picture
from recipes.translate import use_file as translate_file

NUM_SHOWN = 3


def define_flags():
    """The flags of this recipe."""
    flags = command_line.new_flags("translate", epochs=15, batch_size=32)
    define = command_line.definer(flags)
    define("string", "validation_data", None, "Like --data; else a part of it.")
    define("string", "test_data", None, "Like --data; else a part of it.")
    define("string", "source_locale", "en", "Locale of the synthetic source.")
    define("string", "target_locale", "de", "Locale of the synthetic target.")
    define("integer", "num_examples", 24000, "Synthetic examples.", lower_bound=100)
    define("bool", "lowercase", False, "Lower-case both sides.")
    define("integer", "vocab_size", 1000, "Subwords of both languages together.")
    define("integer", "max_length", 64, "Subwords at most.", lower_bound=4)
    define("integer", "buckets", 3, "Length buckets at most.", lower_bound=1)
    text = "Tokens of a batch, padding counted, in place of --batch_size."
    define("integer", "batch_tokens", None, text, lower_bound=1)
    translate_model.define_flags(flags)
    quantization_flags.define_flags(flags, quantization_flags.WITH_LOOPS)
    define("integer", "beam_size", 4, "Hypotheses of beam search.", lower_bound=1)
    define("float", "length_penalty", 0.6, "Exponent of Wu et al. (2016).")
    define("string", "translate", None, "Only translate: a sentence, or - for stdin.")
    define("string", "from", None, "Folder of the exported model to translate with.")
    define("integer", "nbest", 1, "Translations shown for a sentence.", lower_bound=1)
    web_page.define_flags(flags)
    return flags


def build_model(flags, data):
    """Builds and compiles the model."""
    model = translate_model.build(
        flags, data["tokenizer"].vocabulary_size(), translate_data.lengths(data)
    )
    translate_model.compile_model(flags, model, len(data["train"]))
    print(f"model: {model.count_params():,} parameters")
    return model


def export(flags, model, data, training, results, run_dir):
    """Exports, verifies on the whole test split, and publishes all files at once."""
    source_length, target_length = translate_data.lengths(data)

    def signatures(twin):
        return kerasseq.decoding.translation_signatures(
            twin,
            source_length,
            target_length,
            flags.beam_size,
            flags.length_penalty,
        )

    samples = [{"source": row[None]} for row in results["source"][:20]]
    with artifacts.artifact_dir(flags.output_dir) as folder:
        report = kerasseq.export.export_model(
            model,
            folder,
            signatures=signatures,
            samples={name: samples for name in ("encode", "greedy", "beam")}
            | {"step": _step_samples(signatures(model), results["source"][:3])},
            quantize=flags.quantize,
            card={
                "task": "translate",
                "data": data["text"].name,
                "metrics": results["scores"],
                "training": training,
            },
            min_token_agreement=0.9,
            main_signature="greedy",
        )
        translate_evaluation.verify_all(flags, data, results, report, folder)
        model.save(folder / "model.keras")
        for name in ("subwords.model", "history.csv"):
            shutil.copy(run_dir / name, folder)
        kerasseq.data.save_vocabulary(
            data["tokenizer"], folder / "vocabulary.json", lowercase=flags.lowercase
        )
        pictures = draw_attention(model, data, results["source"][:NUM_SHOWN], folder)
        artifacts.write_report(
            folder,
            report,
            "recipes.translate",
            data["settings"],
            _samples(data, results, 10),
            pictures,
        )
        web_page.add(flags, "translate", folder, _page_samples(data, results))
    return report


def _step_samples(signatures, source):
    """Inputs of `step` as they occur: the state after the start token."""
    encode, _ = signatures["encode"]
    start = {"token": np.array([kerasseq.data.START_ID], "int32")}
    encoded = [encode(source=row[None]) for row in source]
    return [
        start | {name: _numpy(x) for name, x in tensors.items()} for tensors in encoded
    ]


def _numpy(tensor):
    """An array; float32 in place of half precision, which a file does not take."""
    array = np.asarray(tensor)
    return array if array.dtype == "int32" else array.astype("float32")


def _samples(data, results, count):
    pairs = data["text"].test[:count]
    translations = translate_data.texts(data, results["beam"]["tokens"][:count, 0])
    return [
        {"source": source, "translation": translation, "reference": reference}
        for (source, reference), translation in zip(pairs, translations, strict=True)
    ]


def _page_samples(data, results):
    """Test sentences that are not cut."""
    whole = results["source"][:, -1] == kerasseq.data.PAD_ID
    pairs = zip(data["text"].test, whole, strict=True)
    return [source for (source, _), fits in pairs if fits]


def draw_attention(model, data, source, folder):
    """Draws the attention of a few greedy translations; returns the files' names."""
    translator = kerasseq.decoding.Translator(
        model, translate_data.lengths(data)[1], return_attention=True
    )
    return attention_picture.draw_all(translator, data["tokenizer"], source, folder)


def main(flags):
    """Runs the whole job, or translates with its result."""
    if flags.translate is not None or flags["from"].value is not None:
        translate_file.use_file(flags)
        return
    translate_model.apply_defaults(flags)
    optimizer_flags.check(flags)
    quantization_flags.check(flags, quantization_flags.WITH_LOOPS)
    web_page.check(flags)
    command_line.prepare(flags)
    run_dir = command_line.make_folder(os.path.join(flags.output_dir, "run"))
    data = translate_data.load_data(flags, run_dir)
    model = build_model(flags, data)
    number = flags.average_checkpoints
    training = training_run.train(
        flags, model, data, run_dir, "val_cross_entropy", average_checkpoints=number
    )
    results = translate_evaluation.evaluate(flags, model, data)
    if command_line.backend() != "tensorflow":
        artifacts.save_for_tensorflow(flags, model)
        return
    export(flags, model, data, training, results, run_dir)
    print_samples(flags, data)
    artifacts.print_folder(flags.output_dir)


def print_samples(flags, data):
    """Prints translations made with the exported file."""
    translator = translate_file.FileTranslator(flags.output_dir)
    print("\nTranslated with model.tflite alone:")
    for source, target in data["text"].test[:NUM_SHOWN]:
        print(f"  source      {source}")
        print(f"  translation {translator(source)[0][0]}")
        print(f"  reference   {target}")


if __name__ == "__main__":
    sys.exit(command_line.run(main, define_flags(), __doc__))
