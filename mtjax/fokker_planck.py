"""Switching without sampling: the Fokker-Planck equation of one macrospin under a pulse.

dP/dt = -div(P v) + D lap P on the unit sphere, with v the drift of the Landau-Lifshitz-Gilbert equation and
D = alpha gamma kB T / ((1 + alpha^2) Ms V) (Brown, Phys. Rev. 130, 1677, 1963).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.core
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from mtjax import truncation
from mtjax.constants import NS
from mtjax.density import Density, edge_tails, equilibrium
from mtjax.device import Device
from mtjax.generator import Flow, Stencil, stencil
from mtjax.legendre import dense_exponential, matrix
from mtjax.methods import AbstractMethod, Probability
from mtjax.propagate import ellipse, exponential
from mtjax.pulses import AbstractPulse
from mtjax.rates import settled_column
from mtjax.truncation import flow_of
from mtjax.types import Scalar, as_scalar, is_known
from mtjax.wells import wells

Temperature = Callable[[Array], Array]
"""Temperature of the free layer (K) as a function of time (s)."""

_EARLY, _LATE = 0.25 + np.sqrt(3) / 6, 0.25 - np.sqrt(3) / 6
_ERROR_PER_TAIL_SQUARED = 0.1
"""Estimated error from the square of the edge's coefficients: measured between 0.1 and 30, depending on the device."""
_ERROR_RATIO = 3.0
"""How much larger the change from one truncation to the next is than the error that remains: measured 3 to 4."""
_LEGENDRE_LMAX = 128
_LONGEST, _LONGEST_ON_SPHERE = 60.0, 30.0
"""Relaxation times after which only the populations of the wells change, with an axis of symmetry and without."""
_UNSURE = "The hopping rate at this current is too slow for double precision: wait without a current, or for a shorter time."


class FokkerPlanck(AbstractMethod):
    """Switching probability from the density on the sphere, exact to a stated accuracy, with gradients.

    Devices with an axis of symmetry are solved by Legendre polynomials and matrix exponentials (milliseconds), all
    others by spherical harmonics l <= `lmax`, 0 <= m <= `mmax` and Chebyshev propagation. Derivatives, forward and
    reverse, in every number of device and pulse cost about two more solves.

    - `lmax`, `mmax`: truncation; `None` chooses it from device and drive and enlarges it until `tolerance` is met.
      Under `jit` the numbers of the pulse are not known while the truncation must be fixed: it is guessed from the
      device then, or what you give, or what `FokkerPlanck().planned(device, pulse)` found for a similar case.
    - `tolerance`: largest error, relative to the smaller of value and complement, estimated from the change with the
      truncation. Where `lmax` is fixed only the tail of the spectrum is looked at, which finds gross errors.
    - `relative`: `False` lets `tolerance` and the precision of the arithmetic hold for the absolute error only; then
      small probabilities are not refused and mean nothing below it.
    - `degree`: of the torque's expansion in harmonics; `None` chooses it (2 for quadratic energies and plain torques).
    - `axisymmetric`: `None` finds out from the device.
    - `pieces`: time steps per smooth stretch of the pulse; `None` chooses (1 where the current is constant).
    - `pattern`: which harmonics of the drift are kept; set by `planned`.
    - `hopping`: whether stretches beyond 60 relaxation times (30 without an axis of symmetry) go on by hopping rates between
      wells in equilibrium; found out from the numbers where they are known, otherwise set it yourself for long waits.
    """

    lmax: int | None = eqx.field(static=True, default=None)
    mmax: int | None = eqx.field(static=True, default=None)
    tolerance: float = eqx.field(static=True, default=3e-3)
    relative: bool = eqx.field(static=True, default=True)
    degree: int | None = eqx.field(static=True, default=None)
    axisymmetric: bool | None = eqx.field(static=True, default=None)
    pieces: int | None = eqx.field(static=True, default=None)
    pattern: tuple | None = eqx.field(static=True, default=None)
    hopping: bool = eqx.field(static=True, default=False)

    @property
    def name(self) -> str:
        """The equation, how it was solved, and the truncation."""
        how = "Legendre polynomials" if self.axisymmetric else "spherical harmonics"
        how += " and hopping rates" if self.hopping else ""
        return "Fokker-Planck" + ("" if self.lmax is None else f" ({how}, l_max {self.lmax})")

    def probability(self, device: Device, pulse: AbstractPulse, relax: Scalar) -> Probability:
        """Probability that `device` is switched `relax` seconds after the end of `pulse`.

        Raises `ValueError` where the truncation cannot be made fine enough, and an error at run time where it is fixed
        and too coarse, or where the arithmetic is not precise enough for the smaller of value and complement.
        """
        found = solve(device, pulse, pulse.end + relax, self)
        value, complement = found.checked()
        return Probability(value, complement, None, found.method)

    @property
    def is_complete(self) -> bool:
        """Whether nothing is left to choose."""
        return None not in (self.lmax, self.mmax, self.degree, self.axisymmetric, self.pieces, self.pattern)

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
        return solve(device, pulse, pulse.end + as_scalar(relax), self).method


