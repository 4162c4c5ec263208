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


def error_rates(hypotheses, references, unit):
    """Edits that turn the outputs into the references, as a fraction of these.

    Args:
        hypotheses: List of texts.
        references: List of the right ones.
        unit: What the target is split into, `"subword"`, `"word"` or `"character"`.

    Returns:
        `{"token_error_rate": rate}` of words: what stands between spaces, as phonemes;
        `{"character_error_rate": rate}` of characters; `{}` of subwords.
    """
    split, name = _RATES.get(unit, (None, None))
    if name is None:
        return {}
    pairs = zip(map(split, hypotheses), map(split, references), strict=True)
    edits = sum(edit_distance(*pair) for pair in pairs)
    return {name: edits / max(1, sum(len(split(text)) for text in references))}


def edit_distance(first, second):
    """How many insertions, deletions and substitutions part two sequences.

    A row of the table at a time (Wagner and Fischer, 1974); insertions, which depend
    on their own row, are a running minimum.
    """
    numbers = {token: i for i, token in enumerate({*first, *second})}
    second = np.array([numbers[token] for token in second], int)
    places = np.arange(len(second) + 1)
    row = places
    for token in first:
        changed = row[:-1] + (second != numbers[token])
        row = row + 1
        row[1:] = np.minimum(row[1:], changed)
        row = places + np.minimum.accumulate(row - places)
    return int(row[-1])


_RATES = {
    "word": (str.split, "token_error_rate"),
    "character": (list, "character_error_rate"),
}


def summary(found):
    """One line about the scores."""
    rates = [
        f", {name.replace('_', ' ')} {found[name]:.4f}"
        for _, name in _RATES.values()
        if name in found
    ]
    return (
        f"BLEU {found['bleu']:.2f} ({found['bleu_signature']}), "
        f"chrF {found['chrf']:.2f} ({found['chrf_signature']}), "
        f"exact match {found['exact_match']:.4f}{''.join(rates)}"
    )
