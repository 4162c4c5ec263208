"""Random functional models of stock layers, as hypothesis draws them."""

import hypothesis
import keras
import numpy as np
from hypothesis import strategies as st

from kerasseq import layers as own

layers = keras.layers

_ACTIVATIONS = (
    "celu elu exponential gelu hard_sigmoid hard_silu hard_tanh leaky_relu linear "
    "log_sigmoid mish relu relu6 selu sigmoid silu softmax softplus softsign "
    "sparse_plus squareplus tanh tanh_shrink"
).split()
NAMES = ["x", "in put", "1st", "a.b", "вход", "x-y", "name", "serve"]


def _units(draw):
    return draw(st.sampled_from([1, 3, 8]))


def _choice(draw, *values):
    return draw(st.sampled_from(values))


def _recurrent(draw, **options):
    names = ["LSTM", "GRU", "SimpleRNN"]
    cell = getattr(layers, _choice(draw, *names))
    if draw(st.integers(0, 4)) == 0:
        cell = _choice(draw, own.PeepholeLSTM, own.LayerNormLSTM, own.ZoneoutLSTM)
    return cell(
        _units(draw),
        return_sequences=draw(st.booleans()),
        dropout=_choice(draw, 0.0, 0.3),
        recurrent_dropout=_choice(draw, 0.0, 0.3),
        **options,
    )


def _bidirectional(draw):
    mode = _choice(draw, "concat", "sum", "mul", "ave")
    return layers.Bidirectional(_recurrent(draw), merge_mode=mode)


def _conv(draw, cls, **options):
    return cls(
        _choice(draw, 2, 4),
        _choice(draw, 1, 2, 3),
        padding=_choice(draw, "same", "valid"),
        activation=_choice(draw, *_ACTIVATIONS),
        use_bias=draw(st.booleans()),
        **options,
    )


def _depthwise(draw, cls):
    multiplier = _choice(draw, 1, 2)
    return cls(2, padding="same", depth_multiplier=multiplier)


def _pool(draw, cls):
    return cls(2, strides=_choice(draw, 1, 2), padding=_choice(draw, "same", "valid"))


def _self_attention(draw):
    attention = layers.MultiHeadAttention(_choice(draw, 1, 2), 4)
    causal = draw(st.booleans())
    return lambda x: attention(x, x, use_causal_mask=causal)


def _attention(draw):
    attention = _choice(draw, layers.Attention, layers.AdditiveAttention)()
    return lambda x: attention([x, x])


def _residual(draw):
    merge = _choice(
        draw,
        layers.Add,
        layers.Subtract,
        layers.Multiply,
        layers.Average,
        layers.Maximum,
        layers.Minimum,
        layers.Concatenate,
    )()
    activation = layers.Activation(_choice(draw, *_ACTIVATIONS))
    return lambda x: merge([x, activation(x)])


def _arithmetic(draw):
    return _choice(
        draw,
        lambda x: 2.0 * x - 1.0,
        lambda x: keras.ops.maximum(x, 0.1),
        lambda x: keras.ops.square(x) + x,
        lambda x: keras.ops.flip(x, axis=1),
        lambda x: keras.ops.cumsum(x, axis=1),
        lambda x: keras.ops.sort(x, axis=-1),
        lambda x: keras.ops.logsumexp(x, axis=-1, keepdims=True),
        lambda x: keras.ops.mean(x, axis=-1, keepdims=True) * x,
        lambda x: keras.ops.where(x > 0, x, 0.5 * x),
        lambda x: keras.ops.abs(x) / (1.0 + keras.ops.abs(x)),
    )


