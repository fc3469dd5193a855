"""What the self-test of a circuit should find: the spread of m in equilibrium, and the switching probability at one current."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from mtjax.constants import KB
from mtjax.devices import Device, figures
from mtjax.dynamics import settling_time
from mtjax.numerics import gauss_legendre
from mtjax.pulses import Pulse
from mtjax.switching import MonteCarlo
from mtjax.vector import Vector, frame

_NODES, _AZIMUTHS = 400, 128
_TRIALS, _SAMPLES = 1024, 20_000
_HALVINGS = 8


class Expected(NamedTuple):
    """Numbers to expect.

    - `equilibrium`: <1 - (m.start)^2> in the starting well without current.
    - `relaxation`: how long the device takes to forget, s.
    - `amplitude`, `width`: of the test's pulse, A and s; `None` without a torque.
    - `wait`, `relax`: before the pulse, and between its end and the reading, s.
    - `switched`, `error`: the switching probability and its standard error.
    """

    equilibrium: float
    relaxation: float
    amplitude: float | None
    width: float
    wait: float
    relax: float
    switched: float
    error: float


def expected_of(device: Device, *, switching: bool) -> Expected:
    """What `device` does by Boltzmann's distribution, and by Monte Carlo with 20,000 samples where `switching` is asked for."""
    found = figures(device)
    relaxation, relax = float(found["relaxation_time"]), float(settling_time(device))
    width, wait = _round(2 * relaxation), _round(3 * relaxation)
    alone = Expected(equilibrium_spread(device), relaxation, None, width, wait, relax, 0.0, 0.0)
    critical = abs(float(found.get("critical_current", np.nan)))
    if not switching or not np.isfinite(critical):
        return alone
    sign = 1.0 if float(found["critical_current"]) > 0 else -1.0
    amplitude = sign * _half_way(device, critical, width)
    last = _sampled(device, amplitude, width, _SAMPLES)
    return alone._replace(amplitude=amplitude, switched=float(last.value), error=float(last.error))


def equilibrium_spread(device: Device) -> float:
    """<1 - (m.start)^2> over exp(-E/kT) on the hemisphere m.start > 0, without current; 0 at temperature 0.

    >>> import mtjax as mtj
    >>> from mtjax.circuit.expected import equilibrium_spread
    >>> f"{equilibrium_spread(mtj.presets.perpendicular_stt(60.0)):.4f}"  # about one over the stability
    '0.0168'
    """
    if float(device.temperature) == 0:
        return 0.0
    cosine, weights = gauss_legendre(_NODES)
    turn = 2 * np.pi * (np.arange(_AZIMUTHS) + 0.5) / _AZIMUTHS
    across = [np.asarray(v) for v in frame(device.start)]
    sine = np.sqrt(1 - cosine**2)[:, None, None]
    side = np.cos(turn)[:, None] * across[0] + np.sin(turn)[:, None] * across[1]
    m = cosine[:, None, None] * np.asarray(device.start) + sine * side
    drive = device.drive(0.0)
    energy = jax.vmap(lambda v: device.energy(Vector.of(v), drive))(jnp.asarray(m.reshape(-1, 3)))
    E = np.asarray(energy, float).reshape(_NODES, _AZIMUTHS) * float(device.moment / KB) / float(device.temperature)
    share = np.exp(E.min() - E) * weights[:, None]
    return float(np.sum(share * (1 - cosine**2)[:, None]) / np.sum(share))


def _half_way(device: Device, critical: float, width: float) -> float:
    """A current that switches about every second time, or the last one tried; A."""
    low, high = 0.1 * critical, 30 * critical
    sign = 1.0 if float(figures(device)["critical_current"]) > 0 else -1.0
    middle = critical
    for _ in range(_HALVINGS):
        middle = _round(np.sqrt(low * high))
        p = float(_sampled(device, sign * middle, width, _TRIALS).value)
        if 0.25 < p < 0.75:
            break
        low, high = (middle, high) if p < 0.5 else (low, middle)
    return middle


def _sampled(device: Device, amplitude: float, width: float, samples: int):
    method = MonteCarlo(samples=samples, key=jax.random.key(0))
    return method.probability(device, Pulse(amplitude, width), settling_time(device))


def _round(x: float) -> float:
    """Two digits."""
    return float(f"{x:.1e}")
