"""Writes models of Keras 2 to a folder, with inputs and the outputs they have there.

    python tests/convert/write_keras2_files.py FOLDER

Each model becomes NAME.h5, NAME.keras and NAME.npz, which holds `input_0`, `input_1`
.., and `output_0` ... All weights are random, those that begin at 0 or 1 too.
"""

import os
import sys
import warnings

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import tensorflow as tf
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


def shared_inside():
    part = keras.Input((4,))
    inner = keras.Model(part, layers.Dense(4)(part), name="inner")
    x = keras.Input((4,))
    return keras.Model(x, sequential((4,), layers.Dense(4), inner)(inner(x)))


def wrapped():
    x = keras.Input((6, 4))
    cells = [layers.LSTMCell(3), layers.GRUCell(3)]
    y, h, c, state = tf.nest.flatten(layers.RNN(cells, return_state=True)(x))
    z = layers.Bidirectional(layers.LSTM(3))(x, initial_state=[h, c, state, y])
    part = sequential((2,), layers.Dense(3), layers.BatchNormalization())
    part.layers[0].trainable = False
    return keras.Model(x, [z, layers.TimeDistributed(part)(tf.reshape(x, [-1, 12, 2]))])


def masked_attention():
    words = keras.Input((7,), dtype="int32")
    x = layers.Embedding(11, 4, mask_zero=True)(words)
    y = layers.MultiHeadAttention(2, 3)(x, x, use_causal_mask=True)
    return keras.Model(words, layers.GlobalAveragePooling1D()(layers.Add()([x, y])))


def preprocessing():
    return sequential(
        IMAGE,
        layers.Rescaling(1 / 255.0),
        layers.RandomFlip(),
        layers.RandomRotation(0.1),
        layers.Normalization(mean=[1.0, 2, 3], variance=[1.0, 2, 3]),
        layers.Resizing(4, 4),
        layers.Normalization(),
        layers.PReLU(),
    )


def old_forms():
    return keras.Sequential(
        [
            layers.Dense(3, input_shape=(4,), name="a/b"),
            layers.ThresholdedReLU(0.2),
            layers.Dense(3, dtype=keras.mixed_precision.Policy("mixed_float16")),
            layers.experimental.SyncBatchNormalization(dtype="float32"),
        ]
    )


def hard_sigmoids():
    return sequential(
        SEQUENCE,
        layers.Bidirectional(
            layers.LSTM(4, return_sequences=True, recurrent_activation="hard_sigmoid")
        ),
        layers.RNN([layers.GRUCell(3, recurrent_activation="hard_sigmoid")]),
        layers.Dense(3, activation=keras.activations.hard_sigmoid),
        layers.Activation("hard_sigmoid"),
    )


def operations():
    x, y = keras.Input(SEQUENCE, name="x"), keras.Input(SEQUENCE, name="y")
    column, k = tf.expand_dims(x, -1), keras.backend
    outputs = [x + y, x - 2.0, 2.0 * x, 1 - x, x / y, -x, x**2, abs(x), x @ x[:, :4]]
    outputs += [tf.math.add(x, y), tf.multiply(x, y), tf.math.pow(x, 2.0), x > 0.0]
    outputs += [x + np.arange(4.0).astype("float32"), tf.maximum(x, 0.0), x % 2.0]
    outputs += [x[:, -1], x[:, 1:3, None], x[:, ::-1], tf.where(x > y, x, y)]
    outputs += [tf.concat([x, y], -1), tf.stack([x, y], 1), tf.add_n([x, y, x])]
    outputs += [tf.split(x, 2, axis=-1)[1], tf.unstack(x, axis=1)[2]]
    outputs += [tf.split(x, [1, 3], axis=-1)[1], tf.tile(x, [1, 2, 1])]
    outputs += [tf.reshape(x, [-1, 24]), tf.transpose(x, [0, 2, 1]), tf.squeeze(column)]
    outputs += [tf.reduce_mean(x, axis=1), tf.reduce_sum(x, [1, 2], keepdims=True)]
    outputs += [k.mean(x, axis=1), k.sum(x, -1), k.concatenate([x, y])]
    outputs += [tf.reduce_max(x, 1), tf.argmax(x, -1), tf.gather(x, [0, 2], axis=1)]
    outputs += [tf.matmul(x, y, transpose_b=True), tf.nn.l2_normalize(x, -1)]
    outputs += [tf.nn.relu(x), tf.nn.relu6(x), tf.nn.gelu(x), tf.nn.softmax(x)]
    outputs += [tf.math.sigmoid(x), tf.nn.leaky_relu(x), tf.square(x), tf.exp(x)]
    outputs += [tf.cast(x, "float16"), tf.clip_by_value(x, -1, 1), tf.identity(x)]
    outputs += [tf.image.resize(column, (12, 8)), tf.pad(x, [[0, 0], [1, 1], [0, 0]])]
    outputs += [tf.one_hot(tf.cast(x, "int32"), 3), keras.activations.hard_sigmoid(x)]
    outputs += [tf.math.log(abs(x)), layers.Add(name="add")([x, y])]
    return keras.Model([x, y], outputs)


def code():
    # Creates a file wherever it runs.
    run = layers.Lambda(lambda x: (open("RAN", "w").close(), x)[1], name="harmless")
    return sequential((4,), run)


class Scale(layers.Layer):
    def build(self, input_shape):
        self.scale = self.add_weight(name="scale", shape=input_shape[-1:])

    def call(self, inputs):
        return inputs * self.scale


def own_layer():
    x = keras.Input((4,))
    y = Scale(name="first")(Scale(name="second")(x))
    return keras.Model(x, keras.Sequential([Scale(name="third")])(y))


def unknown_operation():
    x = keras.Input((4,))
    return keras.Model(x, tf.math.cumsum(tf.math.lgamma(x)))


OTHERS = [
    shared_inside,
    wrapped,
    masked_attention,
    preprocessing,
    old_forms,
    hard_sigmoids,
    operations,
    code,
    own_layer,
    unknown_operation,
]


def random_inputs(model, generator):
    arrays = []
    for tensor in model.inputs:
        shape = (3, *tensor.shape[1:])
        if tensor.dtype == "int32":
            lengths = generator.integers(1, shape[1] + 1, (3, 1))
            ids = generator.integers(1, 9, shape)
            arrays.append(np.where(np.arange(shape[1]) < lengths, ids, 0))
        else:
            arrays.append(generator.normal(size=shape))
        arrays[-1] = arrays[-1].astype(tensor.dtype.name)
    return arrays


def write(folder, build, seed):
    generator = np.random.default_rng(seed)
    model = build()
    for weight in model.weights:
        low = 0.5 if "variance" in weight.name else -0.5
        weight.assign(generator.uniform(low, 1, weight.shape))
    for layer in model.layers:
        if isinstance(layer, layers.Normalization):
            layer.finalize_state()
    model.compile("adam", "mse")
    inputs = random_inputs(model, generator)
    if isinstance(model.input, dict):
        inputs = dict(zip(model.input, inputs, strict=True))
    outputs = model(inputs, training=False)
    path = os.path.join(folder, build.__name__)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save(path + ".h5")
        model.save(path + ".keras")
    arrays = {f"input_{i}": x for i, x in enumerate(tf.nest.flatten(inputs))}
    arrays |= {f"output_{i}": x for i, x in enumerate(tf.nest.flatten(outputs))}
    np.savez(path + ".npz", **arrays)


if __name__ == "__main__":
    tf.config.threading.set_intra_op_parallelism_threads(1)
    for index, build in enumerate(ARCHITECTURES + OTHERS):
        write(sys.argv[1], build, index)
