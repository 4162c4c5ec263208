"""Sampling from a step function, in one loop with fixed shapes."""

from keras import ops

from kerasseq.decoding import _constraints, random_numbers
from kerasseq.decoding._constraints import IMPOSSIBLE


def sample(
    step,
    prompt,
    states,
    max_length,
    seeds,
    temperature=1.0,
    top_k=None,
    top_p=None,
    repetition_penalty=1.0,
    no_repeat_ngram=0,
    end_id=None,
    pad_id=-1,
):
    """Continues prompts by random sampling, token by token.

    The loop has fixed shapes and is a single `while_loop`, so that it runs under XLA
    and in an exported graph. The seeds are a tensor and give the same random numbers
    on every backend and device. Filters are applied in this order: the repetition
    penalty divides the logits of tokens that have occurred, in the prompt too, if
    positive, and multiplies them otherwise (Keskar et al., 2019); tokens that would
    repeat an n-gram are removed; then temperature, top-k, and top-p, which keeps the
    nucleus: the smallest set of most probable tokens whose probabilities sum to
    `top_p` or more (Holtzman et al., 2020).

    Args:
        step: Callable `(tokens, states) -> (logits, attention, states)`, with tokens
            of shape `(batch_size,)` and logits of shape `(batch_size,
            vocabulary_size)`.
        prompt: Integer tensor of shape `(batch_size, prompt_length)`, padded with
            `pad_id` on the right. Each row must have a token.
        states: List of tensors of shape `(batch_size, ...)`, the states before the
            prompt.
        max_length: Integer. Maximum number of tokens, including the prompt.
        seeds: Integer tensor of shape `(batch_size,)`. Rows with the same seed use the
            same random numbers.
        temperature: Float above 0. Divisor of the logits; below 1 makes probable tokens
            more probable.
        top_k: Optional integer. Samples from the `top_k` most probable tokens only.
        top_p: Optional float between 0 and 1. Samples from the nucleus of this
            probability only.
        repetition_penalty: Float above 0. 1 for no penalty.
        no_repeat_ngram: Integer. Length of n-grams that must not occur twice; 0 for no
            limit. If every token would repeat one, all are allowed.
        end_id: Optional integer. Token that ends a row; it is part of the result.
        pad_id: Integer. Id of padding, in the prompt and after the end.

    Returns:
        A dict of `tokens` of shape `(batch_size, max_length)`, the prompt and its
        continuation, and `scores` of shape `(batch_size,)`, the sum of the log
        probabilities of the sampled tokens under the unfiltered model.

    Raises:
        ValueError: For a prompt that leaves no room, or an argument out of range.

    Example:
        >>> sample(step, ops.full((2, 1), 5), states, 20, seeds=ops.arange(2))["tokens"]

    Reference:
        Fan et al. (2018), Hierarchical Neural Story Generation (top-k); Holtzman et
        al. (2020), The Curious Case of Neural Text Degeneration (top-p); Keskar et al.
        (2019), CTRL; Paulus et al. (2018) for n-grams.
    """
    options = temperature, top_k, top_p, repetition_penalty, no_repeat_ngram
    check_sampling(prompt.shape[1], max_length, *options)
    places = ops.arange(max_length, dtype="int32")[None]
    lengths = ops.sum(ops.cast(ops.not_equal(prompt, pad_id), "int32"), axis=1)

    def body(time, ended, tokens, scores, numbers, states):
        here = ops.equal(places, time)
        last = ops.where(ended, 0, _at(tokens, here))  # any id after the end
        logits, _, states = step(last, states)
        logits = ops.cast(logits, "float32")
        drawn, numbers = random_numbers.uniform(numbers)
        chosen = _choose(logits, drawn, tokens, time, *options)
        chosen = ops.cast(chosen, tokens.dtype)
        # No product with a one-hot vector: a forbidden token's is infinity times zero.
        vocabulary = ops.arange(logits.shape[-1], dtype=chosen.dtype)
        is_chosen = ops.equal(vocabulary[None], ops.expand_dims(chosen, 1))
        gain = ops.where(is_chosen, ops.log_softmax(logits), 0.0)
        in_prompt = time + 1 < lengths
        free = ops.logical_not(ops.logical_or(in_prompt, ended))
        scores = scores + ops.where(free, ops.sum(gain, axis=-1), 0.0)
        written = ops.logical_and(ops.equal(places, time + 1), ops.expand_dims(free, 1))
        tokens = ops.where(written, ops.expand_dims(chosen, 1), tokens)
        if end_id is not None:
            stops = ops.logical_and(free, ops.equal(chosen, end_id))
            ended = ops.logical_or(ended, stops)
        return time + 1, ended, tokens, scores, numbers, states

    _, _, tokens, scores, _, _ = ops.while_loop(
        lambda time, ended, *_: ops.logical_not(ops.all(ended)),
        body,
        (
            ops.convert_to_tensor(0, "int32"),
            ops.zeros_like(lengths, "bool"),
            _lengthened(prompt, max_length, pad_id),
            ops.zeros_like(lengths, "float32"),
            random_numbers.start(seeds),
            states,
        ),
        maximum_iterations=max_length - 1,
    )
    return {"tokens": tokens, "scores": scores}


