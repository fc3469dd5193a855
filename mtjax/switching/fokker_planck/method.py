"""Switching without sampling: the Fokker-Planck equation of one macrospin under a pulse.

dP/dt = -div(P v) + D lap P on the unit sphere, with v the drift of the Landau-Lifshitz-Gilbert equation and
D = alpha gamma kB T / ((1 + alpha^2) Ms V) (Brown, Phys. Rev. 130, 1677, 1963).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Annotated

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from mtjax.checks import Count, CountFromZero, Positive, Within, checked
from mtjax.constants import NS
from mtjax.devices import Device
from mtjax.dynamics import Adaptive, simulate
from mtjax.printing import Shown
from mtjax.progress import LOG
from mtjax.pulses import AbstractPulse, Applied
from mtjax.quantities import Numbers, Scalar, as_scalar, is_known, require
from mtjax.switching.fokker_planck.chebyshev import ellipse
from mtjax.switching.fokker_planck.concrete import known
from mtjax.switching.fokker_planck.density import Density
from mtjax.switching.fokker_planck.evolution import LONGEST, LONGEST_ON_SPHERE, Requirement, evolved
from mtjax.switching.fokker_planck.generator import harmonics_of
from mtjax.switching.fokker_planck.plan import Plan, union
from mtjax.switching.fokker_planck.resolution import Survey, edges_of, pieces_of, rounding, survey
from mtjax.switching.method import AbstractMethod, Probability

Temperature = Callable[[Array], Array]
"""Temperature of the free layer (K) as a function of time (s)."""
Problem = tuple[Device, AbstractPulse, Array]
"""A device, a pulse, and the times (s) at which the density is asked for."""

_ERROR_PER_TAIL_SQUARED = 0.1
"""Estimated error from the square of the edge's coefficients: measured between 0.1 and 30, depending on the device."""
_ERROR_RATIO = 3.0
"""How much larger the change from one truncation to the next is than the error that remains: measured 3 to 4."""
_LEGENDRE_LMAX = 128
_LEAST = 1e-5
"""Of a typical current, voltage or field: the least that is looked at, so that what acts by it is seen."""
_SECONDS_PER_PRODUCT, _SECONDS_PER_NUMBER = 7e-7, 1.5e-10
"""Of one shifted product of a term of the series, and of one coefficient in it."""
_SOLUTIONS, _TERMS_OF_A_PIECE = 2.5, 60
"""Solutions until two agree; terms of a series, however short."""
_SECONDS_OF_LEGENDRE = 0.03
"""Of two solutions of a device with an axis of symmetry, for every piece of the pulse."""


class FokkerPlanck(AbstractMethod):
    """Switching probability from the density on the sphere, exact to a stated accuracy, with gradients.

    Devices with an axis of symmetry are solved by Legendre polynomials and matrix exponentials (milliseconds), all
    others by spherical harmonics and Chebyshev propagation. Derivatives, forward and reverse, in every number of device and
    pulse cost about two more solves. At temperature 0 the answer is that of the one trajectory from the bottom of the well.

    - `tolerance`: largest error, relative to the smaller of value and complement, estimated from the change with the
      truncation. Where the truncation is fixed only the tail of the spectrum is looked at, which finds gross errors.
    - `relative`: `False` lets `tolerance` and the precision of the arithmetic hold for the absolute error only; then
      small probabilities are not refused and mean nothing below it.
    - `lmax`, `mmax`: highest degree and order of the harmonics; `None` enlarges them until `tolerance` is met.
    - `plan`: what the engine is to use; `None` lets it choose from the numbers of device and pulse. Under `jit` these are
      not known: give `FokkerPlanck().planned(device, pulse)`, planned beforehand for the strongest pulse.

    >>> import mtjax as mtj
    >>> device = mtj.presets.perpendicular_stt(40.0)
    >>> pulse = mtj.Pulse(2.0 * device.critical_current, 5e-9)
    >>> method = mtj.FokkerPlanck(tolerance=1e-4)
    >>> round(float(mtj.switching_probability(device, pulse, method=method).value), 4)
    0.5033
    """

    tolerance: Positive = eqx.field(static=True, default=3e-3)
    relative: bool = eqx.field(static=True, default=True)
    lmax: Count | None = eqx.field(static=True, default=None)
    mmax: CountFromZero | None = eqx.field(static=True, default=None)
    plan: Plan | None = None

    @property
    def name(self) -> str:
        """The equation, and how it was solved."""
        return "Fokker-Planck" if self.plan is None else f"Fokker-Planck ({self.plan.name})"

    def probability(self, device: Device, pulse: AbstractPulse, relax: Scalar) -> Probability:
        """Probability that `device` is switched `relax` seconds after the end of `pulse`.

        Raises `ValueError` where the truncation cannot be made fine enough, and an error at run time where it is fixed
        and too coarse, or where the arithmetic is not precise enough for the smaller of value and complement.
        """
        if is_known(device.temperature) and not np.all(np.asarray(device.temperature) > 0):
            return _without_noise(self, device, pulse, relax)
        return solve(device, pulse, pulse.end + relax, self).probability()

    def planned(self, device: Device, pulse: AbstractPulse, relax: ArrayLike = 0.0) -> FokkerPlanck:
        """This method with a plan that suits `device` and `pulse`, read `relax` seconds after its end; for use under `jit`.

        Raises `ValueError` where `relax` is negative.
        """
        require({"relax": relax}, "relax", least=0.0, unit="s")
        return solve(device, pulse, pulse.end + as_scalar(relax), dataclasses.replace(self, plan=None)).method


