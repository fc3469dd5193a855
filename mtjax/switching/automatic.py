"""The choice of an engine for a switching probability: by predicted cost, with a second one where the first cannot."""

from __future__ import annotations

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Key

from mtjax.checks import Count, Positive, Wait, checked
from mtjax.devices import Device
from mtjax.dynamics import SAMPLING, default_step
from mtjax.progress import LOG
from mtjax.pulses import AbstractPulse
from mtjax.quantities import Scalar, as_scalar
from mtjax.switching.fokker_planck import FokkerPlanck, Plan, known, seconds, solve, tail
from mtjax.switching.method import AbstractMethod, Probability
from mtjax.switching.monte_carlo import MonteCarlo

_SECONDS_PER_STEP = 6e-8
"""Of Monte Carlo, for one sample on one core; measured between 4e-8 and 1e-7."""
_CHEAP = 1.0
"""Seconds of Fokker-Planck that are taken gladly, since it is exact and has cheap gradients."""
_FIRST = 4096
"""Samples from which the number that is needed is worked out."""
_SURPLUS = 3
"""How many times more than predicted Fokker-Planck may cost before it is given up."""


class Automatic(AbstractMethod):
    """The engine that answers soonest, for any device and pulse: the default of `switching_probability`.

    Fokker-Planck where it is predicted to take about a second or less than sampling (devices with an axis of symmetry and
    most small barriers: milliseconds; perpendicular devices with spin-orbit torque: tenths of seconds), Monte Carlo with as
    many samples as the tolerance needs where not (films in the plane, low damping, high barriers, heat), and where
    Fokker-Planck finds no truncation that is fine enough. `found.method` tells which it was, `found.error` how accurate.

    - `tolerance`: largest error of the probability, one standard error where it is sampled.
    - `relative`: whether it holds relative to the smaller of value and complement. Devices with an axis of symmetry are always
      that accurate; others by Fokker-Planck then, however long it takes. (`Splitting` reaches small probabilities of the rest.)
    - `key`: a `jax.random` key for sampling; the same one by default, so that an answer can be repeated.

    >>> import mtjax as mtj
    >>> device = mtj.presets.perpendicular_stt(40.0)
    >>> pulse = mtj.Pulse(2.0 * device.critical_current, 5e-9)
    >>> found = mtj.switching_probability(device, pulse, method=mtj.Automatic())
    >>> f"{found.value:.3f}", found.method.name
    ('0.503', 'Fokker-Planck (Legendre polynomials, l_max 128)')
    """

    tolerance: Positive = eqx.field(static=True, default=3e-3)
    relative: bool = eqx.field(static=True, default=False)
    key: Key[Array, ""] = eqx.field(default_factory=lambda: jax.random.key(0))

    @property
    def name(self) -> str:
        """That it is chosen."""
        return "the engine that answers soonest"

    def probability(self, device: Device, pulse: AbstractPulse, relax: Scalar) -> Probability:
        """Probability that `device` is switched `relax` seconds after the end of `pulse`.

        Raises `ValueError` where the numbers are not known (as under `jit`), since the choice is made from them.
        """
        samples = list(known((device, pulse, relax)))
        if not samples:
            raise ValueError(_TRACED)
        if any(float(sample[0].temperature) <= 0 for sample in samples):
            return self._without_noise(device, pulse, relax)
        sampling = max(_seconds_of_sampling(*sample, samples=0.15 / self.tolerance**2) for sample in samples)
        try:
            return self._by_density(device, pulse, relax, np.inf if self.relative else max(_CHEAP, sampling))
        except (ValueError, RuntimeError) as refusal:
            if self.relative:
                raise
            LOG.info("no Fokker-Planck: %s", str(refusal).splitlines()[0])
        return self._by_sampling(device, pulse, relax)

    def _by_density(self, device: Device, pulse: AbstractPulse, relax: Scalar, most: float) -> Probability:
        """By Fokker-Planck, if that is predicted to take less than `most` seconds; raises `ValueError` where not."""
        method = FokkerPlanck(self.tolerance, relative=self.relative)
        predicted, plan = seconds(device, pulse, relax, method)
        if predicted > most:
            raise ValueError(f"it would take {predicted:.2g} s, and sampling {most:.2g} s")
        if plan.axisymmetric:
            return _with_symmetry(device, pulse, relax, dataclasses.replace(method, relative=True), plan)
        highest = max(24, int(plan.lmax * (_SURPLUS * most / predicted) ** 0.25))
        return solve(device, pulse, pulse.end + relax, method, first=plan, highest=highest).probability()

    def _by_sampling(self, device: Device, pulse: AbstractPulse, relax: Scalar) -> Probability:
        """By as many samples as it needs."""
        few = MonteCarlo(_FIRST, self.key).planned(device, pulse, relax)
        found = few.probability(device, pulse, relax)
        p = max(float(np.max(np.asarray(q))) for q in known(found.value * found.complement))
        number = 1024 * int(np.ceil(p / self.tolerance**2 / 1024))
        return found if number <= _FIRST else dataclasses.replace(few, samples=number).probability(device, pulse, relax)

    def _without_noise(self, device: Device, pulse: AbstractPulse, relax: Scalar) -> Probability:
        if device.heating is None:
            return FokkerPlanck(self.tolerance).probability(device, pulse, relax)
        return self._by_sampling(device, pulse, relax)


