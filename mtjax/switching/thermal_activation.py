"""Closed-form switching laws as methods: instant, for quick looks, tests and first guesses."""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
from scipy.special import roots_hermitenorm

from mtjax.analytic import attempt_frequency, lowered_barrier
from mtjax.devices import Device
from mtjax.pulses import AbstractPulse, integral, require_current
from mtjax.quantities import Scalar, quantity
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

    With a `spread` the barrier is a distribution, over the devices of an array or over the shots of one: delta is lognormal
    about the device's, which is its median, the critical current the same for all. P is the mean over it, by Gauss-Hermite
    quadrature with 256 points: P is exact to 1e-5 where the barriers spread by up to 12 kT, and to 1e-3 up to 40 kT.

    - `exponent`: of the barrier.
    - `spread`: standard deviation of the logarithm of delta, about its relative standard deviation; `None`: one barrier.

    Raises `ValueError` where `exponent` is not positive, `spread` is negative, or the pulse is an `Excitation` (the law knows
    of currents only).

    >>> import mtjax as mtj
    >>> device = mtj.presets.perpendicular_stt(40.0)
    >>> pulse = mtj.Pulse(0.6 * device.critical_current, 100e-9)
    >>> laws = mtj.ThermalActivation(), mtj.ThermalActivation(spread=0.2)
    >>> [round(float(mtj.switching_probability(device, pulse, method=law).value), 3) for law in laws]
    [0.205, 0.261]
    """

    exponent: Scalar = quantity("", positive=True, default=2.0)
    spread: Scalar | None = quantity("", least=0.0, default=None)

    @property
    def name(self) -> str:
        """Thermal activation."""
        return "thermal activation" if self.spread is None else "thermal activation over a distribution of barriers"

    def probability(self, device: Device, pulse: AbstractPulse, relax: Scalar) -> Probability:
        """The law; `relax` makes no difference."""
        require_current(self, pulse)
        layer, critical, Bk = device.layer, device.critical_current, device.Bk

        def expected(delta):
            attempts = attempt_frequency(delta, Bk, layer.alpha, gamma=layer.gamma)
            return attempts * integral(pulse, lambda i: jnp.exp(-lowered_barrier(delta, i / critical, self.exponent)))

        if self.spread is None:
            events = expected(device.delta)
            return Probability(-jnp.expm1(-events), jnp.exp(-events), None, self)
        places, weights = _normal()
        events = jax.vmap(expected)(device.delta * jnp.exp(self.spread * places))
        return Probability(weights @ -jnp.expm1(-events), weights @ jnp.exp(-events), None, self)


@cache
def _normal() -> tuple[np.ndarray, np.ndarray]:
    """Places and weights of a quadrature over a standard normal number."""
    places, weights = roots_hermitenorm(256)
    return places, weights / np.sum(weights)