class Solution(Shown):
    """A solved problem.

    - `density`: at the times asked for; `value`, `complement`: its integrals over the sides m.start < 0 and > 0.
    - `tails`: largest coefficients at the edges in l and m on the way, relative to that of l = 0, shape (2,).
    - `method`: with its plan.
    - `change`: largest difference of the probabilities to a coarser truncation, or `None` where there was none.

    >>> import mtjax as mtj
    >>> device = mtj.presets.perpendicular_stt(40.0)
    >>> pulse = mtj.Pulse(2.0 * device.critical_current, 5e-9)
    >>> found = mtj.switching.solve(device, pulse, 5e-9, mtj.FokkerPlanck())
    >>> round(float(found.value), 3), found.method.plan.lmax
    (0.503, 128)
    """

    density: Density
    value: Float[Array, "*times"]
    complement: Float[Array, "*times"]
    tails: Float[Array, " 2"]
    method: FokkerPlanck
    change: float | None = None

    def tail_error(self) -> Float[Array, ""]:
        """Estimate of the error from the tails of the spectrum."""
        return _ERROR_PER_TAIL_SQUARED * jnp.max(jax.lax.stop_gradient(self.tails)) ** 2

    @property
    def error(self) -> Float[Array, ""]:
        """Estimate of the error of value and complement: from the change with the truncation, else from the tails."""
        tails = self.tail_error()
        found = tails if self.change is None else jnp.asarray(self.change / _ERROR_RATIO, tails.dtype)
        return jnp.maximum(found, rounding(tails.dtype))

    def checked(self) -> tuple[Float[Array, "*times"], Float[Array, "*times"]]:
        """Value and complement, after the checks of truncation and precision."""
        value, complement, method = self.value, self.complement, self.method
        error = self.tail_error()
        floor = rounding(value.dtype)
        least = jnp.minimum(value, complement) if method.relative else jnp.ones_like(value)
        value = eqx.error_if(value, ~(error <= method.tolerance * jnp.maximum(least, floor)), _too_coarse(method))
        if method.relative:
            value = eqx.error_if(value, least < floor, _too_small(value.dtype))
        return _positive(value), _positive(complement)

    def probability(self) -> Probability:
        """The same, with the error and the method."""
        return Probability(*self.checked(), None, self.method, self.error)

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


@checked
def evolve(
    device: Device,
    pulse: AbstractPulse,
    times: Annotated[Numbers, Within(least=0.0, unit="s")],
    *,
    method: FokkerPlanck | None = None,
    temperature: Temperature | None = None,
) -> Density:
    """The density at `times` (s, increasing, at least 0), from thermal equilibrium in the starting well at time 0.

    - `device`, `pulse`: what moves, and under what.
    - `times`: shape (n,) or a number.
    - `method`: `FokkerPlanck(relative=False)` by default.
    - `temperature`: of the free layer as a function of time, K; `None` for the device's, with its heating.

    >>> import mtjax as mtj
    >>> device = mtj.presets.perpendicular_stt(40.0)
    >>> pulse = mtj.Pulse(2.0 * device.critical_current, 5e-9)
    >>> density = mtj.evolve(device, pulse, 5e-9)
    >>> round(float(density.switched), 3), density.mean.shape
    (0.503, (3,))
    """
    method = FokkerPlanck(relative=False) if method is None else method
    return solve(device, pulse, times, method, temperature).density


