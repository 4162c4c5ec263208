"""More models of Keras 2: older forms, operations, and what is refused."""

import numpy as np
import tensorflow as tf
import tf_keras as keras
from keras2_architectures import IMAGE, SEQUENCE, sequential
from tf_keras import backend as K  # noqa: N812

layers = keras.layers


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


def stateful():
    return keras.Sequential(
        [
            keras.Input(batch_shape=(3, *SEQUENCE)),
            layers.LSTM(3, stateful=True, return_sequences=True),
            layers.GRU(3, stateful=True),
        ]
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
    outputs += [tf.cumsum(x, 1), tf.cumsum(x, 2, exclusive=True, reverse=True)]
    outputs += [tf.math.log(abs(x)), layers.Add(name="add")([x, y])]
    return keras.Model([x, y], outputs)


def sizes():
    """What models compute with `tf.shape`, which Keras 3 does when it builds them."""
    x = keras.Input((6, 4))
    size, k = tf.shape(x), keras.backend
    outputs = [tf.reshape(x, [size[0], size[1] * size[2]]), k.batch_flatten(x)]
    outputs += [tf.reshape(x, tf.stack([size[0], size[-1], 3, 2]))]
    outputs += [tf.reshape(x, tf.concat([size[:1], [2, 12]], 0))]
    outputs += [
        tf.reshape(x, [size[0], -1]),
        tf.reshape(x, [size[0] * 2, 12]),
        tf.tile(x, [1, size[1] // 2, 1]),
    ]
    outputs += [x / tf.cast(tf.reduce_prod(size[1:]), "float32")]
    return keras.Model(x, outputs)


def image_operations():
    x, y, bias = keras.Input(IMAGE), keras.Input((4, 4, 4, 2)), np.ones(3, "float32")
    outputs = [
        tf.nn.bias_add(x, bias),
        tf.math.reduce_std(x, -1),
        tf.nn.avg_pool2d(x, 2, 1, "SAME"),
    ]
    outputs += [
        tf.nn.space_to_depth(x, 2),
        tf.nn.depth_to_space(tf.tile(x, [1, 1, 1, 4]), 2),
    ]
    outputs += [tf.nn.max_pool3d(y, 2, 2, "VALID"), tf.nn.max_pool(x, 2, 2, "SAME")]
    outputs += [keras.backend.pool3d(y, (2, 2, 1)), keras.backend.var(x, axis=1)]
    return keras.Model([x, y], outputs)


def identity_has_no_mask():
    words = keras.Input((7,), dtype="int32")
    x = layers.Embedding(11, 4, mask_zero=True)(words)
    return keras.Model(words, layers.LSTM(3)(tf.identity(x)))


def masks_that_end():
    """Keras 2 passes no mask on through some layers."""
    words = keras.Input((7,), dtype="int32")
    x = layers.Embedding(11, 4, mask_zero=True)(words)
    inner = sequential((7, 4), layers.Dense(4), layers.Rescaling(2.0), layers.GRU(2))
    y = sequential((7, 4), layers.Masking(), layers.Identity(), layers.GRU(2))(x)
    pair = [x, layers.Dense(4)(x)]
    z = layers.Dense(2)(layers.Multiply()([layers.Maximum()(pair), *pair]))
    outputs = [layers.LSTM(3)(layers.Rescaling(2.0)(x)), inner(x), y, z]
    return keras.Model(words, outputs)


def merged_masks():
    """Masked in Keras 2 where one is masked, in Keras 3 where both are."""
    words = keras.Input((7,), dtype="int32")
    x = layers.Embedding(11, 4, mask_zero=True)(words)
    y = layers.Masking(0.5)(layers.Embedding(11, 4)(words))
    return keras.Model(words, layers.LSTM(3)(layers.Add()([x, y])))


def backwards_first():
    inner = layers.GRU(3, go_backwards=True, return_sequences=True)
    stack = layers.Bidirectional(inner), layers.Discretization([0.0, 0.5])
    return sequential(SEQUENCE, *stack)


def einsum():
    x = keras.Input(SEQUENCE)
    return keras.Model(x, tf.einsum("bij,bkj->bik", x, x))


def convolutions():
    """With each layer that a backend may convolve in its own way, one after another."""
    x, y = keras.Input((2, 9, 9, 2)), keras.Input((9, 2))
    each = [
        layers.Conv3D(2, (1, 3, 2)),
        layers.ConvLSTM2D(2, 3),
        layers.Conv2D(3, (3, 2)),
        layers.Conv2DTranspose(2, 2),
        layers.DepthwiseConv2D(2),
        layers.SeparableConv2D(2, 2),
    ]
    return keras.Model([x, y], [keras.Sequential(each)(x), layers.Conv1D(2, 3)(y)])


def lambdas():
    x, y, two = keras.Input(SEQUENCE), keras.Input(SEQUENCE), 2
    functions = [
        lambda x: x / 127.5 - 1.0,
        lambda x: x[:, -1],
        lambda x: x[:, 1:3, ::-1],
        lambda x: K.mean(x, axis=1),
        lambda x: K.expand_dims(x),
        lambda x: tf.cast(x, tf.float16),
        lambda x: tf.nn.relu(x),
        lambda x: keras.activations.softplus(x),
        lambda x: tf.reshape(x, [-1, 12, two]),
        lambda x: K.reshape(x, (K.shape(x)[0], x.shape[1] * 4)),
        lambda x: K.permute_dimensions(x, (0, 2, 1)),
        lambda x: K.l2_normalize(x, axis=-1) ** two,
        lambda x: K.concatenate([x, -x], axis=1),
        lambda x: tf.reduce_max(x, axis=-1, keepdims=True),
        lambda x: K.hard_sigmoid(x),
        lambda x: x,
    ]
    outputs = [layers.Lambda(function)(x) for function in functions]
    scaled = layers.Lambda(lambda x, by: x[0] + x[1] * by, arguments={"by": 0.5})
    outputs += [scaled([x, y]), scaled([y, x])]
    words = layers.Masking()(x)
    stack = layers.Lambda(lambda x: x * 2.0, input_shape=SEQUENCE), layers.LSTM(2)
    outputs += [layers.LSTM(3)(layers.Lambda(lambda x: x)(words))]
    outputs += [keras.Sequential([*stack, layers.Lambda(lambda x: 1 - x)])(words)]
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
    return keras.Model(x, tf.math.digamma(tf.math.lgamma(x)))


def on_a_gpu(lstm, gru):
    """With the layers that ran on a GPU alone, or those that load their weights."""
    return sequential(
        SEQUENCE,
        layers.Bidirectional(lstm(3, return_sequences=True)),
        gru(5, return_sequences=True),
        lstm(2),
    )


OTHERS = [
    shared_inside,
    wrapped,
    masked_attention,
    preprocessing,
    stateful,
    old_forms,
    hard_sigmoids,
    operations,
    sizes,
    image_operations,
    identity_has_no_mask,
    masks_that_end,
    merged_masks,
    backwards_first,
    einsum,
    convolutions,
    lambdas,
    code,
    own_layer,
    unknown_operation,
]
