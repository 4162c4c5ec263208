"""Files that appear whole or not at all, child processes, locks and signals."""

from kerasseq.utils import atomic as atomic
from kerasseq.utils import child_process as child_process
from kerasseq.utils import folder_lock as folder_lock
from kerasseq.utils import interrupts as interrupts

__all__ = ["atomic", "child_process", "folder_lock", "interrupts"]
