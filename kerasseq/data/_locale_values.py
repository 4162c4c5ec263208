"""Random values, each with a function that formats it in a locale."""

import datetime
import decimal

import numpy as np

from kerasseq.data import _locale_names
from kerasseq.utils import optional

dates = optional.import_module("babel.dates")
lists = optional.import_module("babel.lists")
numbers = optional.import_module("babel.numbers")
units = optional.import_module("babel.units")


def random_values(rng, vocabulary, count):
    """Yields `(names, write)`: first names alone, then `50 * count` random values.

    Args:
        rng: A `numpy.random.Generator`.
        vocabulary: A `_locale_names.SharedNames`.
        count: Integer. Number of phrases wanted; at most a tenth of it are names alone.

    Yields:
        `names`, a hashable item for each name or unit in the phrase (`None` for a name
        alone), and `write`, a function that formats the value in a `babel.Locale`.
    """
    alone = [("name", *name) for name in vocabulary.names]
    for name in rng.permutation(len(alone))[: count // 10]:
        yield None, _write_names([alone[name]], "standard")
    samplers = [sampler for sampler, _ in _SAMPLERS]
    rates = np.array([rate for _, rate in _SAMPLERS])
    for _ in range(50):
        for choice in rng.choice(len(samplers), count, p=rates / rates.sum()):
            value = samplers[choice](rng, vocabulary)
            if value:
                yield value


# Each sampler below returns `(names, write)`, or `None` if it cannot draw a value.
# Singular and plural of a unit are two names, since the words differ.


def _pick(rng, choices):
    return choices[rng.integers(len(choices))]


def _day(rng):
    return datetime.date(1980, 1, 1) + datetime.timedelta(int(rng.integers(60 * 365)))


def _time_of_day(rng):
    second = int(rng.integers(60)) if rng.random() < 0.3 else 0
    return datetime.time(int(rng.integers(24)), int(rng.integers(60)), second)


def _number(rng, max_digits):
    digits, places = int(rng.integers(1, max_digits + 1)), _pick(rng, (0, 0, 1, 2))
    value = int(rng.integers(1, 10 ** (digits + places)))
    while places and value % 10 == 0:
        # 1.0 is formatted as 1, but with the plural in many languages.
        value, places = value // 10, places - 1
    return decimal.Decimal(value).scaleb(-places)


def _date(rng, vocabulary):
    day, style = _day(rng), _pick(rng, _STYLES)

    def write_in(style, locale):
        return dates.format_date(day, style, locale)

    return (), _one_meaning(write_in, style, vocabulary.source)


def _date_time(rng, vocabulary):
    day, time, style = _day(rng), _time_of_day(rng), _pick(rng, _STYLES)

    def write_in(style, locale):
        # `babel.dates.format_datetime` adds a time zone in the long styles.
        pattern = str(dates.get_datetime_format(style, locale)).replace("'", "")
        with_time = pattern.replace("{0}", _write_time(time, locale))
        return with_time.replace("{1}", dates.format_date(day, style, locale))

    return (), _one_meaning(write_in, style, vocabulary.source)


_STYLES = ("full", "long", "medium")


def _one_meaning(write_in, style, source):
    """Uses the first style with the same text in the source as the given style.

    "May 5, 2020" is both long and medium in English, but two texts in another language.
    """
    text = write_in(style, source)
    style = next(other for other in _STYLES if write_in(other, source) == text)
    return lambda locale: write_in(style, locale)


def _write_time(time, locale):
    return dates.format_time(time, "medium" if time.second else "short", locale=locale)


def _time(rng, vocabulary):
    time = _time_of_day(rng)
    return (), lambda locale: _write_time(time, locale)


def _span(rng, vocabulary):
    unit = _pick(rng, _locale_names.SPAN_UNITS)
    seconds = dict(dates.TIMEDELTA_UNITS)[unit]
    value = int(rng.integers(1, 300))
    delta = datetime.timedelta(seconds=seconds * value)
    direction = _pick(rng, (None, 1, -1))
    style = {"granularity": unit, "threshold": 1e9, "add_direction": bool(direction)}

    def write(locale):
        return dates.format_timedelta((direction or 1) * delta, locale=locale, **style)

    return (("span", unit, direction, value == 1),), write


def _decimal(rng, vocabulary):
    value = _number(rng, 5)
    if value < 10 and value % 1 == 0:
        return None  # a single digit is not a phrase
    return (), lambda locale: numbers.format_decimal(value, locale=locale)


def _percent(rng, vocabulary):
    value = _number(rng, 3) / 100

    def write(locale):
        return numbers.format_percent(value, locale=locale, decimal_quantization=False)

    return (), write


def _quantity(rng, vocabulary):
    if not vocabulary.units:
        return None
    unit, value = _pick(rng, vocabulary.units), _number(rng, 4)

    def write(locale):
        return units.format_unit(value, unit, "long", locale=locale)

    return (("unit", unit, value == 1),), write


def _amount(rng, vocabulary):
    if not vocabulary.currencies:
        return None
    code = _pick(rng, vocabulary.currencies)
    # Babel rounds only after it has chosen the plural form.
    value = round(_number(rng, 4), numbers.get_currency_precision(code))

    def write(locale):
        return numbers.format_currency(value, code, locale=locale, format_type="name")

    return (("amount", code, value == 1),), write


def _write_names(names, style):
    def write(locale):
        texts = [_locale_names.name_of(locale, *name[1:]) for name in names]
        return lists.format_list(texts, style, locale)

    return write


def _name_list(rng, vocabulary):
    if not vocabulary.names:
        return None
    kind, _ = _pick(rng, vocabulary.names)
    choices = [("name", *name) for name in vocabulary.names if name[0] == kind]
    names = [_pick(rng, choices) for _ in range(_pick(rng, (2, 2, 3)))]
    if len(set(names)) < len(names):
        return None
    return tuple(names), _write_names(names, _pick(rng, vocabulary.list_styles))


# Relative rate of each kind, highest for lists, with hundreds of names to be learned.
_SAMPLERS = (
    (_date, 0.15),
    (_time, 0.04),
    (_date_time, 0.10),
    (_span, 0.06),
    (_decimal, 0.08),
    (_percent, 0.05),
    (_quantity, 0.14),
    (_amount, 0.12),
    (_name_list, 0.26),
)
