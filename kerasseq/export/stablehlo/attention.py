"""Attention with four axes, which is what a phone's GPU takes."""

import contextlib
from collections.abc import Iterator
from typing import Any
from unittest import mock

import jax
from jax import numpy as jnp

_of_jax = jax.nn.dot_product_attention


def four_axes() -> contextlib.AbstractContextManager:
    """Where this is entered, `jax.nn.dot_product_attention` has no fifth axis.

    JAX's own has one for groups of queries that share a key, also where each group is
    one query, as in `keras.layers.MultiHeadAttention`.
    """
    return mock.patch.object(jax.nn, "dot_product_attention", _attention)


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
        return _of_jax(query, key, value, bias, mask, **options)
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
