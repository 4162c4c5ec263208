"""A search over a model with encoder and decoder: what the tasks share."""

import keras
from keras import ops

from kerasseq import models
from kerasseq.decoding import _constraints, beam, greedy

START_ID = 2


class SearchModel(keras.Model):
    """Base of `Translator` and `Captioner`: greedy or beam search; call `predict`.

    A subclass has the name of what is encoded, `input_name`, and `encode`.

    Args:
        model: A model whose step is `kerasseq.models.seq2seq_step`.
        max_length, beam_size, length_penalty, return_attention, **kwargs: See
            `Translator`.
    """

    input_name = None

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

    def encode(self, x):
        """Encodes a batch.

        Returns:
            `(context, states, attention_length)`: what `seq2seq_step` takes, and the
            number of places that a step attends to.
        """
        raise NotImplementedError

    def call(self, inputs):
        inputs = inputs if isinstance(inputs, dict) else {self.input_name: inputs}
        x = inputs[self.input_name]
        context, states, attention_length = self.encode(x)
        start = ops.zeros((ops.shape(x)[0],), "int32") + START_ID
        options = {
            "max_length": self.max_length,
            "attention_length": attention_length if self.return_attention else None,
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


def signatures(
    search, spec, beam_size, length_penalty, prefix_length=None, **constraints
):
    """The signatures of a search, see `translation_signatures`.

    Args:
        search: Function of the arguments of `SearchModel` but the model, that makes
            one.
        spec: `(shape, dtype)` of what is encoded, of batch size 1.
        beam_size, length_penalty, prefix_length, **constraints: See
            `translation_signatures`.

    Returns:
        `{name: (function, {input: (shape, dtype)})}`.
    """
    greedy_model = search(return_attention=True, **constraints)
    beam_model = search(
        beam_size=beam_size, length_penalty=length_penalty, **constraints
    )
    encoded = {greedy_model.input_name: spec}
    searched = dict(encoded)
    if prefix_length is not None:
        searched["prefix"] = ((1, prefix_length), "int32")
    return _encode_and_step(greedy_model, encoded) | {
        "greedy": (_by_name(greedy_model), searched),
        "beam": (_by_name(beam_model), searched),
    }


def _encode_and_step(search, encoded):
    """The two signatures with which an app can search by itself."""
    (name, (shape, dtype)) = next(iter(encoded.items()))
    context, states, _ = search.encode(ops.ones(shape, dtype))
    tensors = context | _named(states)
    step_inputs = {"token": ((1,), "int32")} | {
        key: (tuple(x.shape), keras.backend.standardize_dtype(x.dtype))
        for key, x in tensors.items()
    }

    def encode(**inputs):
        context, states, _ = search.encode(inputs[name])
        return context | _named(states)

    def step(token, **tensors):
        old = [tensors[key] for key in _named(states)]
        logits, attention, new = models.seq2seq_step(
            search.model, token, old, {key: tensors[key] for key in context}
        )
        return {"logits": logits, "attention": attention} | _named(new)

    return {"encode": (encode, encoded), "step": (step, step_inputs)}


def _by_name(search):
    return lambda **inputs: search.call(inputs)


def _named(states):
    return {f"state_{index}": state for index, state in enumerate(states)}
