"""Generated reviews in which the order of the words decides, not which they are."""

import numpy as np

CLASS_NAMES = ["negative", "positive"]
_THINGS = """breakfast soup pizza coffee service staff room bed view location music
film plot ending cast camera battery screen sound keyboard printer price garden beach
bus tour guide museum book story""".split()
_GOOD = """good great excellent lovely pleasant perfect wonderful fine delightful nice
superb brilliant impressive satisfying convincing""".split()
_BAD = """bad awful terrible poor horrible dreadful disappointing weak boring annoying
useless unpleasant mediocre dull tiresome""".split()
_WORDS = (_BAD, _GOOD)
# Plain statements, and those that say the opposite of their last word.
_PLAIN = """was {}|was very {}|was really {}|turned out {}|seemed {}|was simply {}|
looked {}|is always {}""".replace("\n", "").split("|")
_NEGATED = """was not {}|was never {}|wasn't {}|was hardly {}|was anything but {}|
was far from {}|is not at all {}|did not seem {}""".replace("\n", "").split("|")
# Two clauses: what they say, and which of them decides; 2 if they agree.
_JOINED = (
    ("{}, but {}", 1),
    ("{}; still, {}", 1),
    ("although {}, {}", 1),
    ("even if {}, {}", 1),
    ("{}, although {}", 0),
    ("{}, even if {}", 0),
    ("{} and {}", 2),
    ("{}. also, {}", 2),
)
_ENDS = (".", "!", "")


def generated_reviews(num, seed=0):
    """Generates short reviews with negations and contrasts.

    "The soup was not bad, but the service was terrible." is negative, "although the
    service was terrible, the soup was not bad." positive: each statement is negated
    or not, and of two statements that contradict each other one decides. Good and bad
    words occur in both classes alike, so that which words there are tells nearly
    nothing.

    Args:
        num: Number of reviews, all different.
        seed: Integer. Seed of the random choice.

    Returns:
        `(texts, labels)`: a list of strings, and int32 of shape `(num,)`: 0 for
        negative, 1 for positive.

    Raises:
        ValueError: If `num` is not positive, or so large that reviews would recur.

    Example:
        >>> texts, labels = kerasseq.data.generated_reviews(2)
    """
    if not 0 < num <= 100_000:
        raise ValueError(f"`num` must be between 1 and 100,000. Received: num={num}")
    generator = np.random.default_rng(seed)
    found = {}
    while len(found) < num:
        label = int(generator.integers(2))
        text = _review(generator, label)
        found.setdefault(text, label)
    return list(found), np.array([*found.values()], "int32")


def _review(generator, label):
    things = generator.choice(_THINGS, 2, replace=False)
    if generator.random() < 0.25:
        text = _statement(generator, things[0], label)
    else:
        pattern, deciding = _JOINED[generator.integers(len(_JOINED))]
        labels = [label if deciding in (place, 2) else 1 - label for place in (0, 1)]
        parts = zip(things, labels, strict=True)
        text = pattern.format(*(_statement(generator, *part) for part in parts))
    return text[0].upper() + text[1:] + _ENDS[generator.integers(len(_ENDS))]


def _statement(generator, thing, label):
    """That something is good (1) or bad (0), half of the time by a negation."""
    negated = int(generator.integers(2))
    words = _WORDS[label ^ negated]
    forms = _NEGATED if negated else _PLAIN
    form = forms[generator.integers(len(forms))]
    return f"the {thing} {form.format(words[generator.integers(len(words))])}"
