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
import time

import numpy as np

import kerasseq
from recipes import (
    attention_picture,
    common,
    publishing,
    quantised,
    remedies,
    training_run,
    translate_file,
    translate_model,
    translation_scores,
    web_page,
)

# Flags that may differ when a run is resumed.
FREE_FLAGS = ("validation_data", "test_data", "translate", "from", "nbest")
FREE_FLAGS += ("beam_size", "length_penalty", "quantize")
TRANSLATE_BATCH = 50
NUM_SHOWN = 3


def define_flags():
    """The flags of this recipe."""
    values = common.new_flags("translate", epochs=15, batch_size=32)
    define = common.definer(values)
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
    translate_model.define_flags(values)
    quantised.define_flags(values, quantised.WITH_LOOPS)
    define("integer", "beam_size", 4, "Hypotheses of beam search.", lower_bound=1)
    define("float", "length_penalty", 0.6, "Exponent of Wu et al. (2016).")
    define("string", "translate", None, "Only translate: a sentence, or - for stdin.")
    define("string", "from", None, "Folder of the exported model to translate with.")
    define("integer", "nbest", 1, "Translations shown for a sentence.", lower_bound=1)
    web_page.define_flags(values)
    return values


def load_data(values, run_dir):
    """Loads, tokenizes and batches the data.

    Returns:
        A dict: `text` (a `ParallelText`), `tokenizer`, `train`, `validation`
        (batches), and `settings`, what a resumed run must share.
    """
    data = kerasseq.data
    text = data.load_parallel_text(
        values.data,
        validation_data=values.validation_data,
        test_data=values.test_data,
        data_dir=values.data_dir,
        source_locale=values.source_locale,
        target_locale=values.target_locale,
        num_examples=values.num_examples,
        seed=values.seed,
        lowercase=values.lowercase,
    )
    print(f"data: {text.name}, {text.num_empty} empty pairs left out")
    subwords = run_dir / "subwords.model"
    if values.resume and subwords.exists():
        tokenizer = data.load_subwords(subwords)
    else:
        sentences = (sentence for pair in text.train for sentence in pair)
        tokenizer = data.train_subwords(sentences, values.vocab_size, subwords)
        (run_dir / "state.npz").unlink(missing_ok=True)  # of an earlier run
    train, validation = (
        _encoded(tokenizer, pairs) for pairs in (text.train, text.validation)
    )
    buckets = data.choose_buckets(train, values.buckets, values.max_length)
    size = {"batch_size": values.batch_size}
    if values.batch_tokens is not None:
        size = {"batch_tokens": values.batch_tokens}
    batches = {
        "train": data.BucketedPairs(train, buckets, seed=values.seed, **size),
        "validation": data.BucketedPairs(validation, buckets, shuffle=False, **size),
    }
    for name, part in batches.items():
        print(
            f"{name}: {part.num_pairs} pairs in buckets {part.shapes}, "
            f"{part.num_dropped} over-long pairs dropped"
        )
    print(f"test: {len(text.test)} pairs")
    contents = [repr([text.train, text.validation]).encode()]
    free = (*FREE_FLAGS, *translate_model.free_flags(values))
    settings = training_run.fingerprint(values, contents, free)
    return {"text": text, "tokenizer": tokenizer, "settings": settings} | batches


def _encoded(tokenizer, pairs):
    sides = zip(*pairs, strict=True)
    encode = kerasseq.data.encode_sentences
    return list(zip(*(encode(tokenizer, side) for side in sides), strict=True))


def build_model(values, data):
    """Builds and compiles the model."""
    model = translate_model.build(
        values, data["tokenizer"].vocabulary_size(), _lengths(data)
    )
    translate_model.compile_model(values, model, len(data["train"]))
    print(f"model: {model.count_params():,} parameters")
    return model


def train(values, model, data, run_dir):
    """Fits the model, resuming if asked; returns facts for the report."""
    return training_run.train(
        values,
        model,
        data["train"],
        data["validation"],
        run_dir,
        data["settings"],
        monitor="val_cross_entropy",
        average_checkpoints=values.average_checkpoints,
    )


def evaluate(values, model, data):
    """Translates the test split under XLA with greedy and beam search, and scores it.

    Returns:
        A dict of `scores`, and for `greedy` and `beam` the search's results.
    """
    source, num_cut = _padded_sources(values, data)
    if num_cut:
        print(f"{num_cut} over-long test sentences cut")
    results = {"source": source}
    for name, beam_size in (("greedy", None), ("beam", values.beam_size)):
        translator = kerasseq.decoding.Translator(
            model, _lengths(data)[1], beam_size, values.length_penalty
        )
        results[name] = _predict(translator, source)
    results["scores"] = _scores(values, data, _best(results["beam"])[0])
    print("Keras, beam search:", translation_scores.summary(results["scores"]))
    return results


def _scores(values, data, tokens):
    references = [target for _, target in data["text"].test]
    hypotheses = _texts(data, tokens)
    return translation_scores.scores(hypotheses, references, values.lowercase)


def _lengths(data):
    """The longest bucket: source and target length."""
    return data["train"].buckets[-1]


def _padded_sources(values, data):
    length = _lengths(data)[0]
    sources = [source for source, _ in data["text"].test]
    ids = kerasseq.data.encode_sentences(data["tokenizer"], sources)
    padded = np.zeros((len(ids), length), "int32")
    for row, sentence in zip(padded, ids, strict=True):
        kept = [*sentence[: length - 1], kerasseq.data.END_ID]
        row[: len(kept)] = kept
    return padded, sum(len(sentence) >= length for sentence in ids)


