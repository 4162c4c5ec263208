"""A text as the numbers of its characters; a device needs it too, so it is there."""

from kerasseq.lite import _vocabularies

Characters = _vocabularies.Characters
