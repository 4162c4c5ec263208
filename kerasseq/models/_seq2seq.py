"""Recurrent encoder and attention decoder for translation."""

import keras
from keras import ops

from kerasseq import layers
from kerasseq.layers import initializers
from kerasseq.models import _embeddings

_RECURRENT = {"lstm": layers.LSTM, "gru": layers.GRU, "simple_rnn": layers.SimpleRNN}


def seq2seq(
    vocabulary_size,
    target_vocabulary_size=None,
    *,
    embedding_dim=256,
    units=256,
    num_layers=1,
    cell="lstm",
    attention="additive",
    input_feeding=True,
    residual=True,
    dropout=0.2,
    tie_embeddings=True,
    kernel_initializer="glorot_uniform",
    recurrent_initializer="orthogonal",
    unit_forget_bias=True,
    seed=None,
    name="seq2seq",
):
    """Builds a translation model: bidirectional encoder, attention decoder.

    Trained with teacher forcing: the model gets the source and the target shifted
    right by a start token, and puts out the logits of each next token. Id 0 is
    padding, on the right of both.

    Args:
        vocabulary_size: Number of subwords, of both languages when the embeddings
            are tied.
        target_vocabulary_size: Number of target subwords if it differs; then
            `tie_embeddings` must be `False`.
        embedding_dim: Size of the embeddings and of the vector that is compared
            with them for the output.
        units: Size of the decoder's state and of the encoder's output; each
            direction of the encoder has half of it. Even.
        num_layers: Number of encoder and of decoder layers.
        cell: `"lstm"`, `"gru"` or `"simple_rnn"`.
        attention: `"additive"`, `"dot"` or `"general"`.
        input_feeding: Whether a decoder step also gets the step before's output.
        residual: Whether layers from the second on add their input.
        dropout: Share of embeddings, layer inputs and outputs dropped in training.
        tie_embeddings: One table for source, target and output (Press and Wolf,
            2017). If `False`, there are three.
        kernel_initializer: Initializer of the input weights of all cells.
        recurrent_initializer: Initializer of their state weights. `"identity"` is of
            use with `cell="simple_rnn"` only.
        unit_forget_bias: Whether the forget gates of LSTM cells start with bias 1
            (Jozefowicz et al., 2015).
        seed: Random seed of initial weights and dropout.
        name: Name of the model.

    Returns:
        A functional `keras.Model`. Inputs: a dict of integer tensors `source`
        `(batch_size, source_length)` and `target` `(batch_size, target_length)`.
        Output: logits `(batch_size, target_length, target_vocabulary_size)`.

    Raises:
        ValueError: for sizes that are not positive, odd `units`, unknown names, or
            tied embeddings with two vocabularies.

    Example:
        >>> model = kerasseq.models.seq2seq(1000, units=64, embedding_dim=32)
        >>> model.compile("adam", loss, jit_compile=True)
        >>> model.fit({"source": source, "target": target}, next_target)

    Reference:
        Bahdanau et al. (2015); Luong et al. (2015); Wu et al. (2016), Google's
        Neural Machine Translation System, for the residual stack.
    """
    _check(vocabulary_size, units, num_layers, cell)
    if seed is not None:
        keras.utils.set_random_seed(seed)
    source = keras.Input((None,), dtype="int32", name="source")
    target = keras.Input((None,), dtype="int32", name="target")
    source_embedding, target_embedding = _embeddings.of_two_languages(
        vocabulary_size, target_vocabulary_size, embedding_dim, tie_embeddings
    )
    drop = keras.layers.Dropout(dropout, name="source_dropout")
    starts = (kernel_initializer, recurrent_initializer, unit_forget_bias)
    encoder = _encoder(
        embedding_dim, units, num_layers, cell, residual, dropout, starts
    )
    memory, *states = encoder(
        [drop(source_embedding(source)), ops.not_equal(source, 0)]
    )
    decoder = layers.AttentionDecoder(
        units,
        output_dim=embedding_dim,
        num_layers=num_layers,
        cell=cell,
        attention=attention,
        input_feeding=input_feeding,
        residual=residual,
        dropout=dropout,
        kernel_initializer=kernel_initializer,
        recurrent_initializer=recurrent_initializer,
        unit_forget_bias=unit_forget_bias,
        name="decoder",
    )
    drop = keras.layers.Dropout(dropout, name="target_dropout")
    outputs = decoder(
        drop(target_embedding(target)),
        memory,
        initial_state=states,
        memory_mask=ops.not_equal(source, 0),
    )
    logits = target_embedding(outputs, reverse=True)
    return keras.Model({"source": source, "target": target}, logits, name=name)


