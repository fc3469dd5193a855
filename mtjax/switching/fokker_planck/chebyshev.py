"""The exponential of the generator times a density, by Chebyshev polynomials, with its derivatives.

With B = (A + d) / c and phi_{k+1} = 2 B phi_k + phi_{k-1},

    exp(h A) x = exp(-h d) sum_k (2 - delta_k0) J_k(h c) phi_k(B) x,

the Chebyshev series of an ellipse along the imaginary axis, in real arithmetic (Tal-Ezer and Kosloff, J. Chem. Phys.
81, 3967, 1984, without the shift). One product with A per term, little more than one term per radian of the fastest
mode.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from mtjax.switching.fokker_planck.generator import Flow, State, Stencil, apply, apply_in_pieces

_LONGEST = 200.0
"""Largest h c of one series: longer ones are more efficient, but lose digits in corners of the spectrum."""
_TERMS = 512
_MARGIN = 1.05


class Ellipse(NamedTuple):
    """Where the spectrum lies: foci `-shift +- i focus`, 1/ns, and half width `shift` along the real axis."""

    shift: Array
    focus: Array


def ellipse(lmax: int, D: ArrayLike, speed: ArrayLike) -> Ellipse:
    """The ellipse of a flow with diffusion `D` and largest drift speed `speed`, 1/ns; no gradient passes through it."""
    shift = jnp.asarray(D) * (lmax * (lmax + 1) / 2)
    focus = jnp.asarray(_MARGIN * speed * (lmax + 1) + shift / 2 + 1e-6)
    return Ellipse(*jax.lax.stop_gradient((shift, focus)))


@partial(jax.custom_jvp, nondiff_argnums=(0, 1))
def exponential(shape: Stencil, nodes: int, flow: Flow, h: Array, where: Ellipse, x: State) -> State:
    """exp(h A) x for the generator A of `flow`, h in ns.

    Derivatives, forward and reverse, in `flow`, `h` and `x`, by the integral of exp((h - s) A) dA exp(s A) over s with
    `nodes` Gauss-Legendre points: one more solve with A (or its adjoint), whatever the number of parameters.
    """
    return _propagate(shape, flow, h, where, x)


@exponential.defjvp
def _exponential_jvp(shape, nodes, primals, tangents):
    flow, h, where, x = primals
    d_flow, d_h, _, d_x = tangents
    points, weights = np.polynomial.legendre.leggauss(nodes)
    lengths = jnp.asarray(np.diff([0.0, *(points + 1) / 2, 1.0]), x[0].dtype)
    weights = jnp.asarray(np.append(weights / 2, 0.0), x[0].dtype)

    def onward(state, length):
        state = exponential(shape, nodes, flow, length * h, where, state)
        return state, state

    final, visited = jax.lax.scan(onward, x, lengths)

    # jax before 0.10 transposes a loop of a `defjvp` only if all that is linear is carried, and changes on the way.
    sources = jax.vmap(lambda state: apply(shape, d_flow, state))(visited)

    def carried(carry, item):
        tangent, sources = carry
        length, weight = item
        tangent = _linear_propagate(shape, flow, length * h, where, tangent)
        tangent = _plus(tangent, weight * h, (sources[0][0], sources[1][0]))
        return (tangent, jax.tree.map(lambda a: jnp.roll(a, -1, axis=0), sources)), None

    (tangent, _), _ = jax.lax.scan(carried, (d_x, sources), (lengths, weights))
    return final, _plus(tangent, d_h, apply(shape, flow, final))


def _linear_propagate(shape: Stencil, flow: Flow, h: Array, where: Ellipse, x: State) -> State:
    """exp(h A) x, linear in x, with the exponential of the adjoint as its transpose."""
    scale = jnp.asarray(shape.weights, x[0].dtype)

    def forward(_, x):
        return _propagate(shape, flow, h, where, x)

    def backward(_, y):
        y = _propagate(shape, flow, h, where, (y[0] / scale, y[1] / scale), adjoint=True)
        return y[0] * scale, y[1] * scale

    # A linear map given with its transpose; the "matrix" is only asked for its shape.
    return jax.lax.custom_linear_solve(lambda v: v, x, forward, backward)


def _propagate(shape: Stencil, flow: Flow, h: Array, where: Ellipse, x: State, *, adjoint: bool = False) -> State:
    """The exponential itself; a batch is worked off one by one, so that everything stays in the cache."""

    @jax.custom_batching.sequential_vmap
    def run(diagonals, flow, h, where, x):
        reach = h * where.focus
        steps = jnp.ceil(reach / _LONGEST)
        step = h / jnp.maximum(steps, 1.0)
        series, terms = _series(step, where)
        scaled = jax.tree.map(lambda v: v / where.focus, flow)
        return jax.lax.fori_loop(
            0, steps.astype(int), lambda _, y: _chebyshev(shape, adjoint, diagonals, scaled, where, series, terms, y), x
        )

    return run(jnp.asarray(shape.diagonals(x[0].dtype, adjoint=adjoint)), flow, h, where, x)


def _chebyshev(shape, adjoint, diagonals, scaled, where, series, terms, x):
    """One series: `scaled` is the flow over the focus."""
    shift = where.shift / where.focus

    def product(y):
        return _plus(apply_in_pieces(shape, scaled, y, diagonals, adjoint=adjoint), shift, y)

    def term(k, carry):
        before, now, total = carry
        after = _plus(before, 2.0, product(now))
        return now, after, _plus(total, series[k], after)

    first = product(x)
    total = _plus((series[0] * x[0], series[0] * x[1]), series[1], first)
    return jax.lax.fori_loop(2, terms, term, (x, first, total))[2]


def _series(step: Array, where: Ellipse) -> tuple[Float[Array, " k"], Array]:
    """Coefficients of the series, and how many of them matter."""
    z = step * where.focus
    signs = jnp.where(jnp.arange(_TERMS) == 0, 1.0, 2.0)
    series = signs * bessel(z, _TERMS) * jnp.exp(-step * where.shift)
    ratio = where.shift / where.focus
    growth = jnp.log(ratio + jnp.sqrt(1 + ratio**2)) * jnp.arange(_TERMS)
    number = jnp.finfo(z.dtype)
    known = jnp.abs(series) > 10 * number.tiny  # what underflowed is no term, however large the growth
    size = jnp.log(jnp.where(known, jnp.abs(series), 1.0)) + growth
    matters = known & (size > jnp.log(number.eps / 4))
    return series, jnp.max(jnp.where(matters, jnp.arange(_TERMS), 1)) + 1


def bessel(z: Array, number: int) -> Float[Array, " number"]:
    """J_0(z) ... J_{number-1}(z) for 0 <= z < number / 2, by downward recursion (Miller)."""
    z = jnp.maximum(z, 1e-6)
    big = 1e10

    def down(carry, k):
        now, above, log = carry
        now, above = 2 * k / z * now - above, now
        shrink = jnp.abs(now) > big
        now, above = jnp.where(shrink, now / big, now), jnp.where(shrink, above / big, above)
        log = log + jnp.where(shrink, np.log(big), 0.0)
        return (now, above, log), (now, log)

    start = (jnp.full_like(z, 1e-20), jnp.zeros_like(z), jnp.zeros_like(z))
    (_, _, top), (values, logs) = jax.lax.scan(down, start, jnp.arange(number, 0, -1, dtype=z.dtype))
    values = (values * jnp.exp(logs - top))[::-1]
    return values / (values[0] + 2 * jnp.sum(values[2::2]))


def _plus(a: State, factor: ArrayLike, b: State) -> State:
    return a[0] + factor * b[0], a[1] + factor * b[1]
