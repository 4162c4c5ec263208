"""The test split of `recipes.segment`, in Keras and with each exported file."""

import time

import numpy as np

import kerasseq
from recipes.segment import heads as segment_heads
from recipes.segment import images as segment_images
from recipes.segment import scores as segment_scores
from recipes.shared import artifacts, chance


def evaluate(flags, model, data):
    """Runs the test split through the model with Keras, and scores it.

    Returns:
        A dict: `outputs` and `truth`, dicts of arrays by head, `scores` and `warnings`.
    """
    from recipes.segment import targets as segment_targets  # needs Keras

    images = data["images"]
    model.compile(jit_compile=flags.jit_compile)
    outputs = model.predict(data["test"], verbose=0)
    num = len(images.test[0])
    outputs = segment_heads.classes({name: x[:num] for name, x in outputs.items()})
    truth = segment_targets.truth(outputs, *images.test, images.ignore_class)
    counts = segment_heads.channels(flags, images)
    found = segment_scores.scores(outputs, truth, counts, images.ignore_class)
    print("Keras:", segment_scores.summary(found))
    warnings = [
        sentence
        for head, output in outputs.items()
        for sentence in _warnings(head, output, truth[head], counts[head], images)
    ]
    return {"outputs": outputs, "truth": truth, "scores": found, "warnings": warnings}


def _warnings(head, output, truth, num_classes, images):
    """Whether a head does better than a constant, as sentences."""
    if output.dtype.kind != "i":
        error, spread = np.sqrt(np.mean((output - truth) ** 2)), np.std(truth)
        worse = error >= spread > 0
        baseline = f"always their mean, {spread:.4g}"
        score = f"values of {head} with an error of {error:.4g}"
        return [chance.no_better(score, baseline)] if worse else []
    counted = truth != segment_scores.VOID
    if len(np.unique(truth[counted])) < 2 or len(np.unique(output[counted])) > 1:
        return []
    names = images.class_names if head == "mask" else ["no edge", "edge"]
    return [chance.constant(f"pixels ({head})", names[int(output[counted][0])])]


def verify_all(flags, data, results, report, folder):
    """Runs the test split through each exported file and compares with Keras.

    Scores, agreement with Keras and time go into the report, as each file's `metrics`.
    """
    images = data["images"]
    counts = segment_heads.channels(flags, images)
    for artifact in artifacts.tflite_entries(report):
        outputs, latency = _run(folder / artifact["file"], images.test[0])
        found = segment_scores.scores(
            outputs, results["truth"], counts, images.ignore_class
        )
        found |= segment_scores.agreement(outputs, results["outputs"])
        artifact["metrics"] = found | {"ms_per_image": latency}
        print(f"{artifact['file']}: {segment_scores.summary(artifact['metrics'])}")


def _run(path, images):
    """Outputs by head for images of the file's size, and milliseconds per image."""
    runner = kerasseq.lite.Runner(path)
    began = time.perf_counter()
    rows = [runner.run("serve", image=row[None]) for row in images]
    seconds = time.perf_counter() - began
    outputs = {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}
    return segment_heads.classes(outputs), 1e3 * seconds / len(rows)


def samples(results, count):
    """The first images of the test split, for the table of samples."""
    outputs, expected = results["outputs"], results["truth"]
    rows = []
    for number in range(min(count, len(next(iter(outputs.values()))))):
        row = {"image of the test split": number + 1}
        for head, output in outputs.items():
            found, truth = output[number], expected[head][number]
            if output.dtype.kind == "i":
                row[f"{head}, pixels off class 0"] = int(np.sum(found > 0))
                row[f"{head}, truth"] = int(
                    np.sum((truth > 0) & (truth < segment_scores.VOID))
                )
                row[f"{head}, wrong"] = int(
                    np.sum((found != truth) & (truth < segment_scores.VOID))
                )
            else:
                error = np.sqrt(np.mean((found - truth) ** 2))
                row[f"{head}, root mean squared error"] = float(error)
        rows.append(row)
    return rows


def published_score(path, flags, num_rows=None):
    """Scores an exported file as an app would use it, on the first test images.

    Args:
        path: Path of the `.tflite` file, which must have the head `mask`.
        flags: The flags of the run that made it.
        num_rows: Number of images; all of them by default.

    Returns:
        A dict: `metric`, its `value`, and the `rows` that it was computed on.
    """
    segmenter = kerasseq.lite.ImageSegmenter(path)
    images = segment_images.load_images(flags)
    pictures, truth = (part[:num_rows] for part in images.test)
    found = np.stack([segmenter(picture)["mask"] for picture in pictures])
    num_classes = len(segmenter.class_names)
    value = segment_scores.iou(found, truth, num_classes, images.ignore_class)
    return {"metric": "iou", "value": value, "rows": len(truth)}
