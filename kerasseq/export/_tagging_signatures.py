"""The signatures of a tagger: the numbers of words in, tags out."""

from collections.abc import Callable

import keras
from keras import ops

from kerasseq import models
from kerasseq.lite._words import UNKNOWN
from kerasseq.ops import best_path


def tagging_signatures(
    length: int, word_length: int = 16
) -> Callable[[keras.Model], dict]:
    """Makes the signatures of a `models.tagger`, as `kerasseq.lite.Tagger` uses them.

    `tag` takes a whole sentence: `words`, int32 `(1, length)`, padded with 0 on the
    right, and what else the model sees of a word: `characters` `(1, length,
    word_length)`, `suffixes` `(1, length)`. It returns `tags`, int32 `(1, length)`, and
    `scores`, float32 `(1, length)`, the probability of each tag; of a model with a CRF
    the tags are those of the best path (Viterbi), and a score is the probability given
    the tag before. An id outside a table counts as unknown, 1.

    `step`, of a model that reads forward and has no CRF, takes one word and the states
    and returns its tag, its score, and the states: see
    `kerasseq.models.streaming_model`.

    Args:
        length: Words of a sentence at most.
        word_length: Characters of a word at most.

    Returns:
        A function for `signatures` of `export.export_model`.

    Raises:
        ValueError: If a length is not positive. When exporting, if the model is not
            from `kerasseq.models.tagger`.

    Example:

    ```python
    signatures = export.tagging_signatures(length=40)
    export.export_model(model, "saved_models/demo", signatures=signatures)
    ```
    """
    if min(length, word_length) < 1:
        raise ValueError(
            "Lengths must be positive. Received: "
            f"length={length}, word_length={word_length}"
        )

    def signatures(model):
        sizes = _table_sizes(model)

        def tag(**inputs):
            return _tags(model(_known(inputs, sizes), training=False))

        shapes = {"words": (1, length), "suffixes": (1, length)}
        shapes["characters"] = (1, length, word_length)
        found = {"tag": (tag, {name: (shapes[name], "int32") for name in sizes})}
        if models.is_streamable(model):
            found["step"] = _step(model, sizes, word_length)
        return found

    return signatures


def _step(model, sizes, word_length):
    step_model = models.streaming_model(model)
    states = models.state_names(step_model)
    shapes = {name: (1, 1) for name in sizes} | {"characters": (1, 1, word_length)}
    specs = {name: (shapes[name], "int32") for name in sizes}
    for name in states:
        state = step_model.input[name]
        specs[name] = (
            (1, *state.shape[1:]),
            keras.backend.standardize_dtype(state.dtype),
        )

    def step(**inputs):
        known = _known({name: inputs[name] for name in sizes}, sizes)
        kept = {name: inputs[name] for name in states}
        outputs = step_model(known | kept, training=False)
        return _tags(outputs["outputs"]) | {name: outputs[name] for name in states}

    return step, specs


def _table_sizes(model):
    """`{input: number of ids}` of a tagger, in the order of its inputs."""
    tables = {"words": "word", "characters": "character", "suffixes": "suffix"}
    if "features" not in [layer.name for layer in model.layers]:
        raise ValueError(
            "`tagging_signatures` is for a `kerasseq.models.tagger`. For a model "
            "of your own write its signature, with `kerasseq.ops.best_path` for a CRF: "
            "docs/exporting.md shows one. Received: model "
            f"{model.name!r} with the layers {[layer.name for layer in model.layers]}"
        )
    features = model.get_layer("features")
    return {x: features.get_layer(tables[x]).input_dim for x in model.input}


def _known(inputs, sizes):
    def known(ids, size):
        outside = ops.logical_or(ids < 0, ids >= size)
        return ops.where(outside, UNKNOWN, ids)

    return {name: known(ids, sizes[name]) for name, ids in inputs.items()}


def _tags(outputs):
    outputs = ops.cast(outputs, "float32")
    if len(outputs.shape) == 3:
        scores, tags = ops.top_k(ops.softmax(outputs, axis=-1), 1)
        tags = ops.cast(ops.squeeze(tags, -1), "int32")
        return {"tags": tags, "scores": ops.squeeze(scores, -1)}
    tags = best_path(outputs)
    chosen = ops.one_hot(tags, outputs.shape[-1], dtype="float32")
    # At the first step any tag before it will do: all rows are alike.
    before = ops.concatenate([chosen[:, :1], chosen[:, :-1]], axis=1)
    pair = ops.expand_dims(before, -1) * ops.expand_dims(chosen, -2)
    return {"tags": tags, "scores": ops.exp(ops.sum(outputs * pair, axis=(-2, -1)))}
