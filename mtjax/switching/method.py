"""A switching probability, and the interface of the methods that find one."""

from __future__ import annotations

from abc import abstractmethod

import jax.numpy as jnp

from mtjax.devices import Device
from mtjax.printing import Shown
from mtjax.pulses import AbstractPulse
from mtjax.quantities import Scalar


class Probability(Shown):
    """A switching probability.

    - `value`: probability of m.start < 0 at the end; `complement`: of m.start > 0, not computed as 1 - value.
    - `stderr`: standard error of both where they were sampled, else `None`.
    - `method`: what found it.
    - `bound`: of the error of both where they were not sampled, else `None`.

    >>> import mtjax as mtj
    >>> device = mtj.presets.perpendicular_stt(40.0)
    >>> pulse = mtj.Pulse(2.0 * device.critical_current, 5e-9)
    >>> found = mtj.switching_probability(device, pulse)
    >>> print(f"switches with {found.value:.3f}, fails with {found.complement:.3f}")
    switches with 0.503, fails with 0.497
    """

    value: Scalar
    complement: Scalar
    stderr: Scalar | None
    method: AbstractMethod
    bound: Scalar | None = None

    @property
    def error(self) -> Scalar:
        """One standard deviation where it was sampled, else a bound; `nan` for closed laws, whose error is not known."""
        known = self.bound if self.stderr is None else self.stderr
        return jnp.full_like(self.value, jnp.nan) if known is None else known

    def __str__(self) -> str:
        """Value and complement with their error; an upper limit where the smaller one is not resolved."""
        value, complement, error = (float(x) for x in (self.value, self.complement, self.error))
        if min(value, complement) < error:
            switched = "switched" if value < complement else "not switched"
            return f"P({switched}) below {min(value, complement) + 2 * error:.2g}: not resolved by {self.method.name}"
        shown = "" if self.stderr is None else f" +- {error:.2g}"
        return f"P_sw = {value:.6g}{shown} (not switched {complement:.6g}), by {self.method.name}"


class AbstractMethod(Shown):
    """A way to find a switching probability.

    >>> import mtjax as mtj
    >>> device = mtj.presets.perpendicular_stt(40.0)
    >>> pulse = mtj.Pulse(2.0 * device.critical_current, 5e-9)
    >>> methods = (mtj.ThermalActivation(), mtj.FokkerPlanck())
    >>> [f"{method.name}: {mtj.switching_probability(device, pulse, method=method).value:.2f}" for method in methods]
    ['thermal activation: 1.00', 'Fokker-Planck: 0.50']
    """

    @property
    @abstractmethod
    def name(self) -> str:
        """What it is called when a result is printed."""

    @abstractmethod
    def probability(self, device: Device, pulse: AbstractPulse, relax: Scalar) -> Probability:
        """Probability that `device` is switched `relax` seconds after the end of `pulse`."""
