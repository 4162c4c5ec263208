"""Training of SentencePiece models, with errors that say what to do."""

import io
import re

from kerasseq.lite import _sentence_piece
from kerasseq.utils import optional

sentencepiece = optional.import_module("sentencepiece")

read = _sentence_piece.read
processor = _sentence_piece.processor


def train(sentences, vocabulary_size, fit_size=False, **settings):
    """Trains a unigram model.

    Args:
        sentences: List of str.
        vocabulary_size: Number of pieces in all.
        fit_size: Whether a size that the text does not allow becomes the nearest that
            it does.
        **settings: Others of SentencePiece's trainer.

    Returns:
        The model, as bytes.

    Raises:
        ValueError: If the text allows no such vocabulary; the message states the bound.
    """
    try:
        return _trained(sentences, vocabulary_size, settings)
    except RuntimeError as error:
        bound = _bound(str(error))[1]
        if fit_size and bound not in (None, vocabulary_size):
            return train(sentences, bound, **settings)
        raise ValueError(_explain(str(error), vocabulary_size)) from error


def _trained(sentences, vocabulary_size, settings):
    proto = io.BytesIO()
    # SentencePiece logs hundreds of lines from C++; 1 leaves warnings and errors.
    sentencepiece.set_min_log_level(1)
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(sentences),
            model_writer=proto,
            vocab_size=vocabulary_size,
            model_type="unigram",
            **settings,
        )
    finally:
        sentencepiece.set_min_log_level(0)
    return proto.getvalue()


def _bound(message):
    """Which bound a size violates, and its value: `("most", 120)`, or `None` twice."""
    if found := re.search(r"value <= (\d+)", message):
        return "most", int(found[1])
    if found := re.search(r"required_chars\. \d+ vs (\d+)", message):
        return "least", int(found[1])
    return None, None


def _explain(message, vocabulary_size):
    kind, value = _bound(message)
    mend = {
        "most": f"it can be at most {value} for this text; lower it or give more text",
        "least": f"it must be at least {value}, one piece a character; raise it, or "
        "leave rare characters out",
        None: message.strip(),
    }[kind]
    return (
        f"Cannot train such a vocabulary: {mend}. "
        f"Received: vocabulary_size={vocabulary_size}"
    )
