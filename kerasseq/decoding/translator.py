"""Translation with a search, as a Keras model and as signatures of a file."""

import functools

from keras import ops

from kerasseq import models
from kerasseq.decoding import _search_model


class Translator(_search_model.SearchModel):
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

    input_name = "source"

    def encode(self, source):
        source = ops.cast(source, "int32")
        encoded = models.seq2seq_encode(self.model, source, self.max_length)
        return *encoded, ops.shape(source)[1]


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
    search = functools.partial(Translator, model, max_length)
    spec = ((1, source_length), "int32")
    return _search_model.signatures(
        search, spec, beam_size, length_penalty, prefix_length, **constraints
    )