def _predict(translator, source):
    """`predict` in batches of one size, so that XLA compiles once."""
    missing = -len(source) % TRANSLATE_BATCH
    source = np.concatenate([source, np.repeat(source[-1:], missing, axis=0)])
    outputs = translator.predict(source, batch_size=TRANSLATE_BATCH, verbose=0)
    return {name: x[: len(x) - missing] for name, x in outputs.items()}


def _texts(data, tokens):
    return kerasseq.data.decode_ids(data["tokenizer"], tokens)


def export(values, model, data, training, results, run_dir):
    """Exports, verifies on the whole test split, and publishes all files at once."""
    source_length, target_length = _lengths(data)

    def signatures(twin):
        return kerasseq.decoding.translation_signatures(
            twin,
            source_length,
            target_length,
            values.beam_size,
            values.length_penalty,
        )

    samples = [{"source": row[None]} for row in results["source"][:20]]
    with publishing.published(values.output_dir) as folder:
        report = kerasseq.export.export_model(
            model,
            folder,
            signatures=signatures,
            samples={name: samples for name in ("encode", "greedy", "beam")}
            | {"step": _step_samples(signatures(model), results["source"][:3])},
            quantize=tuple(values.quantize),
            task="translate",
            data=data["text"].name,
            metrics=results["scores"],
            training=training,
            min_token_agreement=0.9,
            main_signature="greedy",
        )
        for artefact in report["artefacts"]:
            if artefact["file"].endswith(".tflite"):
                path = folder / artefact["file"]
                artefact["metrics"] = verify(values, data, results, path)
        model.save(folder / "model.keras")
        for name in ("subwords.model", "history.csv"):
            shutil.copy(run_dir / name, folder)
        kerasseq.data.save_vocabulary(
            data["tokenizer"], folder / "vocabulary.json", lowercase=values.lowercase
        )
        pictures = draw_attention(model, data, results["source"][:NUM_SHOWN], folder)
        publishing.write_report(
            folder,
            report,
            "recipes.translate",
            data["settings"],
            _samples(data, results, 10),
            pictures,
        )
        web_page.add(values, "translate", folder, _page_samples(data, results))
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


def verify(values, data, results, path):
    """Translates the test split with the exported file and compares with Keras.

    Returns:
        A dict of scores, agreement of the tokens, and near ties: the sentences whose
        translations differ, with the gap between the two scores.
    """
    runner = kerasseq.lite.Runner(path)
    verified = {}
    for name in ("greedy", "beam"):
        began = time.perf_counter()
        rows = [runner.run(name, source=row[None]) for row in results["source"]]
        seconds = time.perf_counter() - began
        found = _best({key: np.concatenate([r[key] for r in rows]) for key in rows[0]})
        identical, ties = translation_scores.agreement(_best(results[name]), found)
        verified |= {
            f"{name}_ms_per_sentence": 1e3 * seconds / len(rows),
            f"{name}_identical": identical,
            f"{name}_near_ties": ties,
        }
        print(
            f"{path.name}, {name}: {identical} of {len(rows)} translations as Keras', "
            f"{verified[f'{name}_ms_per_sentence']:.2f} ms each"
        )
        for tie in ties[:NUM_SHOWN]:
            print(f"  sentence {tie['sentence']} differs, score gap {tie['gap']:.2e}")
    verified |= _scores(values, data, found[0])
    print(f"{path.name}, beam search:", translation_scores.summary(verified))
    return verified


def _best(result):
    """Tokens and scores of the best hypotheses."""
    tokens, scores = result["tokens"], result["scores"]
    return (tokens[:, 0], scores[:, 0]) if tokens.ndim == 3 else (tokens, scores)


def _samples(data, results, count):
    pairs = data["text"].test[:count]
    translations = _texts(data, results["beam"]["tokens"][:count, 0])
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
        model, _lengths(data)[1], return_attention=True
    )
    return attention_picture.draw_all(translator, data["tokenizer"], source, folder)


def main(values):
    """Runs the whole job, or translates with its result."""
    if values.translate is not None or values["from"].value is not None:
        translate_file.use_file(values)
        return
    translate_model.settle(values)
    remedies.check(values)
    quantised.check(values, quantised.WITH_LOOPS)
    web_page.check(values)
    common.prepare(values)
    run_dir = common.make_folder(os.path.join(values.output_dir, "run"))
    data = load_data(values, run_dir)
    model = build_model(values, data)
    training = train(values, model, data, run_dir)
    results = evaluate(values, model, data)
    if common.backend() != "tensorflow":
        publishing.save_for_tensorflow(values, model)
        return
    export(values, model, data, training, results, run_dir)
    print_samples(values, data)
    publishing.print_folder(values.output_dir)


def print_samples(values, data):
    """Prints translations made with the exported file."""
    translator = translate_file.FileTranslator(values.output_dir)
    print("\nTranslated with model.tflite alone:")
    for source, target in data["text"].test[:NUM_SHOWN]:
        print(f"  source      {source}")
        print(f"  translation {translator(source)[0][0]}")
        print(f"  reference   {target}")


if __name__ == "__main__":
    sys.exit(common.run(main, define_flags(), __doc__))
