"""Training of SentencePiece models, with errors that say what to do."""

import io
import re

from kerasseq.lite import _sentence_piece
from kerasseq.utils import optional

sentencepiece = optional.import_module("sentencepiece")

read = _sentence_piece.read
processor = _sentence_piece.processor


def train(sentences, vocabulary_size, **settings):
    """Trains a unigram model.

    Args:
        sentences: Iterable of str.
        vocabulary_size: Number of pieces in all.
        **settings: Others of SentencePiece's trainer.

    Returns:
        The model, as bytes.

    Raises:
        ValueError: If the text allows no such vocabulary; the message states the bound.
    """
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
    except RuntimeError as error:
        raise ValueError(_explain(str(error), vocabulary_size)) from error
    finally:
        sentencepiece.set_min_log_level(0)
    return proto.getvalue()


def _explain(message, vocabulary_size):
    if found := re.search(r"value <= (\d+)", message):
        mend = f"it can be at most {found[1]} for this text; lower it or give more text"
    elif found := re.search(r"required_chars\. \d+ vs (\d+)", message):
        mend = (
            f"it must be at least {found[1]}, one piece a character; raise it, "
            "or leave rare characters out"
        )
    else:
        mend = message.strip()
    return (
        f"Cannot train such a vocabulary: {mend}. "
        f"Received: vocabulary_size={vocabulary_size}"
    )
