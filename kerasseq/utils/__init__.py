"""Files that appear whole or not at all, child processes, locks, signals, memory."""

from kerasseq.utils import atomic as atomic
from kerasseq.utils import child_process as child_process
from kerasseq.utils import folder_lock as folder_lock
from kerasseq.utils import interrupts as interrupts
from kerasseq.utils import machine as machine

__all__ = ["atomic", "child_process", "folder_lock", "interrupts", "machine"]
