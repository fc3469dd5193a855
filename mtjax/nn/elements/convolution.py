"""Convolutions of spikes and weights, in an order that suits caches."""

from __future__ import annotations

import functools
import math
import operator

import jax.numpy as jnp
from jaxtyping import Array, Float

_PRODUCT = 96
"""Columns of a matrix product that processors are fast with."""


def convolve(x: Float[Array, "h w i"], kernel: Float[Array, "s s i o"]) -> Float[Array, "hh ww o"]:
    """The convolution without padding, as one product of windows of the image with a banded matrix.

    Every window gives a tile of outputs. One output for each window would take the fewest multiplications, but windows
    overlap and are written out, and a processor is slow with narrow products.

    - `x`: image, shape (height, width, channels in); `kernel`: shape (size, size, channels in, channels out).

    >>> import jax.numpy as jnp
    >>> from mtjax.nn.elements import convolve
    >>> image = jnp.arange(16.0).reshape(4, 4, 1)
    >>> print(convolve(image, jnp.ones((3, 3, 1, 1)))[:, :, 0])
    [[45. 54.]
     [81. 90.]]
    """
    size, _, _, outputs = kernel.shape
    rows, columns = x.shape[0] - size + 1, x.shape[1] - size + 1
    a, b = tile = _tile(rows, columns, size, outputs)
    y = _windows(x, tile, size) @ _band(kernel, tile).T
    return y.reshape(rows // a, columns // b, a, b, outputs).swapaxes(1, 2).reshape(rows, columns, outputs)


def _tile(rows: int, columns: int, size: int, outputs: int) -> tuple[int, int]:
    """Of the largest tiles with up to `_PRODUCT` columns in the product the one with the smallest window."""
    tiles = [(a, b) for a in range(1, rows + 1) for b in range(1, columns + 1) if rows % a == columns % b == 0]
    wide = max((a * b for a, b in tiles if a * b * outputs <= _PRODUCT), default=1)
    return min((t for t in tiles if t[0] * t[1] == wide), key=lambda t: ((t[0] + size - 1) * (t[1] + size - 1), t[0]))


def _windows(x: Array, tile: tuple[int, int], size: int) -> Array:
    """What the tiles' outputs depend on, shape (tiles down, tiles across, window)."""
    (a, b), (height, width, channels) = tile, x.shape
    high, wide = a + size - 1, (b + size - 1) * channels
    down, across, step = (height - size + 1) // a, (width - size + 1) // b, b * channels
    flat = x.reshape(height, width * channels)
    # XLA fuses concatenations along other axes than the last into loops that work out the values anew for every window
    lines = jnp.concatenate([flat[i : i + (down - 1) * a + 1 : a] for i in range(high)], axis=1)
    lines = lines.reshape(down, high, width * channels)
    parts = [lines[:, :, j * step : j * step + wide].reshape(down, high * wide) for j in range(across)]
    return jnp.concatenate(parts, axis=1).reshape(down, across, high * wide)


def _band(kernel: Array, tile: tuple[int, int]) -> Array:
    """From a window to a tile, shape (tile x channels out, window)."""
    size = kernel.shape[0]
    shifts = [jnp.stack([jnp.eye(n, n + size - 1, i, dtype=kernel.dtype) for i in range(size)]) for n in tile]
    band = jnp.einsum("iap,jbq,ijcd->abdpqc", *shifts, kernel)
    return band.reshape(math.prod(band.shape[:3]), -1)


def _by_squares(image: Array, size: int) -> Array:
    """An image in the order of `Conv.squares`."""
    h, w, c = image.shape
    squares = image.reshape(h // size, size, w // size, size, c).transpose(1, 3, 0, 2, 4)
    return squares.reshape(size, size, h // size, w // size * c)


def _added(parts: list[Array]) -> Array:
    return functools.reduce(operator.add, parts)


def _same_size(name: str, shape: tuple[int, ...], wanted: tuple[int, ...], *, size: int) -> None:
    if size != wanted[0]:
        raise ValueError(f"The input of {name} must have {wanted[0]} values, but has shape {shape}.")
