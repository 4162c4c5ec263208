"""The 14 architectures of Keras 2 that must be importable, with `tf_keras`."""

import tf_keras as keras

layers = keras.layers
SEQUENCE = (6, 4)
IMAGE = (8, 8, 3)


def sequential(shape, *stack):
    return keras.Sequential([keras.Input(shape), *stack])


def dense():
    return sequential(
        SEQUENCE[1:],
        layers.Dense(8, activation="relu", kernel_regularizer="l2"),
        layers.BatchNormalization(),
        layers.Dropout(0.5),
        layers.LeakyReLU(alpha=0.2),
        layers.Dense(8, kernel_initializer=keras.initializers.HeNormal(seed=1)),
        layers.Dense(8, activation="tanh", kernel_constraint="max_norm"),
        layers.Dense(3, activation="softmax"),
    )


def conv():
    return sequential(
        IMAGE,
        layers.ZeroPadding2D(1),
        layers.Conv2D(8, 3, groups=1, activation="relu"),
        layers.BatchNormalization(axis=3),
        layers.Conv2D(8, 3, groups=4, dilation_rate=2, padding="same"),
        layers.ReLU(max_value=6),
        layers.Conv2DTranspose(4, 2, strides=2),
        layers.MaxPooling2D(2),
        layers.UpSampling2D(2, interpolation="bilinear"),
        layers.Cropping2D(1),
        layers.GlobalAveragePooling2D(),
        layers.Dense(3),
    )


def depthwise():
    return sequential(
        IMAGE,
        layers.DepthwiseConv2D(3, depth_multiplier=2, activation="relu"),
        layers.LayerNormalization(axis=[-1]),
        layers.AveragePooling2D(2, padding="same"),
        layers.Flatten(),
        layers.Dense(3),
    )


def separable():
    return sequential(
        IMAGE,
        layers.SeparableConv2D(6, 3, padding="same", activation="relu"),
        layers.GroupNormalization(3),
        layers.Reshape((64, 6)),
        layers.SeparableConv1D(4, 3, strides=2),
        layers.GlobalMaxPooling1D(),
    )


def lstm():
    return sequential(SEQUENCE, layers.LSTM(5, unroll=True), layers.Dense(2))


def gru():
    return sequential(
        SEQUENCE,
        layers.GRU(5, return_sequences=True, implementation=1),
        layers.GRU(3, reset_after=False, go_backwards=True),
    )


def simple_rnn():
    return sequential(
        SEQUENCE,
        layers.SimpleRNN(5, return_sequences=True, activation="relu"),
        layers.TimeDistributed(layers.Dense(2)),
    )


def bidirectional():
    return sequential(
        SEQUENCE,
        layers.Bidirectional(layers.LSTM(3, return_sequences=True)),
        layers.Bidirectional(
            layers.GRU(4), backward_layer=layers.GRU(4, go_backwards=True)
        ),
        layers.Dense(2),
    )


def stacked():
    cells = [layers.LSTMCell(4), layers.GRUCell(4), layers.GRUCell(4)]
    return sequential(
        SEQUENCE,
        layers.RNN(cells, return_sequences=True),
        layers.RNN(layers.SimpleRNNCell(4), return_sequences=True),
        layers.LSTM(4, return_sequences=True),
        layers.LSTM(4),
    )


def masked():
    words = keras.Input((7,), dtype="int32", name="words")
    numbers = keras.Input((7, 2), name="numbers")
    a = layers.Embedding(11, 4, mask_zero=True)(words)
    a = layers.LSTM(4, return_sequences=True)(a)
    b = layers.GRU(3)(layers.Masking(0.0)(numbers))
    c = layers.GlobalAveragePooling1D()(a)
    return keras.Model([words, numbers], layers.Concatenate()([b, c]))


def attention():
    x = keras.Input(SEQUENCE, name="x")
    memory = keras.Input((5, 6), name="memory")
    y = layers.MultiHeadAttention(2, 3)(x, x)
    y = layers.LayerNormalization()(layers.Add()([x, y]))
    y = layers.MultiHeadAttention(2, 3, value_dim=5)(y, value=memory, key=memory)
    z, scores = layers.MultiHeadAttention(2, 3, use_bias=False)(
        y, memory, return_attention_scores=True
    )
    return keras.Model([x, memory], [layers.Attention()([z, y]), scores])


def encoder_decoder():
    source = keras.Input((5,), dtype="int32", name="source")
    target = keras.Input((4,), dtype="int32", name="target")
    embedding = layers.Embedding(9, 4, mask_zero=True)
    _, *state = layers.Bidirectional(layers.LSTM(3, return_state=True))(
        embedding(source)
    )
    h = layers.Concatenate()(state[::2])
    c = layers.Concatenate()(state[1::2])
    decoder = layers.LSTM(6, return_sequences=True, return_state=True)
    outputs, h, c = decoder(embedding(target), initial_state=[h, c])
    return keras.Model([source, target], [layers.Dense(9)(outputs), h, c])


def conv_lstm():
    return sequential(
        (3, *IMAGE),
        layers.ConvLSTM2D(4, 3, return_sequences=True, padding="same"),
        layers.ConvLSTM2D(2, 3, recurrent_activation="sigmoid"),
        layers.Flatten(),
        layers.Dense(2),
    )


def nested():
    part = keras.Input((4,))
    y = layers.Dense(4, activation="relu")(part)
    y = layers.Dense(4)(y)
    inner = keras.Model(part, layers.Add()([part, y]), name="inner")
    inner.layers[1].trainable = False
    head = keras.Sequential([layers.Dense(4), layers.Dense(4)], name="head")
    tower = sequential((4,), layers.Dense(4), keras.models.clone_model(inner))
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    y = head(layers.Subtract()([inner(a), inner(inner(b))]))
    return keras.Model({"a": a, "b": b}, {"y": tower(y), "z": layers.Dense(4)(y)})


ARCHITECTURES = [
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
]