class Solution(eqx.Module):
    """A solved problem.

    - `density`: at the times asked for; `value`, `complement`: its integrals over the sides m.start < 0 and > 0.
    - `tails`: largest coefficients at the edges in l and m on the way, relative to that of l = 0, shape (2,).
    - `method`: with its choices made.
    """

    density: Density
    value: Float[Array, "*times"]
    complement: Float[Array, "*times"]
    tails: Float[Array, 2]
    method: FokkerPlanck

    def checked(self) -> tuple[Scalar, Scalar]:
        """Value and complement, after the checks of truncation and precision."""
        value, complement, method = self.value, self.complement, self.method
        error = _ERROR_PER_TAIL_SQUARED * jnp.max(jax.lax.stop_gradient(self.tails)) ** 2
        floor = rounding(value.dtype)
        least = jnp.minimum(value, complement) if method.relative else jnp.ones_like(value)
        value = eqx.error_if(value, ~(error <= method.tolerance * jnp.maximum(least, floor)), _too_coarse(method))
        if method.relative:
            value = eqx.error_if(value, least < floor, _too_small(value.dtype))
        return value, complement

    def change_from(self, other: Solution) -> float:
        """Largest difference to another solution, of the smaller of value and complement."""
        sides = ((self.value, other.value), (self.complement, other.complement))
        return float(np.max(np.min([np.abs(np.asarray(a) - np.asarray(b)) for a, b in sides], axis=0)))

    def scale(self) -> float:
        """What the tolerance is relative to."""
        if not self.method.relative:
            return 1.0
        least = float(np.min(np.minimum(np.asarray(self.value), np.asarray(self.complement))))
        return max(least, rounding(self.value.dtype))


def evolve(
    device: Device,
    pulse: AbstractPulse,
    times: Float[ArrayLike, " n"],
    *,
    method: FokkerPlanck | None = None,
    temperature: Temperature | None = None,
) -> Density:
    """The density at `times` (s, increasing, at least 0), from thermal equilibrium in the starting well at time 0.

    - `temperature`: of the free layer as a function of time, K; `None` for the device's, with its heating.
    """
    method = FokkerPlanck(relative=False) if method is None else method
    return solve(device, pulse, times, method, temperature).density


def solve(
    device: Device,
    pulse: AbstractPulse,
    times: ArrayLike,
    method: FokkerPlanck,
    temperature: Temperature | None = None,
) -> Solution:
    """The density at `times` (s; a number or an array), and the method with its choices made.

    Where the numbers are known, l_max climbs until the probabilities no longer change.
    """
    times = as_scalar(times)
    problem = (device, pulse, times)
    method, climbs = choose(*problem, method)
    if climbs:
        with jax.core.eval_context():  # not `ensure_compile_time_eval`, which mixes up constants inside of compiled functions
            climbed = [_climb(sample, method, temperature) for sample in truncation.known(problem)]
        method = max((found.method for found in climbed), key=lambda m: (m.lmax, m.mmax))
        if all(map(is_known, jax.tree.leaves(problem))):
            return climbed[0]
    return _solution(method, problem, temperature)


def _solution(method: FokkerPlanck, problem: Any, temperature: Temperature | None) -> Solution:
    device, pulse, times = problem
    density, value, complement, tails = _solve(method, device, pulse, times, temperature)
    return Solution(density, value, complement, tails, method)


def _climb(problem: Any, method: FokkerPlanck, temperature: Temperature | None) -> Solution:
    """Two truncations that agree, the finer of them; raises `ValueError` at the end of the ladder."""
    coarse = _solution(_scaled(method, 0.8), problem, temperature)
    while True:
        fine = _solution(method, problem, temperature)
        change = fine.change_from(coarse)
        if change / _ERROR_RATIO <= max(method.tolerance * fine.scale(), 5 * rounding(fine.value.dtype)):
            return fine
        if (method.lmax or 0) >= truncation.LADDER[-1]:
            raise ValueError(_too_coarse(method))
        coarse, method = fine, _scaled(method, 1.2)


