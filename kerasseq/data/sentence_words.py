"""Words of sentences that are written; a device needs them too, so they are there."""

from kerasseq.lite import _sentence_words

SentenceWords = _sentence_words.SentenceWords
join_words = _sentence_words.join
