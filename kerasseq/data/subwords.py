"""SentencePiece subwords of sentences: train, save, encode and decode."""

import json

import numpy as np

from kerasseq.data import _sentence_piece, _text_files
from kerasseq.lite import _sentence_subwords, _sentence_tokens
from kerasseq.utils import atomic

# Also the ids of `keras_nlp.tokenizers.SentencePieceTokenizer`, which reads the file.
PAD_ID, UNKNOWN_ID = _sentence_tokens.PAD_ID, _sentence_tokens.UNKNOWN_ID
START_ID, END_ID = _sentence_tokens.START_ID, _sentence_tokens.END_ID


def train_subwords(
    sentences, vocabulary_size, path, character_coverage=1.0, fit_size=False
):
    """Trains a unigram SentencePiece vocabulary and writes it to a file.

    Args:
        sentences: Iterable of strings, the training text.
        vocabulary_size: Integer. Number of pieces, including the four special ones.
        path: Path of the `.model` file to write; it is written atomically.
        character_coverage: Float between 0 and 1. Fraction of the characters in the
            text that the vocabulary covers; the rarest others become unknown. Lower it
            (0.9995) for text with many stray characters.
        fit_size: Boolean, whether a size that the text does not allow becomes the
            nearest that it does.

    Returns:
        A `sentencepiece.SentencePieceProcessor`.

    Raises:
        ValueError: If there is no text, half a surrogate pair in it, or if the
            vocabulary is larger or smaller than the text allows (the message states
            the bound).

    Example:
        >>> tokenizer = train_subwords(english + german, 4000, "subwords.model")

    Reference:
        [Kudo, 2018](https://arxiv.org/abs/1804.10959).
    """
    sentences = _text_files.checked_texts(sentences)
    if not any(map(str.strip, sentences)):
        raise ValueError(
            "Cannot train subwords without text; pass sentences that are not empty. "
            f"Received: {len(sentences)} sentences"
        )
    if vocabulary_size <= END_ID + 1:
        raise ValueError(
            "`vocabulary_size` must be larger than the 4 special pieces. "
            f"Received: vocabulary_size={vocabulary_size}"
        )
    proto = _train(sentences, vocabulary_size, character_coverage, fit_size)
    with atomic.replace_file(path, "wb") as file:
        file.write(proto)
    return _sentence_piece.processor(proto)


def load_subwords(path):
    """Loads a SentencePiece vocabulary.

    Args:
        path: Path of a `.model` file, as `train_subwords` writes it.

    Returns:
        A `sentencepiece.SentencePieceProcessor`.

    Raises:
        ValueError: If the file is missing, is not a SentencePiece model, or has other
            special ids than this module.
    """
    processor = _sentence_piece.processor(_sentence_piece.read(path))
    ids = [processor.pad_id(), processor.unk_id()]
    ids += [processor.bos_id(), processor.eos_id()]
    if ids != [PAD_ID, UNKNOWN_ID, START_ID, END_ID]:
        raise ValueError(
            f"{str(path)!r} must number padding, unknown, start and end 0, 1, 2, 3; "
            f"train it with train_subwords(). Received: {ids}"
        )
    return processor


def save_vocabulary(tokenizer, path, **settings):
    """Writes the vocabulary as JSON, for apps.

    Keys: `pieces` (list of strings, `▁` stands for a space), `scores` (their unigram
    log probabilities), `pad`, `unknown`, `start`, `end` (ids), `lowercase` (`false` by
    default), and the settings.

    Args:
        tokenizer: A `sentencepiece.SentencePieceProcessor`.
        path: Path of the file to write; it is written atomically.
        **settings: Other settings that an app needs, e.g. `lowercase=True`.

    Raises:
        ValueError: If a setting has the name of one of the fixed keys.
    """
    fixed = _sentence_subwords.as_dict(tokenizer)
    taken = sorted(fixed.keys() & settings.keys())
    if taken:
        raise ValueError(
            f"Settings must not have the names of the vocabulary's own keys "
            f"{sorted(fixed)}; choose other names. Received: {taken}"
        )
    with atomic.replace_file(path) as file:
        json.dump({**fixed, "lowercase": False, **settings}, file, ensure_ascii=False)


def encode_sentences(tokenizer, sentences):
    """Encodes sentences to subword ids in one call.

    Args:
        tokenizer: A `sentencepiece.SentencePieceProcessor`.
        sentences: Iterable of strings.

    Returns:
        List of lists of integers, one per sentence, without special tokens.
    """
    sentences = list(sentences)
    return tokenizer.encode(sentences) if sentences else []


def decode_ids(tokenizer, ids):
    """Decodes ids to text, up to END and without padding and START.

    Args:
        tokenizer: A `sentencepiece.SentencePieceProcessor`.
        ids: Ids of one sentence, or a batch of sentences (nested lists or an array).

    Returns:
        A string for one sentence, a list of strings for a batch.

    Example:
        >>> decode_ids(tokenizer, [[START_ID, 17, 5, END_ID, 9, PAD_ID]])
        ['hello']
    """
    batch = [np.asarray(row) for row in ids]
    if batch and batch[0].ndim == 0:
        return decode_ids(tokenizer, [batch])[0]
    rows = [_until_end(row.tolist()) for row in batch]
    # One by one, since the processor takes an empty batch for an empty sentence.
    return [tokenizer.decode(row) if row else "" for row in rows]


def _until_end(ids):
    if END_ID in ids:
        ids = ids[: ids.index(END_ID)]
    return [i for i in ids if i not in (PAD_ID, START_ID)]


def _train(sentences, vocabulary_size, character_coverage, fit_size):
    # SentencePiece's own defaults, but for two: it leaves the rarest 0.05 % of the
    # characters unknown, which breaks one short sentence in seventy, and it makes
    # pieces of several digits, so that a model cannot copy a number digit by digit.
    return _sentence_piece.train(
        sentences,
        vocabulary_size,
        fit_size,
        normalization_rule_name="nmt_nfkc",
        character_coverage=character_coverage,
        split_digits=True,
        pad_id=PAD_ID,
        unk_id=UNKNOWN_ID,
        bos_id=START_ID,
        eos_id=END_ID,
    )
