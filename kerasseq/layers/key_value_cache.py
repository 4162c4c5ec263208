"""Where the keys and values of self-attention come from: three policies.

Each has a method `join(queries, keys, values, rotate)`. It gets what the layer has
computed of the new positions, `(batch_size, length, heads, key_dim)` each, and
`rotate(x, positions)`, and returns `Joined`.
"""

import typing

from keras import ops


class Joined(typing.NamedTuple):
    """What attention is computed of.

    Attributes:
        queries: Tensor `(batch_size, length, num_heads, key_dim)`.
        keys, values: Tensors `(batch_size, key_length, num_key_value_heads, key_dim)`.
        here, there: Positions of the queries and of the keys, integer tensors
            `(batch_size or 1, length)` and `(batch_size or 1, key_length)`.
        hidden: `None`, or a boolean tensor that broadcasts to `(batch_size, num_heads,
            length, key_length)`: what may not be seen, beside what is later.
        cache: The new `[keys, values]`, or `None`.
    """

    queries: typing.Any
    keys: typing.Any
    values: typing.Any
    here: typing.Any
    there: typing.Any
    hidden: typing.Any = None
    cache: typing.Any = None


class NoCache:
    """All positions at once, counted from 0: training."""

    def join(self, queries, keys, values, rotate):
        here, there = _count(ops.shape(queries)[1]), _count(ops.shape(keys)[1])
        queries, keys = rotate(queries, here), rotate(keys, there)
        return Joined(queries, keys, values, here, there)


class FixedCache(typing.NamedTuple):
    """One new position, written to its place in a cache of fixed length.

    Keys are kept as they are rotated, so that a step rotates but one.

    Attributes:
        kept: `[keys, values]`, `(batch_size, max_length, num_key_value_heads,
            key_dim)` each.
        position: int32 tensor `(batch_size,)`, counted from 0.
    """

    kept: list
    position: typing.Any

    def join(self, queries, keys, values, rotate):
        here = self.position[:, None]
        there = _count(self.kept[0].shape[1])
        queries, keys = rotate(queries, here), rotate(keys, here)
        # (batch_size, max_length, 1, 1)
        written = ops.equal(there, here)[:, :, None, None]
        cache = [
            ops.where(written, new, old)
            for new, old in zip((keys, values), self.kept, strict=True)
        ]
        return Joined(queries, *cache, here, there, cache=cache)


class SlidingCache(typing.NamedTuple):
    """Some new positions after the last `window` ones, which then move on.

    Positions are those inside the window, so that a text may be of any length; each
    sees as far back as the window is long, however many come at once. Keys are kept as
    they are before the rotation.

    Attributes:
        kept: `[keys, values]`, `(batch_size, window, num_key_value_heads, key_dim)`
            each.
        filled: Float tensor `(batch_size, window)`, 1 where there is a position.
    """

    kept: list
    filled: typing.Any

    def join(self, queries, keys, values, rotate):
        length, window = ops.shape(queries)[1], self.kept[0].shape[1]
        joined = [
            ops.concatenate([old, new], axis=1)
            for old, new in zip(self.kept, (keys, values), strict=True)
        ]
        # The reshape states the static shape again, (batch_size, window, ...).
        cache = [
            ops.reshape(x[:, length:], (-1, *old.shape[1:]))
            for x, old in zip(joined, self.kept, strict=True)
        ]
        there = _count(window + length)
        here = there[:, window:]
        queries, keys = rotate(queries, here), rotate(joined[0], there)
        # (1, 1, length, key_length)
        too_far = here[:, None, :, None] - there[:, None, None] > window
        new = ops.ones_like(queries[:, :, 0, 0], dtype=self.filled.dtype)
        filled = ops.concatenate([self.filled, new], axis=1)
        empty = (filled < 0.5)[:, None, None]  # (batch_size, 1, 1, key_length)
        hidden = ops.logical_or(too_far, empty)
        return Joined(queries, keys, joined[1], here, there, hidden, cache)


def _count(length):
    return ops.arange(length, dtype="int32")[None]
