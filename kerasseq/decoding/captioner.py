"""Captions of images with a search, as a Keras model and as signatures of a file."""

import functools

from kerasseq import models
from kerasseq.decoding import _search_model


class Captioner(_search_model.SearchModel):
    """Greedy or beam search with a captioning model; call `predict`.

    Args:
        model: A model built by `kerasseq.models.captioner`.
        max_length: Integer. Maximum number of tokens, including the end token.
        beam_size, length_penalty, return_attention, **kwargs: See
            `kerasseq.decoding.Translator`.

    Call arguments:
        image: Tensor of shape `(batch_size, height, width, channels)`, uint8 or float,
            values as in training.

    Output shape:
        A dict as `greedy_search` or `beam_search` returns; the attention is over the
        places of `kerasseq.models.captioner_grid`, row by row.

    Example:
        >>> captioner = kerasseq.decoding.Captioner(model, 20, beam_size=4)
        >>> captioner.predict(images)["tokens"]
    """

    input_name = "image"

    def encode(self, image):
        context, states = models.captioner_encode(self.model, image)
        return context, states, context["memory"].shape[1]


def caption_signatures(
    model,
    max_length,
    beam_size=4,
    length_penalty=0.6,
    prefix_length=None,
    **constraints,
):
    """Signatures for captions in an app: one uint8 image in, as a phone has it.

    `encode`, `step`, `greedy` and `beam` are those of
    `kerasseq.decoding.translation_signatures`, with the input `image`, uint8 `(1,
    height, width, channels)`, in place of `source`. Rescaling is the model's
    (`include_rescaling=True`).

    Args:
        model: A model built by `kerasseq.models.captioner`.
        max_length: Integer. Maximum number of tokens.
        beam_size, length_penalty, prefix_length, **constraints: See
            `kerasseq.decoding.translation_signatures`.

    Returns:
        `{name: (function, {input: (shape, dtype)})}`.
    """
    search = functools.partial(Captioner, model, max_length)
    spec = ((1, *model.input["image"].shape[1:]), "uint8")
    return _search_model.signatures(
        search, spec, beam_size, length_penalty, prefix_length, **constraints
    )
