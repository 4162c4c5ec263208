"""The way in which loops and recurrences are traced to a graph."""

import contextlib
import contextvars
import dataclasses

import keras

LOOP_STRATEGIES = ("train", "while", "unrolled", "fused", "loopless")


@dataclasses.dataclass
class LoopStrategy:
    """The way in which loops are traced, and counts of what has been traced.

    Attributes:
        kind: One of `LOOP_STRATEGIES`.
        num_steps: Total number of time steps of all traced loops.
        buffer_bytes: Total size of the output buffers of loops.
        num_fusible: Number of recurrences that are one op, or would be with another
            `kind`.
        num_masked: Number of those with a mask.
        may_fuse: Boolean, whether recurrences are checked for fusion at all.
    """

    kind: str
    num_steps: int = 0
    buffer_bytes: int = 0
    num_fusible: int = 0
    num_masked: int = 0
    may_fuse: bool = True

    @property
    def fuses(self):
        """Whether `ops.lstm` becomes one op."""
        return self.kind in ("fused", "loopless")


_loop_strategy = contextvars.ContextVar("loop_strategy", default=None)


@contextlib.contextmanager
def loop_strategy(kind):
    """A context that selects how `time_loop` is traced to a graph.

    Args:
        kind: String, one of
            - `"train"`, the default without a context: a loop over arrays, with a
              gradient;
            - `"while"`: a loop that keeps its outputs in one buffer of static shape,
              which converts to a TFLite `WHILE` without dynamic tensors. Not for
              training;
            - `"unrolled"`: a copy of the graph per time step;
            - `"fused"`: as `"while"`, but `ops.lstm` is one op if possible, which needs
              masks padded on the right;
            - `"loopless"`: as `"unrolled"`, but with that op.

    Yields:
        A `LoopStrategy`, which counts what is traced.

    Raises:
        ValueError: For another kind.
    """
    if kind not in LOOP_STRATEGIES:
        raise ValueError(f"`kind` must be one of {LOOP_STRATEGIES}. Received: {kind!r}")
    may_fuse = kind != "train" and keras.backend.backend() in ("tensorflow", "jax")
    chosen = LoopStrategy(kind, may_fuse=may_fuse)
    token = _loop_strategy.set(chosen)
    try:
        yield chosen
    finally:
        _loop_strategy.reset(token)


def current_loop_strategy():
    """Returns the current `LoopStrategy`."""
    return _loop_strategy.get() or LoopStrategy("train", may_fuse=False)


@contextlib.contextmanager
def without_fusion():
    """A context in which no recurrence is fused to one op."""
    so_far = current_loop_strategy()
    before, so_far.may_fuse = so_far.may_fuse, False
    try:
        yield
    finally:
        so_far.may_fuse = before
