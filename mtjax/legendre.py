"""Devices with an axis of symmetry: only Legendre polynomials of m.axis, and dense matrices."""

import jax.numpy as jnp
import numpy as np
from jax.scipy.linalg import expm
from jaxtyping import Array, ArrayLike, Float

from mtjax.generator import Flow, Stencil


def matrix(shape: Stencil, flow: Flow) -> Float[Array, "l l"]:
    """The generator on the coefficients of Y_l0, 1/ns: dP_l/dt = sum_k matrix[l, k] P_k."""
    size = shape.lmax + 1
    l = np.arange(size)
    out = jnp.diag(-flow.D * (l * (l + 1.0)))
    for term in shape.terms(adjoint=False):
        if term.kind == "phi" and term.mu == 0:
            column = shape.square(term.weights)[0]
            inside = (l - term.dl >= 0) & (l - term.dl < size)
            constant = np.zeros((size, size))
            constant[l[inside], l[inside] - term.dl] = column[inside]
            out = out + flow.phi[0, term.index] * constant.astype(out.dtype)
    return out


def propagator(shape: Stencil, flow: Flow, h: ArrayLike) -> Float[Array, "l l"]:
    """exp(h A) for a time h (ns)."""
    return expm(jnp.asarray(h) * matrix(shape, flow), max_squarings=24)
