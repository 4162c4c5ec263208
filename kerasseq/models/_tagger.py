"""A tagger: one label for each word of a sentence."""

import keras
from keras import ops

from kerasseq import layers
from kerasseq.models import _sequence_encoders

CHARACTER_KERNELS = (2, 3, 4, 5)


def tagger(
    vocabulary_size,
    num_tags,
    *,
    num_characters=None,
    num_suffixes=None,
    arch="bilstm",
    embedding_dim=128,
    character_dim=32,
    character_filters=64,
    units=128,
    num_layers=1,
    dropout=0.3,
    crf=False,
    seed=None,
    name="tagger",
    **kwargs,
):
    """Builds a model that labels each word of a sentence.

    A word is an id, and where asked for also its characters, in which convolutions over
    2, 3, 4 and 5 of them find what prefixes, suffixes, capitals and digits say, or the
    id of its suffix. An encoder reads the sentence, and each position becomes scores of
    the tags. Id 0 is padding, on the right.

    Args:
        vocabulary_size: Number of words, with padding and unknown.
        num_tags: Number of tags.
        num_characters: Number of characters, with padding and unknown; `None` for a
            model that does not see them.
        num_suffixes: Number of suffixes, likewise.
        arch: What reads the sentence: `"mlp"` (each word on its own), a cell of
            `kerasseq.layers.CELLS` as `"lstm"`, one with `bi` before it as `"bilstm"`,
            `"cnn"` or `"transformer"`.
        embedding_dim: Size of the embeddings of words; half as much for suffixes.
        character_dim: Size of the embeddings of characters.
        character_filters: Features of a word that its characters give.
        units: Size of the encoder, of each direction in a bidirectional one.
        num_layers: Layers of the encoder.
        dropout: Float between 0 and 1. Fraction to drop of the features of words,
            between layers and of the encoder's output.
        crf: Whether neighboring tags are scored together, by `kerasseq.layers.CRF`.
        seed: Random seed of initial weights and dropout.
        name: Name of the model.
        **kwargs: Other arguments of the encoder: `num_heads` and `mlp_dim` of a
            `"transformer"`, those of cells such as `recurrent_dropout`.

    Returns:
        A functional `keras.Model`. Inputs: a dict of integers: `words` `(batch_size,
        length)`; with `num_characters` also `characters` `(batch_size, length,
        word_length)`; with `num_suffixes` also `suffixes` `(batch_size, length)`.
        Output: logits `(batch_size, length, num_tags)`; with `crf` log-probabilities
        `(batch_size, length, num_tags, num_tags)`, tag before first, of which
        `kerasseq.ops.best_path` makes tags.

    Raises:
        ValueError: for sizes that are not positive or unknown names.

    Example:
        >>> model = kerasseq.models.tagger(5000, num_tags=17, num_characters=80)
        >>> model.compile("adam", kerasseq.training.SmoothedCrossEntropy(0.0))
        >>> model.fit({"words": words, "characters": characters}, tags)

    Reference:
        Ma and Hovy (2016), End-to-end Sequence Labeling via Bi-directional
        LSTM-CNNs-CRF; Plank, Soegaard and Goldberg (2016), Multilingual Part-of-Speech
        Tagging with Bidirectional LSTMs.
    """
    sizes = {"vocabulary_size": vocabulary_size, "num_tags": num_tags}
    sizes |= {"embedding_dim": embedding_dim, "character_dim": character_dim}
    _check(character_filters=character_filters, **sizes)
    if seed is not None:
        keras.utils.set_random_seed(seed)
    features = _features(
        vocabulary_size,
        num_characters,
        num_suffixes,
        embedding_dim,
        character_dim,
        character_filters,
        dropout,
    )
    inputs = {
        name: keras.Input(x.shape[1:], dtype="int32", name=name)
        for name, x in features.input.items()
    }
    valid = ops.not_equal(inputs["words"], 0)
    x = _sequence_encoders.encode(
        features(inputs),
        valid,
        arch,
        units=units,
        num_layers=num_layers,
        dropout=dropout,
        **kwargs,
    )
    x = layers.Dropout(dropout, name="output_dropout")(x)
    if crf:
        outputs = layers.CRF(num_tags, name="head")(x, mask=valid)
    else:
        outputs = keras.layers.Dense(num_tags, name="head")(x)
    return keras.Model(inputs, outputs, name=name)


def _features(
    vocabulary_size,
    num_characters,
    num_suffixes,
    embedding_dim,
    character_dim,
    character_filters,
    dropout,
):
    """A model from ids to features `(batch_size, length, features)`."""
    words = keras.Input((None,), dtype="int32", name="words")
    inputs = {"words": words}
    parts = [keras.layers.Embedding(vocabulary_size, embedding_dim, name="word")(words)]
    if num_suffixes:
        inputs["suffixes"] = keras.Input((None,), dtype="int32", name="suffixes")
        size = max(embedding_dim // 2, 1)
        table = keras.layers.Embedding(num_suffixes, size, name="suffix")
        parts.append(table(inputs["suffixes"]))
    if num_characters:
        characters = keras.Input((None, None), dtype="int32", name="characters")
        inputs["characters"] = characters
        table = keras.layers.Embedding(num_characters, character_dim, name="character")
        parts.append(_of_characters(characters, table, character_filters))
    x = keras.layers.Concatenate()(parts) if len(parts) > 1 else parts[0]
    x = layers.Dropout(dropout, name="dropout")(x)
    return keras.Model(inputs, x, name="features")


def _of_characters(characters, table, filters):
    """Convolutions within each word, and the maximum over its places."""
    valid = ops.cast(ops.expand_dims(ops.not_equal(characters, 0), -1), "float32")
    x = table(characters)  # (batch_size, length, word_length, character_dim)
    valid = ops.cast(valid, x.dtype)
    x, found = x * valid, []
    for index, size in enumerate(CHARACTER_KERNELS):
        share = (filters + index) // len(CHARACTER_KERNELS)
        if share:
            options = {"padding": "same", "activation": "relu"}
            convolve = keras.layers.Conv2D(
                share, (1, size), **options, name=f"convolution_{size}"
            )
            # At least zero everywhere, so that padding does not count.
            found.append(ops.max(convolve(x) * valid, axis=2))
    return keras.layers.Concatenate()(found) if len(found) > 1 else found[0]


def _check(**sizes):
    if min(sizes.values()) < 1:
        received = ", ".join(f"{name}={size}" for name, size in sizes.items())
        raise ValueError(f"Sizes must be positive. Received: {received}")
