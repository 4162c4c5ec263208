"""How loops and recurrences are written while a graph is traced."""

import contextlib
import contextvars
import dataclasses

import keras

LOOP_STRATEGIES = ("train", "while", "unrolled", "fused", "loopless")


@dataclasses.dataclass
class LoopStrategy:
    """How loops are written while a graph is traced, and what was written so far.

    Attributes:
        kind: One of `LOOP_STRATEGIES`.
        num_steps: Time steps of all loops traced, together.
        buffer_bytes: Size of the outputs that loops carry in buffers, together.
        num_fusible: Recurrences that are one op, or would be one if `kind` allowed.
        may_fuse: Whether recurrences are looked at for that.
    """

    kind: str
    num_steps: int = 0
    buffer_bytes: int = 0
    num_fusible: int = 0
    may_fuse: bool = True

    @property
    def fuses(self):
        """Whether `ops.lstm` becomes one op."""
        return self.kind in ("fused", "loopless")


_loop_strategy = contextvars.ContextVar("loop_strategy", default=None)


@contextlib.contextmanager
def loop_strategy(kind):
    """Chooses how `time_loop` is written while a graph is traced.

    Args:
        kind: `"train"`, the default: a loop over arrays, which has a gradient.
            `"while"`: a loop that carries its outputs in one buffer of static shape,
            which converts to a mobile `WHILE` without a dynamic tensor; no gradient
            worth having, TensorFlow only. `"unrolled"`: every step written out.
            `"fused"`: as `"while"`, but `ops.lstm` becomes one op where it can, which
            wants masks padded on the right. `"loopless"`: as `"unrolled"`, with that
            op.

    Yields:
        A `LoopStrategy`, which counts what is traced.

    Raises:
        ValueError: for another kind.
    """
    if kind not in LOOP_STRATEGIES:
        raise ValueError(f"`kind` must be one of {LOOP_STRATEGIES}. Received: {kind!r}")
    may_fuse = kind != "train" and keras.backend.backend() == "tensorflow"
    chosen = LoopStrategy(kind, may_fuse=may_fuse)
    token = _loop_strategy.set(chosen)
    try:
        yield chosen
    finally:
        _loop_strategy.reset(token)


def current_loop_strategy():
    """The `LoopStrategy` in force."""
    return _loop_strategy.get() or LoopStrategy("train", may_fuse=False)


@contextlib.contextmanager
def without_fusion():
    """A context in which no recurrence becomes one op."""
    so_far = current_loop_strategy()
    before, so_far.may_fuse = so_far.may_fuse, False
    try:
        yield
    finally:
        so_far.may_fuse = before
