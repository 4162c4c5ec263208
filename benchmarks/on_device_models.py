"""The models of `benchmarks.on_device`, with inputs and what Keras computes of them."""

import dataclasses
import functools
from collections.abc import Callable

import keras
import numpy as np

from benchmarks import stock_seq2seq
from kerasseq import convert, decoding, models

TRANSLATOR = {"vocabulary_size": 1000, "embedding_dim": 128, "units": 192, "length": 32}
TAGGER = {"vocabulary_size": 5000, "num_tags": 17, "length": 50}
VIT = {"patch_size": 4, "hidden_dim": 96, "num_layers": 2, "num_heads": 3}
ROWS = {  # kind, sizes; those of the published files, but for taggers and `vit_96`
    "translator": ("translator", TRANSLATOR),
    "tagger_64": ("tagger", TAGGER | {"embedding_dim": 64, "units": 64}),
    "tagger_128": ("tagger", TAGGER | {"embedding_dim": 128, "units": 128}),
    "unet_64": ("unet", {"input_shape": (64, 64, 1), "width": 12, "depth": 3}),
    "unet_96": ("unet", {"input_shape": (96, 96, 3), "width": 12, "depth": 4}),
    "vit_28": (
        "vit",
        VIT
        | {"input_shape": (28, 28, 1), "mlp_dim": 192}
        | {"stem": "convolution", "pooling": "mean"},
    ),
    "vit_96": (
        "vit",
        {"input_shape": (96, 96, 3), "patch_size": 8, "hidden_dim": 192}
        | {"num_layers": 6, "num_heads": 3, "mlp_dim": 768},
    ),
    "translator_tiny": (  # for tests
        "translator",
        {"vocabulary_size": 20, "embedding_dim": 4, "units": 8, "length": 6},
    ),
    "tagger_tiny": (
        "tagger",
        {"vocabulary_size": 20, "num_tags": 3, "length": 6}
        | {"embedding_dim": 4, "units": 4},
    ),
    "unet_tiny": ("unet", {"input_shape": (8, 8, 1), "width": 2, "depth": 1}),
    "vit_tiny": (
        "vit",
        {"input_shape": (8, 8, 1), "patch_size": 4, "hidden_dim": 8}
        | {"num_layers": 1, "num_heads": 2, "mlp_dim": 8},
    ),
}
END_ID = 3
NUM_CLASSES = {"unet": 2, "vit": 10}


@dataclasses.dataclass
class Case:
    """A model in all the forms that are compared.

    Signatures are `{name: (function, {input: (shape, dtype)})}`.
    """

    model: keras.Model
    signatures: Callable  # of the model or its twin
    stock: Callable  # of `unroll`: models of stock layers and their signatures
    torch: dict  # kind and settings for `on_device_torch`
    inputs: dict  # {signature: {name: array}}
    expected: dict  # {signature: {name: array}}, what Keras computes
    recurrent: bool


def make(row):
    """Builds the `Case` of a row."""
    kind, settings = ROWS[row]
    keras.utils.set_random_seed(0)
    if kind in NUM_CLASSES:
        return _vision(kind, settings)
    return {"translator": _translator, "tagger": _tagger}[kind](settings)


def weights(model):
    """The weights by path, and the table of positions, with or without weights."""
    arrays = {weight.path: weight.numpy() for weight in model.weights}
    layers = {layer.name: layer for layer in model.layers}
    if "positions" in layers:
        shape = layers["positions"].output.shape[1:]
        arrays["positions"] = layers["positions"](np.zeros((1, *shape))).numpy()
    return arrays


