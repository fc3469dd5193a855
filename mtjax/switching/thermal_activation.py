"""Closed-form switching laws as methods: instant, for quick looks, tests and first guesses."""

import jax.numpy as jnp

from mtjax.analytic import attempt_frequency, lowered_barrier
from mtjax.devices import Device
from mtjax.pulses import AbstractPulse, joule
from mtjax.quantities import Scalar, quantity, require
from mtjax.switching.method import AbstractMethod, Probability


class ThermalActivation(AbstractMethod):
    """Thermally activated switching over a barrier that the current lowers, for currents below the critical one.

    P = 1 - exp(-f0 t exp(-delta (1 - I/Ic)^exponent)), with delta, the critical current Ic and the attempt frequency f0
    (Brown's, at zero field) of the device; above Ic the barrier is zero. The pulse counts by its root mean square
    current during its width t = end, with the sign of its largest current; the time after it is neglected.

    Valid for rectangular pulses much longer than the relaxation time. Koch, Katine and Sun, Phys. Rev. Lett. 92, 088302
    (2004): exponent 1 for their in-plane junctions; 2 for a perpendicular spin (Butler et al., IEEE Trans. Magn. 48,
    4684, 2012). Both recalled.

    - `exponent`: of the barrier.

    >>> import mtjax as mtj
    >>> device = mtj.presets.perpendicular_stt(40.0)
    >>> pulse = mtj.Pulse(0.8 * device.critical_current, 1e-7)
    >>> bool(0 < mtj.switching_probability(device, pulse, method=mtj.ThermalActivation()).value < 1)
    True
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
        safe = jnp.where(pulse.end > 0, pulse.end, 1.0)
        current = jnp.sign(pulse(safe / 2)) * jnp.sqrt(joule(pulse, 1.0) / safe)
        barrier = lowered_barrier(device.delta, current / device.critical_current, self.exponent)
        attempts = attempt_frequency(device.delta, device.Bk, device.layer.alpha) * pulse.end
        expected = attempts * jnp.exp(-barrier)
        return Probability(-jnp.expm1(-expected), jnp.exp(-expected), None, self)
