"""Warnings about a model that learned nothing, as sentences for the report."""

import numpy as np


def of_classes(truth, predicted, class_names):
    """Compares predicted classes with always giving the most frequent one.

    Args:
        truth: The true classes, an int array.
        predicted: The predicted ones, likewise.
        class_names: List of the classes' names.

    Returns:
        A list of at most one sentence.
    """
    counts = np.bincount(truth, minlength=len(class_names))
    first, common = int(predicted[0]), int(counts.argmax())
    if np.count_nonzero(counts) > 1 and np.all(predicted == first):
        return [constant("test images", class_names[first])]
    accuracy, rate = np.mean(predicted == truth), counts[common] / counts.sum()
    if accuracy <= rate < 1:
        always = f"always {class_names[common]!r}, {rate:.4f}"
        return [no_better(f"an accuracy of {accuracy:.4f}", always)]
    return []


def constant(what, answer):
    """The sentence about a model that has one answer to all."""
    return (
        f"The model has one answer to all {what}: {answer!r}. It has not learned; "
        "train longer, on more data, or with another --learning_rate."
    )


def no_better(score, baseline):
    """The sentence about a model that is no better than a trivial one.

    Args:
        score: What the model reaches, with the name of the score.
        baseline: What the trivial one does, and reaches.
    """
    return (
        f"The model is no better than a trivial one on unseen data: {score}; "
        f"{baseline}. Train for more --epochs, on more data, or with another "
        "--learning_rate."
    )
