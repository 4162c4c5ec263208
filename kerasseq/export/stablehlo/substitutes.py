"""Functions of JAX in forms that become fewer ops, which GPU delegates take."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any
from unittest import mock

import jax
from jax import lax
from jax import numpy as jnp

from kerasseq.export.stablehlo import RESIZE_BILINEAR, RESIZE_NEAREST

_attention_of_jax = jax.nn.dot_product_attention
_resize_of_jax = jax.image.resize


@contextlib.contextmanager
def substituted() -> Iterator[None]:
    """A context in which functions of JAX have their substitutes.

    - `jax.nn.dot_product_attention` has no fifth axis, which is for groups of queries
      that share a key, where each group is one query, as in
      `keras.layers.MultiHeadAttention`.
    - `jax.image.resize` is one op where it is bilinear or takes the nearest neighbor,
      and not two products or gathers.
    """
    with (
        mock.patch.object(jax.nn, "dot_product_attention", _attention),
        mock.patch.object(jax.image, "resize", _resize),
    ):
        yield


def _attention(
    query: jax.Array,
    key: jax.Array,
    value: jax.Array,
    bias: jax.Array | None = None,
    mask: jax.Array | None = None,
    **options: Any,
) -> jax.Array:
    """As `jax.nn.dot_product_attention`, which it calls for what it does not know."""
    scale, causal = options.pop("scale", None), options.pop("is_causal", False)
    known = {**options, "implementation": None}.keys() == {"implementation"}
    if not known or query.ndim != 4 or query.shape[2] != key.shape[2]:
        options |= {"scale": scale, "is_causal": causal}
        return _attention_of_jax(query, key, value, bias, mask, **options)
    scale = query.shape[-1] ** -0.5 if scale is None else scale
    scores = jnp.einsum("btnh,bsnh->bnts", query, key) * scale
    if bias is not None:
        scores += bias
    for allowed in _masks(mask, causal, scores.shape[-2:]):
        scores = jnp.where(allowed, scores, 0.7 * jnp.finfo(scores.dtype).min)
    return jnp.einsum("bnts,bsnh->btnh", jax.nn.softmax(scores), value)


def _masks(
    mask: jax.Array | None, causal: bool, shape: tuple[int, ...]
) -> Iterator[jax.Array]:
    if mask is not None:
        yield mask
    if causal:
        yield jnp.tril(jnp.ones(shape, bool))


def _resize(
    image: jax.Array,
    shape: Sequence[int],
    method: Any,
    antialias: bool = True,
    **options: Any,
) -> jax.Array:
    """As `jax.image.resize`."""

    def resize(image):
        return _resize_of_jax(image, shape, method, antialias, **options)

    name = _composite(image, shape, method, antialias)
    if name is None or options:
        return resize(image)
    return lax.composite(resize, name=name)(image)


def _composite(image, shape, method, antialias):
    """The name of the composite that a resizing is, or `None`."""
    old, new = tuple(image.shape), tuple(shape)
    of_images = len(old) == 4 and (old[0], old[3]) == (new[0], new[3])
    if not of_images or image.dtype != "float32":
        return None
    if method == "nearest":
        return RESIZE_NEAREST
    linear = method in ("bilinear", "linear", "triangle", "trilinear")
    smooth = not antialias or (new[1] >= old[1] and new[2] >= old[2])
    return RESIZE_BILINEAR if linear and smooth else None
