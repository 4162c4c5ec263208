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
    max_length=512,
    positions="sinusoidal",
    num_key_value_heads=None,
    norm_first=True,
    norm="layer",
    activation="relu",
    dropout=0.1,
    attention_dropout=0.0,
    activation_dropout=0.0,
    use_bias=True,
    tie_embeddings=True,
    seed=None,
    name="transformer",
):
    """Builds a translation model: an encoder and a decoder of attention.

    Trained with teacher forcing, all target positions at once: the model gets the
    source and the target shifted right by a start token, and puts out the logits of
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
        max_length: Longest source or target.
        positions: `"sinusoidal"`, `"learned"`, `"rotary"` or `"alibi"`.
        num_key_value_heads: Heads of keys and values in self-attention; fewer than
            `num_heads` make the cache smaller (Ainslie et al., 2023).
        norm_first: Whether blocks normalize their input (pre-norm), which needs less
            care in training, or their output (post-norm), as in the paper.
        norm: `"layer"` or `"rms"`.
        activation: `"relu"`, `"gelu"` or `"swiglu"`.
        dropout: Dropout of embeddings and of what each part of a block adds.
        attention_dropout: Dropout of attention weights.
        activation_dropout: Dropout of the feed-forward hidden layers.
        use_bias: Whether linear maps have a bias.
        tie_embeddings: One table for source, target and output (Press and Wolf,
            2017). If `False`, there are three.
        seed: Random seed of initial weights and dropout.
        name: Name of the model.

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
    if min(vocabulary_size, hidden_dim) < 1 or positions is None:
        raise ValueError(
            "Sizes must be positive and `positions` be named. Received: "
            f"vocabulary_size={vocabulary_size}, hidden_dim={hidden_dim}, "
            f"positions={positions}"
        )
    if seed is not None:
        keras.utils.set_random_seed(seed)
    options = {
        "num_layers": num_layers,
        "num_heads": num_heads,
        "mlp_dim": mlp_dim,
        "max_length": max_length,
        "positions": positions,
        "num_key_value_heads": num_key_value_heads,
        "norm_first": norm_first,
        "norm": norm,
        "activation": activation,
        "dropout": dropout,
        "attention_dropout": attention_dropout,
        "activation_dropout": activation_dropout,
        "use_bias": use_bias,
        "scale_inputs": True,
    }
    source = keras.Input((None,), dtype="int32", name="source")
    target = keras.Input((None,), dtype="int32", name="target")
    source_embedding, target_embedding = _embeddings.of_two_languages(
        vocabulary_size,
        target_vocabulary_size,
        hidden_dim,
        tie_embeddings,
        _embeddings.start(hidden_dim),
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