def _scaled(method: FokkerPlanck, factor: float) -> FokkerPlanck:
    """The same with larger or smaller l_max and m_max."""
    lmax = truncation.rung((method.lmax or 0) * factor)
    mmax = 0 if method.axisymmetric else min(truncation.rung((method.mmax or 0) * factor), lmax)
    return dataclasses.replace(method, lmax=lmax, mmax=mmax)


def choose(device: Device, pulse: AbstractPulse, times: Array, method: FokkerPlanck) -> tuple[FokkerPlanck, bool]:
    """`method` with what it leaves open chosen, and whether its l_max may still climb."""
    if method.is_complete:
        return method, False
    with jax.core.eval_context():
        peaks = [float(sample.peak) for sample in truncation.known(pulse)]
        peak = max([*peaks, 1e-9]) if peaks else 1e-4
        surveys = [truncation.survey(sample, peak, method.tolerance * 1e-2) for sample in truncation.known(device)]
        pieces = method.pieces or _pieces(device, pulse, times)
        waits = _waits(device, pulse, times)
    chosen = _with_choices(method, surveys, pieces)
    if pieces == 1 and waits and (chosen.axisymmetric or times.dtype == jnp.float64):
        chosen = dataclasses.replace(chosen, hopping=True)
    return chosen, method.lmax is None and bool(surveys) and bool(peaks)


def _with_choices(method: FokkerPlanck, surveys: list[truncation.Survey], pieces: int) -> FokkerPlanck:
    """`method` completed by what was found out about the device, or by a common case where nothing is known."""
    symmetric = method.axisymmetric
    if symmetric is None:
        symmetric = bool(surveys) and all(s.axisymmetric for s in surveys)
    patterns = set().union(*(s.pattern for s in surveys))
    guess = (_LEGENDRE_LMAX, 0) if symmetric else np.max([s.rungs for s in surveys] or [(96, 64)], axis=0)
    lmax = method.lmax or int(guess[0])
    return FokkerPlanck(
        lmax=lmax,
        mmax=0 if symmetric else min(method.mmax or int(guess[1]), lmax),
        tolerance=method.tolerance,
        relative=method.relative,
        degree=method.degree or max([s.degree for s in surveys], default=2),
        axisymmetric=symmetric,
        pieces=pieces,
        pattern=method.pattern or (tuple(sorted(patterns)) if patterns else None),
        hopping=method.hopping,
    )


def _waits(device: Device, pulse: AbstractPulse, times: Array) -> bool:
    """Whether a stretch is known to last longer than 60 relaxation times."""
    samples = truncation.known((device, pulse, times))
    return any(np.max(np.diff(_edges(p, t)[0])) > _LONGEST * float(d.relaxation_time) for d, p, t in samples)


@eqx.filter_jit
def _solve(method: FokkerPlanck, device: Device, pulse: AbstractPulse, times: Array, temperature: Any) -> Any:
    """The density at `times`, with everything chosen, its sides, and the largest tails on the way."""
    warmth = temperature or device.history(pulse) or (lambda t: device.temperature)
    start = equilibrium(device, method.lmax or 0, method.mmax or 0)
    edges, places = _edges(pulse, times)
    advance = _legendre_stretch if method.axisymmetric else _stretch

    def onward(carry, ends):
        parts, worst = carry

        def advanced():
            return advance(method, device, pulse, warmth, parts, *ends)

        re, im, tails = jax.lax.cond(ends[1] > ends[0], advanced, lambda: (*parts, worst))
        return ((re, im), jnp.maximum(worst, tails)), (re, im)

    first = (start.re, start.im)
    (_, worst), rest = jax.lax.scan(onward, (first, edge_tails(*first)), (edges[:-1], edges[1:]))
    re, im = (jnp.concatenate([a[None], b])[places] for a, b in zip(first, rest, strict=True))
    density = Density(re, im, start.axes, start.start)
    return density, density.switched, density.unswitched, worst


def _edges(pulse: AbstractPulse, times: Array) -> tuple[Array, Array]:
    """Times between which the drive is smooth, s, and the places among them of `times`."""
    last = jnp.max(times)
    inner = jnp.clip(pulse.breakpoints, 0.0, last)
    edges = jnp.sort(jnp.concatenate([jnp.zeros(1, last.dtype), inner, jnp.ravel(times)]))
    return edges, jnp.searchsorted(edges, times)


