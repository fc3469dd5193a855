"""Switching without sampling: the Fokker-Planck equation of one macrospin under a pulse.

dP/dt = -div(P v) + D lap P on the unit sphere, with v the drift of the Landau-Lifshitz-Gilbert equation and
D = alpha gamma kB T / ((1 + alpha^2) Ms V) (Brown, Phys. Rev. 130, 1677, 1963).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from mtjax import truncation
from mtjax.constants import NS
from mtjax.density import Density, equilibrium
from mtjax.device import Device
from mtjax.generator import Flow, Stencil, stencil
from mtjax.legendre import propagator
from mtjax.methods import AbstractMethod, Probability
from mtjax.propagate import ellipse, exponential
from mtjax.pulses import AbstractPulse
from mtjax.truncation import flow_of
from mtjax.types import Scalar, as_scalar

Temperature = Callable[[Array], Array]
"""Temperature of the free layer (K) as a function of time (s)."""

_EARLY, _LATE = 0.25 + np.sqrt(3) / 6, 0.25 - np.sqrt(3) / 6
_ERROR_PER_TAIL_SQUARED = 10.0


class FokkerPlanck(AbstractMethod):
    """Switching probability from the density on the sphere, exact to a stated accuracy, with gradients.

    Devices with an axis of symmetry are solved by Legendre polynomials and matrix exponentials (milliseconds), all others
    by spherical harmonics l <= `lmax`, 0 <= m <= `mmax` and Chebyshev propagation. Derivatives, forward and reverse, in
    every number of device and pulse cost about two more solves.

    - `lmax`, `mmax`: truncation; `None` chooses it from device and drive and enlarges it until `tolerance` is met. Under
      `jit` the numbers are not known while the truncation must be fixed: it is 96 then, or what you give, or what
      `FokkerPlanck().planned(device, pulse)` found for a similar case.
    - `tolerance`: largest error estimated from the tail of the spectrum, relative to the smaller of value and complement.
    - `relative`: `False` lets `tolerance` and the precision of the arithmetic hold for the absolute error only; then small
      probabilities are not refused and mean nothing below it.
    - `degree`: of the torque's expansion in harmonics; `None` chooses it (2 for quadratic energies and plain torques).
    - `axisymmetric`: `None` finds out from the device.
    - `pieces`: time steps per smooth stretch of the pulse; `None` chooses (1 where the current is constant).
    - `pattern`: which harmonics of the drift are kept; set by `planned`.
    """

    lmax: int | None = eqx.field(static=True, default=None)
    mmax: int | None = eqx.field(static=True, default=None)
    tolerance: float = eqx.field(static=True, default=1e-3)
    relative: bool = eqx.field(static=True, default=True)
    degree: int | None = eqx.field(static=True, default=None)
    axisymmetric: bool | None = eqx.field(static=True, default=None)
    pieces: int | None = eqx.field(static=True, default=None)
    pattern: tuple | None = eqx.field(static=True, default=None)

    @property
    def name(self) -> str:
        """The equation, how it was solved, and the truncation."""
        how = "Legendre polynomials" if self.axisymmetric else "spherical harmonics"
        return "Fokker-Planck" + ("" if self.lmax is None else f" ({how}, l_max {self.lmax})")

    def probability(self, device: Device, pulse: AbstractPulse, relax: Scalar) -> Probability:
        """Probability that `device` is switched `relax` seconds after the end of `pulse`.

        Raises `ValueError` where the truncation cannot be made fine enough, and an error at run time where it is fixed
        and too coarse, or where the arithmetic is not precise enough for the smaller of value and complement.
        """
        density, method = solve(device, pulse, pulse.end + relax, self)
        value, complement = method.checked(density, device)
        return Probability(value, complement, None, method)

    @property
    def nodes(self) -> int:
        """Points per time step in the integral of the gradient."""
        return max(4, 64 // (self.pieces or 1))

    @property
    def stencil(self) -> Stencil:
        """The operators of the chosen truncation."""
        return stencil(self.lmax, self.mmax, self.degree, self.pattern)

    def planned(self, device: Device, pulse: AbstractPulse, relax: ArrayLike = 0.0) -> FokkerPlanck:
        """This method with everything fixed that suits `device` and `pulse`, for use under `jit`."""
        return solve(device, pulse, pulse.end + as_scalar(relax), self)[1]

    def checked(self, density: Density, device: Device) -> tuple[Scalar, Scalar]:
        """Value and complement, after the checks of truncation and precision."""
        value, complement = density.switched, density.unswitched
        error = truncation_error(density)
        least = jnp.minimum(value, complement) if self.relative else jnp.ones_like(value)
        floor = rounding(value.dtype)
        value = eqx.error_if(value, ~(error <= self.tolerance * jnp.maximum(least, floor)), _too_coarse(self))
        if self.relative:
            value = eqx.error_if(value, least < floor, _too_small(value.dtype))
        return value, complement


def evolve(
    device: Device,
    pulse: AbstractPulse,
    times: Float[ArrayLike, " n"],
    *,
    method: FokkerPlanck | None = None,
    temperature: Temperature | None = None,
) -> Density:
    """The density at `times` (s, increasing, at least 0), from thermal equilibrium in the starting well at time 0.

    - `temperature`: of the free layer as a function of time, K; `None` for the device's.
    """
    method = FokkerPlanck(relative=False) if method is None else method
    return solve(device, pulse, times, method, temperature)[0]


def solve(
    device: Device,
    pulse: AbstractPulse,
    times: ArrayLike,
    method: FokkerPlanck,
    temperature: Temperature | None = None,
) -> tuple[Density, FokkerPlanck]:
    """The density at `times` (s; a number or an array) and the method with its choices made.

    Where the numbers are known, l_max climbs until the tail of the spectrum is small enough.
    """
    times = as_scalar(times)
    method, climbs = choose(device, pulse, times, method)
    while True:
        density = _solve(method, device, pulse, times, temperature)
        if not climbs or not any(_is_short(found, method) for found in truncation.known(density)):
            return density, method
        method = _higher(method)


def choose(device: Device, pulse: AbstractPulse, times: Array, method: FokkerPlanck) -> tuple[FokkerPlanck, bool]:
    """`method` with what it leaves open chosen, and whether its l_max may still climb."""
    peaks = [float(sample.peak) for sample in truncation.known(pulse)]
    peak = max([*peaks, 1e-9]) if peaks else 1e-4
    surveys = [truncation.survey(sample, jnp.array([0.0, peak, -peak])) for sample in truncation.known(device)]
    climbs = method.lmax is None and bool(surveys) and bool(peaks)
    degree = method.degree or max([truncation.degree_of(s, method.tolerance * 1e-2) for s in surveys], default=2)
    patterns = [truncation.pattern_of(s, degree) for s in surveys]
    pattern = method.pattern or (tuple(sorted(set().union(*patterns))) if patterns else None)
    symmetric = method.axisymmetric
    if symmetric is None:
        symmetric = bool(surveys) and all(bool(s.axisymmetric) for s in surveys)
    lmax = method.lmax or (max(map(truncation.first_rung, surveys)) if climbs else 96)
    pieces = method.pieces or _pieces(pulse, times)
    chosen = FokkerPlanck(
        lmax=lmax,
        mmax=0 if symmetric else method.mmax or truncation.columns(lmax),
        tolerance=method.tolerance,
        relative=method.relative,
        degree=degree,
        axisymmetric=symmetric,
        pieces=pieces,
        pattern=pattern,
    )
    return chosen, climbs


def truncation_error(density: Density) -> Array:
    """Estimated error of probabilities from the cut: ten times the square of the largest coefficient at the edge.

    The edge acts on a probability through the tail of the density and that of the weights carried back in time, which
    are alike; the factor was measured (see `tests/test_fokker_planck.py`).
    """
    along_l, along_m = density.tails
    edge = along_l if density.re.shape[-2] == 1 else jnp.maximum(along_l, along_m)
    return jnp.max(_ERROR_PER_TAIL_SQUARED * edge**2)


@eqx.filter_jit
def _solve(method: FokkerPlanck, device: Device, pulse: AbstractPulse, times: Array, temperature: Any) -> Density:
    """The density at `times`, with everything chosen."""
    warmth = temperature or (lambda t: device.temperature)
    start = equilibrium(device, method.lmax, method.mmax)
    edges, places = _edges(pulse, times)
    advance = _legendre_stretch if method.axisymmetric else _stretch

    def onward(density, ends):
        density = advance(method, device, pulse, warmth, density, *ends)
        return density, density

    first = jax.tree.map(lambda x: x[None], start)
    _, rest = jax.lax.scan(onward, start, (edges[:-1], edges[1:]))
    visited = jax.tree.map(lambda a, b: jnp.concatenate([a, b])[places], first, rest)
    return Density(visited.re, visited.im, start.axes)


def _edges(pulse: AbstractPulse, times: Array) -> tuple[Array, Array]:
    """Times between which the drive is smooth, s, and the places among them of `times`."""
    last = jnp.max(times)
    inner = jnp.clip(pulse.breakpoints, 0.0, last)
    edges = jnp.sort(jnp.concatenate([jnp.zeros(1, last.dtype), inner, jnp.ravel(times)]))
    return edges, jnp.searchsorted(edges, times)


def _stretch(method, device, pulse, warmth, density, begin, end) -> Density:
    """From `begin` to `end` (s), by commutator-free Magnus steps of fourth order (Blanes and Moan, 2006)."""
    shape = method.stencil
    h = (end - begin) / NS / method.pieces

    def flow(place):
        t = begin + (end - begin) * place
        return flow_of(device, pulse(t), warmth(t), method.degree)

    def piece(state, number):
        for flow_now, speed, part in _averages(flow, number, method.pieces):
            where = ellipse(shape, flow_now, speed)
            state = exponential(shape, method.nodes, flow_now, part * h, where, state)
        return state, None

    state = shape.pack(density.re + 1j * density.im)
    state, _ = jax.lax.scan(piece, state, jnp.arange(method.pieces))
    return Density(shape.square(state[0]), shape.square(state[1]), density.axes)


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


def _legendre_stretch(method, device, pulse, warmth, density, begin, end) -> Density:
    """From `begin` to `end` (s) with matrix exponentials of the Legendre modes."""
    h = (end - begin) / NS / method.pieces

    def flow(place):
        t = begin + (end - begin) * place
        return flow_of(device, pulse(t), warmth(t), method.degree)

    def piece(column, number):
        for flow_now, _, part in _averages(flow, number, method.pieces):
            column = propagator(method.stencil, flow_now, part * h) @ column
        return column, None

    column, _ = jax.lax.scan(piece, density.re[0], jnp.arange(method.pieces))
    return Density(column[None], jnp.zeros_like(column)[None], density.axes)


def _pieces(pulse: AbstractPulse, times: Array) -> int:
    """Time steps per stretch: chosen where the numbers are known, else 8."""
    samples = list(truncation.known((pulse, times)))
    return max([truncation.pieces_of(p, np.asarray(_edges(p, t)[0])) for p, t in samples], default=8)


def _is_short(density: Density, method: FokkerPlanck) -> bool:
    """Whether l_max should climb."""
    least = 1.0
    if method.relative:
        least = max(float(jnp.min(jnp.minimum(density.switched, density.unswitched))), rounding(density.re.dtype))
    return not float(truncation_error(density)) <= method.tolerance * least


def rounding(dtype: Any) -> float:
    """The smallest probability that arithmetic of this type can tell."""
    return 1e-14 if np.dtype(dtype) == np.float64 else 2e-5


def _higher(method: FokkerPlanck) -> FokkerPlanck:
    """The same with the next l_max; raises `ValueError` at the end of the ladder."""
    lmax = truncation.next_rung(method.lmax)
    if lmax is None:
        raise ValueError(_too_coarse(method))
    mmax = 0 if method.axisymmetric else truncation.columns(lmax)
    return dataclasses.replace(method, lmax=lmax, mmax=mmax)


def _too_coarse(method: FokkerPlanck) -> str:
    return (
        f"FokkerPlanck with lmax={method.lmax}, mmax={method.mmax} does not reach tolerance={method.tolerance:g}: give a "
        "larger `lmax` or `tolerance`, or `relative=False` if an absolute error is enough."
    )


def _too_small(dtype: Any) -> str:
    if np.dtype(dtype) == np.float64:
        return "The smaller of value and complement is below 1e-14, which double precision cannot tell; `relative=False` accepts that."
    return (
        "The smaller of value and complement is below 2e-5, which single precision cannot tell: switch on double precision "
        'with jax.config.update("jax_enable_x64", True), or accept an absolute error with `relative=False`.'
    )
