"""Scores of translations."""

import numpy as np


def scores(hypotheses, references, lowercase=False):
    """Scores translations with sacreBLEU.

    Args:
        hypotheses: List of translations.
        references: List of the right ones.
        lowercase: Whether case does not count.

    Returns:
        A dict of `bleu` and `chrf` with their signatures, and `exact_match`, the
        fraction of translations that equal the reference.
    """
    import sacrebleu

    bleu = sacrebleu.BLEU(lowercase=lowercase)
    chrf = sacrebleu.CHRF(lowercase=lowercase)
    exact = np.mean([h == r for h, r in zip(hypotheses, references, strict=True)])
    return {
        "bleu": bleu.corpus_score(hypotheses, [references]).score,
        "bleu_signature": str(bleu.get_signature()),
        "chrf": chrf.corpus_score(hypotheses, [references]).score,
        "chrf_signature": str(chrf.get_signature()),
        "exact_match": float(exact),
    }


def summary(found):
    """One line about the scores."""
    return (
        f"BLEU {found['bleu']:.2f} ({found['bleu_signature']}), "
        f"chrF {found['chrf']:.2f} ({found['chrf_signature']}), "
        f"exact match {found['exact_match']:.4f}"
    )
