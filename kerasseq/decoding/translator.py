"""Translation with a search, as a Keras model and as signatures of a file."""

import keras
from keras import ops

from kerasseq import models
from kerasseq.decoding import _constraints, beam, greedy

START_ID = 2


class Translator(keras.Model):
    """Greedy or beam search with a translation model; call `predict`.

    `predict` compiles the whole search with XLA, on TensorFlow and on JAX, and runs it
    in batches.

    Args:
        model: A model built by `kerasseq.models.seq2seq` or `transformer`.
        max_length: Integer. Maximum number of target tokens, including the end token.
        beam_size: Optional integer. Number of hypotheses. Defaults to `None`, greedy
            search.
        length_penalty: Float. Exponent of the length penalty of beam search.
        return_attention: Boolean, whether to return the attention weights as well.
        **kwargs: `min_length`, `forced_prefix`, `repetition_penalty` and
            `forbidden_tokens` of `beam_search`, and the arguments of `keras.Model`.

    Call arguments:
        source: Integer tensor of shape `(batch_size, source_length)`, padded with 0
            on the right. Ids outside the vocabulary count as unknown, 1. For prefixes
            of each row a dict of `source` and `prefix`, integers `(batch_size,
            prefix_length)` padded with -1 on the right.

    Output shape:
        A dict as `greedy_search` or `beam_search` returns.

    Example:
        >>> translator = kerasseq.decoding.Translator(model, 40, beam_size=4)
        >>> translator.predict(source)["tokens"]
    """

    def __init__(
        self,
        model,
        max_length,
        beam_size=None,
        length_penalty=0.6,
        return_attention=False,
        **kwargs,
    ):
        named = _constraints.Constraints._fields
        constraints = {name: kwargs.pop(name) for name in named if name in kwargs}
        super().__init__(**kwargs)
        self.model = model
        self.max_length = max_length
        self.beam_size = beam_size
        self.length_penalty = length_penalty
        self.return_attention = return_attention
        self.constraints = constraints
        _constraints.Constraints(**constraints).check(max_length)
        self.compile(jit_compile=True)

    def call(self, inputs):
        inputs = inputs if isinstance(inputs, dict) else {"source": inputs}
        source = ops.cast(inputs["source"], "int32")
        source_length = ops.shape(source)[1]
        context, states = models.seq2seq_encode(self.model, source, self.max_length)
        start = ops.sum(ops.zeros_like(source), axis=1) + START_ID
        options = {
            "max_length": self.max_length,
            "attention_length": source_length if self.return_attention else None,
            **self.constraints,
        }
        if "prefix" in inputs:
            options["forced_prefix"] = inputs["prefix"]
        if self.beam_size is None:
            return greedy.greedy_search(self._step(context), start, states, **options)

        def repeat(tensor):
            return beam.repeat_rows(tensor, self.beam_size)

        return beam.beam_search(
            self._step({name: repeat(x) for name, x in context.items()}),
            repeat(start),
            [repeat(state) for state in states],
            beam_size=self.beam_size,
            length_penalty=self.length_penalty,
            **options,
        )

    def _step(self, context):
        return lambda tokens, states: models.seq2seq_step(
            self.model, tokens, states, context
        )


def translation_signatures(
    model,
    source_length,
    max_length,
    beam_size=4,
    length_penalty=0.6,
    prefix_length=None,
    **constraints,
):
    """Signatures for translation in an app, with static shapes and batch size 1.

    `greedy` and `beam` do the whole job in one call. With `encode` and `step` an app
    can search by itself, also on a GPU delegate. Source ids outside the vocabulary
    count as unknown, 1.

    Args:
        model: A model built by `kerasseq.models.seq2seq` or `transformer`.
        source_length: Integer. Number of source tokens, including padding.
        max_length: Integer. Maximum number of target tokens.
        beam_size: Integer. Number of hypotheses of `beam`.
        length_penalty: Float. Exponent of the length penalty of `beam`.
        prefix_length: Optional integer. If given, `greedy` and `beam` take a second
            input, `prefix`: so many ids that the translation begins with, padded with
            -1 on the right.
        **constraints: `min_length`, `forced_prefix`, `repetition_penalty` and
            `forbidden_tokens` of both searches, see `beam_search`.

    Returns:
        `{name: (function, {input: (shape, dtype)})}`; each function takes its inputs
        by name and returns a dict of tensors.
    """
    source = {"source": ((1, source_length), "int32")}
    searched = dict(source)
    if prefix_length is not None:
        searched["prefix"] = ((1, prefix_length), "int32")
    context, states = models.seq2seq_encode(
        model, ops.ones((1, source_length), "int32"), max_length
    )
    tensors = context | _named(states)
    step_inputs = {"token": ((1,), "int32")} | {
        name: (tuple(x.shape), keras.backend.standardize_dtype(x.dtype))
        for name, x in tensors.items()
    }

    def encode(source):
        context, states = models.seq2seq_encode(model, source, max_length)
        return context | _named(states)

    def step(token, **tensors):
        old = [tensors[name] for name in _named(states)]
        logits, attention, new = models.seq2seq_step(
            model, token, old, {name: tensors[name] for name in context}
        )
        return {"logits": logits, "attention": attention} | _named(new)

    searches = {
        "greedy": Translator(model, max_length, return_attention=True, **constraints),
        "beam": Translator(model, max_length, beam_size, length_penalty, **constraints),
    }
    return {"encode": (encode, source), "step": (step, step_inputs)} | {
        name: (_by_name(search), searched) for name, search in searches.items()
    }


def _by_name(search):
    return lambda **inputs: search.call(inputs)


def _named(states):
    return {f"state_{index}": state for index, state in enumerate(states)}
