"""Words as tokens of sentences; how they are split is the device's matter too."""

from kerasseq.lite import _words

Words = _words.Words
split = _words.split
join = _words.join
