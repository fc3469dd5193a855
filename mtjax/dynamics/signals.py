"""What is read from trajectories: resistance, switched fraction, dwell times, energy."""

from __future__ import annotations

from typing import Annotated

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from mtjax.checks import Within, checked
from mtjax.devices import Device
from mtjax.dynamics.ensemble import Trajectories
from mtjax.printing import Shown
from mtjax.pulses import AbstractPulse, joule
from mtjax.quantities import Scalar


class Sampled(Shown):
    """A sampled number `value` with its standard error `stderr`.

    >>> import jax
    >>> import mtjax as mtj
    >>> device = mtj.presets.perpendicular_stt(40.0)
    >>> pulse = mtj.Pulse(2.0 * device.critical_current, 5e-9)
    >>> found = mtj.simulate(device, pulse, samples=16, key=jax.random.key(0), save=6, dt=2e-11)
    >>> fraction = mtj.switched_fraction(device, found)
    >>> f"{fraction.value:.3f}, known to {fraction.stderr:.2f}"
    '0.625, known to 0.12'
    """

    value: Scalar
    stderr: Scalar

    def __str__(self) -> str:
        """`value +- stderr`."""
        return f"{float(self.value):.5g} +- {float(self.stderr):.2g}"


@checked
def resistance(device: Device, trajectories: Trajectories, voltage: ArrayLike = 0.0) -> Float[Array, "samples times"]:
    """Resistance of `device` along its `trajectories` at a read `voltage` (V), ohm.

    Raises `ValueError` where the device has no read-out.

    >>> import jax
    >>> import mtjax as mtj
    >>> device = mtj.presets.perpendicular_stt(40.0)
    >>> pulse = mtj.Pulse(2.0 * device.critical_current, 5e-9)
    >>> found = mtj.simulate(device, pulse, samples=16, key=jax.random.key(0), save=6, dt=2e-11)
    >>> ohm = mtj.resistance(device, found)
    >>> ohm.shape, f"{ohm[:, 0].mean() / 1e3:.0f} kohm before the pulse, {ohm[:, -1].min() / 1e3:.0f} kohm where it switched"
    ((16, 6), '12 kohm before the pulse, 5 kohm where it switched')
    """
    if device.readout is None:
        raise ValueError("The device must have a read-out (TunnelMagnetoresistance or AnomalousHall), but has none.")
    return device.readout(trajectories.ms, voltage)


@checked
def switched_fraction(device: Device, trajectories: Trajectories) -> Sampled:
    """Fraction of `trajectories` of `device` with m.start < 0 at the last saved time, and its standard error.

    The error is binomial, never zero.

    >>> import jax
    >>> import mtjax as mtj
    >>> device = mtj.presets.perpendicular_stt(40.0)
    >>> pulse = mtj.Pulse(2.0 * device.critical_current, 5e-9)
    >>> found = mtj.simulate(device, pulse, samples=16, key=jax.random.key(0), save=6, dt=2e-11)
    >>> print(mtj.switched_fraction(device, found))
    0.625 +- 0.12
    """
    switched = trajectories.ms[:, -1] @ device.start < 0
    n = switched.shape[0]
    guess = (jnp.sum(switched) + 0.5) / (n + 1)
    return Sampled(jnp.mean(switched), jnp.sqrt(guess * (1 - guess) / n))


@checked
def write_energy(device: Device, pulse: AbstractPulse) -> Scalar:
    """Joule heat R times the integral of I^2 of the current of one `pulse` in the write path of `device`, J.

    >>> import mtjax as mtj
    >>> device = mtj.presets.perpendicular_stt(40.0)
    >>> pulse = mtj.Pulse(2.0 * device.critical_current, 5e-9)
    >>> print(f"{mtj.write_energy(device, pulse) * 1e15:.1f} fJ")
    28.2 fJ
    """
    return joule(pulse.electric, device.write_resistance)


class DwellTimes(Shown):
    """How long a telegraph signal stayed `up` and `down`, s, one row a stay; the first and the last, cut off, are left out.

    >>> import jax.numpy as jnp
    >>> import mtjax as mtj
    >>> print(mtj.DwellTimes(up=jnp.array([1e-6, 3e-6]), down=jnp.array([2e-6])))
    Dwell times, up: 2 stays, mean 2e-06 +- 7.1e-07 s; down: 1 stays, mean 2e-06 +- 0 s
    """

    up: Float[Array, " n"]
    down: Float[Array, " k"]

    def __str__(self) -> str:
        """Numbers and means."""
        parts = [
            f"{name}: {len(t)} stays" + (f", mean {np.mean(t):.4g} +- {np.std(t) / len(t) ** 0.5:.2g} s" if len(t) else "")
            for name, t in (("up", np.asarray(self.up)), ("down", np.asarray(self.down)))
        ]
        return "Dwell times, " + "; ".join(parts)


@checked
def dwell_times(
    device: Device,
    trajectories: Trajectories,
    *,
    upper: Annotated[float, Within(least=-1.0, most=1.0)] = 0.5,
    lower: Annotated[float, Within(least=-1.0, most=1.0)] = -0.5,
) -> DwellTimes:
    """Dwell times of `device` in all samples of `trajectories`.

    With hysteresis: up from m.start > `upper` until m.start < `lower`, and back.

    The resolution is the spacing of the saved times. Raises `ValueError` unless `lower` < `upper`.

    >>> import jax.numpy as jnp
    >>> import mtjax as mtj
    >>> device = mtj.presets.perpendicular_stt(40.0)
    >>> ms = jnp.array([[[0.0, 0.0, z] for z in (-1, 1, 1, 1, -1, 1, 1)]])  # starts down, then hops three times
    >>> trace = mtj.Trajectories(1e-9 * jnp.arange(7), ms, jnp.array(1e-12), mtj.SplitStep())
    >>> found = mtj.dwell_times(device, trace)
    >>> [f"{t * 1e9:.0f} ns up" for t in found.up], [f"{t * 1e9:.0f} ns down" for t in found.down]
    (['3 ns up'], ['1 ns down'])
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
