"""Devices with an axis of symmetry: only Legendre polynomials of m.axis, and dense matrices."""

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.linalg import expm
from jaxtyping import Array, Float

from mtjax.generator import Flow, Stencil

_STEPS = 64
"""Equal steps into which a stretch is cut: one matrix exponential, then products with vectors."""
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(3)


def matrix(shape: Stencil, flow: Flow) -> Float[Array, "l l"]:
    """The generator on the coefficients of Y_l0, 1/ns: dP_l/dt = sum_k matrix[l, k] P_k."""
    size = shape.lmax + 1
    l = np.arange(size)
    out = jnp.diag(-flow.D * jnp.asarray(l * (l + 1.0), flow.D.dtype))
    for term in shape.terms(adjoint=False):
        if term.kind == "phi" and term.mu == 0:
            column = term.weights[:size]
            inside = (l - term.dl >= 0) & (l - term.dl < size)
            constant = np.zeros((size, size))
            constant[l[inside], l[inside] - term.dl] = column[inside]
            out = out + flow.phi[0, term.index] * constant.astype(out.dtype)
    return out


@jax.custom_jvp
def dense_exponential(A: Float[Array, "l l"], h: Array, x: Float[Array, " l"]) -> Float[Array, " l"]:
    """exp(h A) x.

    Derivatives by the integral of exp((h - s) A) dA exp(s A) over s, three Gauss-Legendre points in each of 64 steps.
    """
    step = expm(A * (h / _STEPS), max_squarings=32)
    return jax.lax.fori_loop(0, _STEPS, lambda _, y: step @ y, x)


@dense_exponential.defjvp
def _dense_exponential_jvp(primals, tangents):
    A, h, x = primals
    d_A, d_h, d_x = tangents
    gaps = np.diff([-1.0, *_NODES]) / 2
    # Both at once: two of them side by side, with LAPACK inside, can leave XLA's threads waiting for each other for ever.
    outer, inner = jax.vmap(lambda gap: expm(A * (h / _STEPS * gap), max_squarings=32))(jnp.asarray(gaps[:2], x.dtype))
    weights = jnp.asarray(np.append(_WEIGHTS / 2, 0.0), x.dtype) * (h / _STEPS)

    def step(carry, _):
        y, dy = carry
        for across, weight in zip((outer, inner, inner, outer), weights, strict=True):
            y = across @ y
            dy = across @ dy + weight * (d_A @ y)
        return (y, dy), None

    (y, dy), _ = jax.lax.scan(step, (x, d_x), None, length=_STEPS)
    return y, dy + d_h * (A @ y)
