"""What a search must take, and what it may not."""

import typing

import numpy as np
from keras import ops

IMPOSSIBLE = -1e9  # finite, so that no sum of scores is NaN


class Constraints(typing.NamedTuple):
    """The arguments of these names of `beam_search`, which defines them."""

    min_length: int = 0
    forced_prefix: typing.Any = None
    repetition_penalty: float = 1.0
    forbidden_tokens: typing.Sequence = ()

    def check(self, max_length):
        """Refuses what is out of range."""
        if not 0 <= self.min_length <= max_length:
            raise ValueError(
                "`min_length` must be between 0 and `max_length`. Received: "
                f"min_length={self.min_length}, max_length={max_length}"
            )
        if self.repetition_penalty <= 0:
            raise ValueError(
                "`repetition_penalty` must be above 0; 1 is no penalty. Received: "
                f"repetition_penalty={self.repetition_penalty}"
            )
        shape = self._prefix_shape()
        if len(shape) not in (1, 2) or shape[-1] > max_length:
            raise ValueError(
                "`forced_prefix` must have the shape `(prefix_length,)` or "
                "`(batch_size, prefix_length)`, and no more than `max_length` ids. "
                f"Received: shape {shape}, max_length={max_length}"
            )

    def log_probs(self, logits, tokens, time, end_id):
        """Log probabilities of the next token, those that may not come impossible.

        Args:
            logits: Tensor of shape `(rows, vocabulary_size)`.
            tokens: Integer tensor of shape `(rows, max_length)`, of which the first
                `time` have been chosen.
            time: Integer scalar.
            end_id: Integer. Id that ends a row.

        Returns:
            Float32 tensor of shape `(rows, vocabulary_size)`.
        """
        logits, ids = ops.cast(logits, "float32"), np.arange(logits.shape[-1])
        self._check_ids(len(ids))
        if self.repetition_penalty != 1:
            logits = penalized(logits, tokens, time, self.repetition_penalty)
        log_probs = ops.log_softmax(logits, axis=-1)
        if len(self.forbidden_tokens):
            forbidden = np.isin(ids, self.forbidden_tokens)[None]
            log_probs = ops.where(forbidden, IMPOSSIBLE, log_probs)
        if self.min_length:
            too_early = ops.logical_and(time < self.min_length, (ids == end_id)[None])
            log_probs = ops.where(too_early, IMPOSSIBLE, log_probs)
        return log_probs

    def prefix(self):
        """`(batch_size, prefix_length)`, or `(1, prefix_length)` of all; or `None`."""
        if not self._prefix_shape()[-1]:
            return None
        prefix = ops.cast(self.forced_prefix, "int32")
        return ops.expand_dims(prefix, 0) if len(prefix.shape) == 1 else prefix

    def _prefix_shape(self):
        prefix = () if self.forced_prefix is None else self.forced_prefix
        return tuple(prefix.shape if hasattr(prefix, "shape") else np.shape(prefix))

    def _check_ids(self, size):
        """Refuses ids that are no ids; those of a tensor are not known yet."""
        known = {"forbidden_tokens": (0, self.forbidden_tokens)}
        if isinstance(self.forced_prefix, (list, tuple, np.ndarray)):
            known["forced_prefix"] = (-1, self.forced_prefix)  # -1 is padding
        for name, (lowest, ids) in known.items():
            outside = [i for i in np.ravel(ids).tolist() if not lowest <= i < size]
            if outside:
                raise ValueError(
                    f"`{name}` must hold ids of the vocabulary, 0 to {size - 1}. "
                    f"Received: {outside}"
                )


def forced_now(prefix, time, ended):
    """Which rows must take a token of their prefix at a step, and which token.

    Args:
        prefix: Integer tensor of shape `(rows, prefix_length)` or
            `(1, prefix_length)`, padded with -1.
        time: Integer scalar, the step.
        ended: Boolean tensor of shape `(rows,)`.

    Returns:
        `(forced, tokens)`, both of shape `(rows,)`.
    """
    here = ops.equal(ops.arange(prefix.shape[1], dtype="int32")[None], time)
    here = ops.logical_and(here, prefix >= 0)
    forced = ops.max(ops.cast(here, "int32"), axis=1) > 0
    tokens = ops.sum(ops.where(here, prefix, ops.zeros_like(prefix)), axis=1)
    forced = ops.logical_and(forced, ops.logical_not(ended))
    return forced, tokens + ops.zeros_like(ended, dtype="int32")


def penalized(logits, tokens, length, penalty):
    """Divides positive logits of tokens that have come, and multiplies negative ones.

    Args:
        logits: Tensor of shape `(rows, vocabulary_size)`.
        tokens: Integer tensor of shape `(rows, max_length)`.
        length: Integer scalar, how many of them have come.
        penalty: Float above 0.

    Returns:
        Tensor of shape `(rows, vocabulary_size)`.

    Reference:
        Keskar et al. (2019), CTRL, section 4.1.
    """
    places = ops.arange(tokens.shape[1], dtype="int32")[None]
    tokens = ops.where(places < length, tokens, -1)  # which has no place in a one-hot
    occurs = ops.max(ops.one_hot(tokens, logits.shape[-1]), axis=1) > 0
    lower = ops.where(logits > 0, logits / penalty, logits * penalty)
    return ops.where(occurs, lower, logits)
