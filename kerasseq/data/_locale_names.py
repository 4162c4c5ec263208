"""Names that exist in two locales: territories, languages, currencies and units."""

import re
import typing
import unicodedata

from kerasseq.utils import optional

babel = optional.import_module("babel")
core = optional.import_module("babel.core")
numbers = optional.import_module("babel.numbers")
units = optional.import_module("babel.units")

MAX_CHARACTERS = 22

# Everyday units; CLDR's others (dots per inch, solar masses) are too special.
_UNIT_KINDS = (
    "area",
    "digital",
    "duration",
    "electric",
    "energy",
    "frequency",
    "length",
    "mass",
    "power",
    "pressure",
    "speed",
    "temperature",
    "volume",
)

# Unions, test codes ("Pseudo-Accents") and the placeholder "Unknown Region".
_NO_PLACES = ("EU", "EZ", "UN", "QO", "XA", "XB", "ZZ")

# Time spans follow other rules; some languages use other words for them.
SPAN_UNITS = ("second", "minute", "hour", "day", "week", "month", "year")

# Together these values use every plural form of CLDR's languages.
_PLURAL_PROBES = (1, 2, 3, 5, 11, 21, 100, 1.5)


class SharedNames(typing.NamedTuple):
    """Names that exist in two locales and are unambiguous in the first.

    Args:
        source: `babel.Locale`, the first.
        names: Tuple of `(kind, code)`, where kind is `"territories"`, `"languages"` or
            `"currencies"`.
        units: Tuple of CLDR unit ids.
        currencies: Tuple of the codes of currencies that have forms for amounts.
        list_styles: Tuple of styles for `babel.lists.format_list`.
    """

    source: babel.Locale
    names: tuple
    units: tuple
    currencies: tuple
    list_styles: tuple


def shared_names(source, target):
    """Returns the `SharedNames` of two `babel.Locale`s."""

    def select(candidates, write):
        texts = {}
        for item in candidates:
            pair = [[*map(normalize, write(x, item))] for x in (source, target)]
            if all(t and "(" not in t for side in pair for t in side):
                texts[item] = pair
        return _unambiguous(texts)

    codes = _common(source, target, "currencies", _current_currencies())
    return SharedNames(
        source=source,
        names=select(
            [
                *(("territories", c) for c in _two_letter(source, target, str.isupper)),
                *(("languages", c) for c in _two_letter(source, target, str.islower)),
                *(("currencies", c) for c in codes),
            ],
            lambda locale, name: [name_of(locale, *name)],
        ),
        units=select(_unit_ids(source, target), _unit_texts),
        currencies=select(codes, _amount_texts),
        list_styles=tuple(
            style
            for style in ("standard", "or")
            if style in source.list_patterns and style in target.list_patterns
        ),
    )


def name_of(locale, kind, code):
    """The name of a territory, language or currency in a locale."""
    return getattr(locale, kind)[code]


def normalize(text):
    """NFKC with plain spaces and no direction marks, which SentencePiece keeps."""
    text = unicodedata.normalize("NFKC", text)
    text = re.sub(r"[\u200e\u200f\u202a-\u202e\u2066-\u2069\u061c\ufeff]", "", text)
    # SentencePiece replaces zero-width spaces and (non-)joiners by spaces.
    return " ".join(re.sub(r"[\u200b-\u200d]", " ", text).split())


def _common(source, target, kind, allowed):
    """Codes that have a name of moderate length in both locales."""
    return sorted(
        code
        for code in getattr(source, kind).keys() & getattr(target, kind).keys()
        if code in allowed
        and max(len(name_of(x, kind, code)) for x in (source, target)) <= MAX_CHARACTERS
    )


def _two_letter(source, target, has_case):
    kind = "territories" if has_case is str.isupper else "languages"
    return _common(
        source,
        target,
        kind,
        {
            c
            for c in getattr(source, kind)
            if len(c) == 2 and c.isalpha() and c not in _NO_PLACES
        },
    )


def _current_currencies():
    periods = core.get_global("territory_currencies").values()
    return {
        code
        for territory in periods
        for code, _, end, is_tender in territory
        if end is None and is_tender
    }


def _unit_ids(source, target):
    shared = source.unit_display_names.keys() & target.unit_display_names.keys()
    spans = {f"duration-{unit}" for unit in SPAN_UNITS}
    return sorted(u for u in shared - spans if u.split("-")[0] in _UNIT_KINDS)


def _unit_texts(locale, unit):
    try:
        texts = [
            units.format_unit(v, unit, "long", locale=locale) for v in _PLURAL_PROBES
        ]
    except units.UnknownUnitError:
        return [""]
    # Babel falls back to the bare id if a locale has no pattern.
    bare = unit.partition("-")[2]
    return [""] if "-" in bare and any(bare in text for text in texts) else texts


def _amount_texts(locale, code):
    return [
        numbers.format_currency(v, code, locale=locale, format_type="name")
        for v in _PLURAL_PROBES
    ]


def _unambiguous(texts):
    """The items whose source texts all have only one target text."""
    targets = {}
    for source_texts, target_texts in texts.values():
        for source, target in zip(source_texts, target_texts, strict=True):
            targets.setdefault(source.casefold(), set()).add(target)
    return tuple(
        item
        for item, (source_texts, _) in texts.items()
        if all(len(targets[text.casefold()]) == 1 for text in source_texts)
    )
