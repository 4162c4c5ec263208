"""The test split of `recipes.classify_text`, in Keras and with each exported file."""

import time

import numpy as np

import kerasseq
from recipes.classify_text import bag_of_words
from recipes.classify_text import data as classify_text_data
from recipes.shared import artifacts, chance, class_scores

BATCH = 64
NUM_CHECKED = 1000


def evaluate(flags, model, data):
    """Classifies the test split with Keras, and scores it.

    Returns:
        A dict: `tokens` of the test texts, `probabilities` and `uncalibrated` ones,
        `(num, num_classes)`, `scores`, `temperature` and `warnings`.
    """
    texts = data["texts"]
    tokens = classify_text_data.padded(data, texts.test[0])
    logits = predict(model, tokens)
    temperature = _temperature(model, data) if flags.calibrate else 1.0
    probabilities, raw = _softmax(logits / temperature), _softmax(logits)
    found = _scores_of(texts, probabilities)
    print("Keras:", class_scores.summary(found))
    if flags.calibrate:
        before = _scores_of(texts, raw)["calibration_error"]
        found |= {"temperature": temperature, "calibration_error_before": before}
        print(f"temperature {temperature:.3f}, calibration error before {before:.4f}")
    found["bag_of_words_accuracy"] = bag_of_words.accuracy(data)
    print(f"bag of words beside it: accuracy {found['bag_of_words_accuracy']:.4f}")
    predicted = probabilities.argmax(axis=1)
    return {
        "tokens": tokens,
        "probabilities": probabilities,
        "uncalibrated": raw,
        "scores": found,
        "temperature": temperature,
        "warnings": chance.of_classes(texts.test[1], predicted, texts.class_names),
    }


def _softmax(logits):
    from scipy import special

    return special.softmax(logits, axis=-1)


def _temperature(model, data):
    """Of the validation split; 1 if all of it is right: lower would seem better."""
    texts, labels = data["texts"].validation
    logits = predict(model, classify_text_data.padded(data, texts))
    if np.all(logits.argmax(axis=1) == labels):
        return 1.0
    return kerasseq.training.fit_temperature(labels, logits)


def predict(model, tokens):
    """Logits in batches of one size, so that XLA compiles once."""
    fill = -len(tokens) % BATCH
    rows = np.concatenate([tokens, np.repeat(tokens[-1:], fill, axis=0)])
    found = model.predict(rows, batch_size=BATCH, verbose=0)
    return found[: len(tokens)].astype("float32")


def _scores_of(texts, probabilities):
    return class_scores.scores(texts.test[1], probabilities, texts.class_names)


def verify_all(data, results, report, folder):
    """Classifies the test split with each exported file and compares with Keras.

    Scores, agreement with Keras (the fraction of texts with the same class) and time
    go into the report, as each file's `metrics`.
    """
    expected = results["probabilities"].argmax(axis=1)
    for artifact in artifacts.tflite_entries(report):
        found, latency = _run(folder / artifact["file"], results["tokens"])
        agreement = float(np.mean(found.argmax(axis=1) == expected))
        artifact["metrics"] = _scores_of(data["texts"], found)
        artifact["metrics"] |= {"agreement": agreement, "ms_per_text": latency}
        print(
            f"{artifact['file']}: accuracy {artifact['metrics']['accuracy']:.4f}, "
            f"class as Keras' on {agreement:.4f} of the test texts, "
            f"{latency:.2f} ms each"
        )


def _run(path, tokens):
    """Probabilities of all texts, and the milliseconds per text."""
    runner = kerasseq.lite.Runner(path)
    began = time.perf_counter()
    rows = [runner.run("serve", tokens=row[None]) for row in tokens]
    seconds = time.perf_counter() - began
    found = np.concatenate([row["probabilities"] for row in rows])
    return found, 1e3 * seconds / len(rows)


def samples(data, results, importance, count):
    """The first texts of the test split, rows of the table of samples."""
    texts = data["texts"]
    rows = zip(*texts.test, results["probabilities"], importance, strict=False)
    return [
        {
            "text": text[:300],
            "truth": texts.class_names[label],
            "prediction": texts.class_names[row.argmax()],
            "probability": float(row.max()),
            "words that count most": ", ".join(_strongest(data, text, weights)),
        }
        for text, label, row, weights in list(rows)[:count]
    ]


def _strongest(data, text, weights, count=3):
    words = data["vocabulary"].split(text)[: data["length"]]
    order = np.argsort(-np.abs(weights[: len(words)]), kind="stable")[:count]
    return [f"{words[i]} {weights[i]:+.2f}" for i in order]


def published_score(path, flags, num_rows=NUM_CHECKED):
    """Scores an exported file as an app would use it, on the first test texts.

    Args:
        path: Path of the `.tflite` file.
        flags: The flags of the run that made it.
        num_rows: Number of texts.

    Returns:
        A dict: `metric`, its `value`, and the `rows` that it was computed on.
    """
    classifier = kerasseq.lite.TextClassifier(path)
    texts, labels = classify_text_data.load_texts(flags).test
    rows = zip(texts[:num_rows], labels[:num_rows], strict=True)
    right = [classifier(text).argmax() == label for text, label in rows]
    return {"metric": "accuracy", "value": np.mean(right), "rows": len(right)}
