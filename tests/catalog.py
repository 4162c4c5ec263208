"""The one table: every public layer and model, and the promises it keeps.

Each file in `contract/` checks one promise for the whole table. `test_catalog.py`
fails when something public is missing here.

A name in `models` that is no builder, or in `layers` that is a cell, stands in `PARTS`,
with the entry whose promises cover it.
"""

import typing

import catalog_forecast
import catalog_sequence
import catalog_state_space
import catalog_texts
import catalog_transformer
import catalog_vision
import keras
import numpy as np

from kerasseq import layers, models

PROMISES = ("P1", "P2", "P3", "P4", "P5", "P6")
PARTS = {
    "seq2seq_encode": "seq2seq",
    "seq2seq_step": "seq2seq",
    "captioner_encode": "captioner",
    "captioner_grid": "captioner",
    "state_names": "language_model",
    "is_streamable": "tagger",
    "encoder_kinds": "tagger",
    "streaming_model": "tagger",
    "forecaster_kinds": "forecaster",
    "PositionEmbedding": "TokenPositions",
    "PatchPositionEmbedding": "GridPositions",
}
NEW_CELLS = {  # those that Keras lacks: name of the layer, name of the cell
    entry.layer.__name__: name
    for name, entry in layers.CELLS.items()
    if not hasattr(keras.layers, entry.layer.__name__)
}
PARTS |= {
    entry.cell.__name__: entry.layer.__name__
    for entry in layers.CELLS.values()
    if hasattr(layers, entry.cell.__name__)
}
BATCH, TIME, SOURCE, FEATURES, UNITS, VOCABULARY = 3, 6, 5, 4, 8, 11


class Entry(typing.NamedTuple):
    """One public thing in one configuration.

    `build(layer_class)` makes a small functional model with dict inputs; `stock` is
    the class of Keras that holds the same weights, if there is one; `loops` tells
    whether there is a loop over time; `excused` gives the reason for each promise that
    is not kept.
    """

    covers: str
    variant: str
    build: typing.Callable
    inputs: typing.Callable
    stock: type | None = None
    loops: bool = True
    excused: dict = {}

    @property
    def id(self):
        return f"{self.covers}-{self.variant}" if self.variant else self.covers

    def model(self):
        keras.utils.set_random_seed(7)
        model = self.build(getattr(layers, self.covers, None))
        randomize(model)
        return model


def randomize(model):
    """Gives all weights values, biases too, so that none hides behind a zero.

    Kernels of images and gains are such that deep models still tell inputs apart."""
    generator = np.random.default_rng(3)
    for weight in model.weights:
        of_images = len(weight.shape) == 4
        scale = (2 / np.prod(weight.shape[:-1])) ** 0.5 if of_images else 0.3
        start = {"gamma": 1, "scale": 1, "moving_variance": 1.5}.get(weight.name, 0)
        weight.assign(start + generator.normal(0, scale, weight.shape))


def recurrent_model(cells=lambda: UNITS, **options):
    """Masked ids, a bidirectional layer, and a layer that gives its last state."""

    def build(layer_class):
        ids = keras.Input((TIME,), dtype="int32", name="ids")
        x = keras.layers.Embedding(VOCABULARY, FEATURES, mask_zero=True)(ids)
        wrapped = layer_class(cells(), return_sequences=True, **options)
        x = keras.layers.Bidirectional(wrapped, name="both")(x)
        x = layer_class(cells(), return_state=True, **options)(x)
        x = keras.layers.Concatenate()(keras.tree.flatten(x))
        return keras.Model({"ids": ids}, keras.layers.Dense(3)(x))

    return build


def stack_model(**options):
    """Masked ids and a stack of recurrent layers."""

    def build(layer_class):
        ids = keras.Input((TIME,), dtype="int32", name="ids")
        x = keras.layers.Embedding(VOCABULARY, FEATURES, mask_zero=True)(ids)
        x = layer_class(UNITS, **options)(x)
        if options.get("return_state"):
            x = keras.layers.Concatenate()([*x])
        return keras.Model({"ids": ids}, keras.layers.Dense(3)(x))

    return build


def stacked_cells():
    return [keras.layers.LSTMCell(UNITS), keras.layers.GRUCell(UNITS)]


def padded_ids(generator, length=TIME):
    ids = generator.integers(1, VOCABULARY, (BATCH, length)).astype("int32")
    for row in range(1, BATCH):
        ids[row, length - row :] = 0
    return ids


def recurrent_inputs():
    return {"ids": padded_ids(np.random.default_rng(0))}


def decoder_model(**options):
    def build(layer_class):
        target = keras.Input((TIME, FEATURES), name="target")
        memory = keras.Input((SOURCE, UNITS), name="memory")
        ids = keras.Input((SOURCE,), dtype="int32", name="ids")
        outputs = layer_class(UNITS, **options)(
            target, memory, memory_mask=keras.ops.not_equal(ids, 0)
        )
        inputs = {"target": target, "memory": memory, "ids": ids}
        return keras.Model(inputs, outputs)

    return build


def decoder_inputs():
    generator = np.random.default_rng(1)
    return {
        "target": generator.normal(size=(BATCH, TIME, FEATURES)).astype("float32"),
        "memory": generator.normal(size=(BATCH, SOURCE, UNITS)).astype("float32"),
        "ids": padded_ids(generator, SOURCE),
    }


def seq2seq_model(**options):
    def build(_):
        sizes = {"embedding_dim": FEATURES, "units": UNITS}
        return models.seq2seq(VOCABULARY, **sizes, **options)

    return build


def seq2seq_inputs():
    generator = np.random.default_rng(2)
    return {
        "source": padded_ids(generator, SOURCE),
        "target": padded_ids(generator, TIME),
    }