def solve(
    device: Device,
    pulse: AbstractPulse,
    times: Numbers,
    method: FokkerPlanck,
    temperature: Temperature | None = None,
    first: Plan | None = None,
    highest: int | None = None,
) -> Solution:
    """The density at `times` (s; a number or an array), and the method with its plan.

    Without a plan and an `lmax`, l_max climbs until the probabilities no longer change: from the plan `first`, if there is one
    already, to `highest` at most. Raises `ValueError` where there is no plan and the numbers are not known, and where no
    truncation is fine enough.

    >>> import mtjax as mtj
    >>> device = mtj.presets.perpendicular_stt(40.0)
    >>> pulse = mtj.Pulse(2.0 * device.critical_current, 5e-9)
    >>> found = mtj.switching.solve(device, pulse, 5e-9, mtj.FokkerPlanck())
    >>> round(float(found.value), 3), found.method.name
    (0.503, 'Fokker-Planck (Legendre polynomials, l_max 128)')
    """
    problem = (device, pulse, as_scalar(times))
    if method.plan is not None:
        return _solution(method, problem, temperature)
    samples = list(known(problem))
    if not samples:
        raise ValueError(_TRACED)
    method = dataclasses.replace(method, plan=first or _chosen(method, _surveyed(method, samples), samples))
    if method.lmax is None:
        climbed = [_climb(sample, method, temperature, highest) for sample in samples]
        if all(map(is_known, jax.tree.leaves(problem))):
            return climbed[0]
        finest = union([found.method.plan for found in climbed if found.method.plan is not None])
        method = dataclasses.replace(method, plan=finest)
        change = max((found.change for found in climbed if found.change is not None), default=None)
        return dataclasses.replace(_solution(method, problem, temperature), change=change)
    return _solution(method, problem, temperature)


def seconds(device: Device, pulse: AbstractPulse, relax: ArrayLike, method: FokkerPlanck) -> tuple[float, Plan]:
    """Predicted CPU time of a solution read `relax` (s) after `pulse`, s, once it is compiled, and the first guess of its plan.

    From the number of terms of the Chebyshev series and the cost of one. Raises `ValueError` where the numbers are not known,
    and where there is no plan.

    >>> import mtjax as mtj
    >>> from mtjax.switching.fokker_planck import seconds
    >>> found, plan = seconds(mtj.presets.perpendicular_sot(), mtj.Pulse(1e-4, 1e-9), 2e-9, mtj.FokkerPlanck())
    >>> plan.axisymmetric, plan.lmax
    (False, 80)
    """
    samples = list(known((device, pulse, as_scalar(relax))))
    if not samples:
        raise ValueError(_TRACED)
    problems = [(device, pulse, pulse.end + relax) for device, pulse, relax in samples]
    surveys = _surveyed(method, problems)
    plan = _chosen(method, surveys, problems)
    if plan.axisymmetric:
        return _SECONDS_OF_LEGENDRE * plan.pieces, plan
    return max(_seconds(plan, found, *sample) for found, sample in zip(surveys, samples, strict=True)), plan


def _seconds(plan: Plan, found: Survey, device: Device, pulse: AbstractPulse, relax: Scalar) -> float:
    still, driven = (float(ellipse(plan.lmax, found.D, speed).focus) for speed in found.speeds)
    wait = jnp.minimum(relax, LONGEST_ON_SPHERE * device.relaxation_time) if plan.hopping else relax
    terms = float((driven * pulse.end + still * wait) / NS) + _TERMS_OF_A_PIECE * plan.pieces
    size = (plan.lmax + 1) * (plan.mmax + 1) - plan.mmax**2 / 2
    degrees = [l for l, _ in harmonics_of(plan.degree)]
    used = [degrees[i] for _, i, _ in plan.pattern] if plan.pattern is not None else 4 * degrees
    products = sum(2 * (2 * l + 1) for l in used)
    return _SOLUTIONS * terms * products * (_SECONDS_PER_PRODUCT + _SECONDS_PER_NUMBER * size)


def _solution(method: FokkerPlanck, problem: Problem, temperature: Temperature | None) -> Solution:
    LOG.info("%s", method.name)
    found = evolved(method.plan, Requirement(method.tolerance, method.relative), *problem, temperature)
    return Solution(*found, method)