def _stretch(method, device, pulse, warmth, parts, begin, end) -> tuple[Array, Array, Array]:
    """From `begin` to `end` (s), by commutator-free Magnus steps of fourth order (Blanes and Moan, 2006)."""
    shape = method.stencil
    longest = _LONGEST_ON_SPHERE * device.relaxation_time if method.hopping else jnp.inf
    h = jnp.minimum(end - begin, longest) / NS / method.pieces

    def flow(place):
        t = begin + (end - begin) * place
        return flow_of(device, pulse(t), warmth(t), method.degree)

    def piece(state, number):
        for flow_now, speed, part in _averages(flow, number, method.pieces):
            where = ellipse(shape, flow_now, speed)
            state = exponential(shape, method.nodes, flow_now, part * h, where, state)
        return state, edge_tails(shape.square(state[0]), shape.square(state[1]))

    state, tails = jax.lax.scan(piece, shape.pack(parts[0] + 1j * parts[1]), jnp.arange(method.pieces))
    parts = (shape.square(state[0]), shape.square(state[1]))
    if method.hopping:
        parts = _waited(begin, end, longest, device, pulse, warmth, parts, partial(_settled, method))
    return *parts, jnp.max(tails, axis=0)


def _waited(begin, end, longest, device, pulse, warmth, parts, settled) -> Any:
    """What remains of a stretch longer than `longest` (s), by `settled(device, current, parts, time)`."""
    rest, middle = jnp.maximum(end - begin - longest, 0.0), (begin + end) / 2
    still = eqx.tree_at(lambda d: d.temperature, device, as_scalar(warmth(middle)))
    return jax.lax.cond(rest > 0, lambda: settled(still, pulse(middle), parts, rest), lambda: parts)


def _settled(method, device, current, parts, time) -> tuple[Array, Array]:
    """A density a `time` (s) later, by the hopping between two wells; with one well only it becomes the stationary one."""
    found = wells(device, current, method.stencil)
    later, faded = found.later(parts, time / NS), found.faded(parts, time / NS)
    inside = jnp.clip(found.inside(parts), 0.0, 1.0)
    least = jnp.maximum(jnp.minimum(inside, 1 - inside), rounding(inside.dtype)) if method.relative else 1.0
    unsure = (found.rate < found.noise) & (found.noise * time / NS > method.tolerance * least)
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


def _legendre_stretch(method, device, pulse, warmth, parts, begin, end) -> tuple[Array, Array, Array]:
    """From `begin` to `end` (s) with matrix exponentials of the Legendre modes.

    With `hopping`, a constant stretch longer than 60 relaxation times is solved that far; then the wells are in equilibrium
    within themselves, and only their populations change, at the rates of `mtjax.rates`.
    """
    longest = _LONGEST * device.relaxation_time if method.hopping else jnp.inf
    h = jnp.minimum(end - begin, longest) / NS / method.pieces

    def flow(place):
        t = begin + (end - begin) * place
        return flow_of(device, pulse(t), warmth(t), method.degree)

    def piece(column, number):
        for flow_now, _, part in _averages(flow, number, method.pieces):
            column = dense_exponential(matrix(method.stencil, flow_now), part * h, column)
        return column, edge_tails(column[None], 0 * column[None])

    column, tails = jax.lax.scan(piece, parts[0][0], jnp.arange(method.pieces))
    if not method.hopping:
        return column[None], 0 * column[None], jnp.max(tails, axis=0)
    column = _waited(begin, end, longest, device, pulse, warmth, column, settled_column)
    return column[None], 0 * column[None], jnp.max(tails, axis=0)


def _pieces(device: Device, pulse: AbstractPulse, times: Array) -> int:
    """Time steps per stretch: chosen where the numbers are known, else 8."""
    samples = list(truncation.known((device, pulse, times)))
    return max([truncation.pieces_of(d, p, np.asarray(_edges(p, t)[0])) for d, p, t in samples], default=8)


def rounding(dtype: Any) -> float:
    """The smallest probability that arithmetic of this type can tell."""
    return 1e-14 if np.dtype(dtype) == np.float64 else 2e-5


def _too_coarse(method: FokkerPlanck) -> str:
    return (
        f"FokkerPlanck with lmax={method.lmax}, mmax={method.mmax} does not reach tolerance={method.tolerance:g}: give "
        "a larger `lmax` or `tolerance`, or `relative=False` if an absolute error is enough."
    )


def _too_small(dtype: Any) -> str:
    if np.dtype(dtype) == np.float64:
        return (
            "The smaller of value and complement is below 1e-14, which double precision cannot tell: accept an "
            "absolute error with `relative=False`."
        )
    return (
        "The smaller of value and complement is below 2e-5, which single precision cannot tell: switch on double "
        'precision with jax.config.update("jax_enable_x64", True), or accept an absolute error with `relative=False`.'
    )