def language_model(make_body, **options):
    """The step model with its logits and states side by side in one output."""

    def build(_):
        options.setdefault("embedding_dim", FEATURES)
        step_model = models.language_model(VOCABULARY, make_body(), **options)
        inputs = {"tokens": keras.Input((TIME,), dtype="int32", name="tokens")}
        for name in models.state_names(step_model):
            inputs[name] = keras.Input(step_model.input[name].shape[1:], name=name)
        outputs = step_model(inputs)
        outputs = [keras.layers.Flatten()(x) for x in outputs.values()]
        return keras.Model(inputs, keras.layers.Concatenate()(outputs))

    return build


def language_inputs(num_states):
    generator = np.random.default_rng(4)
    tokens = generator.integers(0, VOCABULARY, (BATCH, TIME)).astype("int32")
    states = generator.normal(size=(num_states, BATCH, UNITS)).astype("float32")
    names = [f"state_{index}" for index in range(num_states)]
    return {"tokens": tokens} | dict(zip(names, states, strict=True))


def _recurrent(name, variant="", **options):
    stock = getattr(keras.layers, name, None)
    build = recurrent_model(**options)
    return Entry(name, variant, build, recurrent_inputs, stock)


def _stack(variant, **options):
    return Entry("StackedRNN", variant, stack_model(**options), recurrent_inputs)


def _decoder(variant, **options):
    build = decoder_model(**options)
    return Entry("AttentionDecoder", variant, build, decoder_inputs)


def _seq2seq(variant, **options):
    return Entry("seq2seq", variant, seq2seq_model(**options), seq2seq_inputs)


def _language(variant, num_states, body, **options):
    def make_body():
        outputs = {"return_sequences": True, "return_state": True}
        return layers.StackedRNN(UNITS, name="body", **outputs, **body)

    build = language_model(make_body, **options)
    return Entry("language_model", variant, build, lambda: language_inputs(num_states))


def _rows(module):
    """The rows of a module that says which of them have a loop."""
    for entry in (Entry(*row) for row in module.ROWS):
        yield entry._replace(loops=entry.id in module.LOOPS)


BOTH_WAYS = {"bidirectional": True, "return_state": True}
SUMMED = {"bidirectional": True, "merge_mode": "sum"}
SUMMED |= {"variational": True, "return_sequences": True}
LSTM_BODY = {"num_layers": 2, "residual": True, "dropout": 0.2}
ENTRIES = [
    _recurrent("SimpleRNN"),
    _recurrent("LSTM"),
    _recurrent("LSTM", "dropout", dropout=0.2, recurrent_dropout=0.2),
    _recurrent("GRU"),
    _recurrent("GRU", "reset_before", reset_after=False, use_bias=False),
    _recurrent("RNN", cells=stacked_cells),
    _recurrent("IRNN"),
    _recurrent("LayerNormLSTM"),
    _recurrent("PeepholeLSTM"),
    _recurrent("ZoneoutLSTM"),
    _stack("lstm", num_layers=2, residual=True, dropout=0.2, **BOTH_WAYS),
    _stack("gru", num_layers=2, cell="gru", dropout=0.2, **SUMMED),
    _decoder("additive", num_layers=2, residual=True, dropout=0.2),
    _decoder("dot", cell="gru", output_dim=5),
    _decoder("general", cell="simple_rnn", input_feeding=False),
    _decoder("layer_norm_lstm", cell="layer_norm_lstm", num_layers=2),
    _decoder("zoneout_lstm", cell="zoneout_lstm", attention="general"),
    _seq2seq("lstm", num_layers=2, dropout=0.1),
    _seq2seq("gru", cell="gru", attention="general", tie_embeddings=False),
    _seq2seq("simple_rnn", cell="simple_rnn", attention="dot", input_feeding=False),
    _seq2seq("layer_norm_lstm", cell="layer_norm_lstm", attention="general"),
    _seq2seq("peephole_lstm", cell="peephole_lstm", num_layers=2),
    _language("lstm", 4, LSTM_BODY, dropout=0.2),
    Entry(
        "language_model",
        "transformer",
        language_model(catalog_transformer.language_body, embedding_dim=UNITS),
        lambda: language_inputs(0) | catalog_transformer.window_states(2, UNITS),
        loops=False,
    ),
    _language("gru", 1, {"cell": "gru"}, tie_embeddings=False),
    _language("peephole_lstm", 2, {"cell": "peephole_lstm"}, variational=True),
    *(Entry(*row) for row in catalog_texts.ROWS),
    *(Entry(*row) for row in catalog_vision.CAPTIONERS),
    *(Entry(*row) for row in catalog_vision.IMAGE_SEQUENCES),
    *(Entry(*row, loops=False) for row in catalog_vision.ROWS),
    *(Entry(*row, loops=False) for row in catalog_transformer.ROWS),
    *_rows(catalog_sequence),
    *(Entry(*row) for row in catalog_forecast.ROWS),
    *_rows(catalog_state_space),
]


def keeping(promise, variants_are_slow=False):
    """The entries that keep a promise, as pytest parameters.

    Args:
        promise: As `"P1"`.
        variants_are_slow: Whether `make test` takes one configuration of each public
            name, and `make test-all` the others too.
    """
    import pytest

    kept = [entry for entry in ENTRIES if promise not in entry.excused]
    first = {entry.covers: entry for entry in reversed(kept)}
    return [
        pytest.param(entry, id=entry.id, marks=[pytest.mark.slow] * slow)
        for entry in kept
        for slow in [variants_are_slow and entry is not first[entry.covers]]
    ]
