"""Texts as words and their numbers; a device needs it too, so it is there."""

from kerasseq.lite import _words

Words = _words.Words
split_words = _words.split
