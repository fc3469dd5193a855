"""Devices with an axis of symmetry: only Legendre polynomials of m.axis, and dense matrices."""

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.linalg import expm
from jaxtyping import Array, Float

from mtjax.switching.fokker_planck.generator import Flow, Stencil

_STEPS = 64
"""Equal steps into which a stretch is cut: one matrix exponential, then products with vectors."""
_NORM = 3.5
"""Largest norm that Pade approximation takes without squaring, in single and in double precision."""
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


def _hop(A: Float[Array, "l l"]) -> Float[Array, "l l"]:
    """exp(A) by scaling and squaring, with a loop that `vmap` runs as often as the worst of a batch needs.

    (That of jax does the most squarings allowed, 32, as soon as there is a batch.)
    """
    norm = jax.lax.stop_gradient(jnp.max(jnp.sum(jnp.abs(A), axis=0)))
    squarings = jnp.maximum(jnp.ceil(jnp.log2(norm / _NORM)), 0.0)
    small = expm(A * 2.0**-squarings, max_squarings=0)
    return jax.lax.fori_loop(0, squarings.astype(int), lambda _, E: E @ E, small)


@jax.custom_jvp
def dense_exponential(A: Float[Array, "l l"], h: Array, x: Float[Array, " l"]) -> Float[Array, " l"]:
    """exp(h A) x.

    Derivatives by the integral of exp((h - s) A) dA exp(s A) over s, three Gauss-Legendre points in each of 64 steps.
    """
    step = _hop(A * (h / _STEPS))
    return jax.lax.fori_loop(0, _STEPS, lambda _, y: step @ y, x)


@dense_exponential.defjvp
def _dense_exponential_jvp(primals, tangents):
    A, h, x = primals
    d_A, d_h, d_x = tangents
    gaps = np.diff([-1.0, *_NODES]) / 2
    # One after the other: side by side, with LAPACK inside, they can leave XLA's threads waiting for each other for ever.
    outer, inner = jax.lax.map(lambda gap: _hop(A * (h / _STEPS * gap)), jnp.asarray(gaps[:2], x.dtype))
    hops = (outer, inner, inner, outer)

    def visit(y, _):
        visited = []
        for across in hops:
            y = across @ y
            visited.append(y)
        return y, jnp.stack(visited[:-1])

    y, visited = jax.lax.scan(visit, x, None, length=_STEPS)
    # One product for all nodes: its transpose adds up the outer products in one product too.
    pushes = (visited @ d_A.T) * (jnp.asarray(_WEIGHTS / 2, x.dtype) * (h / _STEPS))[:, None]

    def step(dy, pushed):
        for across, push in zip(hops[:-1], pushed, strict=True):
            dy = across @ dy + push
        return hops[-1] @ dy, None

    dy, _ = jax.lax.scan(step, d_x, pushes)
    return y, dy + d_h * (A @ y)
