"""Greedy search over a step function."""

from keras import ops


def greedy_search(
    step, start_tokens, states, max_length, end_id=3, pad_id=0, attention_length=None
):
    """Takes the most probable token at each step, until all rows have ended.

    Fixed shapes and one `while_loop`, so that it runs under XLA and inside an
    exported graph.

    Args:
        step: callable `(tokens, states) -> (logits, attention, states)` with tokens
            `(batch_size,)`, logits `(batch_size, vocabulary_size)` and attention
            `(batch_size, attention_length)`, which may be `None`.
        start_tokens: integer tensor `(batch_size,)`.
        states: list of tensors `(batch_size, ...)`.
        max_length: number of steps at most.
        end_id: id that ends a row; it is part of the result.
        pad_id: id after the end.
        attention_length: if given, the attention weights are returned too.

    Returns:
        A dict of `tokens` `(batch_size, max_length)`, `scores` `(batch_size,)`, the
        sum of the tokens' natural log probabilities, and with `attention_length`
        `attention` `(batch_size, max_length, attention_length)`.

    Example:
        >>> greedy_search(step, ops.full((2,), 2), states, max_length=20)["tokens"]
    """
    positions = ops.arange(max_length, dtype="int32")
    batch_size = ops.shape(start_tokens)[0]
    tokens = ops.zeros((batch_size, max_length), start_tokens.dtype) + pad_id
    attention = []
    if attention_length:
        attention = [ops.zeros((batch_size, max_length, attention_length))]

    def body(time, last, ended, tokens, scores, attention, states):
        logits, weights, states = step(last, states)
        log_probs = ops.log_softmax(ops.cast(logits, "float32"), axis=-1)
        # `top_k`, since the converter has no builtin for all of `ops.argmax`.
        gain, chosen = (ops.squeeze(x, -1) for x in ops.top_k(log_probs, 1))
        chosen = ops.cast(chosen, tokens.dtype)
        chosen = ops.where(ended, ops.zeros_like(chosen) + pad_id, chosen)
        scores = scores + ops.where(ended, ops.zeros_like(gain), gain)
        here = ops.equal(positions, time)
        tokens = ops.where(ops.expand_dims(here, 0), ops.expand_dims(chosen, 1), tokens)
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
