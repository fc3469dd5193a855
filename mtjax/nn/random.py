"""Uniform numbers for spikes, drawn in the loop they are used in (see `mtjax.noise`)."""

import math

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from mtjax.noise import threefry


def uniforms(key: Key[Array, ""], shape: tuple[int, ...]) -> Float[Array, "..."]:
    """Uniform numbers strictly between 0 and 1, multiples of 2^-24 plus half of it, of shape `shape`."""
    size = math.prod(shape)
    k = jax.random.key_data(key)
    counter = jnp.arange((size + 1) // 2, dtype=jnp.uint32)
    words = jnp.concatenate(threefry(k[0], k[1], counter, jnp.zeros_like(counter)))[:size]
    return ((words >> 8).astype(jnp.float32) + 0.5).reshape(shape) * jnp.float32(2.0**-24)
