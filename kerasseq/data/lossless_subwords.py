"""A running text as the numbers of its subwords, from which it comes back unchanged."""

from kerasseq.data import _sentence_piece
from kerasseq.lite import _vocabularies

# Anything else is spelt in bytes, one piece each.
NUM_BYTES = 256


class LosslessSubwords(_vocabularies.LosslessSubwords):
    """SentencePiece subwords that keep runs of spaces and the ends of lines.

    `train_subwords` is for sentences and tidies their spaces; language models of
    running text have to write them. Characters that the training text did not have are
    spelt in UTF-8 bytes, so that every text can be encoded. One thing alone changes:
    "▁" (U+2581), SentencePiece's sign for a space, comes back as one.

    Args:
        proto: A SentencePiece model as `train` makes it, as bytes.

    Example:
        >>> subwords = kerasseq.data.LosslessSubwords.train(text, 1000)
        >>> subwords.decode(subwords.encode("if x:\n    go()  # ☃\n"))
        'if x:\n    go()  # ☃\n'

    Reference:
        [Kudo and Richardson, 2018](https://arxiv.org/abs/1808.06226).
    """

    @classmethod
    def train(cls, text, vocabulary_size, fit_size=False):
        """Trains the subwords of a text.

        Args:
            text: A string.
            vocabulary_size: Number of pieces, of which 256 are bytes.
            fit_size: Whether a size that the text does not allow becomes the nearest
                that it does.

        Raises:
            ValueError: If the text is empty, or allows no such vocabulary.
        """
        if not text.strip():
            raise ValueError("The text is empty; give one with words.")
        if vocabulary_size <= NUM_BYTES:
            raise ValueError(
                f"`vocabulary_size` must leave room beside the {NUM_BYTES} bytes. "
                f"Received: vocabulary_size={vocabulary_size}"
            )
        proto = _sentence_piece.train(
            _vocabularies.lines(text),
            vocabulary_size,
            fit_size,
            normalization_rule_name="identity",
            add_dummy_prefix=False,
            remove_extra_whitespaces=False,
            allow_whitespace_only_pieces=True,
            user_defined_symbols=["\n"],
            byte_fallback=True,
            character_coverage=1.0,
            max_sentence_length=1 << 16,
            bos_id=-1,
            eos_id=-1,
        )
        return cls(proto)
