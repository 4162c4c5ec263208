"""Attention rollout: which patches a Vision Transformer attends to."""

import re
from typing import Any

import keras
import numpy as np
from keras import ops

from kerasseq.explain import _heat_maps

_FUSIONS = {"mean": np.mean, "max": np.max, "min": np.min}


def attention_rollout(
    model: keras.Model,
    images: Any,
    *,
    residual: float = 0.5,
    head_fusion: str = "mean",
) -> np.ndarray:
    """Follows attention through all blocks of a Vision Transformer to the patches.

        A~_l = residual I + (1 - residual) A_l
        R = A~_L ... A~_2 A~_1

    `A_l` are the attention weights of block `l`, reduced over its heads. With a class
    token the map is its row of `R`; without one it is the mean of all rows. The map
    shows where information came from, not which class it supports.

    Args:
        model: A model built by `kerasseq.models.vit`, or a functional model with
            its layer names: attention layers `block_1_attention`, ..., which take
            `return_attention_scores=True`, and a layer `patches` whose output is the
            grid of patches, `(batch_size, rows, columns, features)`.
        images: Array `(num, height, width, channels)`, as the model takes them.
        residual: Weight of the skip connection, in `[0, 1)`. Defaults to 0.5, as in
            the paper.
        head_fusion: `"mean"` (the paper), `"max"` or `"min"` of the heads; rows are
            then scaled to a sum of 1.

    Returns:
        float32 array `(num, height, width)`, in each map 0 for the patch with the
        lowest weight and 1 at the peak. If all weights are equal it is 0 everywhere.

    Raises:
        ValueError: If the model lacks these layers, or for images of another rank, a
            `residual` outside `[0, 1)` or an unknown `head_fusion`.

    Example:
        >>> model = kerasseq.models.vit((32, 32, 3), 10, patch_size=4)
        >>> kerasseq.explain.attention_rollout(model, images[:8]).shape
        (8, 32, 32)

    Reference:
        Abnar and Zuidema (2020), Quantifying Attention Flow in Transformers,
        section 3; Dosovitskiy et al. (2021), appendix D.8, for images.
    """
    if not 0 <= residual < 1:
        raise ValueError(
            "`residual` must be at least 0 and less than 1. "
            f"Received: residual={residual}"
        )
    if head_fusion not in _FUSIONS:
        raise ValueError(
            f"`head_fusion` must be one of {tuple(_FUSIONS)}. "
            f"Received: head_fusion={head_fusion!r}"
        )
    image_size = _heat_maps.check(images)
    attentions, grid_shape = _layers(model)
    inputs = [keras.tree.flatten(layer.input)[0] for layer in attentions]
    normed = keras.Model(model.inputs[0], inputs)
    maps = []
    for _, chunk in _heat_maps.batches(images):
        rollout = None
        tokens = keras.tree.flatten(normed(chunk, training=False))
        for layer, x in zip(attentions, tokens, strict=True):
            _, scores = layer(x, x, return_attention_scores=True, training=False)
            weights = _fuse(scores, head_fusion, residual)
            rollout = weights if rollout is None else weights @ rollout
        maps.append(_map(rollout, grid_shape))
    return _heat_maps.heat_maps(np.concatenate(maps), image_size)


def _layers(model):
    """The attention layers in order, and the rows and columns of the patches."""
    found = {}
    names = [layer.name for layer in getattr(model, "layers", ())]
    for layer in getattr(model, "layers", ()):
        if match := re.fullmatch(r"block_(\d+)_attention", layer.name):
            found[int(match[1])] = layer
    if not found or "patches" not in names or len(getattr(model, "inputs", ())) != 1:
        raise ValueError(
            "Attention rollout needs a functional model with layers 'patches' and "
            "'block_1_attention', 'block_2_attention', ..., as `kerasseq.models.vit` "
            "builds it; of a model that wraps one, pass the inner one. "
            f"Received: model={model!r} with layers {names}"
        )
    shape = model.get_layer("patches").output.shape
    if len(shape) != 4 or None in shape[1:3]:
        raise ValueError(
            "The output of the layer 'patches' must have shape (batch_size, rows, "
            f"columns, features) with fixed rows and columns. Received: {shape}"
        )
    return [found[number] for number in sorted(found)], shape[1:3]


def _fuse(scores, head_fusion, residual):
    """The block's mixing matrices, `(batch_size, length, length)`.

    Args:
        scores: Attention weights `(batch_size, num_heads, length, length)`.
        head_fusion: As in `attention_rollout`.
        residual: As in `attention_rollout`.
    """
    scores = ops.convert_to_numpy(ops.cast(scores, "float32")).astype("float64")
    weights = _FUSIONS[head_fusion](scores, axis=1)
    sums = weights.sum(axis=-1, keepdims=True)
    weights = np.divide(weights, sums, out=np.zeros_like(weights), where=sums > 0)
    return residual * np.eye(weights.shape[-1]) + (1 - residual) * weights


def _map(rollout, grid_shape):
    num_prefix = rollout.shape[-1] - grid_shape[0] * grid_shape[1]
    if num_prefix < 0:
        raise ValueError(
            "The sequence is shorter than the grid of patches. Received: "
            f"{rollout.shape[-1]} tokens for {grid_shape[0]} x {grid_shape[1]} patches"
        )
    row = rollout[:, 0] if num_prefix else rollout.mean(axis=1)
    row = row[:, num_prefix:]  # (batch_size, rows * columns)
    low, high = row.min(axis=1, keepdims=True), row.max(axis=1, keepdims=True)
    row = np.where(high - low > 1e-5 * high, row - low, 0)  # less is rounding
    return row.reshape(-1, *grid_shape)
