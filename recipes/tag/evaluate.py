"""The test sentences of `recipes.tag`, in Keras and with each exported file."""

import collections
import time

import numpy as np

import kerasseq
from kerasseq.utils import optional
from recipes.shared import artifacts, chance
from recipes.tag import data as tag_data
from recipes.tag import model as tag_model

NUM_COMPARED = 20
NUM_SAMPLES = 10
NUM_STREAMED = 5


def evaluate(flags, model, data):
    """Tags the test sentences with Keras and with the baselines, and scores them.

    Args:
        flags: The flags of the recipe.
        model: The trained model.
        data: The loaded data.

    Returns:
        A dict: `tags`, a list of tags for each test sentence; `scores`; `baselines`,
        the scores of the most frequent tag of each word and of a network that sees
        each word on its own; and `warnings`.
    """
    tags = tag_all(model, data)
    found = {"scores": scores(data, tags), "tags": tags, "baselines": {}}
    print("Keras:", summary(found["scores"]))
    found["baselines"]["most_frequent"] = scores(data, most_frequent(data))
    if flags.per_word and flags.arch != tag_model.PER_WORD:
        per_word = tag_model.fit_per_word(flags, data)
        found["baselines"]["per_word"] = scores(data, tag_all(per_word, data))
    for name, row in found["baselines"].items():
        print(f"{name.replace('_', ' ')}:", summary(row))
        chosen = {key: row[key] for key in ("accuracy", "ambiguous_accuracy")}
        found["scores"] |= {f"{name}_{key}": x for key, x in chosen.items()}
    return found | {"warnings": _warnings(data, found)}


def _warnings(data, found):
    """Whether it does better than the most frequent tag of each word, as sentences."""
    score = found["scores"]["accuracy"]
    base = found["baselines"]["most_frequent"]["accuracy"]
    if score > base or base == 1:
        return []
    text = f"always the most frequent tag of each word, {base:.4f}"
    return [chance.no_better(f"an accuracy of {score:.4f}", text)]


def tag_all(model, data):
    """The tags of the test sentences, those of over-long ones cut off."""
    features, length = data["features"], data["length"]
    rows = [features.encode(words[:length], length) for words, _ in _test(data)]
    inputs = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
    outputs = model.predict(inputs, verbose=0)
    numbers = np.asarray(
        kerasseq.ops.best_path(outputs) if outputs.ndim == 4 else outputs.argmax(-1)
    )
    return [
        [features.tags[number] for number in row[: len(words)]]
        for row, (words, _) in zip(numbers, _test(data), strict=True)
    ]


def _test(data):
    return data["sentences"].test


def most_frequent(data):
    """The tags that each word had most often in training, of unknown ones any word."""
    counts = collections.defaultdict(collections.Counter)
    every = collections.Counter()
    for words, tags in data["sentences"].train:
        for word, tag in zip(words, tags, strict=True):
            counts[word][tag] += 1
            every[tag] += 1
    best = {word: found.most_common(1)[0][0] for word, found in counts.items()}
    fallback = every.most_common(1)[0][0]
    return [[best.get(word, fallback) for word in words] for words, _ in _test(data)]


def scores(data, predicted):
    """Scores the tags of the test sentences.

    Args:
        data: The loaded data.
        predicted: A list of tags for each sentence; a missing tag is wrong.

    Returns:
        A dict: `accuracy`; `ambiguous_accuracy`, of the words that have several tags
        in training; `unknown_accuracy`, of those that training does not have;
        `macro_f1` and `f1_by_tag`; and of BIO tags `span_f1`, exact boundaries and
        type. A score of no word is `None`.
    """
    from sklearn import metrics

    known = collections.defaultdict(set)
    for words, tags in data["sentences"].train:
        for word, tag in zip(words, tags, strict=True):
            known[word].add(tag)
    truth, found, kinds = [], [], []
    for (words, tags), row in zip(_test(data), predicted, strict=True):
        truth += tags
        found += [*row, *[""] * (len(tags) - len(row))]
        kinds += [len(known.get(word, ())) for word in words]
    truth, found, kinds = map(np.array, (truth, found, kinds))
    right, labels = truth == found, sorted({*truth})
    f1 = metrics.f1_score(truth, found, labels=labels, average=None, zero_division=0)
    return {
        "accuracy": float(right.mean()),
        "ambiguous_accuracy": _mean(right[kinds > 1]),
        "unknown_accuracy": _mean(right[kinds == 0]),
        "macro_f1": float(f1.mean()),
        "f1_by_tag": dict(zip(map(str, labels), f1.tolist(), strict=True)),
    } | _span_scores(_test(data), predicted)


def _mean(right):
    return float(right.mean()) if len(right) else None


