"""Greedy search over a step function."""

from keras import ops

from kerasseq.decoding import _constraints


def greedy_search(
    step,
    start_tokens,
    states,
    max_length,
    end_id=3,
    pad_id=0,
    attention_length=None,
    **constraints,
):
    """Greedy search: takes the most probable token at each step until all rows end.

    The search has fixed shapes and a single `while_loop`, so that it runs under XLA and
    in an exported graph.

    Args:
        step: Callable `(tokens, states) -> (logits, attention, states)`, with tokens
            of shape `(batch_size,)`, logits of shape `(batch_size, vocabulary_size)`
            and attention of shape `(batch_size, attention_length)` or `None`.
        start_tokens: Integer tensor of shape `(batch_size,)`.
        states: List of tensors of shape `(batch_size, ...)`.
        max_length: Integer. Maximum number of steps.
        end_id: Integer. Id that ends a row; it is part of the result.
        pad_id: Integer. Id after the end.
        attention_length: Optional integer. If given, the attention weights are
            returned as well.
        **constraints: `min_length`, `forced_prefix`, `repetition_penalty` and
            `forbidden_tokens`, as in `beam_search`.

    Returns:
        A dict of `tokens` of shape `(batch_size, max_length)`; `scores` of shape
        `(batch_size,)`, the sum of the tokens' natural log probabilities; with
        `attention_length` also `attention` of shape `(batch_size, max_length,
        attention_length)`.

    Raises:
        ValueError: For an argument out of range, or an id that is not in the
            vocabulary.

    Example:
        >>> greedy_search(step, ops.full((2,), 2), states, max_length=20)["tokens"]
    """
    constraints = _constraints.Constraints(**constraints)
    constraints.check(max_length)
    prefix = constraints.prefix()
    start_tokens = ops.cast(start_tokens, "int32")
    positions = ops.arange(max_length, dtype="int32")
    batch_size = ops.shape(start_tokens)[0]
    tokens = ops.zeros((batch_size, max_length), "int32") + pad_id
    attention = []
    if attention_length:
        attention = [ops.zeros((batch_size, max_length, attention_length))]

    def body(time, last, ended, tokens, scores, attention, states):
        logits, weights, states = step(last, states)
        log_probs = constraints.log_probs(logits, tokens, time, end_id)
        # Not `ops.argmax`, which does not convert to builtin ops alone.
        gain, chosen = (ops.squeeze(x, -1) for x in ops.top_k(log_probs, 1))
        chosen = ops.cast(chosen, tokens.dtype)
        if prefix is not None:
            forced, given = _constraints.forced_now(prefix, time, ended)
            chosen = ops.where(forced, ops.cast(given, chosen.dtype), chosen)
            gain = ops.where(forced, ops.zeros_like(gain), gain)
        scores = scores + ops.where(ended, ops.zeros_like(gain), gain)
        here = ops.equal(positions, time)
        shown = ops.where(ended, ops.zeros_like(chosen) + pad_id, chosen)
        tokens = ops.where(ops.expand_dims(here, 0), ops.expand_dims(shown, 1), tokens)
        if attention:
            written = ops.reshape(here, (1, -1, 1))
            attention = [ops.where(written, ops.expand_dims(weights, 1), attention[0])]
        ended = ops.logical_or(ended, ops.equal(chosen, end_id))
        return time + 1, chosen, ended, tokens, scores, attention, states

    _, _, _, tokens, scores, attention, _ = ops.while_loop(
        lambda time, last, ended, *_: ops.logical_not(ops.all(ended)),
        body,
        (
            ops.convert_to_tensor(0, "int32"),
            start_tokens,
            ops.zeros((batch_size,), "bool"),
            tokens,
            ops.zeros((batch_size,), "float32"),
            attention,
            states,
        ),
        maximum_iterations=max_length,
    )
    result = {"tokens": tokens, "scores": scores}
    return result | ({"attention": attention[0]} if attention else {})
