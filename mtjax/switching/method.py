"""A switching probability, and the interface of the methods that find one."""

from __future__ import annotations

from abc import abstractmethod

from mtjax.devices import Device
from mtjax.printing import Shown
from mtjax.pulses import AbstractPulse
from mtjax.quantities import Scalar


class Probability(Shown):
    """A switching probability.

    - `value`: probability of m.start < 0 at the end; `complement`: of m.start > 0, not computed as 1 - value.
    - `stderr`: standard error of both where they were sampled, else `None`.
    - `method`: what found it.

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

    def __str__(self) -> str:
        """The smaller of value and complement in full, with the standard error."""
        error = "" if self.stderr is None else f" +- {float(self.stderr):.2g}"
        return f"P_sw = {float(self.value):.6g}{error} (not switched {float(self.complement):.6g}), by {self.method.name}"


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