def _span_scores(sentences, predicted):
    """F1 of whole spans, where the tags are of the form B-X, I-X and O."""
    tags = {tag for _, row in sentences for tag in row}
    kinds = {tag.partition("-")[0] for tag in tags}
    if not {"B"} < kinds <= {"B", "I", "E", "S", "O"}:
        return {}
    nervaluate = optional.import_module("nervaluate")
    rows = [
        [*row, *["O"] * (len(tags) - len(row))]
        for row, (_, tags) in zip(predicted, sentences, strict=True)
    ]
    types = sorted({tag[2:] for tag in tags if "-" in tag})
    truth = [tags for _, tags in sentences]
    found = nervaluate.Evaluator(truth, rows, tags=types, loader="list").evaluate()
    return {"span_f1": float(found["overall"]["strict"].f1)}


def summary(found):
    """One line about the scores."""
    names = ("accuracy", "ambiguous_accuracy", "unknown_accuracy", "macro_f1")
    names = [x for x in (*names, "span_f1") if found.get(x) is not None]
    return ", ".join(f"{name.replace('_', ' ')} {found[name]:.4f}" for name in names)


def export_options(data):
    """Signatures, samples and limits, as arguments of `export.export_model`."""
    features, length = data["features"], data["length"]
    compared = _test(data)[:NUM_COMPARED]
    rows = [features.encode(words[:length], length) for words, _ in compared]
    samples = [{name: x[None] for name, x in row.items()} for row in rows]
    return {
        "signatures": kerasseq.export.tagging_signatures(length, features.word_length),
        "samples": {"tag": samples},
        "min_token_agreement": 0.9,
        "main_signature": "tag",
    }


def verify_all(data, results, report, folder):
    """Tags the test sentences with each exported file and compares with Keras.

    Scores, agreement with Keras (the fraction of words with the same tag) and time go
    into the report, as each file's `metrics`.
    """
    for artifact in artifacts.tflite_entries(report):
        found, seconds = _run(folder / artifact["file"], data)
        pairs = list(zip(found, results["tags"], strict=True))
        same = [a == b for x, y in pairs for a, b in zip(x, y, strict=True)]
        metrics = scores(data, found) | {
            "agreement": float(np.mean(same)),
            "words_per_second": len(same) / seconds,
        }
        streamed = _streamed(folder / artifact["file"], data, found)
        artifact["metrics"] = metrics | streamed
        print(
            f"{artifact['file']}: {summary(metrics)}, tag as Keras' for "
            f"{metrics['agreement']:.4f} of the words, "
            f"{metrics['words_per_second']:,.0f} words per second"
        )
    main = report["artifacts"][0]["metrics"]
    report["artifacts"][0]["metrics"] = results["scores"] | main


def _run(path, data):
    """The tags of all test sentences, and the seconds that they took."""
    runner = kerasseq.lite.Runner(path)
    features, length = data["features"], data["length"]
    rows = [features.encode(words[:length], length) for words, _ in _test(data)]
    began = time.perf_counter()
    found = [
        runner.run("tag", **{name: x[None] for name, x in row.items()})["tags"][0]
        for row in rows
    ]
    seconds = time.perf_counter() - began
    tags = [
        [features.tags[number] for number in row[: len(words)]]
        for row, (words, _) in zip(found, _test(data), strict=True)
    ]
    return tags, seconds


def _streamed(path, data, found):
    """Whether word by word gives the same, where the file can do that.

    It is asked of the finished file, before words and tags are packed into it.
    """
    runner = kerasseq.lite.Runner(path)
    if "step" not in runner.signatures:
        return {}
    features, same = data["features"], []
    rows = zip(_test(data)[:NUM_STREAMED], found, strict=False)
    for (words, _), tags in rows:
        step = runner.stateful("step")
        for word, tag in zip(words, tags, strict=False):
            inputs = features.encode([word], 1)
            outputs = step(**{name: x[None] for name, x in inputs.items()})
            same.append(features.tags[outputs["tags"].item()] == tag)
    return {"words_streamed": len(same), "words_streamed_identical": int(sum(same))}


def samples(data, results):
    """The first test sentences, rows of the table of samples."""
    rows = zip(_test(data)[:NUM_SAMPLES], results["tags"], strict=False)
    return [
        {
            "sentence": " ".join(words),
            "tags": _shown(words, tags),
            "wrong": _shown(words, found, tags) or "none",
        }
        for (words, tags), found in rows
    ]


def _shown(words, tags, truth=None):
    """Words with their tags, only those that differ where the truth is given."""
    shown = zip(words, tags, truth or [None] * len(words), strict=False)
    return " ".join(f"{word}/{tag}" for word, tag, right in shown if tag != right)


def published_score(path, flags, num_rows=None):
    """Scores an exported file as an app would use it, on the first test sentences.

    Args:
        path: Path of the `.tflite` file.
        flags: The flags of the run that made it.
        num_rows: Number of sentences; all of them by default.

    Returns:
        A dict: `metric`, its `value`, and the `rows` that it was computed on.
    """
    tagger = kerasseq.lite.Tagger(path)
    sentences = tag_data.load_sentences(flags).test[:num_rows]
    right = [
        tag == truth
        for words, tags in sentences
        for (_, tag), truth in zip(tagger(words[: tagger.length]), tags, strict=False)
    ]
    return {
        "metric": "accuracy",
        "value": np.mean(right),
        "rows": len(sentences),
    }
