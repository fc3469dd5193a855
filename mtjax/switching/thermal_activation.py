"""Closed-form switching laws as methods: instant, for quick looks, tests and first guesses."""

import jax.numpy as jnp

from mtjax.analytic import attempt_frequency, lowered_barrier
from mtjax.devices import Device
from mtjax.pulses import AbstractPulse, integral
from mtjax.quantities import Scalar, quantity, require
from mtjax.switching.method import AbstractMethod, Probability


class ThermalActivation(AbstractMethod):
    """Thermally activated switching over a barrier that the current lowers, for currents below the critical one.

    P = 1 - exp(-f0 t exp(-delta (1 - I/Ic)^exponent)), with delta, the critical current Ic and the attempt frequency f0
    (Brown's, at zero field) of the device; above Ic the barrier is zero. Where the current changes during the pulse, the
    rate f0 exp(...) is integrated over time up to the pulse's end: delays, gaps and opposite currents count with their own
    rate. The time after the end, and returns to the start well, are neglected.

    Valid for pulses much longer than the relaxation time. Koch, Katine and Sun, Phys. Rev. Lett. 92, 088302 (2004):
    exponent 1 for their in-plane junctions; 2 for a perpendicular spin (Butler et al., IEEE Trans. Magn. 48, 4684, 2012).
    Both recalled.

    - `exponent`: of the barrier.

    >>> import mtjax as mtj
    >>> device = mtj.presets.perpendicular_stt(40.0)
    >>> pulse = mtj.Pulse(0.6 * device.critical_current, 100e-9)
    >>> round(float(mtj.switching_probability(device, pulse, method=mtj.ThermalActivation()).value), 3)
    0.205
    """

    exponent: Scalar = quantity("", default=2.0)

    def __check_init__(self):
        require(self, "exponent", positive=True)

    @property
    def name(self) -> str:
        """Thermal activation."""
        return "thermal activation"

    def probability(self, device: Device, pulse: AbstractPulse, relax: Scalar) -> Probability:
        """The law; `relax` makes no difference."""

        def escape(current):
            return jnp.exp(-lowered_barrier(device.delta, current / device.critical_current, self.exponent))

        layer = device.layer
        expected = attempt_frequency(device.delta, device.Bk, layer.alpha, gamma=layer.gamma) * integral(pulse, escape)
        return Probability(-jnp.expm1(-expected), jnp.exp(-expected), None, self)
