"""Text classifier: any encoder over words, pooled into one vector."""

import keras
from keras import ops

from kerasseq import layers
from kerasseq.models import _sequence_encoders
from kerasseq.ops import attention as attention_ops

POOLINGS = ("last", "mean", "max", "attention")


def text_classifier(
    vocabulary_size,
    num_classes,
    *,
    arch="bilstm",
    pooling="max",
    embedding_dim=128,
    units=128,
    num_layers=1,
    dropout=0.0,
    name="text_classifier",
    **options,
):
    """Builds a model that reads a text and returns the logits of its classes.

    Embeddings of the words go through an encoder, whose features of all positions are
    pooled into one vector for a linear layer. Padding changes nothing.

    Args:
        vocabulary_size: Number of words, padding (0) and unknown (1) included.
        num_classes: Number of classes.
        arch: The encoder. A recurrent cell of `kerasseq.layers.CELLS`, as `"lstm"`,
            which reads forward, or `bi` and its name; `"cnn"`, convolutions over 3, 4
            and 5 words; `"transformer"`; `"mlp"`, each word on its own.
        pooling: What the linear layer reads. `"last"`: the features of the last word,
            of a bidirectional encoder those of the last word forward and of the first
            one backward; `"mean"` or `"max"` over all words; `"attention"`: a mean
            with learned weights, which the layer `attention_weights` returns.
        embedding_dim: Size of the embeddings.
        units: Features of the encoder; of each direction of a bidirectional one.
        num_layers: Layers of the encoder. From the second on, each adds its input.
        dropout: Float between 0 and 1. Fraction of the embeddings, of what goes from
            layer to layer, and of the pooled vector to drop.
        name: Name of the model.
        **options: Others of the encoder: `num_heads` and `mlp_dim` of a
            `"transformer"`, arguments of `kerasseq.layers.StackedRNN` of a cell.

    Returns:
        A functional `keras.Model`. Input: `tokens`, integers `(batch_size, length)`,
        with 0 for padding on the right and at least one word. Output: logits
        `(batch_size, num_classes)`. The layer `embedding` holds the embeddings, and
        `encoder` a recurrent encoder.

    Raises:
        ValueError: for an unknown encoder or pooling, or sizes that are not positive.

    Example:
        >>> model = kerasseq.models.text_classifier(1000, 2, arch="gru")
        >>> model(np.array([[7, 8, 9, 0]])).shape
        (1, 2)

    Reference:
        Kim (2014), Convolutional Neural Networks for Sentence Classification; Conneau
        et al. (2017), Supervised Learning of Universal Sentence Representations
        (maximum over a BiLSTM); Yang et al. (2016), Hierarchical Attention Networks
        for Document Classification, equations 5 to 7.
    """
    if pooling not in POOLINGS:
        raise ValueError(
            f"`pooling` must be one of {', '.join(POOLINGS)}. "
            f"Received: pooling={pooling!r}"
        )
    if min(vocabulary_size, num_classes, embedding_dim) < 1:
        raise ValueError(
            "`vocabulary_size`, `num_classes` and `embedding_dim` must be positive. "
            f"Received: vocabulary_size={vocabulary_size}, "
            f"num_classes={num_classes}, embedding_dim={embedding_dim}"
        )
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    valid = ops.not_equal(tokens, 0)
    x = keras.layers.Embedding(vocabulary_size, embedding_dim, name="embedding")(tokens)
    x = layers.Dropout(dropout, name="embedding_dropout")(x)
    x = _sequence_encoders.encode(
        x, valid, arch, units=units, num_layers=num_layers, dropout=dropout, **options
    )
    x = _pooled(x, valid, pooling, units)
    x = layers.Dropout(dropout, name="output_dropout")(x)
    logits = keras.layers.Dense(num_classes, name="logits")(x)
    return keras.Model(tokens, logits, name=name)


def _pooled(x, valid, pooling, units):
    """`(batch_size, length, features)` to `(batch_size, features)`."""
    if pooling == "last":
        return keras.layers.Identity(name="last")(_last(x, valid, units))
    if pooling == "attention":
        return _attended(x, valid, units)
    valid = ops.expand_dims(valid, -1)
    if pooling == "max":
        return ops.max(ops.where(valid, x, attention_ops.MASKED_SCORE), axis=1)
    count = ops.sum(ops.cast(valid, "float32"), axis=1)
    return ops.sum(ops.where(valid, x, 0.0), axis=1) / count


def _last(x, valid, units):
    """The last word's features; backward ones have read all at the first word."""
    after = ops.pad(valid[:, 1:], [[0, 0], [0, 1]])
    is_last = ops.expand_dims(ops.logical_and(valid, ops.logical_not(after)), -1)
    last = ops.sum(ops.where(is_last, x, 0.0), axis=1)
    if x.shape[-1] == units:
        return last
    return ops.concatenate([last[:, :units], x[:, 0, units:]], axis=-1)


def _attended(x, valid, units):
    hidden = keras.layers.Dense(units, "tanh", name="attention_hidden")(x)
    scores = keras.layers.Dense(1, use_bias=False, name="attention_scores")(hidden)
    scores = ops.where(valid, ops.squeeze(scores, -1), attention_ops.MASKED_SCORE)
    weights = attention_ops.softmax(scores)
    weights = keras.layers.Identity(name="attention_weights")(weights)
    return ops.sum(ops.expand_dims(weights, -1) * x, axis=1)  # 0 at padding
