"""How long to wait after a pulse before the device is read."""

import equinox as eqx
import jax
import jax.numpy as jnp

from mtjax.device import Device
from mtjax.pulses import AbstractPulse
from mtjax.types import Scalar


@eqx.filter_jit
def settling_time(device: Device) -> Scalar:
    """How long a device is left alone after a pulse before it is read, s.

    Three relaxation times; none for a device with an axis of symmetry, in which the side of m does not change without
    a current but by noise, and for which published write error rates are read at the end of the pulse. Heated devices
    need four of their longest cooling time more, during which they may still switch.
    """
    cooling = 0.0 if device.heating is None else device.heating.settling
    return jax.lax.stop_gradient(jnp.where(device.is_axisymmetric, 0.0, 3 * device.relaxation_time) + cooling)


def default_duration(device: Device, pulse: AbstractPulse) -> Scalar:
    """End of the pulse plus the settling time, s; at least one relaxation time."""
    end = jax.lax.stop_gradient(pulse.end + settling_time(device))
    return jnp.where(end > 0, end, jax.lax.stop_gradient(device.relaxation_time))
