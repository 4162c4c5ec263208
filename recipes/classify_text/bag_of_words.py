"""The baseline: which words there are, in any order (scikit-learn)."""

import functools

import numpy as np

STRENGTHS = (0.1, 0.3, 1.0, 3.0)  # of `C`, chosen on the validation split


def accuracy(data):
    """Accuracy on the test split of logistic regression over word counts.

    Args:
        data: The loaded data.

    Returns:
        A float.
    """
    from sklearn.feature_extraction import text as extraction

    texts, split = data["texts"], data["vocabulary"].split
    counter = extraction.CountVectorizer(
        tokenizer=split, lowercase=False, token_pattern=None
    )
    counts = {"train": counter.fit_transform(texts.train[0])}
    for name in ("validation", "test"):
        counts[name] = counter.transform(getattr(texts, name)[0])
    models = [_fit(counts["train"], texts.train[1], x) for x in STRENGTHS]
    score = functools.partial(_score, counts, texts)
    best = max(models, key=lambda model: score("validation", model))
    return score("test", best)


def _fit(counts, labels, strength):
    from sklearn import linear_model

    return linear_model.LogisticRegression(C=strength, max_iter=1000).fit(
        counts, labels
    )


def _score(counts, texts, split, model):
    return float(np.mean(model.predict(counts[split]) == getattr(texts, split)[1]))
