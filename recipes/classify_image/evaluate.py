"""The test split of `recipes.classify_image`, in Keras and with each exported file."""

import time

import numpy as np

import kerasseq
from recipes.classify_image import data as classify_image_data
from recipes.shared import artifacts, chance

TOP = 5


def evaluate(flags, model, data):
    """Classifies the test split with Keras, and scores it.

    Returns:
        A dict: `probabilities` `(num, num_classes)`, `scores`, `temperature` and
        `warnings`.
    """
    from scipy import special

    images = data["images"]
    logits = _logits(model, data, "test")
    temperature = 1.0
    if flags.calibrate:
        temperature = kerasseq.training.fit_temperature(
            images.validation[1], _logits(model, data, "validation")
        )
    probabilities = special.softmax(logits / temperature, axis=-1)
    found = _scores_of(images, probabilities)
    print("Keras:", summary(found))
    if flags.calibrate:
        raw = _scores_of(images, special.softmax(logits, axis=-1))
        before = raw["calibration_error"]
        found |= {"temperature": temperature, "calibration_error_before": before}
        print(f"temperature {temperature:.3f}, calibration error before {before:.4f}")
    return {
        "probabilities": probabilities,
        "scores": found,
        "temperature": temperature,
        "warnings": chance.of_classes(
            images.test[1], probabilities.argmax(axis=1), images.class_names
        ),
    }


def _logits(model, data, split):
    images = getattr(data["images"], split)[0]
    found = model.predict(data[split], verbose=0)[: len(images)]
    return found.astype("float32")


def _scores_of(images, probabilities):
    return scores(images.test[1], probabilities, images.class_names)


def verify_all(images, results, report, folder):
    """Classifies the test split with each exported file and compares with Keras.

    Scores, agreement with Keras (the fraction of images with the same class) and time
    go into the report, as each file's `metrics`.
    """
    expected = results["probabilities"].argmax(axis=1)
    for artifact in artifacts.tflite_entries(report):
        found, latency = _run(folder / artifact["file"], images.test[0])
        agreement = float(np.mean(found.argmax(axis=1) == expected))
        artifact["metrics"] = _scores_of(images, found)
        artifact["metrics"] |= {"agreement": agreement, "ms_per_image": latency}
        print(
            f"{artifact['file']}: accuracy {artifact['metrics']['accuracy']:.4f}, "
            f"class as Keras' on {agreement:.4f} of the test images, "
            f"{latency:.2f} ms each"
        )


def _run(path, images):
    """Probabilities of all images, and the milliseconds per image."""
    runner = kerasseq.lite.Runner(path)
    began = time.perf_counter()
    rows = [runner.run("serve", image=row[None]) for row in images]
    seconds = time.perf_counter() - began
    found = np.concatenate([row["probabilities"] for row in rows])
    return found, 1e3 * seconds / len(rows)


def published_score(path, flags, num_rows=None):
    """Scores an exported file as an app would use it, on the first test images.

    Args:
        path: Path of the `.tflite` file.
        flags: The flags of the run that made it.
        num_rows: Number of images; all of them by default.

    Returns:
        A dict: `metric`, its `value`, and the `rows` that it was computed on.
    """
    classifier = kerasseq.lite.ImageClassifier(path)
    size = tuple(classifier.input_shape[:2])
    images, labels = classify_image_data.load_images(flags, image_size=size).test
    rows = zip(images[:num_rows], labels[:num_rows], strict=True)
    right = [classifier(image).argmax() == label for image, label in rows]
    return {"metric": "accuracy", "value": np.mean(right), "rows": len(right)}


def scores(labels, probabilities, class_names):
    """Scores class probabilities.

    Args:
        labels: The true classes, int array `(num,)`.
        probabilities: Float array `(num, num_classes)`.
        class_names: List of the classes' names.

    Returns:
        A dict: `accuracy`; `top_5_accuracy` where there are more than five classes;
        `macro_f1`, the mean of the classes' F1; `cross_entropy` in nats;
        `calibration_error`, see `kerasseq.training.ExpectedCalibrationError`; and
        `recall_by_class`, which fraction of each class was found.
    """
    from sklearn import metrics

    predicted = probabilities.argmax(axis=1)
    classes = range(len(class_names))
    options = {"labels": classes, "average": None, "zero_division": 0}
    recalls = metrics.recall_score(labels, predicted, **options)
    of_labels = probabilities[np.arange(len(labels)), labels]
    found = {"accuracy": float(np.mean(predicted == labels))}
    if len(class_names) > TOP:
        best = np.argsort(-probabilities, axis=1, kind="stable")[:, :TOP]
        found[f"top_{TOP}_accuracy"] = float(np.mean(np.any(best.T == labels, axis=0)))
    return found | {
        "macro_f1": float(metrics.f1_score(labels, predicted, **options).mean()),
        "cross_entropy": float(-_log(of_labels).mean()),
        "calibration_error": _calibration_error(labels, probabilities),
        "recall_by_class": dict(zip(class_names, recalls.tolist(), strict=True)),
    }


def summary(found):
    """One line about the scores."""
    names = ["accuracy", f"top_{TOP}_accuracy", "macro_f1", "cross_entropy"]
    names = [name for name in (*names, "calibration_error") if name in found]
    return ", ".join(f"{name.replace('_', ' ')} {found[name]:.4f}" for name in names)


def samples(images, results, count):
    """The first images of the test split, rows of the table of samples."""
    labels, names = images.test[1], images.class_names
    rows = zip(labels[:count], results["probabilities"][:count], strict=True)
    return [
        {
            "image of the test split": number,
            "truth": names[label],
            "prediction": names[row.argmax()],
            "probability": float(row.max()),
        }
        for number, (label, row) in enumerate(rows, 1)
    ]


def _calibration_error(labels, probabilities):
    metric = kerasseq.training.ExpectedCalibrationError()
    # The softmax of logarithms of probabilities is the probabilities.
    metric.update_state(np.asarray(labels), _log(probabilities))
    return float(metric.result())


def _log(probabilities):
    return np.log(np.maximum(probabilities, 1e-30)).astype("float32")
