"""Recurrent encoder and attention decoder for translation."""

import keras
from keras import ops

from kerasseq import layers
from kerasseq.models import _embeddings

UNKNOWN_ID = 1


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
    seed=None,
    name="seq2seq",
    **kwargs,
):
    """Builds a translation model: bidirectional encoder, attention decoder.

    Trained with teacher forcing: the model gets the source and the target shifted
    right by a start token, and returns the logits of each next token. Id 0 is
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
        cell: Name of a cell of `kerasseq.layers.CELLS`: `"lstm"`, `"gru"`,
            `"layer_norm_lstm"` or another.
        attention: `"additive"`, `"dot"` or `"general"`.
        input_feeding: Whether a decoder step also gets the step before's output.
        residual: Whether layers from the second on add their input.
        dropout: Float between 0 and 1. Fraction of embeddings, layer inputs and
            outputs to drop.
        tie_embeddings: One table for source, target and output (Press and Wolf,
            2017). If `False`, there are three.
        seed: Random seed of initial weights and dropout.
        name: Name of the model.
        **kwargs: Other arguments of all cells, such as `kernel_initializer`,
            `recurrent_initializer` (`"identity"` is of use with
            `cell="simple_rnn"` only), `zoneout_c`, or `unit_forget_bias` (whether
            forget gates start with bias 1, Jozefowicz et al., 2015), which does
            nothing in cells without one.

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
    _check(vocabulary_size, units, num_layers)
    if seed is not None:
        keras.utils.set_random_seed(seed)
    source = keras.Input((None,), dtype="int32", name="source")
    target = keras.Input((None,), dtype="int32", name="target")
    source_embedding, target_embedding = _embeddings.of_two_languages(
        vocabulary_size, target_vocabulary_size, embedding_dim, tie_embeddings
    )
    shared = {"num_layers": num_layers, "cell": cell, "residual": residual} | kwargs
    encoder = _encoder(embedding_dim, units, dropout, shared)
    decoder = layers.AttentionDecoder(
        units,
        output_dim=embedding_dim,
        attention=attention,
        input_feeding=input_feeding,
        dropout=dropout,
        name="decoder",
        **shared,
    )
    valid = ops.not_equal(source, 0)
    drop = layers.Dropout(dropout, name="source_dropout")
    memory, *states = encoder([drop(source_embedding(source)), valid])
    drop = layers.Dropout(dropout, name="target_dropout")
    x = drop(target_embedding(target))
    x = decoder(x, memory, initial_state=states, memory_mask=valid)
    logits = target_embedding(x, reverse=True)
    return keras.Model({"source": source, "target": target}, logits, name=name)


def seq2seq_encode(model, source, max_length=None):
    """Runs the encoder of a translation model and sets its decoder up.

    Args:
        model: A model built by `seq2seq` or `transformer`, or loaded from its file.
        source: Integer tensor of shape `(batch_size, source_length)`. Ids outside the
            vocabulary count as unknown, 1, which is so in an exported file too.
        max_length: Number of steps that will follow at most, the room in a
            `transformer`'s cache. By default as many as its positions.

    Returns:
        `(context, states)` for `seq2seq_step`: a dict and a list of tensors.
    """
    embedding = _layer(model, "embedding", "source_embedding")
    outside = ops.logical_or(source < 0, source >= embedding.input_dim)
    source = ops.where(outside, UNKNOWN_ID, source)
    valid = ops.not_equal(source, 0)
    encoded = _layer(model, "encoder")([embedding(source), valid])
    decoder = _layer(model, "decoder")
    if isinstance(decoder, layers.TransformerDecoder):
        return decoder.start(encoded, valid, max_length)
    memory, *states = encoded
    return decoder.start(memory, states, valid)


def seq2seq_step(model, tokens, states, context):
    """Runs one decoder step of a translation or captioning model.

    Args:
        model: A model built by `seq2seq`, `transformer` or `captioner`, or loaded from
            its file.
        tokens: Integer tensor of shape `(batch_size,)`, the tokens just produced.
        states: List of tensors, from `seq2seq_encode`, `captioner_encode` or the step
            before.
        context: Dict of tensors from `seq2seq_encode` or `captioner_encode`.

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


def _encoder(embedding_dim, units, dropout, options):
    """A model `[embedded, valid] -> [memory, decoder states...]`."""
    embedded = keras.Input((None, embedding_dim), name="embedded")
    valid = keras.Input((None,), dtype="bool", name="valid")
    stack = layers.StackedRNN(
        units // 2,
        bidirectional=True,
        dropout=dropout,
        return_sequences=True,
        return_state=True,
        name="stack",
        **options,
    )
    x, *states = stack(embedded, mask=valid)
    x = layers.Dropout(dropout, name="memory_dropout")(x)
    bridged = _bridge(states, units, options["num_layers"])
    return keras.Model([embedded, valid], [x, *bridged], name="encoder")


def _bridge(states, units, num_layers):
    """The decoder's first states, from the last ones of both directions."""
    kinds = len(states) // (2 * num_layers)  # h, and c if the cell has one
    bridged = []
    for index in range(num_layers):
        of_layer = states[2 * kinds * index : 2 * kinds * (index + 1)]
        for kind in range(kinds):
            bridge = keras.layers.Dense(units, "tanh", name=f"bridge_{index}_{kind}")
            # (batch_size, units // 2) twice -> (batch_size, units)
            both = ops.concatenate([of_layer[kind], of_layer[kinds + kind]], axis=-1)
            bridged.append(bridge(both))
    return bridged


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


def _check(vocabulary_size, units, num_layers):
    if min(vocabulary_size, units, num_layers) < 1 or units % 2:
        raise ValueError(
            "Sizes must be positive and `units` even. Received: "
            f"vocabulary_size={vocabulary_size}, units={units}, num_layers={num_layers}"
        )
