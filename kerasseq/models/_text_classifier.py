"""Text classifier: any encoder over words, pooled into one vector."""

import keras
from keras import ops

from kerasseq import layers
from kerasseq.models import _sequence_encoders, _sequence_pooling


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
    _sequence_pooling.check(pooling)
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
    x = _sequence_pooling.pool(x, valid, pooling, units)
    x = layers.Dropout(dropout, name="output_dropout")(x)
    logits = keras.layers.Dense(num_classes, name="logits")(x)
    return keras.Model(tokens, logits, name=name)
