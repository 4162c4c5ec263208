"""The Transformer for translation."""

import keras
from keras import ops

from kerasseq import layers
from kerasseq.models import _embeddings


def transformer(
    vocabulary_size,
    target_vocabulary_size=None,
    *,
    hidden_dim=256,
    num_layers=4,
    num_heads=4,
    mlp_dim=1024,
    dropout=0.1,
    tie_embeddings=True,
    seed=None,
    name="transformer",
    **kwargs,
):
    """Builds a translation model: an encoder and a decoder of attention.

    Trained with teacher forcing, all target positions at once: the model gets the
    source and the target shifted right by a start token, and returns the logits of
    each next token. Id 0 is padding, on the right of both. Decoding goes token by
    token with a cache (`kerasseq.decoding.Translator`, `translation_signatures`).

    Args:
        vocabulary_size: Number of subwords, of both languages when the embeddings
            are tied.
        target_vocabulary_size: Number of target subwords if it differs; then
            `tie_embeddings` must be `False`.
        hidden_dim: Features of a token.
        num_layers: Number of encoder and of decoder blocks.
        num_heads: Attention heads; divides `hidden_dim`.
        mlp_dim: Width of the feed-forward hidden layers.
        dropout: Float between 0 and 1. Fraction to drop of the embeddings and of what
            each part of a block adds.
        tie_embeddings: One table for source, target and output (Press and Wolf,
            2017). If `False`, there are three.
        seed: Random seed of initial weights and dropout.
        name: Name of the model.
        **kwargs: Other arguments of `kerasseq.layers.TransformerEncoder` and
            `TransformerDecoder`: `max_length`, the longest source or target, 512 by
            default; `positions`; `num_key_value_heads`, which makes the cache smaller
            (Ainslie et al., 2023); `norm_first`, `norm`, `activation` and the others of
            `kerasseq.layers.TransformerBlock`.

    Returns:
        A functional `keras.Model`. Inputs: a dict of integer tensors `source`
        `(batch_size, source_length)` and `target` `(batch_size, target_length)`.
        Output: logits `(batch_size, target_length, target_vocabulary_size)`.

    Raises:
        ValueError: for sizes that are not positive or do not divide, unknown names,
            or tied embeddings with two vocabularies.

    Example:
        >>> model = kerasseq.models.transformer(1000, hidden_dim=64, num_layers=2)
        >>> model.compile("adam", loss, jit_compile=True)
        >>> model.fit({"source": source, "target": target}, next_target)

    Reference:
        Vaswani et al. (2017), Attention Is All You Need, section 3.
    """
    if min(vocabulary_size, hidden_dim) < 1 or kwargs.get("positions", "") is None:
        raise ValueError(
            "Sizes must be positive and `positions` be named. Received: "
            f"vocabulary_size={vocabulary_size}, hidden_dim={hidden_dim}, "
            f"positions={kwargs.get('positions')}"
        )
    if seed is not None:
        keras.utils.set_random_seed(seed)
    sizes = {"num_layers": num_layers, "num_heads": num_heads, "mlp_dim": mlp_dim}
    options = {**sizes, "dropout": dropout, "scale_inputs": True, **kwargs}
    source = keras.Input((None,), dtype="int32", name="source")
    target = keras.Input((None,), dtype="int32", name="target")
    source_embedding, target_embedding = _embeddings.of_two_languages(
        vocabulary_size, target_vocabulary_size, hidden_dim, tie_embeddings
    )
    encode = _encoder(hidden_dim, options)
    decoder = layers.TransformerDecoder(name="decoder", **options)
    valid = ops.not_equal(source, 0)
    memory = encode([source_embedding(source), valid])
    outputs = decoder(target_embedding(target), memory, memory_mask=valid)
    logits = target_embedding(outputs, reverse=True)
    return keras.Model({"source": source, "target": target}, logits, name=name)


def _encoder(hidden_dim, options):
    """A model `[embedded, valid] -> memory`, under the name that `seq2seq` has."""
    embedded = keras.Input((None, hidden_dim), name="embedded")
    valid = keras.Input((None,), dtype="bool", name="valid")
    encoder = layers.TransformerEncoder(name="blocks", **options)
    outputs = encoder(embedded, mask=valid)
    return keras.Model([embedded, valid], outputs, name="encoder")
