"""Decaying sums that are kept with the largest exponent in them, for `ops.wkv`.

A sum is `(first, second, exponent)`, two numbers to be multiplied by the exponential of
the third. From one step to the next it loses `decay` in its exponent. Time comes first.
"""

from keras import ops

from kerasseq.ops._time_loop import time_loop

NOTHING = -1e30  # the exponent of an empty sum


def decayed(sums, amount):
    """A sum that has lost so much in its exponent."""
    return (*sums[:2], sums[2] - amount)


def merged(one, other):
    """The sum of two `(first, second, exponent)`, with the larger exponent."""
    top = ops.maximum(one[2], other[2])
    x, y = ops.exp(one[2] - top), ops.exp(other[2] - top)
    return x * one[0] + y * other[0], x * one[1] + y * other[1], top


def before(states, start):
    """The state before each step, from that after each."""
    pairs = zip(start, states, strict=True)
    return tuple(ops.concatenate([ops.expand_dims(a, 0), x[:-1]]) for a, x in pairs)


def by_steps(rows, live, decay, start):
    """The sums after each step of a chunk."""

    def step(row, sums):
        *row, live = row
        sums = merged(decayed(sums, live * decay), row)
        return sums, sums

    return time_loop(step, (*rows, live), start)[0]


def doubled(rows, live, decay, start):
    """The same without a loop: each pass sums over twice as many steps."""
    sums, distance, elapsed = rows, 1, ops.cumsum(live, axis=0)
    while distance < live.shape[0]:
        fills = (0.0, 0.0, NOTHING)
        pairs = zip(sums, fills, strict=True)
        moved = tuple(_shifted(x, distance, fill) for x, fill in pairs)
        between = elapsed - _shifted(elapsed, distance, 0.0)
        sums = merged(decayed(moved, between * decay), sums)
        distance *= 2
    start = tuple(ops.expand_dims(x, 0) for x in start)
    return merged(decayed(start, elapsed * decay), sums)


def _shifted(x, distance, value):
    filled = ops.full_like(x[:distance], value)
    return ops.concatenate([filled, x[:-distance]])
