"""Vision Transformer: an image as a sequence of patches."""

import math

import keras

from kerasseq import layers

# hidden_dim, num_layers, num_heads, mlp_dim. Base is of the paper, tiny and small of
# Touvron et al. (2021), Training data-efficient image transformers.
SIZES = {
    "tiny": (192, 12, 3, 768),
    "small": (384, 12, 6, 1536),
    "base": (768, 12, 12, 3072),
}


def vit(
    input_shape,
    num_classes,
    size=None,
    *,
    patch_size=16,
    hidden_dim=64,
    num_layers=6,
    num_heads=2,
    mlp_dim=128,
    pooling="token",
    positions="learned",
    stem="patch",
    dropout=0.0,
    attention_dropout=0.0,
    stochastic_depth=0.0,
    include_rescaling=False,
    seed=None,
    name="vit",
):
    """Builds a Vision Transformer classifier.

        z_0 = [x_class; x_1 E; ...; x_N E] + E_pos
        z'_l = MSA(LN(z_{l-1})) + z_{l-1}
        z_l = MLP(LN(z'_l)) + z'_l,  y = LN(z_L)

    Weights that were trained at one resolution load into a model for another
    (`load_weights`): learned positions are interpolated, see
    `kerasseq.layers.PatchPositionEmbedding`.

    Args:
        input_shape: `(height, width, channels)` of the images; `patch_size` divides
            height and width.
        num_classes: Number of classes, or `None` for the encoder without a head.
        size: `"tiny"`, `"small"` or `"base"`, which sets the four sizes below; `None`
            to give them.
        patch_size: Side of a patch, in pixels.
        hidden_dim: Features of a token.
        num_layers: Number of encoder blocks.
        num_heads: Attention heads; divides `hidden_dim`.
        mlp_dim: Width of the hidden layer of a block's feed-forward part.
        pooling: `"token"`: the head reads a class token. `"mean"`: it reads the mean
            of all patches, and there is no class token.
        positions: `"learned"` or `"sinusoidal"` (in two dimensions).
        stem: `"patch"`: one linear map of each patch. `"convolution"`: 3 x 3
            convolutions of stride 2 with batch normalization, down to the same grid
            (`patch_size` is a power of 2), which trains faster on little data (Xiao et
            al., 2021).
        dropout: Dropout after the positions, the attention and both layers of the
            feed-forward part.
        attention_dropout: Dropout of attention weights.
        stochastic_depth: Float between 0 and 1. Fraction of the images for which the
            last block's branches are left out in training; from block to block it
            grows linearly from 0.
        include_rescaling: Whether the model takes values from 0 to 255 and brings
            them to -1 to 1 itself.
        seed: Random seed of the initial weights and of dropout.
        name: Name of the model.

    Returns:
        A functional `keras.Model` from `image`, `(batch_size, height, width,
        channels)`, to logits `(batch_size, num_classes)`, or without a head to the
        normalized tokens `(batch_size, length, hidden_dim)`, the class token first.

    Raises:
        ValueError: for sizes that are not positive or do not divide, or an unknown
            name.

    Example:
        >>> model = kerasseq.models.vit((224, 224, 3), 1000, "base")
        >>> model.count_params()
        86567656

    Reference:
        Dosovitskiy et al. (2021), An Image is Worth 16x16 Words: Transformers for
        Image Recognition at Scale; Huang et al. (2016), Deep Networks with Stochastic
        Depth; Xiao et al. (2021), Early Convolutions Help Transformers See Better.
    """
    sizes = (hidden_dim, num_layers, num_heads, mlp_dim)
    if size is not None:
        sizes = SIZES.get(size)
    _check(input_shape, num_classes, size, sizes, patch_size, pooling, stem)
    hidden_dim, num_layers, num_heads, mlp_dim = sizes
    if seed is not None:
        keras.utils.set_random_seed(seed)
    x = image = keras.Input(input_shape, name="image")
    if include_rescaling:
        x = keras.layers.Rescaling(1 / 127.5, -1, name="rescaling")(x)
    x = _tokens(x, stem, patch_size, hidden_dim, pooling == "token", positions)
    x = layers.Dropout(dropout, name="dropout")(x)
    for index in range(num_layers):
        dropped = stochastic_depth * index / max(num_layers - 1, 1)
        x = _block(
            x,
            f"block_{index + 1}",
            num_heads=num_heads,
            mlp_dim=mlp_dim,
            dropout=dropout,
            attention_dropout=attention_dropout,
            stochastic_depth=dropped,
        )
    x = keras.layers.LayerNormalization(epsilon=1e-6, name="norm")(x)
    if num_classes is not None:
        x = _head(x, pooling, num_classes)
    return keras.Model(image, x, name=name)


