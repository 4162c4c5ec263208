"""The test split of `recipes.classify_image`, in Keras and with each exported file."""

import time

import numpy as np

import kerasseq
from recipes.classify_image import data as classify_image_data
from recipes.shared import artifacts, chance, class_scores


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
    print("Keras:", class_scores.summary(found))
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
    return class_scores.scores(images.test[1], probabilities, images.class_names)


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
