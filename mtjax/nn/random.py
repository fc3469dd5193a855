"""Uniform numbers for spikes, drawn in the loop they are used in (see `mtjax.noise`)."""

import math

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key, UInt32


def uniforms(key: Key[Array, ""], shape: tuple[int, ...]) -> Float[Array, "..."]:
    """Uniform numbers strictly between 0 and 1, multiples of 2^-23 plus half of it, of shape `shape`.

    The number of an element is mixed twice, with a word of the hashed `key` before each time. A Threefry hash of every number
    takes as long as the rest of a convolutional network; what is mixed so passes `tests/test_nn_random.py`.
    """
    k0, k1 = jax.random.bits(key, 2, jnp.uint32)  # a loop of its own: XLA does not work it out again for every element
    words = _mixed(_mixed(jnp.arange(math.prod(shape), dtype=jnp.uint32) ^ k0) + k1)
    return ((words >> 9).astype(jnp.float32) + 0.5).reshape(shape) * jnp.float32(2.0**-23)


def _mixed(x: UInt32[Array, " n"]) -> UInt32[Array, " n"]:
    """A permutation of 32-bit words in which every bit of x flips every bit of the result for half of all x.

    The finaliser of MurmurHash3 (A. Appleby, 2011) with the constants that C. Wellons found in 2018 ("lowbias32"), as recalled.
    """
    x = (x ^ (x >> 16)) * jnp.uint32(0x7FEB352D)
    x = (x ^ (x >> 15)) * jnp.uint32(0x846CA68B)
    return x ^ (x >> 16)
