"""Vocabularies of sentences by name: subwords, words or characters, all used alike."""

import pathlib
import tempfile

from kerasseq.data import _text_files, subwords
from kerasseq.lite import _sentence_subwords, _sentence_vocabularies

LosslessWords = _sentence_vocabularies.TOKENS["word"]
SentenceCharacters = _sentence_vocabularies.TOKENS["character"]
SentenceSubwords = _sentence_subwords.SentenceSubwords
translator_files = _sentence_vocabularies.files
NUM_SUBWORDS = 1000


def train_vocabulary(unit, texts, vocabulary_size=None, min_count=1, lowercase=False):
    """Makes a vocabulary of the training text.

    Whatever its unit, it has `encode(text)`, which returns a list of numbers without
    start and end, `decode(ids)`, which stops at the end, `pieces(ids)`, `len`,
    `to_bytes()`, `files()` (what an app needs), `unit` and `file_name`. 0 is padding, 1
    unknown, 2 start, 3 end.

    Args:
        unit: `"subword"` (a unigram SentencePiece model), `"word"` or `"character"`.
        texts: Iterable of strings.
        vocabulary_size: Number of tokens, the four special ones included. By default
            all words or characters; of subwords 1,000, or what the text allows.
        min_count: How often a word or character must occur.
        lowercase: Whether to lower-case what is encoded.

    Returns:
        A `SentenceSubwords`, `LosslessWords` or `SentenceCharacters`.

    Raises:
        ValueError: If the unit is unknown, or the text allows no such vocabulary.

    Example:
        >>> sounds = kerasseq.data.train_vocabulary("word", ["K AE T", "D AO G"])
        >>> sounds.decode(sounds.encode("K AO T"))
        'K AO T'
    """
    if unit in _sentence_vocabularies.TOKENS:
        kind = _sentence_vocabularies.TOKENS[unit]
        texts = _text_files.checked_texts(texts)
        return kind.of(texts, vocabulary_size, min_count, lowercase=lowercase)
    if unit != SentenceSubwords.unit:
        raise ValueError(
            f"`unit` is one of {_sentence_vocabularies.UNITS}. Received: unit={unit!r}"
        )
    size = NUM_SUBWORDS if vocabulary_size is None else vocabulary_size
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, SentenceSubwords.file_name)
        subwords.train_subwords(texts, size, path, fit_size=vocabulary_size is None)
        return SentenceSubwords(path.read_bytes(), lowercase)


def vocabulary_file(unit):
    """The name of a file for a vocabulary's `to_bytes()`."""
    kinds = {**_sentence_vocabularies.TOKENS, SentenceSubwords.unit: SentenceSubwords}
    return kinds[unit].file_name


def load_vocabulary(unit, path, lowercase=False):
    """Reads a vocabulary, of which `to_bytes()` was written to a file.

    Args:
        unit: As of `train_vocabulary`.
        path: Path of the file.
        lowercase: As of `train_vocabulary`; words and characters know it themselves.

    Raises:
        ValueError: If the file is missing, damaged or of another kind.
    """
    if unit in _sentence_vocabularies.TOKENS:
        return _sentence_vocabularies.TOKENS[unit].load(path)
    processor = subwords.load_subwords(path)
    return SentenceSubwords(processor.serialized_model_proto(), lowercase)
