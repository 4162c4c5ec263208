"""Fourteen architectures of stock Keras layers, as people bring them."""

import keras
import numpy as np
from keras import layers


def dense():
    x = keras.Input((20,), name="x")
    y = layers.Dense(64, "relu")(x)
    y = layers.Dropout(0.3)(layers.BatchNormalization()(y))
    return keras.Model(x, layers.Dense(10, "softmax", name="y")(y))


def conv():
    x = keras.Input((16, 16, 3), name="x")
    y = layers.Conv2D(16, 3, padding="same", activation="relu")(x)
    y = layers.MaxPooling2D()(layers.BatchNormalization()(y))
    y = layers.Conv2D(32, 3, strides=2, activation="relu")(y)
    return keras.Model(x, layers.Dense(10)(layers.Flatten()(y)))


def depthwise():
    x = keras.Input((16, 16, 8), name="x")
    y = layers.DepthwiseConv2D(3, padding="same", activation="relu6")(x)
    y = layers.Conv2D(16, 1)(y)
    y = layers.ReLU(max_value=6)(layers.BatchNormalization()(y))
    return keras.Model(x, layers.Dense(70)(layers.GlobalAveragePooling2D()(y)))


def separable():
    x = keras.Input((16, 16, 8), name="x")
    y = layers.SeparableConv2D(32, 3, activation="swish")(x)
    y = layers.SeparableConv2D(40, 3, strides=2, padding="same")(y)
    return keras.Model(x, layers.Dense(30)(layers.GlobalMaxPooling2D()(y)))


def _recurrent(layer):
    x = keras.Input((12, 8), name="x")
    return keras.Model(x, layers.Dense(5, name="y")(layer(x)))


def lstm():
    return _recurrent(layers.LSTM(32))


def gru():
    return _recurrent(layers.GRU(32, return_sequences=True))


def simple_rnn():
    return _recurrent(layers.SimpleRNN(40, activation="relu"))


def bidirectional():
    return _recurrent(layers.Bidirectional(layers.LSTM(40, return_sequences=True)))


def stacked():
    cells = [layers.LSTMCell(32), layers.GRUCell(24)]
    return _recurrent(layers.RNN(cells))


def masked():
    x = keras.Input((12,), dtype="int32", name="x")
    y = layers.Embedding(50, 24, mask_zero=True)(x)
    y = layers.LSTM(24, return_sequences=True)(y)
    return keras.Model(x, layers.Dense(6)(layers.GRU(24)(y)))


def attention():
    x = keras.Input((12, 32), name="x")
    y = layers.MultiHeadAttention(4, 8)(x, x)
    y = layers.LayerNormalization()(x + y)
    y = layers.LayerNormalization()(y + layers.Dense(32)(layers.Dense(64, "gelu")(y)))
    return keras.Model(x, layers.Dense(5)(layers.GlobalAveragePooling1D()(y)))


def encoder_decoder():
    source = keras.Input((9,), dtype="int32", name="source")
    target = keras.Input((7,), dtype="int32", name="target")
    _, h, c = layers.LSTM(32, return_state=True)(layers.Embedding(40, 32)(source))
    decoder = layers.LSTM(32, return_sequences=True)
    y = decoder(layers.Embedding(40, 32)(target), initial_state=[h, c])
    return keras.Model([source, target], layers.Dense(40)(y))


def conv_lstm():
    x = keras.Input((5, 8, 8, 3), name="x")
    y = layers.ConvLSTM2D(12, 3, padding="same")(x)
    return keras.Model(x, layers.Dense(10)(layers.Flatten()(y)))


def nested():
    inner = keras.Input((12, 8))
    outputs = layers.Dense(24)(layers.GRU(24, return_sequences=True)(inner))
    encoder = keras.Model(inner, outputs, name="encoder")
    head = keras.Sequential([keras.Input((24,)), layers.Dense(48, "relu")])
    x = keras.Input((12, 8), name="x")
    last = layers.GlobalAveragePooling1D()(layers.Concatenate()([encoder(x), x]))
    last = layers.Dense(24)(last)
    return keras.Model(x, layers.Dense(4)(layers.Add()([head(last), head(-last)])))


ALL = {
    function.__name__: function
    for function in (
        dense,
        conv,
        depthwise,
        separable,
        lstm,
        gru,
        simple_rnn,
        bidirectional,
        stacked,
        masked,
        attention,
        encoder_decoder,
        conv_lstm,
        nested,
    )
}


def rows(model, count):
    """Inputs of the model: normal numbers, and ids padded on the right."""
    generator = np.random.default_rng(0)
    found = {}
    for tensor in model.inputs:
        shape = (count, *tensor.shape[1:])
        if tensor.dtype == "int32":
            ids = generator.integers(1, 40, shape)
            ids[::2, -3:] = 0
            found[tensor.name] = ids.astype("int32")
        else:
            found[tensor.name] = generator.normal(size=shape).astype("float32")
    return found