@checked
def engine_for_many(device: Device, pulse: AbstractPulse, relax: Wait, samples: Count) -> FokkerPlanck | MonteCarlo:
    """The engine for many values, with slopes, of devices and pulses like these: Fokker-Planck where it is no dearer.

    - `relax`: from the end of the pulse until the device is read, s.
    - `samples`: that Monte Carlo would take for each value.

    >>> import mtjax as mtj
    >>> from mtjax.switching import engine_for_many
    >>> device = mtj.presets.perpendicular_stt(40.0)
    >>> engine_for_many(device, mtj.Pulse(2.0 * device.critical_current, 5e-9), 0.0, samples=4096).name
    'Fokker-Planck'
    """
    method, relax = FokkerPlanck(), as_scalar(relax)
    try:
        predicted, _ = seconds(device, pulse, relax, method)
    except (ValueError, RuntimeError):
        predicted = np.inf
    sampling = _seconds_of_sampling(device, pulse, relax, samples)
    return method if predicted <= sampling else MonteCarlo(samples, jax.random.key(0))


def _seconds_of_sampling(device: Device, pulse: AbstractPulse, relax: Scalar, samples: float) -> float:
    """Predicted CPU time of Monte Carlo, s."""
    steps = float((pulse.end + relax) / default_step(device, pulse, SAMPLING)) / 2
    return samples * steps * _SECONDS_PER_STEP


def _with_symmetry(device: Device, pulse: AbstractPulse, relax: Scalar, method: FokkerPlanck, plan: Plan) -> Probability:
    """By Legendre polynomials; on a grid where these lose the smaller side in rounding, or a narrow well."""
    try:
        found = jax.block_until_ready(solve(device, pulse, pulse.end + relax, method, first=plan).probability())
        least = jnp.minimum(found.value, found.complement)
        if all(float(jnp.max(error)) <= method.tolerance for error in known(found.error / least)):
            return found
    except (ValueError, RuntimeError):
        pass
    logs = tail(device, pulse, relax)
    unsure = jnp.maximum(logs.error, jnp.abs(jnp.expm1(jnp.logaddexp(logs.log_value, logs.log_complement))))
    if not all(float(jnp.max(error)) <= method.tolerance for error in known(unsure)):
        raise ValueError("no grid along the angle to the start direction is fine enough")
    value, complement = jnp.exp(logs.log_value), jnp.exp(logs.log_complement)
    return Probability(value, complement, None, method, logs.error * jnp.minimum(value, complement))


_TRACED = (
    "The engine is chosen from the numbers of device and pulse, but under `jit` they are not known: give "
    "`method=FokkerPlanck().planned(device, pulse)`, planned outside of `jit` for the strongest pulse, or `MonteCarlo(...)`."
)
