"""Language model over any body, as a step model: states come in and go out."""

import keras

from kerasseq import layers
from kerasseq.models import _embeddings


def language_model(
    vocabulary_size,
    body=None,
    *,
    cell=None,
    num_layers=2,
    embedding_dim=256,
    dropout=0.2,
    variational=False,
    tie_embeddings=True,
    seed=None,
    name="language_model",
):
    """Builds a model that reads tokens and returns the logits of each next token.

    Embeddings go through the body, and what comes out becomes logits. The body is any
    layer with the state protocol: recurrent (`kerasseq.layers.StackedRNN`), of blocks
    that are linear in the length, as Mamba (`kerasseq.layers.ResidualStack`), or of
    attention over the last tokens (`kerasseq.layers.WindowTransformer`).

    The states are inputs and outputs, so that the same model trains on chunks of
    contiguous text (`kerasseq.training.TruncatedBPTT`), scores a text in pieces of any
    length, and runs token by token on a phone (`kerasseq.decoding.step_signature`).
    Nothing is kept inside. The text has no padding: every id is a token, 0 too.

    Args:
        vocabulary_size: Number of tokens.
        body: Layer with `state_size` and `step`, whose call takes `(batch_size, length,
            embedding_dim)` and `initial_state` and returns the outputs and the states.
            By default it follows from `cell`.
        cell: In place of a body, the name of one: of `kerasseq.layers.CELLS`, as
            `"gru"`, or of `kerasseq.layers.BLOCKS`, as `"mamba"`; in layers of
            `embedding_dim` units, with dropout between them. An LSTM by default.
        num_layers: Number of its layers.
        embedding_dim: Size of the embeddings.
        dropout: Float between 0 and 1. Fraction of the embeddings and of the body's
            outputs to drop. The body has a dropout of its own.
        variational: Whether one dropout mask serves all steps of a chunk (Gal and
            Ghahramani, 2016).
        tie_embeddings: One table for input and output (Press and Wolf, 2017). If the
            body's outputs have another size, a linear projection comes before it.
        seed: Random seed of initial weights and dropout; those of the body too, which
            is made anew from its configuration for that.
        name: Name of the model.

    Returns:
        A functional `keras.Model`, a step model as in `kerasseq.models.state_names`.
        Inputs: a dict of integers `tokens` `(batch_size, length)` and of the states
        `state_0`, `state_1`, ... of the body, in its order, zeros at the start of a
        text. Outputs: a dict of `logits` `(batch_size, length, vocabulary_size)` and
        the states after the last token, under the same names.

    Raises:
        ValueError: for sizes that are not positive, a body that does not return its
            states or reads backwards, an unknown `cell`, or one beside a body.

    Example:
        >>> options = {"return_sequences": True, "return_state": True}
        >>> body = kerasseq.layers.StackedRNN(64, num_layers=2, cell="gru", **options)
        >>> model = kerasseq.models.language_model(100, body, embedding_dim=64)
        >>> trainer = kerasseq.training.TruncatedBPTT(model, batch_size=32)
        >>> trainer.compile("adam", loss, jit_compile=True)
        >>> trainer.fit(kerasseq.data.ContiguousBatches(ids, 32, length=64))

    Reference:
        Mikolov et al. (2010), Recurrent neural network based language model; Zaremba
        et al. (2014), Recurrent Neural Network Regularization; Press and Wolf (2017),
        Using the Output Embedding to Improve Language Models; Dai et al. (2019),
        Transformer-XL.
    """
    if min(vocabulary_size, embedding_dim, num_layers) < 1:
        raise ValueError(
            f"Sizes must be positive. Received: vocabulary_size={vocabulary_size}, "
            f"embedding_dim={embedding_dim}, num_layers={num_layers}"
        )
    if seed is not None:
        keras.utils.set_random_seed(seed)
    if body is None:
        body = _of_cell(cell or "lstm", embedding_dim, num_layers, dropout)
    elif cell is not None:
        raise ValueError(
            f"Give `body` or `cell`, not both. Received: body={body!r}, cell={cell!r}"
        )
    body = _checked(body, seed)
    embedding = _embeddings.of_one_language(
        vocabulary_size, embedding_dim, tie_embeddings
    )
    shape = (None, 1, None) if variational else None
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    x = layers.Dropout(dropout, shape, name="embedding_dropout")(embedding(tokens))
    states = _state_inputs(body, x.shape)
    x, *final = body(x, initial_state=list(states.values()))
    x = layers.Dropout(dropout, shape, name="output_dropout")(x)
    outputs = {"logits": _logits(x, embedding, vocabulary_size, tie_embeddings)}
    outputs |= dict(zip(states, final, strict=True))
    return keras.Model({"tokens": tokens} | states, outputs, name=name)


def _of_cell(cell, units, num_layers, dropout):
    options = {"dropout": dropout, "return_state": True, "name": "body"}
    if cell in layers.BLOCKS:
        return layers.ResidualStack(units, num_layers, cell, **options)
    if cell in layers.CELLS:
        options["return_sequences"] = True
        return layers.StackedRNN(units, num_layers, cell, **options)
    kinds = ", ".join([*layers.CELLS, *layers.BLOCKS])
    raise ValueError(f"`cell` must be one of {kinds}. Received: cell={cell!r}")


def _checked(body, seed):
    # Of the class: an object may know its states only when it is built.
    # A decoder has them too, but needs a source to begin with.
    names = ("state_size", "step")
    is_decoder = hasattr(type(body), "start")
    if is_decoder or not all(hasattr(type(body), name) for name in names):
        raise ValueError(
            "`body` must be a layer whose states go in and come out, such as "
            "`kerasseq.layers.StackedRNN` or `WindowTransformer`. Received: "
            f"body={body!r}"
        )
    flags = {"return_sequences": True, "return_state": True, "bidirectional": False}
    wrong = {name: x for name, x in flags.items() if getattr(body, name, x) != x}
    if wrong:
        wanted = ", ".join(f"{name}={value}" for name, value in wrong.items())
        raise ValueError(
            "`body` must read forward and return the outputs of all steps and its "
            "states: `kerasseq.layers.StackedRNN(units, return_sequences=True, "
            f"return_state=True)`. Received: body={body!r}, which needs {wanted}"
        )
    if seed is None:
        return body
    return type(body).from_config(body.get_config())


def _state_inputs(body, shape):
    if not body.built:
        body.build(shape)
    return {
        f"state_{index}": keras.Input(size, name=f"state_{index}")
        for index, size in enumerate(body.state_size)
    }


def _logits(x, embedding, vocabulary_size, tie_embeddings):
    if not tie_embeddings:
        return keras.layers.Dense(vocabulary_size, name="output")(x)
    if x.shape[-1] != embedding.output_dim:
        project = keras.layers.Dense(
            embedding.output_dim, use_bias=False, name="projection"
        )
        x = project(x)
    return embedding(x, reverse=True)
