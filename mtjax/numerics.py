"""Small numerical methods of fixed size, for use inside of compiled programs."""

from collections.abc import Callable
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array


@cache
def gauss_legendre(order: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of Gauss-Legendre quadrature on (0, 1), shape (`order`,) each.

    >>> from mtjax.numerics import gauss_legendre
    >>> x, w = gauss_legendre(4)
    >>> print(f"{w @ x**7:.4f}")
    0.1250
    """
    x, w = np.polynomial.legendre.leggauss(order)
    return (x + 1) / 2, w / 2


def bisected(is_right: Callable[[Array], Array], low: Array, high: Array, number: int) -> Array:
    """The place between `low` and `high` at which `is_right` becomes false, element by element, after `number` halvings.

    For arrays of any shape, in one small loop; it ends at `low` or `high` where there is no such place between them.
    No gradient passes through it.

    >>> import jax.numpy as jnp
    >>> from mtjax.numerics import bisected
    >>> root = bisected(lambda x: x**2 < 2, jnp.asarray(1.0), jnp.asarray(2.0), 30)
    >>> print(f"{root:.6f}")
    1.414214
    """

    def halve(_, ends):
        low, high = ends
        middle = (low + high) / 2
        right = is_right(middle)
        return jnp.where(right, middle, low), jnp.where(right, high, middle)

    return jnp.mean(jnp.stack(jax.lax.fori_loop(0, number, halve, (low, high))), axis=0)


def softplus_inverse(y: Array) -> Array:
    """ln(exp(y) - 1), for y from 1e-12 on.

    >>> import jax
    >>> from mtjax.numerics import softplus_inverse
    >>> print(f"{softplus_inverse(jax.nn.softplus(0.5)):.3f}")
    0.500
    """
    y = jnp.maximum(y, 1e-12)
    return y + jnp.log(-jnp.expm1(-y))
