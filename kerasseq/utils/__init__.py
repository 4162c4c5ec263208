"""Files that appear whole or not at all, and child processes."""

from kerasseq.utils import atomic as atomic
from kerasseq.utils import child_process as child_process

__all__ = ["atomic", "child_process"]
