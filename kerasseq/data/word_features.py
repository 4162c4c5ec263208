"""Words, characters and suffixes, to train taggers; the phone has the same."""

from kerasseq.lite import _word_features

WordFeatures = _word_features.WordFeatures
