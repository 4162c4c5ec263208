"""Reads CoNLL-U files of Universal Dependencies as arrays for a tagger."""

import numpy as np

UNKNOWN = 1


def read(path):
    """Reads sentences as lists of `(word, UPOS tag)`, without ranges or empty nodes."""
    sentences, sentence = [], []
    with open(path, encoding="utf-8") as file:
        for line in file:
            fields = line.rstrip("\n").split("\t")
            if len(fields) == 10 and fields[0].isdigit():
                sentence.append((fields[1], fields[3]))
            elif not line.strip() and sentence:
                sentences.append(sentence)
                sentence = []
    return sentences + [sentence] * bool(sentence)


def word_key(word):
    """The entry of a word in the vocabulary: lower case, with all digits as 0."""
    return "".join("0" if c.isdigit() else c for c in word.lower())


def suffix_key(word):
    """The case of the first letter and the last three letters."""
    return ("A" if word[:1].isupper() else "a") + word_key(word)[-3:]


def encode(sentences, vocabulary, length):
    """Returns inputs, tags and weights `(sentences, length)`, padded on the right."""
    shape = (len(sentences), length)
    inputs = {name: np.zeros(shape, "int32") for name in ("words", "suffixes")}
    tags, weights = np.zeros(shape, "int32"), np.zeros(shape, "float32")
    keys = {"words": word_key, "suffixes": suffix_key}
    for row, sentence in enumerate(sentences):
        for column, (word, tag) in enumerate(sentence[:length]):
            for name, key in keys.items():
                inputs[name][row, column] = vocabulary[name].get(key(word), UNKNOWN)
            tags[row, column] = vocabulary["tags"].get(tag, 0)
            weights[row, column] = 1
    return inputs, tags, weights
