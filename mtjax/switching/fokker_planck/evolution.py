"""A density through a pulse, with everything chosen: time steps, propagators, and hopping rates for long waits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from mtjax.constants import NS
from mtjax.devices import Device
from mtjax.pulses import AbstractPulse
from mtjax.quantities import Scalar, as_scalar
from mtjax.switching.fokker_planck.axial import dense_exponential, matrix
from mtjax.switching.fokker_planck.axial_mode import axial_mode, dead_time
from mtjax.switching.fokker_planck.chebyshev import ellipse, exponential
from mtjax.switching.fokker_planck.density import Density, edge_tails, start_density
from mtjax.switching.fokker_planck.drift import flow_of
from mtjax.switching.fokker_planck.generator import Flow
from mtjax.switching.fokker_planck.plan import Plan
from mtjax.switching.fokker_planck.resolution import edges_of, rounding
from mtjax.switching.fokker_planck.two_wells import wells

Parts = tuple[Array, Array]
"""Real and imaginary coefficients of a density, each of shape (m, l)."""

_EARLY, _LATE = 0.25 + np.sqrt(3) / 6, 0.25 - np.sqrt(3) / 6
LONGEST, LONGEST_ON_SPHERE = 60.0, 30.0
"""Relaxation times up to which a stretch is solved as it is; without an axis of symmetry the wells are settled then."""
_UNSURE = "The hopping rate at this current is too slow for double precision: wait without a current, or for a shorter time."


class Requirement(NamedTuple):
    """What is asked of a probability: `tolerance`, and whether it is `relative` to the smaller of value and complement."""

    tolerance: float
    relative: bool


@eqx.filter_jit
def evolved(
    plan: Plan, accuracy: Requirement, device: Device, pulse: AbstractPulse, times: Array, temperature: Any
) -> tuple[Density, Array, Array, Float[Array, " 2"]]:
    """The density at `times` (s), its sides (switched and not), and its largest tails on the way."""
    warmth = temperature or device.history(pulse) or (lambda t: device.temperature)
    start = start_density(device, plan.lmax, plan.mmax)
    edges, places = edges_of(pulse, times)

    def onward(carry, ends):
        parts, worst = carry

        def advanced():
            return _stretch(plan, accuracy, device, pulse, warmth, parts, *ends)

        re, im, tails = jax.lax.cond(ends[1] > ends[0], advanced, lambda: (*parts, worst))
        return ((re, im), jnp.maximum(worst, tails)), (re, im)

    first = (start.re, start.im)
    (_, worst), rest = jax.lax.scan(onward, (first, edge_tails(*first)), (edges[:-1], edges[1:]))
    re, im = (jnp.concatenate([a[None], b])[places] for a, b in zip(first, rest, strict=True))
    density = Density(re, im, start.axes, start.start)
    return density, density.switched, density.unswitched, worst


def _stretch(plan, accuracy, device, pulse, warmth, parts: Parts, begin, end) -> tuple[Array, Array, Array]:
    """From `begin` to `end` (s), by commutator-free Magnus steps of fourth order (Blanes and Moan, 2006).

    With `hopping`, a long constant stretch is solved until all modes but the slowest have died out; then that one is followed.
    """
    way = _axial(plan) if plan.axisymmetric else _spherical(plan, accuracy)
    middle = (begin + end) / 2
    still = eqx.tree_at(lambda d: d.temperature, device, as_scalar(warmth(middle))), pulse(middle)
    longest = way.longest(*still) if plan.hopping else jnp.inf
    h = jnp.minimum(end - begin, longest) / NS / plan.pieces

    def flow(place):
        t = begin + (end - begin) * place
        return flow_of(device, pulse(t), warmth(t), plan.degree)

    def piece(state, number):
        for flow_now, speed, part in _averages(flow, number, plan.pieces):
            state = way.advance(state, flow_now, speed, part * h)
        return state, edge_tails(*way.unpack(state))

    state, tails = jax.lax.scan(piece, way.pack(parts), jnp.arange(plan.pieces))
    parts = way.unpack(state)
    if plan.hopping:
        rest = jnp.maximum(end - begin - longest, 0.0)
        parts = jax.lax.cond(rest > 0, lambda: way.settled(*still, parts, rest), lambda: parts)
    return parts[0], parts[1], jnp.max(tails, axis=0)


class _Way(NamedTuple):
    """How a density is held, and advanced by `advance(state, flow, speed, time in ns)`; after `longest` (s) by `settled`."""

    pack: Callable[[Parts], Any]
    unpack: Callable[[Any], Parts]
    advance: Callable[[Any, Flow, Scalar, Scalar], Any]
    longest: Callable[[Device, Scalar], Scalar]
    settled: Callable[[Device, Scalar, Parts, Scalar], Parts]


def _axial(plan: Plan) -> _Way:
    """A column of Legendre modes, advanced by matrix exponentials."""

    def unpack(column):
        return column[None], 0 * column[None]

    def advance(column, flow, speed, time):
        del speed
        return dense_exponential(matrix(plan.stencil, flow), time, column)

    def settled(device, current, parts, time):
        return unpack(axial_mode(device, current).later(parts[0][0], time / NS))

    return _Way(lambda parts: parts[0][0], unpack, advance, dead_time, settled)


def _spherical(plan: Plan, accuracy: Requirement) -> _Way:
    """Rows of harmonics, advanced by Chebyshev series."""
    shape = plan.stencil

    def advance(state, flow, speed, time):
        return exponential(shape, plan.nodes, flow, time, ellipse(shape.lmax, flow.D, speed), state)

    def settled(device, current, parts, time):
        return _settled(plan, accuracy, device, current, parts, time)

    return _Way(
        lambda parts: shape.pack(jax.lax.complex(*parts)),
        lambda state: (shape.square(state[0]), shape.square(state[1])),
        advance,
        lambda device, current: LONGEST_ON_SPHERE * device.relaxation_time,
        settled,
    )


def _settled(plan: Plan, accuracy: Requirement, device, current, parts, time) -> Parts:
    """A density a `time` (s) later, by the hopping between two wells; with one well only it becomes the stationary one."""
    found = wells(device, current, plan.stencil)
    later, faded = found.later(parts, time / NS), found.faded(parts, time / NS)
    inside = jnp.clip(found.inside(parts), 0.0, 1.0)
    least = jnp.maximum(jnp.minimum(inside, 1 - inside), rounding(inside.dtype)) if accuracy.relative else 1.0
    unsure = (found.rate < found.noise) & (found.noise * time / NS > accuracy.tolerance * least)
    re = eqx.error_if(later[0], unsure & found.exist, _UNSURE)
    return jnp.where(found.exist, re, faded[0]), jnp.where(found.exist, later[1], faded[1])


def _averages(flow: Callable, number: Array, pieces: int) -> list[tuple[Flow, Array, float]]:
    """The flows whose exponentials make up piece `number`, with their speeds and shares of its duration."""
    if pieces == 1:
        return [(*flow(0.5), 1.0)]
    early, late = (flow((number + 0.5 + side * np.sqrt(3) / 6) / pieces) for side in (-1, 1))

    def mix(a, b):
        return 2 * (_EARLY * a + _LATE * b)

    def bound(a, b):
        return 2 * (_EARLY * a + abs(_LATE) * b)

    return [(jax.tree.map(mix, p[0], q[0]), bound(p[1], q[1]), 0.5) for p, q in ((early, late), (late, early))]
