"""Words as tokens of sentences that are written; a device needs it too, so it is there."""

from kerasseq.lite import _sentence_words

SentenceWords = _sentence_words.SentenceWords
join_words = _sentence_words.join
