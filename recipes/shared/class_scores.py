"""Scores of a classifier's probabilities, of images or texts."""

import numpy as np

import kerasseq

TOP = 5


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


def _calibration_error(labels, probabilities):
    metric = kerasseq.training.ExpectedCalibrationError()
    # The softmax of logarithms of probabilities is the probabilities.
    metric.update_state(np.asarray(labels), _log(probabilities))
    return float(metric.result())


def _log(probabilities):
    return np.log(np.maximum(probabilities, 1e-30)).astype("float32")
