"""Random models of Keras 2: 60 kinds of layers, operations, branches, nested models."""

import numpy as np
import tensorflow as tf
import tf_keras as keras

layers = keras.layers
ACTIVATIONS = (
    "linear relu tanh sigmoid hard_sigmoid softmax elu selu softplus softsign swish "
    "gelu exponential"
).split()
MERGES = "Add Multiply Average Maximum Minimum Subtract Concatenate".split()
SHAPES = {
    "vector": (6,),
    "sequence": (7, 4),
    "image": (8, 6, 4),
    "volume": (4, 6, 5, 2),
    "words": (7,),
}


class Maker:
    """Draws a model; `rng` has the methods of `random.Random`."""

    def __init__(self, rng):
        self.rng = rng

    def one_of(self, *items):
        return self.rng.choice(items)

    def number(self, low, high):
        return self.rng.randint(low, high)

    def activation(self):
        return self.rng.choice(ACTIVATIONS)

    def flag(self):
        return self.rng.random() < 0.5

    def model(self):
        """A model, or `None` if what was drawn is none of Keras 2."""
        kind = self.rng.choice(list(SHAPES))
        if kind != "words" and self.flag():
            return self.sequential(SHAPES[kind])
        return self.functional(kind)

    def sequential(self, shape):
        named = self.flag()
        model = keras.Sequential([keras.Input(shape)] if named else [])
        if not named:
            model.add(layers.Activation("linear", input_shape=shape))
        for _ in range(self.number(1, 5)):
            layer = self.layer(model.output.shape)
            try:
                model.add(layer)
            except Exception:  # any: a shape that the layer does not take
                return None
        return model

    def functional(self, kind):
        words = kind == "words"
        inputs = [keras.Input(SHAPES[kind], dtype="int32" if words else None)]
        tensors = list(inputs)
        if words:
            embedding = layers.Embedding(9, 4, mask_zero=self.flag())
            tensors.append(embedding(inputs[0]))
        elif self.flag():
            inputs.append(keras.Input(SHAPES[kind]))
            tensors.append(inputs[-1])
        for _ in range(self.number(1, 6)):
            try:
                tensors += tf.nest.flatten(self.step(tensors[words:]))
            except Exception:  # any: a shape that the layer does not take
                continue
        outputs = [tensors[-1]]
        if self.flag():
            outputs.append(self.rng.choice(tensors[len(inputs) :] or tensors))
        if any(x is y for x in inputs for y in outputs):
            return None
        return keras.Model(inputs, outputs if len(outputs) > 1 else outputs[0])

    def step(self, tensors):
        x = self.rng.choice(tensors[-3:])
        draw = self.rng.random()
        if draw < 0.15:
            same = [y for y in tensors if y.shape == x.shape]
            layer = getattr(layers, self.rng.choice(MERGES))()
            return layer([x, self.rng.choice(same)])
        if draw < 0.35:
            return self.operation(x)
        if draw < 0.45:
            return self.attention(x)
        if draw < 0.55:
            return self.nested(x)
        if draw < 0.65:
            return self.with_states(x)
        layer = self.layer(x.shape)
        return [layer(x), layer(x)] if self.rng.random() < 0.1 else layer(x)

    def nested(self, x):
        inner = self.sequential(tuple(x.shape[1:]))
        if self.flag():
            inner.layers[0].trainable = False
        return [inner(x), inner(inner(x))] if self.rng.random() < 0.2 else inner(x)

    def with_states(self, x):
        kind, n = self.one_of(layers.LSTM, layers.GRU, layers.SimpleRNN), 3
        _, *states = kind(n, return_state=True)(x)
        return kind(n, return_sequences=self.flag())(x, initial_state=states)

    def attention(self, x):
        kind = self.number(0, 3)
        if kind == 0:
            return layers.MultiHeadAttention(
                2, 3, value_dim=self.one_of(None, 2), use_bias=self.flag()
            )(x, x, use_causal_mask=self.flag())
        if kind == 1:
            attention = layers.Attention(
                use_scale=self.flag(), score_mode=self.one_of("dot", "concat")
            )
            return attention([x, x], use_causal_mask=self.flag())
        if kind == 2:
            return layers.AdditiveAttention(use_scale=self.flag())([x, x])
        return layers.Dot(axes=-1, normalize=self.flag())([x, x])

    def operation(self, x):
        k, size, rank = keras.backend, x.shape[-1], len(x.shape)
        return self.one_of(
            lambda: x * self.one_of(2.0, 0.5) + 1.0,
            lambda: 1.0 - x,
            lambda: x / (1.0 + tf.abs(x)),
            lambda: x**2,
            lambda: tf.nn.relu(x),
            lambda: tf.nn.softmax(x),
            lambda: tf.sigmoid(x),
            lambda: tf.math.l2_normalize(x, axis=-1),
            lambda: tf.reduce_mean(x, axis=-1, keepdims=self.flag()),
            lambda: tf.reduce_max(x, axis=1),
            lambda: k.sum(x, axis=-1),
            lambda: k.std(x, axis=1),
            lambda: x[..., 0],
            lambda: x[:, :-1],
            lambda: x[:, ::-1],
            lambda: tf.concat([x, x], axis=self.one_of(-1, 1)),
            lambda: tf.stack([x, x], axis=1),
            lambda: tf.split(x, [1, size - 1], axis=-1),
            lambda: tf.unstack(x, axis=1)[0],
            lambda: tf.reshape(x, [tf.shape(x)[0], -1]),
            lambda: tf.reshape(x, [-1, *x.shape[1:], 1]),
            lambda: tf.transpose(x, [0, *range(rank - 1, 0, -1)]),
            lambda: tf.expand_dims(x, 1),
            lambda: tf.squeeze(tf.expand_dims(x, -1), [-1]),
            lambda: tf.pad(x, [[0, 0]] * (rank - 1) + [[1, 2]]),
            lambda: tf.tile(x, [1] * (rank - 1) + [2]),
            lambda: tf.gather(x, [0, 2, 1], axis=-1),
            lambda: tf.clip_by_value(x, -0.5, 0.5),
            lambda: tf.where(x > 0.0, x, -x),
            lambda: tf.maximum(x, 0.1),
            lambda: tf.cast(x > 0.0, "float32"),
            lambda: tf.nn.bias_add(x, np.arange(size).astype("float32")),
            lambda: tf.matmul(x, x, transpose_b=True),
            lambda: tf.identity(x),
            lambda: tf.math.cumsum(x, axis=1),
            lambda: tf.one_hot(tf.argmax(x, -1), size),
            lambda: tf.image.resize(x, (5, 7)),
            lambda: tf.nn.depth_to_space(x, 2),
        )()

    def layer(self, shape):
        """A layer for a tensor of a shape; it may still not take it."""
        makers = [self.any_rank]
        makers += {3: [self.of_sequence] * 3, 4: [self.of_image] * 3}.get(
            len(shape), []
        )
        makers += {2: [self.of_vector], 5: [self.of_volume] * 3}.get(len(shape), [])
        return self.rng.choice(makers)(shape)

    def any_rank(self, shape):
        flag, axis = self.flag, self.one_of(-1, len(shape) - 1)
        make = self.one_of(
            lambda: layers.Dense(3, self.activation(), use_bias=flag()),
            lambda: layers.Dense(2, kernel_regularizer="l2", bias_constraint="non_neg"),
            lambda: layers.BatchNormalization(
                axis, scale=flag(), center=flag(), epsilon=self.one_of(1e-3, 1e-5)
            ),
            lambda: layers.LayerNormalization(
                axis=self.one_of(axis, [axis]), epsilon=self.one_of(1e-3, 1e-6)
            ),
            lambda: layers.GroupNormalization(self.one_of(-1, 1, 2)),
            lambda: layers.UnitNormalization(),
            lambda: layers.Activation(self.activation()),
            lambda: layers.LeakyReLU(self.one_of(0.3, 0.1)),
            lambda: layers.PReLU(shared_axes=self.one_of(None, [1])),
            lambda: layers.ELU(self.one_of(1.0, 0.5)),
            lambda: layers.ReLU(
                self.one_of(None, 6.0, 1.0),
                self.one_of(0.0, 0.2),
                self.one_of(0.0, 0.3),
            ),
            lambda: layers.ThresholdedReLU(self.one_of(0.2, 1.0)),
            lambda: layers.Softmax(axis=self.one_of(-1, 1)),
            lambda: layers.Dropout(0.5, noise_shape=None),
            lambda: layers.GaussianNoise(0.1),
            lambda: layers.GaussianDropout(0.1),
            lambda: layers.AlphaDropout(0.1),
            lambda: layers.ActivityRegularization(0.1),
            lambda: layers.Flatten(),
            lambda: layers.Rescaling(self.one_of(2.0, 1 / 255.0), offset=-1.0),
            lambda: layers.Normalization(mean=0.5, variance=2.0),
            lambda: layers.Reshape((-1, shape[-1])),
            lambda: layers.Permute(tuple(range(len(shape) - 1, 0, -1))),
            lambda: layers.Lambda(lambda x: x * 2.0),
            lambda: layers.SpectralNormalization(layers.Dense(2)),
            lambda: layers.Discretization([0.0, 0.5]),
        )
        return make()

    def of_vector(self, shape):
        return self.one_of(
            lambda: layers.RepeatVector(3),
            lambda: layers.Reshape((shape[-1], 1)),
            lambda: layers.EinsumDense("ab,bc->ac", 3, bias_axes="c"),
        )()

    def of_sequence(self, shape):
        padding = self.one_of("valid", "same")
        kind, n = self.one_of("GRU", "LSTM", "SimpleRNN"), self.one_of(2, 3)
        return self.one_of(
            lambda: layers.Conv1D(
                2 * self.number(1, 2),
                3,
                strides=self.one_of(1, 2),
                padding=self.one_of(padding, "causal"),
                groups=self.one_of(1, 2),
            ),
            lambda: layers.SeparableConv1D(3, 2, padding=padding),
            lambda: layers.DepthwiseConv1D(2, padding=padding, depth_multiplier=2),
            lambda: layers.Conv1DTranspose(3, 2, strides=2, padding=padding),
            lambda: layers.LocallyConnected1D(2, 2),
            lambda: layers.MaxPooling1D(2, padding=padding),
            lambda: layers.AveragePooling1D(3, 1, padding=padding),
            lambda: layers.GlobalMaxPooling1D(keepdims=self.flag()),
            lambda: layers.GlobalAveragePooling1D(),
            lambda: layers.UpSampling1D(2),
            lambda: layers.ZeroPadding1D((1, 2)),
            lambda: layers.Cropping1D((1, 0)),
            lambda: layers.SpatialDropout1D(0.3),
            lambda: layers.Masking(0.0),
            lambda: self.recurrent(kind, n),
            lambda: self.recurrent(kind, n),
            lambda: layers.Bidirectional(
                self.recurrent(kind, n),
                merge_mode=self.one_of("concat", "sum", "mul", "ave"),
            ),
            lambda: layers.RNN(
                [layers.GRUCell(n), layers.LSTMCell(n)], return_sequences=self.flag()
            ),
            lambda: layers.TimeDistributed(layers.Dense(2, self.activation())),
            lambda: layers.EinsumDense("abc,cd->abd", (None, 3), bias_axes="d"),
        )()

    def recurrent(self, kind, units):
        options = {
            "return_sequences": self.flag(),
            "go_backwards": self.rng.random() < 0.2,
            "use_bias": self.flag(),
            "unroll": self.rng.random() < 0.1,
            "dropout": 0.1,
            "activation": self.one_of("tanh", "relu"),
        }
        if kind != "SimpleRNN":
            activation = self.one_of("sigmoid", "hard_sigmoid")
            options["recurrent_activation"] = activation
        if kind == "GRU":
            options["reset_after"] = self.flag()
        return getattr(layers, kind)(units, **options)

    def of_image(self, shape):
        padding, strides = self.one_of("valid", "same"), self.one_of(1, 2)
        return self.one_of(
            lambda: layers.Conv2D(
                4,
                (3, 2),
                strides,
                padding,
                use_bias=self.flag(),
                groups=self.one_of(1, 2),
            ),
            lambda: layers.Conv2D(2, 2, dilation_rate=(2, 1), activation="relu"),
            lambda: layers.Conv2DTranspose(
                3,
                3,
                strides=strides,
                padding=padding,
                output_padding=self.one_of(None, 0),
            ),
            lambda: layers.DepthwiseConv2D(2, padding=padding, depth_multiplier=2),
            lambda: layers.SeparableConv2D(3, 2, padding=padding, strides=strides),
            lambda: layers.MaxPooling2D(2, strides, padding),
            lambda: layers.AveragePooling2D((2, 3), strides, padding),
            lambda: layers.GlobalAveragePooling2D(keepdims=self.flag()),
            lambda: layers.GlobalMaxPooling2D(),
            lambda: layers.UpSampling2D(
                2, interpolation=self.one_of("nearest", "bilinear")
            ),
            lambda: layers.ZeroPadding2D(((1, 0), (0, 2))),
            lambda: layers.Cropping2D((1, 1)),
            lambda: layers.Resizing(
                5, 4, interpolation=self.one_of("nearest", "bilinear")
            ),
            lambda: layers.CenterCrop(4, 4),
            lambda: layers.RandomFlip(),
            lambda: layers.RandomRotation(0.1),
            lambda: layers.SpatialDropout2D(0.3),
            lambda: layers.ConvLSTM1D(
                2, 2, padding=padding, return_sequences=self.flag()
            ),
            lambda: layers.TimeDistributed(layers.Conv1D(2, 2)),
            lambda: layers.TimeDistributed(layers.LSTM(3)),
        )()

    def of_volume(self, shape):
        padding = self.one_of("valid", "same")
        return self.one_of(
            lambda: layers.Conv3D(2, 2, padding=padding),
            lambda: layers.Conv3DTranspose(2, 2, padding=padding),
            lambda: layers.MaxPooling3D(2, padding=padding),
            lambda: layers.AveragePooling3D(2, 1, padding),
            lambda: layers.GlobalAveragePooling3D(),
            lambda: layers.UpSampling3D(2),
            lambda: layers.ZeroPadding3D(1),
            lambda: layers.Cropping3D(1),
            lambda: layers.ConvLSTM2D(2, 2, recurrent_activation="sigmoid"),
            lambda: layers.TimeDistributed(layers.Conv2D(2, 2)),
        )()


def examples(model, generator):
    """Random weights, and inputs and outputs with them."""
    for weight in model.weights:
        low = 0.5 if "variance" in weight.name else -0.5
        weight.assign(generator.uniform(low, 1, weight.shape))
    for layer in model._flatten_layers():
        if isinstance(layer, layers.Normalization):
            layer.finalize_state()
    inputs = []
    for tensor in model.inputs:
        shape = (3, *tensor.shape[1:])
        if tensor.dtype == "int32":
            lengths = generator.integers(1, shape[1] + 1, (3, 1))
            ids = generator.integers(1, 9, shape)
            inputs.append(np.where(np.arange(shape[1]) < lengths, ids, 0))
        else:
            inputs.append(generator.normal(size=shape))
        inputs[-1] = inputs[-1].astype(tensor.dtype.name)
    outputs = model(inputs if len(inputs) > 1 else inputs[0], training=False)
    arrays = {f"input_{i}": x for i, x in enumerate(inputs)}
    arrays |= {
        f"output_{i}": np.array(x) for i, x in enumerate(tf.nest.flatten(outputs))
    }
    return arrays