def check_sampling(
    prompt_length,
    max_length,
    temperature=1.0,
    top_k=None,
    top_p=None,
    repetition_penalty=1.0,
    no_repeat_ngram=0,
):
    """Checks the options of `sample`, before a model is built.

    Raises:
        ValueError: For an option out of range.
    """
    if not 1 <= prompt_length < max_length:
        raise ValueError(
            "The prompt must have at least one token and leave room for another: use a "
            "shorter one, or a larger `max_length`. Received: a prompt of length "
            f"{prompt_length}, max_length={max_length}"
        )
    if isinstance(temperature, (int, float)) and temperature <= 0:
        raise ValueError(
            "`temperature` must be above 0; for the most probable token use "
            f"`greedy_search` or `top_k=1`. Received: temperature={temperature}"
        )
    if repetition_penalty <= 0 or no_repeat_ngram < 0:
        raise ValueError(
            "`repetition_penalty` must be above 0 and `no_repeat_ngram` 0 or more. "
            f"Received: repetition_penalty={repetition_penalty}, "
            f"no_repeat_ngram={no_repeat_ngram}"
        )
    nucleus = 1 if top_p is None else top_p
    if (top_k is not None and top_k < 1) or not 0 < nucleus <= 1:
        raise ValueError(
            "`top_k` must be at least 1 and `top_p` above 0 and at most 1. Received: "
            f"top_k={top_k}, top_p={top_p}"
        )


def _lengthened(prompt, length, pad_id):
    """The prompt, padded to `length`."""
    shape = ops.shape(prompt)[0], length - prompt.shape[1]
    return ops.concatenate([prompt, ops.zeros(shape, prompt.dtype) + pad_id], axis=1)


def _choose(
    logits,
    drawn,
    tokens,
    time,
    temperature,
    top_k,
    top_p,
    repetition_penalty,
    no_repeat_ngram,
):
    """The next token, sampled after all filters."""
    if repetition_penalty != 1:
        logits = _constraints.penalized(logits, tokens, time + 1, repetition_penalty)
    if no_repeat_ngram:
        logits = _without_repeats(logits, tokens, time, no_repeat_ngram)
    return _draw(logits / temperature, drawn, top_k, top_p)


def _at(tokens, here):
    """The token per row at the position where `here` is true."""
    return ops.sum(ops.where(here, tokens, 0), axis=1)


def _without_repeats(logits, tokens, time, size):
    """Removes tokens that would complete an n-gram of `size` that occurred before."""
    length = tokens.shape[1]
    places = ops.arange(length, dtype="int32")[None]
    # Whether the n-gram at a position starts with the last `size - 1` tokens.
    same = places + (size - 1) <= time
    for offset in range(size - 1):
        last = _at(tokens, ops.equal(places, time - (size - 2) + offset))
        equal = ops.equal(_shifted(tokens, offset), last[:, None])
        same = ops.logical_and(same, equal)
    ends = ops.one_hot(_shifted(tokens, size - 1), logits.shape[-1])
    repeats = ops.max(ends * ops.cast(same, ends.dtype)[:, :, None], axis=1)
    return ops.where(repeats > 0, IMPOSSIBLE, logits)


def _shifted(tokens, offset):
    """Tokens shifted to the left by `offset`; the last `offset` ones are invalid."""
    return ops.concatenate([tokens[:, offset:], tokens[:, :offset]], axis=1)


def _draw(logits, drawn, top_k, top_p):
    """One token per row: the first whose cumulative probability exceeds `drawn`."""
    order = None
    if top_k is not None or top_p is not None:
        count = min(top_k or logits.shape[-1], logits.shape[-1])
        logits, order = ops.top_k(logits, count)
        if count == 1:
            return order[:, 0]
    probabilities = ops.softmax(logits, axis=-1)
    if top_p is not None:
        before = ops.cumsum(probabilities, axis=-1) - probabilities
        probabilities = ops.where(before < top_p, probabilities, 0.0)
    sums = ops.cumsum(probabilities, axis=-1)
    passed = sums <= (drawn * sums[:, -1])[:, None]
    place = ops.sum(ops.cast(passed, "int32"), axis=-1)
    # Rounding may exceed all of them: then take the last possible token.
    possible = ops.sum(ops.cast(sums < sums[:, -1:], "int32"), axis=-1)
    place = ops.minimum(place, possible)
    if order is None:
        return place
    places = ops.arange(order.shape[-1], dtype="int32")[None]
    return _at(ops.cast(order, "int32"), ops.equal(places, place[:, None]))
