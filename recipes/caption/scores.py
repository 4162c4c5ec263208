"""Scores of captions against several references each."""

import itertools

import numpy as np


def scores(hypotheses, references):
    """Scores captions; any reference of an image will do.

    Args:
        hypotheses: List of captions.
        references: List with a list of right ones for each of them, at least one.

    Returns:
        A dict of `exact_match`, the fraction of captions that equal one of their
        references, and `bleu` with its signature, sacreBLEU's with all of them.
    """
    import sacrebleu

    pairs = zip(hypotheses, references, strict=True)
    exact = np.mean([hypothesis in right for hypothesis, right in pairs])
    bleu = sacrebleu.BLEU()
    # sacreBLEU wants them by number: the first of all, the second of all, ...
    by_number = [*itertools.zip_longest(*references)]
    return {
        "exact_match": float(exact),
        "bleu": bleu.corpus_score(hypotheses, by_number).score,
        "bleu_signature": str(bleu.get_signature()),
    }


def summary(found):
    """One line about the scores."""
    return (
        f"exact match {found['exact_match']:.4f}, "
        f"BLEU {found['bleu']:.2f} ({found['bleu_signature']})"
    )