def _tokens(x, stem, patch_size, hidden_dim, class_token, positions):
    convolution, stride = keras.layers.Conv2D, patch_size
    if stem == "convolution":
        num_steps, stride = int(math.log2(patch_size)), 1
        for index in range(num_steps):
            width = max(hidden_dim // 2 ** (num_steps - 1 - index), 8)
            step = f"stem_{index + 1}"
            options = {"padding": "same", "use_bias": False, "name": step}
            x = convolution(width, 3, 2, **options)(x)
            x = keras.layers.BatchNormalization(name=f"{step}_norm")(x)
            x = keras.layers.ReLU(name=f"{step}_relu")(x)
    x = convolution(hidden_dim, stride, stride, name="patches")(x)
    grid_shape = x.shape[1:3]
    # (batch_size, rows, columns, hidden_dim) -> (batch_size, length, hidden_dim)
    x = keras.layers.Reshape((-1, hidden_dim), name="tokens")(x)
    if class_token:
        x = layers.ClassToken(name="class_token")(x)
    add_positions = layers.PatchPositionEmbedding(
        grid_shape, positions, num_prefix=int(class_token), name="positions"
    )
    return add_positions(x)


def _block(
    x, name, *, num_heads, mlp_dim, dropout, attention_dropout, stochastic_depth
):
    hidden_dim = x.shape[-1]

    def branch(y, part):
        y = layers.Dropout(dropout, name=f"{name}_{part}_dropout")(y)
        if stochastic_depth:  # one draw for an image
            layer = layers.Dropout(
                stochastic_depth, (None, 1, 1), name=f"{name}_{part}_stochastic_depth"
            )
            y = layer(y)
        return y

    attention = layers.MultiHeadAttention(
        num_heads,
        hidden_dim // num_heads,
        dropout=attention_dropout,
        name=f"{name}_attention",
    )
    y = keras.layers.LayerNormalization(epsilon=1e-6, name=f"{name}_norm_1")(x)
    y = branch(attention(y, y), "attention")
    x = keras.layers.Add(name=f"{name}_add_1")([x, y])
    y = keras.layers.LayerNormalization(epsilon=1e-6, name=f"{name}_norm_2")(x)
    y = keras.layers.Dense(mlp_dim, activation="gelu", name=f"{name}_mlp_1")(y)
    y = layers.Dropout(dropout, name=f"{name}_dropout")(y)
    y = keras.layers.Dense(hidden_dim, name=f"{name}_mlp_2")(y)
    return keras.layers.Add(name=f"{name}_add_2")([x, branch(y, "mlp")])


def _head(x, pooling, num_classes):
    if pooling == "token":
        x = keras.layers.Cropping1D((0, x.shape[1] - 1), name="class")(x)
        x = keras.layers.Flatten(name="pool")(x)
    else:
        x = keras.layers.GlobalAveragePooling1D(name="pool")(x)
    return keras.layers.Dense(num_classes, name="logits")(x)


def _check(input_shape, num_classes, size, sizes, patch_size, pooling, stem):
    if sizes is None:
        raise ValueError(
            f"`size` must be one of {tuple(SIZES)}, or None for free sizes. "
            f"Received: size={size!r}"
        )
    if pooling not in ("token", "mean") or stem not in ("patch", "convolution"):
        raise ValueError(
            "`pooling` must be 'token' or 'mean', and `stem` 'patch' or 'convolution'. "
            f"Received: pooling={pooling!r}, stem={stem!r}"
        )
    if min(*sizes, patch_size, 1 if num_classes is None else num_classes) < 1:
        raise ValueError(
            "Sizes must be positive. Received: (hidden_dim, num_layers, num_heads, "
            f"mlp_dim)={sizes}, patch_size={patch_size}, num_classes={num_classes}"
        )
    if sizes[0] % sizes[2]:
        raise ValueError(
            "`num_heads` must divide `hidden_dim`. Received: "
            f"hidden_dim={sizes[0]}, num_heads={sizes[2]}"
        )
    if len(input_shape) != 3 or not all(input_shape):
        raise ValueError(
            "`input_shape` must be (height, width, channels) with fixed sizes. "
            f"Received: input_shape={input_shape}"
        )
    if input_shape[0] % patch_size or input_shape[1] % patch_size:
        good = [-(-side // patch_size) * patch_size for side in input_shape[:2]]
        raise ValueError(
            "`patch_size` must divide height and width; the next size that fits is "
            f"{good[0]} x {good[1]}. Received: input_shape={input_shape}, "
            f"patch_size={patch_size}"
        )
    if stem == "convolution" and (patch_size < 2 or patch_size & (patch_size - 1)):
        raise ValueError(
            "With `stem='convolution'` the patch size must be a power of 2, one "
            f"convolution for each halving. Received: patch_size={patch_size}"
        )