_ANY = [
    lambda draw: layers.Dense(_units(draw), _choice(draw, *_ACTIVATIONS)),
    lambda draw: layers.Activation(_choice(draw, *_ACTIVATIONS)),
    lambda draw: layers.BatchNormalization(),
    lambda draw: layers.LayerNormalization(),
    lambda draw: layers.RMSNormalization(),
    lambda draw: layers.UnitNormalization(),
    lambda draw: layers.PReLU(),
    lambda draw: layers.Dropout(0.3),
    lambda draw: layers.GaussianNoise(0.1),
    lambda draw: layers.Rescaling(_choice(draw, 0.1, 1000.0), 0.5),
    _residual,
    _arithmetic,
]
_BY_RANK = {
    2: [lambda draw: layers.RepeatVector(3)],
    3: [
        _recurrent,
        _recurrent,
        _bidirectional,
        lambda draw: layers.TimeDistributed(layers.Dense(_units(draw))),
        lambda draw: _conv(draw, layers.Conv1D, dilation_rate=_choice(draw, 1, 2)),
        lambda draw: _conv(draw, layers.SeparableConv1D),
        lambda draw: _conv(draw, layers.Conv1DTranspose, strides=_choice(draw, 1, 2)),
        lambda draw: _depthwise(draw, layers.DepthwiseConv1D),
        lambda draw: _pool(draw, layers.MaxPooling1D),
        lambda draw: _pool(draw, layers.AveragePooling1D),
        lambda draw: layers.GlobalAveragePooling1D(),
        lambda draw: layers.GlobalMaxPooling1D(),
        lambda draw: layers.UpSampling1D(2),
        lambda draw: layers.ZeroPadding1D(1),
        lambda draw: layers.Cropping1D((1, 0)),
        lambda draw: layers.SpatialDropout1D(0.3),
        lambda draw: layers.Permute((2, 1)),
        lambda draw: layers.Flatten(),
        lambda draw: layers.EinsumDense("abc,cd->abd", (None, _units(draw))),
        _self_attention,
        _attention,
    ],
    4: [
        lambda draw: _conv(draw, layers.Conv2D, strides=_choice(draw, 1, 2)),
        lambda draw: _conv(draw, layers.SeparableConv2D),
        lambda draw: _conv(draw, layers.Conv2DTranspose, strides=_choice(draw, 1, 2)),
        lambda draw: _depthwise(draw, layers.DepthwiseConv2D),
        lambda draw: _pool(draw, layers.MaxPooling2D),
        lambda draw: _pool(draw, layers.AveragePooling2D),
        lambda draw: layers.GlobalAveragePooling2D(),
        lambda draw: layers.GlobalMaxPooling2D(keepdims=draw(st.booleans())),
        lambda draw: layers.UpSampling2D(
            2, interpolation=_choice(draw, "nearest", "bilinear")
        ),
        lambda draw: layers.ZeroPadding2D(1),
        lambda draw: layers.Cropping2D(1),
        lambda draw: layers.Resizing(5, 7),
        lambda draw: layers.CenterCrop(3, 3),
        lambda draw: layers.SpatialDropout2D(0.3),
        lambda draw: layers.GroupNormalization(-1),
        lambda draw: layers.Flatten(),
        lambda draw: layers.TimeDistributed(layers.Flatten()),
    ],
    5: [
        lambda draw: _conv(draw, layers.Conv3D),
        lambda draw: _pool(draw, layers.MaxPooling3D),
        lambda draw: layers.ConvLSTM2D(2, 2, return_sequences=draw(st.booleans())),
        lambda draw: layers.TimeDistributed(layers.Conv2D(2, 2)),
        lambda draw: layers.GlobalAveragePooling3D(),
        lambda draw: layers.Flatten(),
    ],
}
_INPUTS = {
    "vector": ((6,), "float32"),
    "sequence": ((7, 4), "float32"),
    "image": ((8, 6, 3), "float32"),
    "video": ((3, 5, 5, 2), "float32"),
    "tokens": ((7,), "int32"),
}


def _start(draw, name):
    """An input and what the first layers get."""
    kinds = ["vector", "sequence", "sequence", "image", "image", "video", "tokens"]
    kind = _choice(draw, *kinds)
    shape, dtype = _INPUTS[kind]
    inputs = keras.Input(shape, name=name, dtype=dtype)
    if kind != "tokens":
        return inputs, inputs
    masked = draw(st.booleans())
    return inputs, layers.Embedding(9, 4, mask_zero=masked)(inputs)


def _layered(draw, x):
    for _ in range(draw(st.integers(1, 5))):
        makers = _ANY + 2 * _BY_RANK.get(len(x.shape), [])
        made = _choice(draw, *makers)(draw)
        try:
            x = made(x)
        except ValueError:  # the shape is too small for this layer
            continue
    return x


def build(draw):
    """Draws a built functional model with one or two inputs and outputs."""
    keras.utils.set_random_seed(draw(st.integers(0, 99)))
    names = draw(st.permutations(NAMES))
    inputs, x = _start(draw, names[0])
    outputs = [_layered(draw, x)]
    inputs = [inputs]
    if draw(st.integers(0, 3)) == 0:
        second, x = _start(draw, names[1])
        inputs.append(second)
        flat = [layers.Flatten()(x) for x in (outputs[0], _layered(draw, x))]
        if None in (flat[0].shape[1], flat[1].shape[1]):  # Keras lost a size
            hypothesis.reject()
        outputs.append(layers.Dense(2)(layers.Concatenate()(flat)))
    return keras.Model(inputs, outputs)


def rows(model, count, seed):
    """Real inputs of a model: `{name: array}`, tokens padded with zeros."""
    generator = np.random.default_rng(seed)
    found = {}
    for tensor in model.inputs:
        shape = (count, *tensor.shape[1:])
        values = generator.normal(size=shape).astype("float32")
        if tensor.dtype == "int32":
            values = generator.integers(1, 9, shape).astype("int32")
            lengths = generator.integers(1, shape[1] + 1, (count, 1))
            values = np.where(np.arange(shape[1]) < lengths, values, 0).astype("int32")
        found[tensor.name] = values
    return found
