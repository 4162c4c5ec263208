"""Beam search over a step function."""

from keras import ops

from kerasseq.decoding import _constraints
from kerasseq.decoding._constraints import IMPOSSIBLE


def beam_search(
    step,
    start_tokens,
    states,
    max_length,
    beam_size=4,
    length_penalty=0.6,
    end_id=3,
    pad_id=0,
    attention_length=None,
    min_length=0,
    forced_prefix=None,
    repetition_penalty=1.0,
    forbidden_tokens=(),
):
    """Beam search: keeps the `beam_size` best hypotheses per row until all have ended.

    Hypotheses, ended or not, are ranked by `log P / penalty`, with the length penalty
    `((5 + length) / 6) ** length_penalty` of Wu et al. (2016), equation 14. An ended
    hypothesis stays in the beam with its score until better ones displace it. The
    search has fixed shapes and a single `while_loop`, so that it runs under XLA and in
    an exported graph.

    Args:
        step: Callable `(tokens, states) -> (logits, attention, states)`, with tokens
            of shape `(rows,)`, logits of shape `(rows, vocabulary_size)` and attention
            of shape `(rows, attention_length)` or `None`. It is called with
            `rows = batch_size * beam_size`.
        start_tokens: Integer tensor of shape `(batch_size * beam_size,)`.
        states: List of tensors of shape `(batch_size * beam_size, ...)`; see
            `repeat_rows`.
        max_length: Integer. Maximum number of steps.
        beam_size: Integer. Number of hypotheses per row.
        length_penalty: Float. Exponent of the length penalty; 0 for none.
        end_id: Integer. Id that ends a hypothesis; it is part of the result.
        pad_id: Integer. Id after the end.
        attention_length: Optional integer. If given, the attention weights are
            returned as well.
        min_length: Integer. Tokens that a hypothesis has before it may end; its end is
            not counted.
        forced_prefix: Optional integer array or tensor of shape `(prefix_length,)`, or
            `(batch_size, prefix_length)` padded with -1 on the right: what all
            hypotheses begin with. It is part of the length and of the result, but its
            probabilities are no part of the scores.
        repetition_penalty: Float above 0. Divides the logits of tokens that the
            hypothesis has, its prefix included, if they are positive, and multiplies
            them otherwise. 1 for no penalty.
        forbidden_tokens: Sequence of ids that are never chosen, except by
            `forced_prefix`.

    Returns:
        A dict with the best hypothesis first: `tokens` of shape `(batch_size,
        beam_size, max_length)`; `scores` of shape `(batch_size, beam_size)`, the log
        probabilities divided by the penalty; with `attention_length` also `attention`
        of shape `(batch_size, beam_size, max_length, attention_length)`.

    Where fewer hypotheses are possible than `beam_size`, the others come last, with
    scores below -1e8.

    Raises:
        ValueError: If `beam_size` is not positive, for an argument out of range, or an
            id that is not in the vocabulary.

    Example:
        >>> states = [repeat_rows(state, 4) for state in states]
        >>> start = repeat_rows(ops.full((2,), 2), 4)
        >>> beam_search(step, start, states, max_length=20)["tokens"].shape
        (2, 4, 20)

    Reference:
        Wu et al. (2016), Google's Neural Machine Translation System; Keskar et al.
        (2019), CTRL, section 4.1, for the repetition penalty. `min_length` and
        `forced_prefix` are `min_new_tokens` and the `decoder_input_ids` of
        transformers, `forbidden_tokens` its `suppress_tokens`.
    """
    if beam_size < 1:
        raise ValueError(
            f"`beam_size` must be positive. Received: beam_size={beam_size}"
        )
    constraints = _constraints.Constraints(
        min_length, forced_prefix, repetition_penalty, forbidden_tokens
    )
    constraints.check(max_length)
    search = _Search(
        step, max_length, beam_size, length_penalty, end_id, pad_id, constraints
    )
    variables = search.first_variables(start_tokens, attention_length, states)
    variables = ops.while_loop(
        lambda time, beam, states: ops.logical_not(ops.all(beam["ended"])),
        search.advance,
        variables,
        maximum_iterations=max_length,
    )
    beam = variables[1]
    lengths = ops.reshape(beam["lengths"], (-1, beam_size))
    result = {
        "tokens": ops.reshape(beam["tokens"], (-1, beam_size, max_length)),
        "scores": beam["log_probs"] / search.penalty(lengths),
    }
    if attention_length:
        shape = (-1, beam_size, max_length, attention_length)
        result["attention"] = ops.reshape(beam["attention"], shape)
    return result


def repeat_rows(tensor, count):
    """Repeats each row of the first axis `count` times, copies next to each other.

    Args:
        tensor: Tensor of shape `(batch_size, ...)`.
        count: Integer.

    Returns:
        Tensor of shape `(batch_size * count, ...)`.
    """
    shape = tensor.shape[1:]
    repeats = [1, count] + [1] * len(shape)
    tiled = ops.tile(ops.expand_dims(tensor, 1), repeats)  # (batch_size, count, ...)
    dynamic = ops.shape(tensor)[1:]
    return ops.reshape(tiled, (-1, *dynamic))


