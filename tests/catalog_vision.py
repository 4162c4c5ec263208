"""The vision part of the table: rows of `catalog.Entry`, all small.

Most kernels have one of a few shapes: JAX compiles an initializer for each shape.
"""

import keras
import numpy as np

from kerasseq import models

BATCH, TOKENS, FEATURES, CLASSES, WORDS = 3, 6, 8, 3, 11
IMAGE = (8, 12, 2)  # not square, so that rows and columns cannot change places
SMALL_IMAGE = (3, 4, 2)


def tokens_model(**options):
    """A layer between two dense ones, so that it has gradients on both sides."""

    def build(layer_class):
        tokens = keras.Input((TOKENS, FEATURES), name="tokens")
        x = keras.layers.Dense(FEATURES, name="first")(tokens)
        x = layer_class(**options, name="layer")(x)
        x = keras.layers.Dense(3, name="last")(x)
        return keras.Model({"tokens": tokens}, x)

    return build


def attention_model(layer_class):
    tokens = keras.Input((TOKENS, FEATURES), name="tokens")
    x = keras.layers.Dense(FEATURES, name="first")(tokens)
    x = layer_class(num_heads=2, key_dim=4, name="layer")(x, x)
    x = keras.layers.Dense(3, name="last")(x)
    return keras.Model({"tokens": tokens}, x)


def tokens():
    generator = np.random.default_rng(5)
    shape = (BATCH, TOKENS, FEATURES)
    return {"tokens": generator.normal(size=shape).astype("float32")}


def images(shape=IMAGE, mean=0.0, scale=1.0):
    values = np.random.default_rng(6).normal(mean, scale, (BATCH, *shape))
    return {"image": values.astype("float32")}


def vit(**options):
    sizes = {"patch_size": 4, "hidden_dim": 8, "num_layers": 2, "mlp_dim": 12}
    return lambda _: named_input(models.vit(IMAGE, CLASSES, **sizes, **options))


def unet(shape=IMAGE, **options):
    sizes = {"width": 4, "depth": 2} | options
    if "heads" not in options:
        sizes["num_classes"] = CLASSES
    return lambda _: named_input(models.unet(shape, **sizes))


def unet_with_encoder(_):
    """The encoder is a model of the caller, with maps of half and quarter size."""
    x = image = keras.Input(IMAGE)
    for name, filters in (("half", 8), ("quarter", 16)):
        options = {"padding": "same", "activation": "relu", "name": name}
        x = keras.layers.Conv2D(filters, 3, 2, **options)(x)
    return unet(encoder=keras.Model(image, x), upsampling="bilinear")(_)


def captioner(**options):
    sizes = {"embedding_dim": 4, "units": 8} | options
    return lambda _: models.captioner(IMAGE, WORDS, **sizes)


def image_sequence(**options):
    """Of 12 pixels, which is a sequence long enough."""

    def build(_):
        options.setdefault("units", FEATURES)
        model = models.image_sequence_classifier(SMALL_IMAGE, CLASSES, **options)
        return named_input(model)

    return build


def _image_sequence(variant, loops=True, **options):
    def inputs():
        return images(SMALL_IMAGE, mean=127.0, scale=127.0)

    build = image_sequence(**options)
    return "image_sequence_classifier", variant, build, inputs, None, loops


def captioned():
    target = np.random.default_rng(8).integers(1, WORDS, (BATCH, TOKENS))
    for row in range(1, BATCH):
        target[row, TOKENS - row :] = 0
    return images() | {"target": target.astype("int32")}


def named_input(model):
    """The model with a dict of inputs, and its heads side by side in one output."""
    output = model.output
    if isinstance(output, dict):
        heads = [keras.layers.Flatten()(output[name]) for name in sorted(output)]
        output = keras.layers.Concatenate()(heads)
    return keras.Model({"image": model.input}, output)


def _unet(variant, shape=IMAGE, **options):
    build = unet(shape, **options)
    return "unet", variant, build, lambda: images(shape)


MEAN = {"pooling": "mean", "positions": "sinusoidal", "stem": "convolution"}
LEARNED = {"grid_shape": (2, 2), "num_prefix": 2}
SINUSOIDAL = {"grid_shape": (1, 5), "kind": "sinusoidal", "num_prefix": 1}
SHALLOW = {"depth": 1, "width": 8}
CNN = {"cell": "gru", "attention": "general", "encoder_options": {"widths": (4, 6)}}
PATCHES = {"patch_size": 4, "hidden_dim": 8, "num_layers": 1, "mlp_dim": 12}
VIT = {"encoder": "vit", "encoder_options": PATCHES, "tie_embeddings": False}
VIT |= {"num_layers": 2, "input_feeding": False, "dropout": 0.1}
CAPTIONERS = [  # loops over time, unlike the others
    ("captioner", "cnn", captioner(**CNN), captioned),
    ("captioner", "vit", captioner(**VIT), captioned),
]
PERMUTED = {"as_sequence": "permuted", "dropout": 0.1}
PIXELS = {"as_sequence": "pixels", "pooling": "mean", "include_rescaling": False}
IMAGE_SEQUENCES = [
    _image_sequence("gru_permuted", arch="gru", **PERMUTED),
    _image_sequence("simple_rnn_pixels", arch="simple_rnn", **PIXELS),
    _image_sequence("bilstm_rows", arch="bilstm", num_layers=2),
    _image_sequence("cnn_rows", loops=False, arch="cnn", pooling="max"),
    _image_sequence(
        "transformer", False, arch="transformer", num_heads=2, pooling="attention"
    ),
]
ROWS = [
    ("ClassToken", "", tokens_model(), tokens),
    ("Dropout", "", tokens_model(rate=0.2), tokens, keras.layers.Dropout),
    ("GridPositions", "learned", tokens_model(**LEARNED), tokens),
    ("GridPositions", "sinusoidal", tokens_model(**SINUSOIDAL), tokens),
    (
        "MultiHeadAttention",
        "",
        attention_model,
        tokens,
        keras.layers.MultiHeadAttention,
    ),
    ("vit", "token", vit(dropout=0.1, attention_dropout=0.1), images),
    ("vit", "mean", vit(stochastic_depth=0.2, **MEAN), images),
    (
        "convnet",
        "",
        lambda _: named_input(
            models.convnet((7, 10, 2), 3, widths=(8, 8), include_rescaling=True)
        ),
        lambda: images((7, 10, 2), mean=127.0, scale=127.0),
    ),
    _unet("batch", dropout=0.1),
    _unet("layer_valid", (18, 20, 2), norm="layer", padding="valid", **SHALLOW),
    _unet("instance_bilinear", norm="instance", upsampling="bilinear", **SHALLOW),
    _unet("group_heads", norm="group", heads={"mask": 2, "edges": 1}, **SHALLOW),
    _unet("no_norm_deep", norm=None, deep_supervision=True),
    ("unet", "encoder", unet_with_encoder, images),
]
