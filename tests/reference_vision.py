"""The vision models in plain NumPy, float64 throughout.

Written for reading. Images are `(batch, height, width, channels)`. `w` holds the
weights by their path in the model: `w["block_1_norm_1/gamma"]`.
"""

import math

import numpy as np
from reference import softmax


def dense(x, w, name):
    return x @ w[f"{name}/kernel"] + w[f"{name}/bias"]


def relu(x):
    return np.maximum(x, 0)


def gelu(x):
    return x * (1 + np.vectorize(math.erf)(x / math.sqrt(2))) / 2


def conv2d(x, w, name, stride=1, padding="same"):
    """ "same" means `ceil(size / stride)` outputs, an odd row of zeros at the end."""
    kernel = w[f"{name}/kernel"]
    if padding == "same":
        x = pad_same(x, kernel.shape[:2], stride, 0.0)
    windows = np.lib.stride_tricks.sliding_window_view(x, kernel.shape[:2], (1, 2))
    windows = windows[:, ::stride, ::stride]
    return np.einsum("nhwcab,abcd->nhwd", windows, kernel) + w.get(f"{name}/bias", 0)


def pad_same(x, window, stride, value):
    amounts = [(0, 0)]
    for size, side in zip(x.shape[1:3], window, strict=True):
        missing = (math.ceil(size / stride) - 1) * stride + side - size
        missing = max(missing, 0)
        amounts.append((missing // 2, missing - missing // 2))
    return np.pad(x, [*amounts, (0, 0)], constant_values=value)


def conv2d_transposed(x, w, name):
    """Kernel 2 x 2, stride 2: every pixel becomes a square of its own."""
    kernel = w[f"{name}/kernel"]  # (2, 2, out, in)
    n, height, width, _ = x.shape
    y = np.einsum("nhwi,aboi->nhawbo", x, kernel)
    return y.reshape(n, 2 * height, 2 * width, -1) + w[f"{name}/bias"]


def enlarge(x, factor):
    """Bilinear, half-pixel centers: pixel `i` lies at `i + 0.5`."""
    for axis in (1, 2):
        size = x.shape[axis]
        places = (np.arange(size * factor) + 0.5) / factor - 0.5
        places = np.clip(places, 0, size - 1)
        low = np.floor(places).astype(int)
        high = np.minimum(low + 1, size - 1)
        share = np.expand_dims(places - low, (0, 3, 3 - axis))
        x = (1 - share) * x.take(low, axis) + share * x.take(high, axis)
    return x


def max_pool(x):
    """2 x 2; where the side is odd, the last window is half empty."""
    x = pad_same(x, (2, 2), 2, -np.inf)
    n, height, width, channels = x.shape
    return x.reshape(n, height // 2, 2, width // 2, 2, channels).max((2, 4))


def batch_norm(x, w, name):
    """At inference."""
    mean, variance = w[f"{name}/moving_mean"], w[f"{name}/moving_variance"]
    x = (x - mean) / np.sqrt(variance + 1e-3)
    return x * w[f"{name}/gamma"] + w[f"{name}/beta"]


def group_norm(x, w, name, size, epsilon=1e-5):
    """Over pixels and groups of `size` channels."""
    grouped = x.reshape(*x.shape[:3], -1, size)
    axes = (1, 2, 4)
    grouped = grouped - grouped.mean(axes, keepdims=True)
    grouped = grouped / np.sqrt(grouped.var(axes, keepdims=True) + epsilon)
    return grouped.reshape(x.shape) * w[f"{name}/gamma"] + w[f"{name}/beta"]


def layer_norm(x, w, name):
    x = x - x.mean(-1, keepdims=True)
    x = x / np.sqrt(x.var(-1, keepdims=True) + 1e-6)
    return x * w[f"{name}/gamma"] + w[f"{name}/beta"]


def attention(x, w, name):
    """Multi-head self-attention; kernels `(features, heads, size)` and the reverse."""
    q, k, v = (
        np.einsum("ntf,fhs->nhts", x, w[f"{name}/{part}/kernel"])
        + w[f"{name}/{part}/bias"][:, None]
        for part in ("query", "key", "value")
    )
    weights = softmax(q @ k.swapaxes(2, 3) / math.sqrt(q.shape[-1]))
    kernel = w[f"{name}/attention_output/kernel"]
    heads = np.einsum("nhts,hsf->ntf", weights @ v, kernel)
    return heads + w[f"{name}/attention_output/bias"]


def class_token(x, token):
    return np.concatenate([np.repeat(token, len(x), axis=0), x], axis=1)


def learned_positions(x, prefix, grid):
    return x + np.concatenate([prefix, grid.reshape(-1, x.shape[-1])])


def sinusoidal_positions(x, grid_shape, num_prefix):
    """Beyer et al. (2022): sines and cosines of the column, then of the row."""
    rows, columns = grid_shape
    quarter = x.shape[-1] // 4
    positions = np.zeros(x.shape[1:])
    for row in range(rows):
        for column in range(columns):
            for k in range(quarter):
                omega = 10_000 ** -(k / (quarter - 1))
                place = positions[num_prefix + row * columns + column]
                place[k] = math.sin(column * omega)
                place[quarter + k] = math.cos(column * omega)
                place[2 * quarter + k] = math.sin(row * omega)
                place[3 * quarter + k] = math.cos(row * omega)
    return x + positions


def vit(x, w, *, pooling, **options):
    """`models.vit` at inference."""
    x = vit_tokens(x, w, pooling=pooling, **options)
    x = x[:, 0] if pooling == "token" else x.mean(1)
    return dense(x, w, "logits")


def vit_tokens(x, w, *, patch_size, num_layers, stem, pooling, positions):
    """`models.vit` without a head."""
    if stem == "convolution":
        for index in range(1, int(math.log2(patch_size)) + 1):
            x = conv2d(x, w, f"stem_{index}", stride=2)
            x = relu(batch_norm(x, w, f"stem_{index}_norm"))
        x = conv2d(x, w, "patches")
    else:
        x = conv2d(x, w, "patches", patch_size, "valid")
    grid_shape = x.shape[1:3]
    x = x.reshape(len(x), -1, x.shape[-1])
    if pooling == "token":
        x = class_token(x, w["class_token/token"])
    if positions == "learned":
        none = np.zeros((0, x.shape[-1]))
        prefix = w.get("positions/prefix", none)
        x = learned_positions(x, prefix, w["positions/grid"])
    else:
        x = sinusoidal_positions(x, grid_shape, int(pooling == "token"))
    for name in (f"block_{index + 1}" for index in range(num_layers)):
        x = x + attention(layer_norm(x, w, f"{name}_norm_1"), w, f"{name}_attention")
        y = layer_norm(x, w, f"{name}_norm_2")
        x = x + dense(gelu(dense(y, w, f"{name}_mlp_1")), w, f"{name}_mlp_2")
    return layer_norm(x, w, "norm")


def convnet(x, w, *, num_stages):
    """`models.convnet` at inference, with its rescaling."""
    x = convnet_features(x / 127.5 - 1, w, num_stages)
    return dense(x.mean((1, 2)), w, "logits")


def convnet_features(x, w, num_stages):
    """`models.convnet` without a head."""
    for stage in range(1, num_stages + 1):
        x = max_pool(x) if stage > 1 else x
        for name in (f"stage_{stage}_a", f"stage_{stage}_b"):
            x = relu(batch_norm(conv2d(x, w, name), w, f"{name}_norm"))
    return x


def unet(x, w, *, depth, norm, padding, upsampling, heads, encoder=None):
    """`models.unet` at inference: a list of its heads, each at full size.

    `heads` are pairs of a layer's name and how much coarser than the image it is;
    `encoder(x)` gives the maps to join, the finest first, and the coarsest map."""

    def convolutions(x, name):
        for part in (f"{name}_a", f"{name}_b"):
            x = conv2d(x, w, part, padding=padding)
            x = relu(normalize(x, w, f"{part}_norm", norm))
        return x

    skips = []
    if encoder is not None:
        skips, x = encoder(x)
    else:
        for level in range(1, depth + 1):
            x = convolutions(x, f"down_{level}")
            skips.append(x)
            x = max_pool(x)
        x = convolutions(x, "bottom")
    coarse = {}
    for level in range(depth, 0, -1):
        name = f"up_{level}"
        if upsampling == "transposed":
            x = conv2d_transposed(x, w, f"{name}_conv")
        else:
            x = conv2d(enlarge(x, 2), w, f"{name}_conv")
        skip = crop(skips.pop(), x.shape)
        x = convolutions(np.concatenate([skip, x], axis=-1), name)
        coarse[2 ** (level - 1)] = x
    return [enlarge(conv2d(coarse[factor], w, name), factor) for name, factor in heads]


def crop(x, shape):
    top, left = (x.shape[1] - shape[1]) // 2, (x.shape[2] - shape[2]) // 2
    return x[:, top : top + shape[1], left : left + shape[2]]


def normalize(x, w, name, norm):
    if norm == "batch":
        return batch_norm(x, w, name)
    if norm == "layer":
        return layer_norm(x, w, name)
    if norm in ("instance", "group"):
        return group_norm(x, w, name, {"instance": 1, "group": 8}[norm])
    return x
