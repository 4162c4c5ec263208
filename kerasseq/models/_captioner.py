"""Image encoder and attention decoder: a sentence about an image."""

import keras
from keras import ops

from kerasseq import layers
from kerasseq.models import _convnet, _embeddings, _vit

ENCODERS = ("cnn", "vit")


def captioner(
    input_shape,
    vocabulary_size,
    *,
    encoder="cnn",
    encoder_options=None,
    embedding_dim=128,
    units=192,
    num_layers=1,
    cell="lstm",
    attention="additive",
    input_feeding=True,
    residual=True,
    dropout=0.2,
    tie_embeddings=True,
    include_rescaling=False,
    seed=None,
    name="captioner",
    **kwargs,
):
    """Builds a captioning model: image encoder, attention decoder.

    The encoder returns features of a grid of places, to which their positions are
    added; the decoder is that of `kerasseq.models.seq2seq`, attends to the places at
    each word, and starts from their mean. Trained with teacher forcing: the model gets
    the image and the caption shifted right by a start token, and returns the logits of
    each next token. Id 0 is padding, on the right.

    Args:
        input_shape: `(height, width, channels)` of the images.
        vocabulary_size: Number of tokens.
        encoder: `"cnn"`, the feature map of `kerasseq.models.convnet`, or `"vit"`, the
            patches of `kerasseq.models.vit`.
        encoder_options: Dict of other arguments of that builder, such as `widths`, or
            `patch_size`, `hidden_dim` and `stem`.
        embedding_dim: Size of the embeddings and of the vector that is compared with
            them for the output.
        units: Size of the decoder's state and of the features of a place; four
            divides it.
        num_layers: Number of decoder layers.
        cell: Name of a cell of `kerasseq.layers.CELLS`: `"lstm"`, `"gru"` or another.
        attention: `"additive"`, `"dot"` or `"general"`.
        input_feeding: Whether a decoder step also gets the step before's output.
        residual: Whether decoder layers from the second on add their input.
        dropout: Float between 0 and 1. Fraction of features, embeddings, layer inputs
            and outputs to drop.
        tie_embeddings: One table for input and output (Press and Wolf, 2017).
        include_rescaling: Whether the model takes values from 0 to 255 and brings
            them to -1 to 1 itself.
        seed: Random seed of initial weights and dropout.
        name: Name of the model.
        **kwargs: Other arguments of all cells, see `kerasseq.models.seq2seq`.

    Returns:
        A functional `keras.Model`. Inputs: a dict of `image` `(batch_size, height,
        width, channels)` and integers `target` `(batch_size, length)`. Output: logits
        `(batch_size, length, vocabulary_size)`.

    Raises:
        ValueError: for sizes that are not positive or do not divide, or unknown names.

    Example:
        >>> model = kerasseq.models.captioner((32, 32, 3), 100, units=64)
        >>> model.compile("adam", loss, jit_compile=True)
        >>> model.fit({"image": image, "target": target}, next_target)

    Reference:
        Xu et al. (2015), Show, Attend and Tell, sections 3.1.1 and 3.1.2.
    """
    _check(vocabulary_size, encoder, units, num_layers)
    if seed is not None:
        keras.utils.set_random_seed(seed)
    decoder = layers.AttentionDecoder(
        units,
        output_dim=embedding_dim,
        num_layers=num_layers,
        cell=cell,
        attention=attention,
        input_feeding=input_feeding,
        residual=residual,
        dropout=dropout,
        name="decoder",
        **kwargs,
    )
    options = {"include_rescaling": include_rescaling, **(encoder_options or {})}
    features = _features(encoder, input_shape, options)
    num_states = len(decoder.state_size) - int(input_feeding)
    encode = _encoder(features, units, dropout, num_states)
    embedding = keras.layers.ReversibleEmbedding(
        vocabulary_size,
        embedding_dim,
        tie_weights=tie_embeddings,
        embeddings_initializer=_embeddings.start(embedding_dim),
        name="embedding",
    )
    image = keras.Input(input_shape, name="image")
    target = keras.Input((None,), dtype="int32", name="target")
    memory, *states = encode(image)
    x = layers.Dropout(dropout, name="target_dropout")(embedding(target))
    x = decoder(x, memory, initial_state=states)
    logits = embedding(x, reverse=True)
    return keras.Model({"image": image, "target": target}, logits, name=name)


def captioner_encode(model, image):
    """Runs the encoder of a captioning model and sets its decoder up.

    Args:
        model: A model built by `captioner`, or loaded from its file.
        image: Tensor of shape `(batch_size, height, width, channels)`; uint8 will do.

    Returns:
        `(context, states)` for `seq2seq_step`: a dict and a list of tensors.
    """
    encoder = _encoder_of(model)
    memory, *states = encoder(ops.cast(image, "float32"), training=False)
    return model.get_layer("decoder").start(memory, states)


def captioner_grid(model):
    """The rows and columns of the places that a captioning model attends to.

    Args:
        model: A model built by `captioner`, or loaded from its file.

    Returns:
        `(rows, columns)`; the attention of a word has their product as its length.
    """
    return _encoder_of(model).get_layer("positions").grid_shape


def _features(encoder, input_shape, options):
    """A model from images to a feature map, or to the features of patches."""
    if encoder == "cnn":
        return _convnet.convnet(input_shape, None, **options)
    return _vit.vit(input_shape, None, pooling="mean", **options)


def _encoder(features, units, dropout, num_states):
    """A model `image -> [memory, decoder states...]` on top of the features."""
    x = features.output
    grid_shape = x.shape[1:3] if len(x.shape) == 4 else None
    if grid_shape:
        # (batch_size, rows, columns, features) -> (batch_size, length, features)
        x = keras.layers.Reshape((-1, x.shape[-1]), name="places")(x)
    x = keras.layers.Dense(units, name="memory")(x)
    if grid_shape:  # a Vision Transformer has them inside
        # Without weights they tell above from below before anything is learned.
        positions = layers.PatchPositionEmbedding(
            grid_shape, "sinusoidal", name="positions"
        )
        x = positions(x)
    x = layers.Dropout(dropout, name="memory_dropout")(x)
    mean = keras.layers.GlobalAveragePooling1D(name="mean")(x)
    states = [
        keras.layers.Dense(units, "tanh", name=f"state_{index}")(mean)
        for index in range(num_states)
    ]
    return keras.Model(features.input, [x, *states], name="encoder")


def _encoder_of(model):
    inputs = model.input if isinstance(getattr(model, "input", None), dict) else {}
    if "image" not in inputs or "target" not in inputs:
        raise ValueError(
            "This needs a model built by kerasseq.models.captioner. Received: "
            f"{model.name!r} with inputs {list(inputs)}"
        )
    return model.get_layer("encoder")


def _check(vocabulary_size, encoder, units, num_layers):
    if encoder not in ENCODERS:
        raise ValueError(
            f"`encoder` must be one of {ENCODERS}. Received: encoder={encoder!r}"
        )
    if min(vocabulary_size, units, num_layers) < 1 or units % 4:
        raise ValueError(
            "Sizes must be positive and `units` a multiple of 4. Received: "
            f"vocabulary_size={vocabulary_size}, units={units}, num_layers={num_layers}"
        )
