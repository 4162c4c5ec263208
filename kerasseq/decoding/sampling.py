"""Sampling from a step function, in one loop of fixed shapes."""

from keras import ops

from kerasseq.decoding import random_numbers

NEVER = -1e9


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
    """Goes on with prompts, token by token, at random.

    Fixed shapes and one `while_loop`, so that it runs under XLA and inside an exported
    graph; the seeds are a tensor, and give the same numbers everywhere. Filters act in
    the order of the arguments: the logits of tokens that occur, prompt included, are
    divided by `repetition_penalty` if positive, else multiplied (Keskar et al., 2019);
    tokens that would repeat an n-gram are out; then temperature, top-k, and top-p,
    which keeps the most probable tokens up to and with the one that brings their sum
    to `top_p` (Holtzman et al., 2020).

    Args:
        step: callable `(tokens, states) -> (logits, attention, states)` with tokens
            `(batch_size,)` and logits `(batch_size, vocabulary_size)`.
        prompt: integer tensor `(batch_size, prompt_length)`, padded with `pad_id` on
            the right; each row has a token.
        states: list of tensors `(batch_size, ...)`, before the prompt.
        max_length: number of tokens at most, the prompt included.
        seeds: integer tensor `(batch_size,)`; rows with the same seed draw the same
            numbers.
        temperature: what logits are divided by; below 1 makes likely tokens likelier.
        top_k: draw from so many tokens only.
        top_p: draw from tokens of so much probability only.
        repetition_penalty: 1 for none.
        no_repeat_ngram: length of the sequences that must not occur twice; 0: any may.
            Where no token is left that would not repeat one, any may come.
        end_id: token that ends a row; it is part of the result.
        pad_id: id of padding, in the prompt and after the end.

    Returns:
        A dict of `tokens` `(batch_size, max_length)`, the prompt and what follows, and
        `scores` `(batch_size,)`, the sum of the log probabilities that the model
        itself gives to the tokens drawn.

    Raises:
        ValueError: for a prompt that leaves no room, or an argument out of range.

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
        last = ops.maximum(_at(tokens, here), 0)  # of a row that has ended: any
        logits, _, states = step(last, states)
        logits = ops.cast(logits, "float32")
        drawn, numbers = random_numbers.uniform(numbers)
        chosen = _choose(logits, drawn, tokens, time, *options)
        chosen = ops.cast(chosen, tokens.dtype)
        gain = ops.log_softmax(logits) * ops.one_hot(chosen, logits.shape[-1])
        given = time + 1 < lengths
        free = ops.logical_not(ops.logical_or(given, ended))
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
    """Refuses options of `sample` that cannot be, before there is a model.

    Raises:
        ValueError: naming the option.
    """
    if not 1 <= prompt_length < max_length:
        raise ValueError(
            "The prompt must have a token and leave room for one: take a shorter one, "
            "or a larger `max_length`. Received: a prompt of length "
            f"{prompt_length}, max_length={max_length}"
        )
    if isinstance(temperature, (int, float)) and temperature <= 0:
        raise ValueError(
            "`temperature` must be above 0; `greedy_search`, or `top_k=1`, takes the "
            f"most probable token. Received: temperature={temperature}"
        )
    if repetition_penalty <= 0 or no_repeat_ngram < 0:
        raise ValueError(
            "`repetition_penalty` must be above 0 and `no_repeat_ngram` 0 or more. "
            f"Received: repetition_penalty={repetition_penalty}, "
            f"no_repeat_ngram={no_repeat_ngram}"
        )
    share = 1 if top_p is None else top_p
    if (top_k is not None and top_k < 1) or not 0 < share <= 1:
        raise ValueError(
            "`top_k` must be at least 1 and `top_p` above 0 and at most 1. Received: "
            f"top_k={top_k}, top_p={top_p}"
        )


def _lengthened(prompt, length, pad_id):
    """The prompt, with padding behind it."""
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
    """The token that comes next, after all filters."""
    if repetition_penalty != 1:
        logits = _penalised(logits, tokens, repetition_penalty)
    if no_repeat_ngram:
        logits = _without_repeats(logits, tokens, time, no_repeat_ngram)
    return _draw(logits / temperature, drawn, top_k, top_p)


def _at(tokens, here):
    """The column of `tokens` that `here` names."""
    return ops.sum(ops.where(here, tokens, 0), axis=1)


def _penalised(logits, tokens, penalty):
    occurs = ops.max(ops.one_hot(tokens, logits.shape[-1]), axis=1) > 0
    lower = ops.where(logits > 0, logits / penalty, logits * penalty)
    return ops.where(occurs, lower, logits)


def _without_repeats(logits, tokens, time, size):
    """Takes out what would end a sequence of `size` tokens that is there already."""
    length = tokens.shape[1]
    places = ops.arange(length, dtype="int32")[None]
    # The sequence that starts at a place begins as the last tokens do.
    same = places + (size - 1) <= time
    for offset in range(size - 1):
        last = _at(tokens, ops.equal(places, time - (size - 2) + offset))
        there = ops.equal(_shifted(tokens, offset), last[:, None])
        same = ops.logical_and(same, there)
    ends = ops.one_hot(_shifted(tokens, size - 1), logits.shape[-1])
    found = ops.max(ends * ops.cast(same, ends.dtype)[:, :, None], axis=1)
    return ops.where(found > 0, NEVER, logits)


def _shifted(tokens, offset):
    """Each place holds what is `offset` places after it, the last ones anything."""
    return ops.concatenate([tokens[:, offset:], tokens[:, :offset]], axis=1)


def _draw(logits, drawn, top_k, top_p):
    """One token a row, by the share of the probability that lies below `drawn`."""
    order = None
    if top_k is not None or top_p is not None:
        count = min(top_k or logits.shape[-1], logits.shape[-1])
        logits, order = ops.top_k(logits, count)
        if count == 1:
            return order[:, 0]
    shares = ops.softmax(logits, axis=-1)
    if top_p is not None:
        before = ops.cumsum(shares, axis=-1) - shares
        shares = ops.where(before < top_p, shares, 0.0)
    sums = ops.cumsum(shares, axis=-1)
    passed = sums <= (drawn * sums[:, -1])[:, None]
    place = ops.sum(ops.cast(passed, "int32"), axis=-1)
    # Rounding may pass all of them: then the last that can be drawn.
    possible = ops.sum(ops.cast(sums < sums[:, -1:], "int32"), axis=-1)
    place = ops.minimum(place, possible)
    if order is None:
        return place
    places = ops.arange(order.shape[-1], dtype="int32")[None]
    return _at(ops.cast(order, "int32"), ops.equal(places, place[:, None]))