class _Search:
    """The constants of one search, and the step that advances it.

    The beam is a dict of tensors with one row per hypothesis, `batch_size * beam_size`
    rows, except `log_probs` of shape `(batch_size, beam_size)`.
    """

    def __init__(
        self, step, max_length, beam_size, length_penalty, end_id, pad_id, constraints
    ):
        self.step = step
        self.max_length = max_length
        self.beam_size = beam_size
        self.length_penalty = length_penalty
        self.end_id = end_id
        self.pad_id = pad_id
        self.constraints = constraints
        self.prefix = constraints.prefix()
        if self.prefix is not None and self.prefix.shape[0] != 1:
            self.prefix = repeat_rows(self.prefix, beam_size)

    def penalty(self, lengths):
        return ops.power(
            (5.0 + ops.cast(lengths, "float32")) / 6.0, self.length_penalty
        )

    def first_variables(self, start_tokens, attention_length, states):
        start_tokens = ops.cast(start_tokens, "int32")
        rows, dtype = ops.shape(start_tokens)[0], "int32"
        # All hypotheses of a row start equal, so only the first may continue.
        others = ops.cast(ops.arange(self.beam_size) > 0, "float32") * IMPOSSIBLE
        beam = {
            "last": start_tokens,
            "ended": ops.zeros((rows,), "bool"),
            "lengths": ops.zeros((rows,), dtype),
            "log_probs": ops.zeros((rows // self.beam_size, 1)) + others,
            "tokens": ops.zeros((rows, self.max_length), dtype) + self.pad_id,
        }
        if attention_length:
            beam["attention"] = ops.zeros((rows, self.max_length, attention_length))
        return ops.convert_to_tensor(0, "int32"), beam, states

    def advance(self, time, beam, states):
        logits, weights, states = self.step(beam["last"], states)
        parents, chosen, log_probs = self._best(logits, beam, time)

        def of_parent(tensor):
            return ops.take(tensor, parents, axis=0)

        ended = of_parent(beam["ended"])
        written = ops.where(ended, ops.zeros_like(chosen) + self.pad_id, chosen)
        here = ops.equal(ops.arange(self.max_length, dtype="int32"), time)
        tokens = of_parent(beam["tokens"])
        new = {
            "last": chosen,
            "ended": ops.logical_or(ended, ops.equal(chosen, self.end_id)),
            "lengths": of_parent(beam["lengths"])
            + ops.cast(ops.logical_not(ended), beam["lengths"].dtype),
            "log_probs": log_probs,
            "tokens": ops.where(
                ops.expand_dims(here, 0), ops.expand_dims(written, 1), tokens
            ),
        }
        if "attention" in beam:
            new["attention"] = ops.where(
                ops.reshape(here, (1, -1, 1)),
                ops.expand_dims(of_parent(weights), 1),
                of_parent(beam["attention"]),
            )
        return time + 1, new, [of_parent(state) for state in states]

    def _best(self, logits, beam, time):
        """The best continuations: rows of their parents, tokens, log probabilities."""
        log_probs = self.constraints.log_probs(
            logits, beam["tokens"], time, self.end_id
        )
        size = log_probs.shape[-1]
        ended = ops.expand_dims(beam["ended"], -1)
        # An ended one goes on with one token, which stands for padding.
        only_one = ops.cast(ops.arange(size) > 0, "float32") * IMPOSSIBLE
        log_probs = ops.where(ended, ops.expand_dims(only_one, 0), log_probs)
        # (batch_size * beam_size, vocabulary_size)
        log_probs = log_probs + ops.reshape(beam["log_probs"], (-1, 1))

        lengths = beam["lengths"] + ops.cast(
            ops.logical_not(beam["ended"]), beam["lengths"].dtype
        )
        ranks = log_probs / ops.expand_dims(self.penalty(lengths), -1)
        # All continuations of a row: (batch_size, beam_size * vocabulary_size).
        ranks = ops.reshape(ranks, (-1, self.beam_size * size))
        _, best = ops.top_k(ranks, self.beam_size)
        best = ops.cast(best, "int32")
        # Rows and tokens of the best, both (batch_size * beam_size,).
        first = ops.cumsum(ops.ones_like(best[:, :1]), axis=0) - 1
        parents = ops.reshape(first * self.beam_size + best // size, (-1,))
        chosen = ops.reshape(best % size, (-1,))
        flat = ops.reshape(log_probs, (-1,))
        kept = ops.take(flat, parents * size + chosen, axis=0)
        best = parents, chosen, ops.reshape(kept, (-1, self.beam_size))
        return best if self.prefix is None else self._forced(*best, beam, time)

    def _forced(self, parents, chosen, log_probs, beam, time):
        """The same, but rows go on as they are where a prefix says how."""
        forced, tokens = _constraints.forced_now(self.prefix, time, beam["ended"])
        own = ops.cumsum(ops.ones_like(parents), axis=0) - 1
        of_beam = ops.reshape(forced, (-1, self.beam_size))
        return (
            ops.where(forced, own, parents),
            ops.where(forced, ops.cast(tokens, chosen.dtype), chosen),
            ops.where(of_beam, beam["log_probs"], log_probs),
        )
