"""Small models of stock Keras layers, one for each thing that can go wrong."""

import keras
import numpy as np

layers = keras.layers
LENGTH, FEATURES, UNITS = 5, 3, 4


def sequential(*stack, inputs=(LENGTH, FEATURES), dtype="float32"):
    return keras.Sequential([keras.Input(inputs, dtype=dtype), *stack])


def simple():
    return sequential(
        layers.SimpleRNN(UNITS, return_sequences=True, use_bias=False),
        layers.GRU(UNITS, return_sequences=True, reset_after=False, unroll=True),
        layers.LSTM(UNITS, go_backwards=True, dropout=0.1, seed=3),
    )


def nested():
    inner = sequential(
        layers.LSTM(UNITS, return_sequences=True, use_cudnn=False), inputs=(None, 3)
    )
    inner.compile("sgd", "mse")
    inputs = keras.Input((None, FEATURES))
    inner.trainable = False
    return keras.Model(inputs, layers.GRU(UNITS)(inner(inputs)))


def shared():
    first, second = keras.Input((LENGTH, 3), name="a"), keras.Input((LENGTH, 3))
    encode = layers.Bidirectional(layers.LSTM(UNITS))
    both = [encode(first), encode(second)]
    outputs = {"distance": layers.Subtract()(both), "sum": layers.Add()(both)}
    return keras.Model([first, second], outputs)


def two_directions():
    return sequential(
        layers.Bidirectional(
            layers.LSTM(UNITS, return_sequences=True),
            backward_layer=layers.GRU(UNITS, return_sequences=True, go_backwards=True),
            merge_mode="sum",
        ),
        layers.Bidirectional(layers.RNN(layers.SimpleRNNCell(UNITS))),
    )


def cells():
    stack = layers.StackedRNNCells([layers.GRUCell(3), layers.SimpleRNNCell(2)])
    return sequential(
        layers.RNN([layers.LSTMCell(3), layers.GRUCell(2)], return_sequences=True),
        layers.RNN(stack, return_sequences=True),
        layers.RNN(Counting(3)),
    )


def encoder_decoder():
    source = keras.Input((LENGTH,), dtype="int32", name="source")
    target = keras.Input((4,), dtype="int32", name="target")
    x = layers.Embedding(7, FEATURES, mask_zero=True)(source)
    _, *states = layers.LSTM(UNITS, return_state=True)(x)
    y = layers.Embedding(9, FEATURES, mask_zero=True)(target)
    y = layers.LSTM(UNITS, return_sequences=True)(y, initial_state=states)
    return keras.Model({"source": source, "target": target}, layers.Dense(9)(y))


def time_distributed():
    images = layers.Conv1D(2, 2, activation="relu")
    return sequential(
        layers.TimeDistributed(images),
        layers.TimeDistributed(layers.LSTM(UNITS)),
        layers.TimeDistributed(layers.Dense(2)),
        layers.GRU(2),
        inputs=(2, LENGTH, FEATURES),
    )


def masked():
    return sequential(
        layers.Embedding(6, FEATURES, mask_zero=True),
        layers.Bidirectional(layers.GRU(UNITS, return_sequences=True)),
        layers.LSTM(UNITS, return_sequences=True, zero_output_for_mask=True),
        layers.SimpleRNN(UNITS),
        inputs=(LENGTH,),
        dtype="int32",
    )


def half_precision():
    return sequential(
        layers.LSTM(UNITS, return_sequences=True, dtype="mixed_float16"),
        layers.Bidirectional(layers.GRU(UNITS, dtype="mixed_float16")),
    )


def other_state():
    """Statistics, batch statistics, and random numbers at inference."""
    normalize = layers.Normalization()
    normalize.adapt(np.random.default_rng(0).normal(3, 2, (9, LENGTH, FEATURES)))
    return sequential(
        normalize, layers.BatchNormalization(), Noise(), layers.LSTM(UNITS)
    )


def subclassed():
    model = Tagger(layers.Bidirectional(layers.LSTM(UNITS, return_sequences=True)))
    model(np.ones((2, LENGTH), "int32"))
    return model


class Counting(layers.Layer):
    """A cell of one's own, not registered."""

    def __init__(self, state_size, **kwargs):
        super().__init__(**kwargs)
        self.state_size = state_size
        self.dense = layers.Dense(state_size)

    def build(self, input_shape):
        self.dense.build(input_shape)

    def call(self, inputs, states):
        state = states[0] + self.dense(inputs)
        return state, [state]

    def get_config(self):
        return super().get_config() | {"state_size": self.state_size}


class Noise(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seed_generator = keras.random.SeedGenerator(1)

    def call(self, inputs):
        return inputs + keras.random.normal((3,), seed=self.seed_generator)


class Tagger(keras.Model):
    def __init__(self, recurrent, **kwargs):
        super().__init__(**kwargs)
        self.embedding = layers.Embedding(6, FEATURES, mask_zero=True)
        self.recurrent = recurrent

    def build(self, input_shape):
        self.embedding.build(input_shape)
        self.recurrent.build((*input_shape, FEATURES))

    def call(self, ids):
        x = self.embedding(ids)
        return self.recurrent(x, mask=self.embedding.compute_mask(ids))

    def get_config(self):
        recurrent = keras.saving.serialize_keras_object(self.recurrent)
        return super().get_config() | {"recurrent": recurrent}

    @classmethod
    def from_config(cls, config):
        recurrent = keras.saving.deserialize_keras_object(config.pop("recurrent"))
        return cls(recurrent, **config)


BUILDERS = {
    builder.__name__: builder
    for builder in (
        simple,
        nested,
        shared,
        two_directions,
        cells,
        encoder_decoder,
        time_distributed,
        masked,
        half_precision,
        other_state,
        subclassed,
    )
}


def build(name):
    keras.utils.set_random_seed(1)
    model = BUILDERS[name]()
    generator = np.random.default_rng(3)
    for weight in model.trainable_weights:
        weight.assign(generator.normal(0, 0.3, weight.shape))
    return model


def inputs_of(model):
    """Ids padded anywhere, or normal floats."""
    generator = np.random.default_rng(5)

    def one(tensor):
        shape = tuple(size or 3 for size in tensor.shape)
        if "int" in tensor.dtype:
            return generator.integers(0, 6, shape).astype("int32")
        return generator.normal(size=shape).astype("float32")

    if isinstance(model, Tagger):
        return generator.integers(0, 6, (3, LENGTH)).astype("int32")
    if isinstance(model, keras.Sequential):
        return one(model.inputs[0])
    return keras.tree.map_structure(one, model.input)


def outputs_of(model, inputs):
    with keras.StatelessScope():
        outputs = keras.tree.flatten(model(inputs, training=False))
    return [keras.ops.convert_to_numpy(x) for x in outputs]
