"""Language model, recurrent or of attention, as a step model: states come and go."""

import keras

from kerasseq import layers
from kerasseq.models import _embeddings


def language_model(
    vocabulary_size,
    *,
    embedding_dim=256,
    units=256,
    num_layers=2,
    cell="lstm",
    dropout=0.2,
    residual=False,
    variational=False,
    tie_embeddings=True,
    num_heads=4,
    mlp_dim=None,
    window=256,
    positions="rotary",
    num_key_value_heads=None,
    norm="layer",
    activation="gelu",
    seed=None,
    name="language_model",
):
    """Builds a model that reads tokens and puts out the logits of each next token.

    The states are inputs and outputs, so that the same model trains on chunks of
    contiguous text (`kerasseq.training.TruncatedBPTT`), scores a text in pieces of any
    length, and runs token by token on a phone (`kerasseq.decoding.step_signature`).
    Nothing is kept inside. The text has no padding: every id is a token, 0 too.

    With `cell="transformer"` the states are the keys and values of the last `window`
    tokens (`kerasseq.layers.WindowTransformer`), and all tokens of a chunk are computed
    at once.

    Args:
        vocabulary_size: Number of tokens.
        embedding_dim: Size of the embeddings.
        units: Size of a recurrent layer, or features of a token in a Transformer.
        num_layers: Number of recurrent layers or of blocks.
        cell: Name of a cell of `kerasseq.layers.StackedRNN`: `"lstm"`, `"gru"`,
            `"simple_rnn"` or another; or `"transformer"`.
        dropout: Share of embeddings, layer inputs and outputs dropped in training; the
            connections from step to step are not (Zaremba et al., 2014).
        residual: Whether layers from the second on add their input; a Transformer's
            always do.
        variational: Whether one dropout mask serves all steps of a chunk (Gal and
            Ghahramani, 2016).
        tie_embeddings: One table for input and output (Press and Wolf, 2017). If
            `units` is not `embedding_dim`, a linear projection comes before it.
        num_heads: Transformer: attention heads; divides `units`.
        mlp_dim: Transformer: width of the feed-forward layers; 4 times `units` by
            default.
        window: Transformer: earlier tokens that a token sees.
        positions: Transformer: `"rotary"` or `"alibi"`.
        num_key_value_heads: Transformer: heads of keys and values; fewer than
            `num_heads` make the states smaller.
        norm: Transformer: `"layer"` or `"rms"`.
        activation: Transformer: `"relu"`, `"gelu"` or `"swiglu"`.
        seed: Random seed of initial weights and dropout.
        name: Name of the model.

    Returns:
        A functional `keras.Model`, a step model as in `kerasseq.models.state_names`.
        Inputs: a dict of integers `tokens` `(batch_size, length)` and of the states
        `state_0`, `state_1`, ... `(batch_size, units)`, layer by layer, of a cell with
        two the hidden state first; zeros at the start of a text; for a Transformer's
        see `kerasseq.layers.WindowTransformer`. Outputs: a dict of
        `logits` `(batch_size, length, vocabulary_size)` and the states after the last
        token, under the same names.

    Raises:
        ValueError: for sizes that are not positive, or an unknown cell.

    Example:
        >>> model = kerasseq.models.language_model(100, units=64, embedding_dim=64)
        >>> trainer = kerasseq.training.TruncatedBPTT(model, batch_size=32)
        >>> trainer.compile("adam", loss, jit_compile=True)
        >>> trainer.fit(kerasseq.data.ContiguousBatches(ids, 32, length=64))

    Reference:
        Mikolov et al. (2010), Recurrent neural network based language model; Zaremba
        et al. (2014), Recurrent Neural Network Regularization; Press and Wolf (2017),
        Using the Output Embedding to Improve Language Models; Dai et al. (2019),
        Transformer-XL.
    """
    _check(vocabulary_size, embedding_dim, units, num_layers)
    if seed is not None:
        keras.utils.set_random_seed(seed)
    drop = keras.layers.SpatialDropout1D if variational else keras.layers.Dropout
    embedding = _embeddings.of_one_language(
        vocabulary_size, embedding_dim, tie_embeddings
    )
    shared = {"num_layers": num_layers, "dropout": dropout}
    if cell == "transformer":
        if variational or residual:
            raise ValueError(
                "`variational` and `residual` are for recurrent cells. Received: "
                f"cell='transformer', variational={variational}, residual={residual}"
            )
        body = layers.WindowTransformer(
            num_heads=num_heads,
            mlp_dim=mlp_dim or 4 * units,
            window=window,
            positions=positions,
            num_key_value_heads=num_key_value_heads,
            norm=norm,
            activation=activation,
            name="transformer",
            **shared,
        )
        shapes = body.state_shapes(units)
    else:
        body = layers.StackedRNN(
            units,
            cell=cell,
            variational=variational,
            residual=residual,
            return_sequences=True,
            return_state=True,
            name="recurrent",
            **shared,
        )
        shapes = [(size,) for size in body.state_size]
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    states = {
        f"state_{index}": keras.Input(shape, name=f"state_{index}")
        for index, shape in enumerate(shapes)
    }
    x = drop(dropout, name="embedding_dropout")(embedding(tokens))
    if cell == "transformer" and units != embedding_dim:
        x = keras.layers.Dense(units, use_bias=False, name="input_projection")(x)
    x, *final = body(x, initial_state=list(states.values()))
    x = drop(dropout, name="output_dropout")(x)
    outputs = {"logits": _logits(x, embedding, vocabulary_size, tie_embeddings)}
    outputs |= dict(zip(states, final, strict=True))
    return keras.Model({"tokens": tokens} | states, outputs, name=name)


def _logits(x, embedding, vocabulary_size, tie_embeddings):
    if not tie_embeddings:
        return keras.layers.Dense(vocabulary_size, name="output")(x)
    if x.shape[-1] != embedding.output_dim:
        project = keras.layers.Dense(
            embedding.output_dim, use_bias=False, name="projection"
        )
        x = project(x)
    return embedding(x, reverse=True)


def _check(vocabulary_size, embedding_dim, units, num_layers):
    if min(vocabulary_size, embedding_dim, units, num_layers) < 1:
        raise ValueError(
            "Sizes must be positive. Received: "
            f"vocabulary_size={vocabulary_size}, embedding_dim={embedding_dim}, "
            f"units={units}, num_layers={num_layers}"
        )