def seq2seq_encode(model, source, max_length=None):
    """Runs the encoder of a translation model and sets its decoder up.

    Args:
        model: A model built by `seq2seq` or `transformer`, or loaded from its file.
        source: Integer tensor of shape `(batch_size, source_length)`.
        max_length: Number of steps that will follow at most, the room in a
            `transformer`'s cache. By default as many as its positions.

    Returns:
        `(context, states)` for `seq2seq_step`: a dict and a list of tensors.
    """
    valid = ops.not_equal(source, 0)
    embedding = _layer(model, "embedding", "source_embedding")
    encoded = _layer(model, "encoder")([embedding(source), valid])
    decoder = _layer(model, "decoder")
    if isinstance(decoder, layers.TransformerDecoder):
        return decoder.start(encoded, valid, max_length)
    memory, *states = encoded
    return decoder.start(memory, states, valid)


def seq2seq_step(model, tokens, states, context):
    """Runs one decoder step of a translation model.

    Args:
        model: A model built by `seq2seq` or `transformer`, or loaded from its file.
        tokens: Integer tensor of shape `(batch_size,)`, the tokens just produced.
        states: List of tensors, from `seq2seq_encode` or the step before.
        context: Dict of tensors from `seq2seq_encode`.

    Returns:
        `(logits, attention, states)`, logits `(batch_size, vocabulary_size)`,
        attention `(batch_size, source_length)`.
    """
    embedding = _layer(model, "embedding", "target_embedding")
    decoder = _layer(model, "decoder")
    output, attention, states = decoder.step(
        decoder.project(embedding(tokens)), states, context
    )
    return embedding(output, reverse=True), attention, states


def _encoder(embedding_dim, units, num_layers, cell, residual, dropout, starts):
    """A model `[embedded, valid] -> [memory, decoder states...]`."""
    embedded = keras.Input((None, embedding_dim), name="embedded")
    valid = keras.Input((None,), dtype="bool", name="valid")
    x, states = embedded, []
    for index in range(num_layers):
        below = x
        if index:
            x = keras.layers.Dropout(dropout, name=f"dropout_{index}")(x)
        recurrent = _RECURRENT[cell](
            units // 2,
            return_sequences=True,
            return_state=True,
            **initializers.cell_options(cell, *starts),
        )
        x, *final = keras.layers.Bidirectional(recurrent, name=f"encoder_{index}")(
            x, mask=valid
        )
        half = len(final) // 2
        for kind, pair in enumerate(zip(final[:half], final[half:], strict=True)):
            bridge = keras.layers.Dense(units, "tanh", name=f"bridge_{index}_{kind}")
            states.append(bridge(ops.concatenate([*pair], axis=-1)))
        if index and residual:
            x = x + below
    x = keras.layers.Dropout(dropout, name="memory_dropout")(x)
    return keras.Model([embedded, valid], [x, *states], name="encoder")


def _layer(model, *names):
    for name in names:
        try:
            return model.get_layer(name)
        except ValueError:
            pass
    raise ValueError(
        "This needs a model built by kerasseq.models.seq2seq or transformer. Received: "
        f"{model.name!r}, which has no layer {' or '.join(names)}."
    )


def _check(vocabulary_size, units, num_layers, cell):
    if cell not in _RECURRENT:
        raise ValueError(
            f"`cell` must be one of {list(_RECURRENT)}. Received: {cell!r}"
        )
    if min(vocabulary_size, units, num_layers) < 1 or units % 2:
        raise ValueError(
            "Sizes must be positive and `units` even. Received: "
            f"vocabulary_size={vocabulary_size}, units={units}, num_layers={num_layers}"
        )