def _vision(kind, settings):
    count = NUM_CLASSES[kind]
    positions = {"positions": "sinusoidal"} if "stem" in settings else {}
    build = getattr(models, kind)
    model = _disturbed(build(num_classes=count, **settings, **positions))

    def signatures(model):
        specs = {"image": ((1, *settings["input_shape"]), "float32")}
        return {"serve": (lambda image: {"logits": model(image)}, specs)}

    image = np.random.default_rng(0).random((1, *settings["input_shape"]), "float32")
    return _case(
        model,
        signatures,
        lambda unroll: ([model], signatures(model)),
        {"kind": kind, "settings": settings | {"num_classes": count}},
        {"serve": {"image": image}},
    )


def _tagger(settings):
    length = settings["length"]
    words = np.random.default_rng(0).integers(
        4, settings["vocabulary_size"], (1, length), "int32"
    )

    def build(unroll):
        keras.utils.set_random_seed(0)
        layers = keras.layers
        x = keras.Input((length,), dtype="int32", name="words")
        sizes = settings["vocabulary_size"], settings["embedding_dim"]
        y = layers.Embedding(*sizes, name="embedding")(x)
        lstm = layers.LSTM(
            settings["units"], return_sequences=True, unroll=unroll, name="lstm"
        )
        y = layers.Bidirectional(lstm, name="bilstm")(y)
        tags = layers.Dense(settings["num_tags"], "softmax", name="tags")(y)
        return _disturbed(keras.Model(x, tags))

    def signatures(model):
        specs = {"words": (words.shape, "int32")}
        return {"serve": (lambda words: {"tags": model(words)}, specs)}

    def stock(unroll):
        model = build(unroll)
        return [model], signatures(model)

    return _case(
        convert.from_keras(build(False)),
        signatures,
        stock,
        {"kind": "tagger", "settings": _without_length(settings)},
        {"serve": {"words": words}},
        recurrent=True,
    )


def _translator(settings):
    sizes, length = _without_length(settings), settings["length"]
    source = np.random.default_rng(0).integers(
        4, settings["vocabulary_size"], (1, length), "int32"
    )
    model = _disturbed(models.seq2seq(**sizes, cell="gru", attention="general"))
    table = model.get_layer("embedding").embeddings
    # The end token never scores best: each search has as many steps as it may.
    kept = np.arange(settings["vocabulary_size"]) != END_ID
    table.assign(table.numpy() * kept[:, None])

    def signatures(model):
        made = decoding.translation_signatures(model, length, length)
        return {name: made[name] for name in ("greedy", "encode", "step")}

    def stock(unroll):
        specs = {name: specs for name, (_, specs) in signatures(model).items()}
        specs["step"] = {k: x for k, x in specs["step"].items() if k != "bias"}
        parts, stock_layers = stock_seq2seq.translator(specs, **sizes, unroll=unroll)
        stock_seq2seq.set_weights(stock_layers, weights(model))
        return parts.values(), {
            name: (functools.partial(_call, part), specs[name])
            for name, part in parts.items()
        }

    encode, _ = signatures(model)["encode"]
    encoded = {name: np.asarray(x) for name, x in encode(source=source).items()}
    step = {"token": np.array([2], "int32")} | encoded
    inputs = {"encode": {"source": source}, "step": step, "greedy": {"source": source}}
    torch = {"kind": "translator", "settings": sizes}
    return _case(model, signatures, stock, torch, inputs, recurrent=True)


def _disturbed(model):
    """Its weights no longer zeros and ones, as after training."""
    generator = np.random.default_rng(0)
    for weight in model.weights:
        value = weight.numpy() + generator.normal(scale=0.05, size=weight.shape)
        weight.assign(np.abs(value) if "variance" in weight.path else value)
    return model


def _without_length(settings):
    return {name: size for name, size in settings.items() if name != "length"}


def _call(model, **inputs):
    return model(inputs)


def _case(model, signatures, stock, torch, inputs, recurrent=False):
    expected = {}
    for name, (function, _) in signatures(model).items():
        outputs = function(**inputs[name])
        expected[name] = {key: np.asarray(x) for key, x in outputs.items()}
    return Case(model, signatures, stock, torch, inputs, expected, recurrent)
