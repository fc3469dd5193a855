"""Devices with an axis of symmetry at long times: the slowest mode, of full relative accuracy however high the barrier.

The magnetisation walks along the angle to its start direction. With w the equilibrium weight of a ring and p the conductance
between neighbouring rings, the slowest mode g of the backward equation satisfies div(p grad g) = -rate w g. It is found by
inverse iteration, in which the flux through a wall is the sum of w g on one side of it, and g a sum of flux over p: no
difference of nearly equal numbers occurs, so that rates of any size have 5 right digits, at high barriers and at none.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from mtjax.constants import NS
from mtjax.devices import Device
from mtjax.dynamics import rate
from mtjax.printing import Shown
from mtjax.quantities import Scalar
from mtjax.switching.fokker_planck.harmonics import legendre
from mtjax.vector import Vector, frame

_RINGS = 2000
_ITERATIONS, _DIFFERENTIATED = 100, 16
"""Inverse iterations, and how many are differentiated; each makes the error smaller by the ratio of the two slowest rates."""
_DEAD = 40.0
"""Decay times of all other modes after which the slowest alone is followed: what is left of them is exp(-40)."""


class AxialMode(Shown):
    """The slowest mode of a device with an axis of symmetry at a constant current, at angles from -start to start.

    - `log_rate`: logarithm of the eigenvalue (1/ns).
    - `up`, `down`: equilibrium probabilities of the starting well and of the other, cut where the barrier is highest.
    - `density`: in equilibrium, per solid angle up to a factor, shape (angles,).
    - `mode`: g, of mean 0 and variance 1 in equilibrium, positive in the starting well, shape (angles,).
    - `exist`: whether there are two wells: a maximum of the energy between two minima.
    """

    log_rate: Scalar
    up: Scalar
    down: Scalar
    density: Float[Array, " angles"]
    mode: Float[Array, " angles"]
    exist: Array

    @property
    def rate(self) -> Scalar:
        """The eigenvalue, 1/ns."""
        return jnp.exp(self.log_rate)

    def later(self, column: Float[Array, " l"], time: Scalar) -> Float[Array, " l"]:
        """Coefficients of Y_l0 a `time` (ns) after `column`, of which only the equilibrium and the slowest mode are left.

        In the form of two populations a + b that hop, each with its own density: exact, and free of cancellation. With one well
        only, the equilibrium.
        """
        harmonics, solid = (jnp.asarray(a, column.dtype) for a in _harmonics(column.size))
        tilt = jnp.sqrt(self.up * self.down) * self.mode
        inside = jnp.stack([self.up + tilt, self.down - tilt])
        shares = jnp.stack([self.up, self.down])
        populations = inside @ (solid * (harmonics @ column))
        decay = jnp.where(self.exist, jnp.exp(-self.rate * time), 0.0)
        moved = jnp.where(self.exist, -jnp.expm1(-self.rate * time), 1.0)
        populations = populations * decay + shares * jnp.sum(populations) * moved
        each = inside * self.density * solid
        return ((populations / jnp.sum(each, axis=1)) @ each) @ harmonics


@eqx.filter_jit
def axial_mode(device: Device, current: Array) -> AxialMode:
    """The slowest mode of `device` at a constant `current` (A)."""
    slopes, log_density, D = _walk(device, current)
    rings, walls = log_density[1::2], log_density[2:-1:2]
    highest, lowest = (jax.lax.stop_gradient(f(log_density)) for f in (jnp.max, jnp.min))
    at_walls = np.linspace(np.pi, 0.0, _RINGS + 1)
    raw = jnp.exp(rings - highest) * jnp.asarray(np.diff(np.cos(at_walls)), rings.dtype)
    total = jnp.sum(raw)
    weight = raw / total
    resistance = jnp.exp(lowest - walls) * jnp.asarray(np.pi / _RINGS / np.sin(at_walls[1:-1]), walls.dtype)

    exist, above = _barrier(slopes[1::2], rings)
    up, down = jnp.sum(jnp.where(above, weight, 0.0)), jnp.sum(jnp.where(above, 0.0, weight))
    mode = _normed(weight, jnp.where(above, down, -up))
    frozen = jax.lax.stop_gradient((weight, resistance))
    mode = jax.lax.fori_loop(0, _ITERATIONS, lambda _, g: _onward(*frozen, g), jax.lax.stop_gradient(mode))
    mode = jax.lax.fori_loop(0, _DIFFERENTIATED, lambda _, g: _onward(weight, resistance, g), mode)
    drops = _flux(weight, mode) * jnp.sqrt(resistance)
    size = jax.lax.stop_gradient(jnp.max(jnp.abs(drops)))
    log_time = 2 * jnp.log(size) + jnp.log(jnp.sum((drops / size) ** 2))
    log_rate = jnp.log(D) - log_time + (lowest - highest) - jnp.log(total)
    return AxialMode(log_rate, up, down, jnp.exp(log_density - highest), _everywhere(mode), exist)


def dead_time(device: Device, current: Array) -> Scalar:
    """How long a constant `current` (A) must flow until all modes but the slowest have died out, s; no gradient passes.

    They decay at least as fast as 0.8 of the softest well's relaxation or 5 D; with one well only, the slowest itself as 2.5 D.
    """
    slopes, log_density, D = jax.lax.stop_gradient(_walk(device, current))
    slopes = slopes[1::2]
    exist, _ = _barrier(slopes, log_density[1::2])
    bottom = jnp.append(slopes[0] < 0, (slopes[:-1] > 0) & (slopes[1:] <= 0))
    bottom = bottom.at[-1].set(bottom[-1] | (slopes[-1] > 0))
    stiffness = jnp.min(jnp.where(bottom, jnp.asarray(jnp.gradient(slopes)) * (-_RINGS / np.pi), jnp.inf))
    return _DEAD / (D * jnp.where(exist, jnp.maximum(5.0, 0.8 * stiffness), 2.5)) * NS


def _barrier(slopes: Float[Array, " rings"], log_density: Float[Array, " rings"]) -> tuple[Array, Array]:
    """Whether the density has a minimum between two maxima, and which rings lie above the lowest one (if none, the equator)."""
    inner = jnp.append(False, (slopes[:-1] < 0) & (slopes[1:] >= 0))
    exist = jnp.any(inner)
    top = jnp.where(exist, jnp.argmin(jnp.where(inner, log_density, jnp.inf)), _RINGS // 2)
    return exist, jnp.arange(_RINGS) >= top


def _normed(weight: Array, g: Array) -> Array:
    return g / jnp.sqrt(jnp.sum((jnp.sqrt(weight) * g) ** 2))


def _from_end(a: Array) -> Array:
    return jnp.cumsum(a[::-1])[::-1]


def _flux(weight: Array, g: Array) -> Array:
    """Sum of w g before every wall, or minus that behind it, which is the same: the one with less of the mode is accurate."""
    charge = weight * g
    size = jnp.abs(jax.lax.stop_gradient(charge))
    before = jnp.cumsum(size)[:-1] < _from_end(size)[1:]
    return jnp.where(before, jnp.cumsum(charge)[:-1], -_from_end(charge)[1:])


def _onward(weight: Array, resistance: Array, g: Array) -> Array:
    """One inverse iteration: the potential of the charges w g, of mean 0 and variance 1."""
    steps = -_flux(weight, g) * resistance
    # From the pole of the fuller well, where g is small: else its values there would be differences of large ones.
    from_first = jnp.append(0.0, jnp.cumsum(steps))
    fuller = jnp.sum(weight * (g < 0)) > 0.5
    potential = jnp.where(fuller, from_first, -jnp.append(_from_end(steps), 0.0))
    return _normed(weight, potential - jnp.sum(weight * potential))


def _everywhere(mode: Float[Array, " rings"]) -> Float[Array, " angles"]:
    """The mode at the walls too: the mean of its neighbours, and flat at the poles."""
    walls = jnp.concatenate([mode[:1], (mode[1:] + mode[:-1]) / 2, mode[-1:]])
    return jnp.append(jnp.stack([walls[:-1], mode], axis=1).ravel(), walls[-1])


@cache
def _harmonics(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Y_l0 at walls and middles of rings, shape (angles, size), and the solid angles (sr) they stand for by Boole's rule."""
    angles = np.linspace(np.pi, 0.0, 2 * _RINGS + 1)
    boole = np.tile([14.0, 32.0, 12.0, 32.0], _RINGS // 2) * np.pi / (45 * _RINGS)
    return legendre(size - 1, 0, tuple(np.cos(angles)))[0].T, 2 * np.pi * np.sin(angles) * np.append(boole, boole[0])


def _walk(device: Device, current: Array) -> tuple[Array, Array, Scalar]:
    """Slope and value of the logarithm of the density (up to a constant) at walls and middles of rings, and D (1/ns)."""
    slope, D = slope_down(device, current, device.temperature)
    angles = jnp.linspace(np.pi, 0.0, 2 * _RINGS + 1, dtype=device.start.dtype)
    slopes = -jax.vmap(slope)(angles)
    h, bends = np.pi / (2 * _RINGS), jnp.asarray(jnp.gradient(slopes))
    rises = h / 2 * (slopes[1:] + slopes[:-1]) - h / 12 * (bends[1:] - bends[:-1])
    return slopes, jnp.append(0.0, jnp.cumsum(rises)), D


def slope_down(device: Device, current: Array, temperature: Array) -> tuple[Callable[[Array], Array], Scalar]:
    """Drift away from the start direction over D as a function of the angle from it (1/rad), and D (1/ns).

    At a `current` (A) and a `temperature` (K).
    """
    drive = device.drive(current, temperature)
    magnet = device.layer.magnet(drive.temperature)
    D = magnet.diffusion(drive.temperature)
    sideways, _ = frame(device.start)

    def slope(angle):
        m = Vector.of(jnp.cos(angle) * device.start + jnp.sin(angle) * sideways)
        down = Vector.of(jnp.cos(angle) * sideways - jnp.sin(angle) * device.start)
        return (magnet.gamma * rate(m, device.field(m, drive), magnet.alpha)) @ down / D

    return slope, D
