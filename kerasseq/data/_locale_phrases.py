"""Parallel phrases in two real languages, made from Babel's CLDR data: no network.

One value (a date, a quantity, a list of countries) is written out in both locales.
"""

import collections
import difflib

import numpy as np

from kerasseq.data import _locale_names, _locale_values, _pair_sources
from kerasseq.utils import optional

babel = optional.import_module("babel")
localedata = optional.import_module("babel.localedata")

MAX_CHARACTERS = 60
# How often what a held-out phrase names (a unit, a country) is left in train at least.
MIN_SEEN = 3


def locale_phrases(num_examples=20000, source_locale="en", target_locale="de", seed=0):
    """Makes pairs of phrases that say the same in two locales.

    Dates, times, spans of time, numbers, quantities with units, amounts of money, and
    lists of territories, languages and currencies. The target is a function of the
    source: whatever a locale writes alike for two meanings is left out. Both sides are
    NFKC-normalized with plain spaces, as SentencePiece normalizes, so that subwords
    give them back unchanged.

    Test and validation hold 1000 pairs each from 20000 examples on, 5 % each below.
    Their sources never stand in train, but every name and unit in them does, at least 3
    times in other phrases: a name that was never seen cannot be translated. Names alone
    go to train only.

    Args:
        num_examples: pairs in all three splits together, at least 20.
        source_locale: a locale that Babel knows, e.g. `"en"` or `"pt-BR"`.
        target_locale: likewise.
        seed: int. Equal arguments give equal pairs (for one version of Babel).

    Returns:
        A `ParallelText`.

    Raises:
        ValueError: for an unknown locale, two equal ones, too few examples, or more
            than the two locales can give.

    Example:
        >>> locale_phrases(1000, "en", "de").test[0]
        ('5,280.95', '5.280,95')

    Reference:
        [Unicode CLDR](https://cldr.unicode.org), through Babel.
    """
    if num_examples < 20:
        raise ValueError(
            "`num_examples` must be at least 20 for three splits. "
            f"Received: num_examples={num_examples}"
        )
    locales = _parse(source_locale), _parse(target_locale)
    if locales[0] == locales[1]:
        raise ValueError(
            "Source and target must be two different locales. Received: "
            f"source_locale={source_locale!r}, target_locale={target_locale!r}"
        )
    phrases = _phrases(np.random.default_rng(seed), locales, num_examples)
    num_held_out = 1000 if num_examples >= 20000 else max(1, num_examples // 20)
    train, held_out = _split(phrases, 2 * num_held_out)
    return _pair_sources.ParallelText(
        train=train,
        validation=held_out[num_held_out:],
        test=held_out[:num_held_out],
        name=f"synthetic: Babel's CLDR phrases, {source_locale} to {target_locale}",
    )


def _parse(name):
    try:
        return babel.Locale.parse(str(name).replace("-", "_"))
    except (babel.UnknownLocaleError, ValueError) as error:
        known = sorted(localedata.locale_identifiers())
        close = difflib.get_close_matches(str(name), known, n=4, cutoff=0.3)
        hint = f"did you mean one of {close}?" if close else "give one like 'pt_BR'."
        raise ValueError(
            f"Babel does not know this locale; {hint} Received: {name!r}"
        ) from error


def _phrases(rng, locales, count):
    """List of `(names, source, target)`, unique and unambiguous by source."""
    vocabulary = _locale_names.shared_names(*locales)
    found = {}
    num_good = 0
    for names, write in _locale_values.random_values(rng, vocabulary, count):
        source, target = (_locale_names.normalize(write(locale)) for locale in locales)
        if not all(0 < len(text) <= MAX_CHARACTERS for text in (source, target)):
            continue
        key = source.casefold()
        if key not in found:
            found[key] = names, source, target
            num_good += 1
        elif found[key] and found[key][2] != target:
            found[key] = None  # ambiguous, and stays in the dict to be refused again
            num_good -= 1
        if num_good == count:
            return [found[key] for key in found if found[key]]
    raise ValueError(
        f"These locales give only {num_good} different phrases; ask for fewer. "
        f"Received: num_examples={count}"
    )


def _split(phrases, num_held_out):
    """Holds out phrases all of whose names stay in train often enough."""
    left = collections.Counter(name for names, _, _ in phrases for name in names or ())
    train, held_out = [], []
    for names, source, target in phrases:
        often = names is not None and all(left[name] > MIN_SEEN for name in names)
        if often and len(held_out) < num_held_out:
            held_out.append((source, target))
            left.subtract(names)
        else:
            train.append((source, target))
    return train, held_out
