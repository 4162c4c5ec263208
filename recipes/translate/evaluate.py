"""The test split of `recipes.translate`, in Keras and with each exported file."""

import collections

import numpy as np

import kerasseq
from recipes.shared import artifacts, chance, searches
from recipes.translate import data as translate_data
from recipes.translate import scores as translate_scores

NUM_CHECKED = 200


def evaluate(flags, model, data):
    """Translates the test split under XLA with greedy and beam search, and scores it.

    Returns:
        A dict of `scores`, `warnings`, and for `greedy` and `beam` the search's
        results.
    """
    source, num_cut = translate_data.padded_sources(data)
    if num_cut:
        print(f"{num_cut} over-long test sentences cut")
    results = {"source": source}
    for name, beam_size in (("greedy", None), ("beam", flags.beam_size)):
        translator = kerasseq.decoding.Translator(
            model, translate_data.lengths(data)[1], beam_size, flags.length_penalty
        )
        results[name] = searches.predict(translator, source)
    tokens = searches.best(results["beam"])[0]
    results["scores"] = _scores(flags, data, tokens)
    results["warnings"] = _warnings(flags, data, tokens, results["scores"])
    print("Keras, beam search:", translate_scores.summary(results["scores"]))
    return results


def _scores(flags, data, tokens):
    hypotheses = translate_data.texts(data, tokens)
    references = translate_data.references(data)
    found = translate_scores.scores(hypotheses, references, flags.lowercase)
    unit = data["vocabularies"][1].unit
    return found | translate_scores.error_rates(hypotheses, references, unit)


def _warnings(flags, data, tokens, found):
    """Whether it does better than one translation for all, as sentences."""
    hypotheses = translate_data.texts(data, tokens)
    references = translate_data.references(data)
    if len(set(references)) > 1 and len(set(hypotheses)) == 1 < len(hypotheses):
        return [chance.constant("test sentences", hypotheses[0])]
    targets = collections.Counter(target for _, target in data["text"].train)
    common = targets.most_common(1)[0][0]
    always = [common] * len(references)
    rate = translate_scores.scores(always, references, flags.lowercase)["chrf"]
    if found["chrf"] > rate or rate == 100:
        return []
    score = f"a chrF of {found['chrf']:.2f}"
    return [chance.no_better(score, f"always {common!r}, {rate:.2f}")]


def verify_all(flags, data, results, report, folder):
    """Translates the test split with each file; scores go into the report."""
    for artifact in artifacts.tflite_entries(report):
        path = folder / artifact["file"]
        artifact["metrics"] = verify(flags, data, results, path)


def verify(flags, data, results, path):
    """Translates the test split with the exported file and compares with Keras.

    Returns:
        A dict of scores, agreement of the tokens, and near ties: the sentences whose
        translations differ, with the gap between the two scores.
    """
    verified, tokens = searches.compare(
        path, "source", results["source"], results, "sentence"
    )
    verified |= _scores(flags, data, tokens)
    print(f"{path.name}, beam search:", translate_scores.summary(verified))
    return verified


def samples(data, results, count):
    """The first test sentences, rows of the table of samples."""
    pairs = data["text"].test[:count]
    translations = translate_data.texts(data, results["beam"]["tokens"][:count, 0])
    return [
        {"source": source, "translation": translation, "reference": reference}
        for (source, reference), translation in zip(pairs, translations, strict=True)
    ]


def whole_sentences(data, results):
    """The test sentences that were not cut, a list."""
    whole = results["source"][:, -1] == kerasseq.data.PAD_ID
    pairs = zip(data["text"].test, whole, strict=True)
    return [source for (source, _), fits in pairs if fits]


def published_score(path, flags, num_rows=NUM_CHECKED):
    """Scores an exported file as an app would use it, on the first test sentences.

    Args:
        path: Path of the `.tflite` file.
        flags: The flags of the run that made it.
        num_rows: Number of sentences.

    Returns:
        A dict: `metric`, its `value`, and the `rows` that it was computed on.
    """
    translator = kerasseq.lite.Translator(path)
    pairs = translate_data.load_text(flags).test[:num_rows]
    normalize = translator.target.normalize
    right = [translator(source)[0][0] == normalize(target) for source, target in pairs]
    return {"metric": "exact_match", "value": np.mean(right), "rows": len(right)}
