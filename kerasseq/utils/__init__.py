"""Files that appear whole or not at all, and child processes."""

from kerasseq.utils import atomic as atomic
