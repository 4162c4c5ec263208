"""The test split of `recipes.translate`, in Keras and with each exported file."""

import time

import numpy as np

import kerasseq
from recipes.translate import data as translate_data
from recipes.translate import scores as translation_scores

TRANSLATE_BATCH = 50
MOST_TIES = 3


def evaluate(flags, model, data):
    """Translates the test split under XLA with greedy and beam search, and scores it.

    Returns:
        A dict of `scores`, and for `greedy` and `beam` the search's results.
    """
    source, num_cut = translate_data.padded_sources(flags, data)
    if num_cut:
        print(f"{num_cut} over-long test sentences cut")
    results = {"source": source}
    for name, beam_size in (("greedy", None), ("beam", flags.beam_size)):
        translator = kerasseq.decoding.Translator(
            model, translate_data.lengths(data)[1], beam_size, flags.length_penalty
        )
        results[name] = _predict(translator, source)
    results["scores"] = _scores(flags, data, _best(results["beam"])[0])
    print("Keras, beam search:", translation_scores.summary(results["scores"]))
    return results


def _scores(flags, data, tokens):
    references = [target for _, target in data["text"].test]
    hypotheses = translate_data.texts(data, tokens)
    return translation_scores.scores(hypotheses, references, flags.lowercase)


def _predict(translator, source):
    """`predict` in batches of one size, so that XLA compiles once."""
    missing = -len(source) % TRANSLATE_BATCH
    source = np.concatenate([source, np.repeat(source[-1:], missing, axis=0)])
    outputs = translator.predict(source, batch_size=TRANSLATE_BATCH, verbose=0)
    return {name: x[: len(x) - missing] for name, x in outputs.items()}


def verify_all(flags, data, results, report, folder):
    """Translates the test split with each file; scores go into the report."""
    for artifact in report["artifacts"]:
        if artifact["file"].endswith(".tflite"):
            path = folder / artifact["file"]
            artifact["metrics"] = verify(flags, data, results, path)


def verify(flags, data, results, path):
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
        for tie in ties[:MOST_TIES]:
            print(f"  sentence {tie['sentence']} differs, score gap {tie['gap']:.2e}")
    verified |= _scores(flags, data, found[0])
    print(f"{path.name}, beam search:", translation_scores.summary(verified))
    return verified


def _best(result):
    """Tokens and scores of the best hypotheses."""
    tokens, scores = result["tokens"], result["scores"]
    return (tokens[:, 0], scores[:, 0]) if tokens.ndim == 3 else (tokens, scores)
