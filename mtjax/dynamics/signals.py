"""What is read from trajectories: resistance, switched fraction, dwell times, energy."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from mtjax.devices import Device
from mtjax.dynamics.ensemble import Trajectories
from mtjax.printing import Shown
from mtjax.pulses import AbstractPulse, joule
from mtjax.quantities import Scalar


class Sampled(Shown):
    """A sampled number `value` with its standard error `stderr`."""

    value: Scalar
    stderr: Scalar

    def __str__(self) -> str:
        """`value +- stderr`."""
        return f"{float(self.value):.5g} +- {float(self.stderr):.2g}"


def resistance(device: Device, trajectories: Trajectories, voltage: ArrayLike = 0.0) -> Float[Array, "samples times"]:
    """Resistance of `device` along its `trajectories` at a read `voltage` (V), ohm.

    Raises `ValueError` where the device has no read-out.
    """
    if device.readout is None:
        raise ValueError("The device must have a read-out (TunnelMagnetoresistance or AnomalousHall), but has none.")
    return device.readout(trajectories.ms, voltage)


def switched_fraction(device: Device, trajectories: Trajectories) -> Sampled:
    """Fraction of `trajectories` of `device` with m.start < 0 at the last saved time, and its standard error.

    The error is binomial, never zero.
    """
    switched = trajectories.ms[:, -1] @ device.start < 0
    n = switched.shape[0]
    guess = (jnp.sum(switched) + 0.5) / (n + 1)
    return Sampled(jnp.mean(switched), jnp.sqrt(guess * (1 - guess) / n))


def write_energy(device: Device, pulse: AbstractPulse) -> Scalar:
    """Joule heat R times the integral of I^2 of one `pulse` in the write path of `device`, J."""
    return joule(pulse, device.write_resistance)


class DwellTimes(Shown):
    """How long a telegraph signal stayed `up` and `down`, s, one row a stay; the first and the last, cut off, are left out."""

    up: Float[Array, " n"]
    down: Float[Array, " k"]

    def __str__(self) -> str:
        """Numbers and means."""
        parts = [
            f"{name}: {len(t)} stays" + (f", mean {np.mean(t):.4g} +- {np.std(t) / len(t) ** 0.5:.2g} s" if len(t) else "")
            for name, t in (("up", np.asarray(self.up)), ("down", np.asarray(self.down)))
        ]
        return "Dwell times, " + "; ".join(parts)


def dwell_times(device: Device, trajectories: Trajectories, *, upper: float = 0.5, lower: float = -0.5) -> DwellTimes:
    """Dwell times of `device` in all samples of `trajectories`.

    With hysteresis: up from m.start > `upper` until m.start < `lower`, and back.

    The resolution is the spacing of the saved times. Raises `ValueError` unless `lower` < `upper`.
    """
    if not lower < upper:
        raise ValueError(f"`lower` must be less than `upper`, but they are {lower} and {upper}.")
    signals = np.asarray(trajectories.ms @ device.start)
    ts = np.asarray(trajectories.ts)
    stays: dict[bool, list[np.ndarray]] = {True: [], False: []}
    for signal in signals:
        outside = np.flatnonzero((signal > upper) | (signal < lower))
        state = signal[outside] > upper
        changes = outside[1:][np.diff(state)]
        lengths, states = np.diff(ts[changes]), signal[changes][:-1] > upper
        stays[True].append(lengths[states])
        stays[False].append(lengths[~states])
    return DwellTimes(jnp.asarray(np.concatenate(stays[True])), jnp.asarray(np.concatenate(stays[False])))
