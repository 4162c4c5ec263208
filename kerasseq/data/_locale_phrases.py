"""Parallel phrases in two languages, generated offline from Babel's CLDR data.

A value (a date, a quantity, a list of countries) is formatted in both locales.
"""

import collections
import difflib

import numpy as np

from kerasseq.data import _locale_names, _locale_values, _pair_sources
from kerasseq.utils import optional

babel = optional.import_module("babel")
localedata = optional.import_module("babel.localedata")

MAX_CHARACTERS = 60
# Each name in a held-out phrase (a unit, a country) occurs in train at least so often.
MIN_SEEN = 3


def locale_phrases(num_examples=20000, source_locale="en", target_locale="de", seed=0):
    """Generates pairs of phrases with the same meaning in two locales.

    The phrases are dates, times, time spans, numbers, quantities with units, amounts of
    money, and lists of territories, languages and currencies. The target is a function
    of the source: ambiguous source phrases are left out. Both sides are
    NFKC-normalized with plain spaces, as SentencePiece normalizes, so that encoding
    to subwords and decoding returns them unchanged.

    From 20000 examples on, test and validation hold 1000 pairs each, below 5 % each.
    Their sources do not occur in train, but each of their names and units does, at
    least 3 times in other phrases: a model cannot translate a name that it has never
    seen. Phrases that are a name alone are in train only.

    Args:
        num_examples: Integer, at least 20. Number of pairs, all splits together.
        source_locale: String. A locale that Babel knows, e.g. `"en"` or `"pt-BR"`.
        target_locale: String. Another locale that Babel knows.
        seed: Integer. Equal arguments give equal pairs with the same version of Babel.

    Returns:
        A `ParallelText`.

    Raises:
        ValueError: For an unknown locale, two equal ones, too few examples, or more
            than there are different phrases.

    Example:
        >>> locale_phrases(1000, "en", "de").test[0]
        ('5,280.95', '5.280,95')

    Reference:
        [Unicode CLDR](https://cldr.unicode.org), through Babel.
    """
    if num_examples < 20:
        raise ValueError(
            "`num_examples` must be at least 20, for three splits. "
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
        hint = f"did you mean one of {close}?" if close else "use one like 'pt_BR'."
        raise ValueError(
            f"Babel does not know this locale; {hint} Received: {name!r}"
        ) from error


def _phrases(rng, locales, count):
    """List of `(names, source, target)`, unique and unambiguous by source."""
    vocabulary = _locale_names.shared_names(*locales)
    phrases = {}
    num_good = 0
    for names, write in _locale_values.random_values(rng, vocabulary, count):
        source, target = (_locale_names.normalize(write(locale)) for locale in locales)
        if not all(0 < len(text) <= MAX_CHARACTERS for text in (source, target)):
            continue
        key = source.casefold()
        if key not in phrases:
            phrases[key] = names, source, target
            num_good += 1
        elif phrases[key] and phrases[key][2] != target:
            phrases[key] = None  # ambiguous; kept, so that it is not added again
            num_good -= 1
        if num_good == count:
            return [phrase for phrase in phrases.values() if phrase]
    raise ValueError(
        f"There are only {num_good} different phrases in these locales; ask for fewer. "
        f"Received: num_examples={count}"
    )


def _split(phrases, num_held_out):
    """Holds out phrases whose names all remain in train often enough."""
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