def _climb(problem: Problem, method: FokkerPlanck, temperature: Temperature | None, highest: int | None) -> Solution:
    """Two truncations that agree, the finer of them; raises `ValueError` at the end of the ladder."""
    plan = method.plan
    assert plan is not None
    coarse = _solution(dataclasses.replace(method, plan=plan.scaled(0.8)), problem, temperature)
    while True:
        fine = _solution(dataclasses.replace(method, plan=plan), problem, temperature)
        change = fine.change_from(coarse)
        asked = max(method.tolerance * fine.scale(), 5 * rounding(fine.value.dtype))
        if change / _ERROR_RATIO <= asked and (fine.tail_error() <= asked or plan.lmax == plan.ladder[-1]):
            return dataclasses.replace(fine, change=change)
        if plan.lmax >= (highest or plan.ladder[-1]):
            raise ValueError(_too_coarse(fine.method))
        coarse, plan = fine, plan.scaled(1.2)


def _surveyed(method: FokkerPlanck, samples: list[Problem]) -> list[Survey]:
    """What is found out about every device, for the strongest of all pulses."""
    peaks = [pulse.peak for _, pulse, _ in samples]
    some = peaks[0].tried if isinstance(peaks[0], Applied) else 1e-4
    peak = jax.tree.map(lambda tried, *sizes: jnp.asarray(max(_LEAST * tried, *map(float, sizes))), some, *peaks)
    return [survey(device, peak, method.tolerance * 1e-2) for device, *_ in samples]


def _chosen(method: FokkerPlanck, surveys: list[Survey], samples: list[Problem]) -> Plan:
    """A plan that suits all of `samples`, with the first guess of l_max where `method` has none."""
    return union([_first_plan(method, found, sample) for found, sample in zip(surveys, samples, strict=True)])


def _first_plan(method: FokkerPlanck, found: Survey, problem: Problem) -> Plan:
    device, pulse, times = problem
    edges = np.asarray(edges_of(pulse, times)[0])
    pieces = pieces_of(device, pulse, edges)
    waits = pieces == 1 and np.max(np.diff(edges)) > LONGEST * float(device.relaxation_time)
    guess = (_LEGENDRE_LMAX, 0) if found.axisymmetric else found.rungs
    lmax = method.lmax or guess[0]
    return Plan(
        lmax=lmax,
        mmax=0 if found.axisymmetric else min(method.mmax or guess[1], lmax),
        axisymmetric=found.axisymmetric,
        degree=found.degree,
        pattern=found.pattern,
        pieces=pieces,
        hopping=bool(waits) and (found.axisymmetric or times.dtype == jnp.float64),
    )


def _without_noise(method: FokkerPlanck, device: Device, pulse: AbstractPulse, relax: Scalar) -> Probability:
    """0 or 1: where the trajectory from the bottom of the well ends at temperature 0."""
    if device.heating is not None:
        raise ValueError(
            "FokkerPlanck needs a temperature above 0 where the current heats the device, but it is 0 K: use MonteCarlo."
        )
    end = simulate(device, pulse, pulse.end + relax, save=1, solver=Adaptive()).ms[0, -1]
    switched = jnp.where(end @ device.start < 0, 1.0, 0.0)
    return Probability(switched, 1 - switched, None, method)


def _positive(p: Array) -> Array:
    """Without what rounding took below zero; the slope is kept."""
    return p + jax.lax.stop_gradient(jnp.maximum(p, 0.0) - p)


_TRACED = (
    "FokkerPlanck must know the numbers of device and pulse to choose its resolution, but under `jit` they are not known: give "
    "`method=FokkerPlanck().planned(device, pulse)`, planned outside of `jit` for the strongest pulse."
)


def _too_coarse(method: FokkerPlanck) -> str:
    plan = method.plan
    assert plan is not None
    return (
        f"FokkerPlanck with lmax={plan.lmax}, mmax={plan.mmax} does not reach tolerance={method.tolerance:g}: give "
        "a larger `lmax` or `tolerance`, or `relative=False` if an absolute error is enough."
    )


def _too_small(dtype: np.dtype) -> str:
    if np.dtype(dtype) == np.float64:
        return (
            "The smaller of value and complement is below 1e-14, which double precision cannot tell: accept an "
            "absolute error with `relative=False`."
        )
    return (
        "The smaller of value and complement is below 2e-5, which single precision cannot tell: switch on double "
        'precision with jax.config.update("jax_enable_x64", True), or accept an absolute error with `relative=False`.'
    )
