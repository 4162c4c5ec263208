"""Generated sentences in which a word has the sense that its neighbors give it.

"The apple fell from the tree" is about a fruit, "the apple hired an engineer" about a
company: the word alone does not tell, what stands before or after it does, some words
away. The first sense of each word is a little more frequent, so that a model that sees
each word on its own can do no better than that.
"""

import typing

import numpy as np

FIRST_SENSE = 0.55  # how often the first sense of a word is meant
OTHER = "O"


class Sense(typing.NamedTuple):
    """A sense of a word: its tag, and clauses around the word, `{}`."""

    tag: str
    clauses: tuple


def _clauses(text):
    return tuple(line.strip() for line in text.strip().splitlines())


_SENSES = {
    "apple": (
        Sense(
            "FRUIT",
            _clauses("""
                she ate the {} with some cheese
                he peeled the {} before lunch
                the {} fell from the old tree
                the {} tasted sweet and fresh
                they baked a cake with the {}
            """),
        ),
        Sense(
            "COMPANY",
            _clauses("""
                investors sold the shares of {} at noon
                he works as an engineer at {}
                the lawyers of {} went to court
                {} announced a smaller phone
                {} hired two hundred engineers
            """),
        ),
    ),
    "bank": (
        Sense(
            "MONEY",
            _clauses("""
                she opened an account at the {}
                he owes the {} a large loan
                the {} raised its interest rates
                the {} lent them the money
                the manager of the {} signed the loan
            """),
        ),
        Sense(
            "RIVER",
            _clauses("""
                they fished from the {} of the stream
                the boat lay on the muddy {}
                the {} was flooded by the water
                reeds grew along the {}
                the {} of the stream was steep
            """),
        ),
    ),
    "bat": (
        Sense(
            "ANIMAL",
            _clauses("""
                the {} flew out of the cave
                a {} slept below the roof of the barn
                we heard a {} hunting insects
                the wings of the {} were thin
                the {} caught insects at night
            """),
        ),
        Sense(
            "SPORT",
            _clauses("""
                the player swung the {} at the ball
                he hit the ball with a {}
                the {} of the player broke
                she bought a wooden {} for the match
                the {} lay on the field after the match
            """),
        ),
    ),
    "mouse": (
        Sense(
            "ANIMAL",
            _clauses("""
                the cat chased a {} in the kitchen
                a {} ate the cheese in the kitchen
                the {} hid in its hole
                the owl caught a {}
                the {} ran from the cat
            """),
        ),
        Sense(
            "DEVICE",
            _clauses("""
                she moved the cursor with the {}
                the {} needs a new battery
                he plugged the {} into the laptop
                the buttons of the {} are worn
                the {} does not move the cursor
            """),
        ),
    ),
    "crane": (
        Sense(
            "MACHINE",
            _clauses("""
                the {} lifted the steel beams
                workers climbed the {} at the site
                the {} stood beside the new tower
                the driver of the {} lowered the beams
                they rented a {} for the site
            """),
        ),
        Sense(
            "ANIMAL",
            _clauses("""
                the {} built its nest in the reeds
                a {} spread its feathers
                the {} danced in the marsh
                a {} flew over the marsh
                the feathers of the {} were gray
            """),
        ),
    ),
    "spring": (
        Sense(
            "SEASON",
            _clauses("""
                the birds return in {}
                the garden blooms in {}
                {} was late and cold
                we plant the garden each {}
                after the winter came a warm {}
            """),
        ),
        Sense(
            "PART",
            _clauses("""
                the {} of the mattress is bent
                he replaced the {} in the clock
                a steel {} closes the valve
                the {} pushes the valve open
                the clock has a broken {}
            """),
        ),
    ),
}
_OPENINGS = _clauses("""
    yesterday
    today
    last week
    people say that
    my sister told us that
    I think that
    in the report we read that
    she wrote to him that
    it seems that
    nobody knows why
""")
_LINKS = (", and", ", but", ", while", "because", "after", ";", ", so")
_ENDINGS = _clauses("""
    again
    as we all know
    for the first time
    in the morning
    without any warning
    , she said
    , of course
    , I believe
""")


def sense_sentences(num, seed=0):
    """Sentences of one to three clauses, each with a word of two senses.

    Args:
        num: Integer. Number of sentences.
        seed: Integer. Seed of the choices.

    Returns:
        A list of `(words, tags)`: the tag of a word of two senses is its sense, that
        of all others `"O"`.

    Raises:
        ValueError: If `num` is not positive.
    """
    if num < 1:
        raise ValueError(f"`num` must be at least 1. Received: num={num}")
    generator = np.random.default_rng(seed)
    return [_sentence(generator) for _ in range(num)]


def _sentence(generator):
    words, tags = [], []

    def add(text, tag=OTHER):
        found = text.replace(",", " ,").split()
        words.extend(found)
        tags.extend([tag] * len(found))

    if generator.random() < 0.7:
        add(generator.choice(_OPENINGS))
    for number in range(generator.integers(1, 4)):
        if number:
            add(generator.choice(_LINKS))
        _add_clause(generator, add)
        if generator.random() < 0.4:
            add(generator.choice(_ENDINGS))
    add(".")
    return words, tags


def _add_clause(generator, add):
    word = generator.choice([*_SENSES])
    sense = _SENSES[word][generator.random() >= FIRST_SENSE]
    before, after = generator.choice(sense.clauses).split("{}")
    add(before)
    add(word, sense.tag)
    add(after)
