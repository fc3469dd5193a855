"""Devices with an axis of symmetry at long times: the slowest mode, of full relative accuracy however high the barrier.

The magnetisation walks along the angle to its start direction. With w the equilibrium weight of a ring and p the conductance
between neighbouring rings, the slowest mode g of the backward equation satisfies div(p grad g) = -rate w g. It is found by
inverse iteration, in which the flux through a wall is the sum of w g on one side of it, and g a sum of flux over p: no
difference of nearly equal numbers occurs. Either well has its own scale, since one may hold a share of exp(-1000): with their
shares p_up and p_down in equilibrium, g = p_down a in the starting well and -p_up b in the other, and a and b have the mean 1.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from mtjax.constants import NS
from mtjax.devices import Device
from mtjax.dynamics import rate
from mtjax.numerics import gauss_legendre
from mtjax.printing import Shown
from mtjax.quantities import Scalar
from mtjax.switching.fokker_planck.harmonics import legendre
from mtjax.vector import Vector, frame

_RINGS = 2000
_ITERATIONS, _DIFFERENTIATED = 100, 16
"""Inverse iterations at most, and how many are differentiated; each makes the error smaller by a ratio of the slowest rates."""
_DEAD = 40.0
"""Decay times of all other modes after which the slowest alone is followed: what is left of them is exp(-40)."""
_NODES, _WEIGHTS = 2 * gauss_legendre(5)[0] - 1, 2 * gauss_legendre(5)[1]


class AxialMode(Shown):
    """The slowest mode of a device with an axis of symmetry at a constant current, at angles from -start to start.

    - `log_rate`: logarithm of the eigenvalue (1/ns).
    - `log_up`, `log_down`: logarithms of the equilibrium probabilities of the starting well and of the other, cut where the
      barrier is highest.
    - `density`: in equilibrium within the well to which an angle belongs, per solid angle, shape (angles,).
    - `mode`: g over that of the whole well, about 1 in a deep one, shape (angles,).
    - `above`: which angles belong to the starting well, shape (angles,).
    - `exist`: whether there are two wells: a maximum of the energy between two minima.
    """

    log_rate: Scalar
    log_up: Scalar
    log_down: Scalar
    density: Float[Array, " angles"]
    mode: Float[Array, " angles"]
    above: Bool[Array, " angles"]
    exist: Bool[Array, ""]

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
        up, down = shares = jnp.exp(jnp.stack([self.log_up, self.log_down]))
        own, foreign = jnp.where(self.above, up, down), jnp.where(self.above, down, up)
        whole, rest = own + foreign * self.mode, 1 - self.mode
        inside = jnp.stack([jnp.where(self.above, whole, up * rest), jnp.where(self.above, down * rest, whole)])
        populations = inside @ (solid * (harmonics @ column))
        decay = jnp.where(self.exist, jnp.exp(-self.rate * time), 0.0)
        moved = jnp.where(self.exist, -jnp.expm1(-self.rate * time), 1.0)
        populations = populations * decay + shares * jnp.sum(populations) * moved
        # Each population times the equilibrium density, over its share: no share can be too small for that.
        shapes = jnp.stack([jnp.where(self.above, whole, own * rest), jnp.where(self.above, own * rest, whole)])
        each = shapes * self.density * solid
        return ((populations / jnp.sum(each, axis=1)) @ each) @ harmonics


@eqx.filter_jit
def axial_mode(device: Device, current: Any) -> AxialMode:
    """The slowest mode of `device` at a constant `current` (A)."""
    slopes, log_density, D = _walk(device, current)
    log_weight, log_resistance = _log_integrals(log_density)
    exist, top = _barrier(slopes[1::2], log_density[1::2])
    above = jnp.arange(_RINGS) >= top
    log_up, log_down = (jax.nn.logsumexp(jnp.where(side, log_weight, -jnp.inf)) for side in (above, ~above))
    log_total = jnp.logaddexp(log_up, log_down)
    highest = jax.lax.stop_gradient(jnp.max(log_resistance))
    limit = 0.4 * np.log(jnp.finfo(log_up.dtype).max)
    walk = _RingWalk(
        jnp.exp(log_weight - jnp.where(above, log_up, log_down)),
        jnp.exp(log_resistance - highest),
        jnp.exp(jnp.clip(log_up - log_down, -limit, limit)),
        top,
    )
    mode = jax.lax.stop_gradient(walk).converged()
    mode = jax.lax.fori_loop(0, _DIFFERENTIATED, lambda _, mode: walk.onward(mode), mode)
    log_up, log_down = log_up - log_total, log_down - log_total
    own = walk.weight * mode**2
    variance = jnp.sum(own * jnp.exp(jnp.where(above, log_down, log_up)))
    log_time = jnp.log(jnp.sum(walk.flux(mode) ** 2 * walk.resistance)) + highest + log_up + log_down + log_total
    everywhere = _everywhere(mode / jnp.sqrt(variance), walk)
    sides = jnp.arange(2 * _RINGS + 1) >= 2 * top
    density = jnp.exp(log_density - log_total - jnp.where(sides, log_up, log_down))
    return AxialMode(jnp.log(D * variance) - log_time, log_up, log_down, density, everywhere, sides, exist)


def dead_time(device: Device, current: Any) -> Scalar:
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


def _barrier(slopes: Float[Array, " rings"], log_density: Float[Array, " rings"]) -> tuple[Bool[Array, ""], Array]:
    """Whether the density has a minimum between two maxima, and the ring of the lowest one (if none, the equator)."""
    inner = jnp.append(False, (slopes[:-1] < 0) & (slopes[1:] >= 0))
    exist = jnp.any(inner)
    return exist, jnp.where(exist, jnp.argmin(jnp.where(inner, log_density, jnp.inf)), _RINGS // 2)


def _log_integrals(log_density: Float[Array, " angles"]) -> tuple[Float[Array, " rings"], Float[Array, " walls"]]:
    """Logarithms of the integrals of density times sine over every ring, and of 1 over both from ring to ring.

    The logarithm of the density is taken as a parabola through three neighbouring angles.
    """
    step = np.pi / (2 * _RINGS)
    angles = np.linspace(np.pi, 0.0, 2 * _RINGS + 1)

    def integrated(first, last, sign):
        left, middle, right = (log_density[first + k : last + k : 2] for k in range(3))
        x = jnp.asarray(_NODES, log_density.dtype)[:, None]
        parabola = middle + x * (right - left) / 2 + x**2 * ((right - middle) - (middle - left)) / 2
        sine = np.sin(angles[first + 1 : last + 1 : 2] - _NODES[:, None] * step)
        measure = np.log(_WEIGHTS[:, None] * step) + sign * np.log(sine)
        return jax.nn.logsumexp(sign * parabola + jnp.asarray(measure, log_density.dtype), axis=0)

    return integrated(0, 2 * _RINGS - 1, 1), integrated(1, 2 * _RINGS - 2, -1)


class _RingWalk(eqx.Module):
    """The walk from ring to ring, from the other well to the starting one.

    - `weight`: of the rings, those of either well of the sum 1; `resistance`: of the walls, the highest of them 1.
    - `odds`: share of the starting well over that of the other; `top`: the first ring of the starting well.
    """

    weight: Float[Array, " rings"]
    resistance: Float[Array, " walls"]
    odds: Scalar
    top: Array

    def converged(self) -> Float[Array, " rings"]:
        """The mode, by inverse iterations from one that is flat in both wells."""
        flat = jnp.ones_like(self.weight)

        def onward(state):
            mode, _, count = state
            return self.onward(mode), mode, count + 1

        return jax.lax.while_loop(_goes_on, onward, (flat, 2 * flat, 0))[0]

    def flux(self, mode: Float[Array, " rings"]) -> Float[Array, " walls"]:
        """Through every wall, over p_up p_down: what lies behind it in the well on whose side it is."""
        charge = self.weight * mode
        in_other = jnp.arange(_RINGS - 1) < self.top
        return jnp.where(in_other, jnp.cumsum(charge)[:-1], _from_end(charge)[1:])

    def onward(self, mode: Float[Array, " rings"]) -> Float[Array, " rings"]:
        """One inverse iteration: the potential of the charges, with the mean 1 in both wells."""
        drops = self.flux(mode) * self.resistance
        up, whole = jnp.arange(_RINGS) >= self.top, jnp.sum(drops)
        inner = jnp.where(up, jnp.append(_from_end(drops), 0.0), jnp.append(0.0, jnp.cumsum(drops)))
        held = self.weight * inner
        own, other = (jnp.sum(jnp.where(side, held, 0.0)) for side in (up, ~up))
        odds = jnp.where(up, self.odds, 1 / self.odds)
        raised = odds * (jnp.where(up, own, other) - inner) + (whole - inner - jnp.where(up, other, own))
        return raised / (whole - own - other)


def _goes_on(state: tuple[Array, Array, Array]) -> Bool[Array, ""]:
    """Whether a mode still changes from one iteration to the next."""
    mode, before, count = state
    change = jnp.max(jnp.abs(mode - before) / (1 + jnp.abs(mode)))
    return (count < _ITERATIONS) & (change > 30 * jnp.finfo(mode.dtype).eps)


def _from_end(a: Array) -> Array:
    return jnp.cumsum(a[::-1])[::-1]


def _everywhere(mode: Float[Array, " rings"], walk: _RingWalk) -> Float[Array, " angles"]:
    """The mode at the walls too: the mean of its neighbours, and flat at the poles."""
    before = jnp.where(jnp.arange(1, _RINGS) == walk.top, -mode[:-1] * walk.odds, mode[:-1])
    walls = jnp.concatenate([mode[:1], (mode[1:] + before) / 2, mode[-1:]])
    return jnp.append(jnp.stack([walls[:-1], mode], axis=1).ravel(), walls[-1])


@cache
def _harmonics(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Y_l0 at walls and middles of rings, shape (angles, size), and the solid angles (sr) they stand for by Boole's rule."""
    angles = np.linspace(np.pi, 0.0, 2 * _RINGS + 1)
    boole = np.tile([14.0, 32.0, 12.0, 32.0], _RINGS // 2) * np.pi / (45 * _RINGS)
    return legendre(size - 1, 0, tuple(np.cos(angles)))[0].T, 2 * np.pi * np.sin(angles) * np.append(boole, boole[0])


def _walk(device: Device, current: Any) -> tuple[Array, Array, Scalar]:
    """Slope and value of the logarithm of the density (up to a constant) at walls and middles of rings, and D (1/ns)."""
    slope, D = slope_down(device, current, device.temperature)
    angles = jnp.linspace(np.pi, 0.0, 2 * _RINGS + 1, dtype=device.start.dtype)
    slopes = -jax.vmap(slope)(angles)
    h, bends = np.pi / (2 * _RINGS), jnp.asarray(jnp.gradient(slopes))
    rises = h / 2 * (slopes[1:] + slopes[:-1]) - h / 12 * (bends[1:] - bends[:-1])
    return slopes, jnp.append(0.0, jnp.cumsum(rises)), D


def slope_down(device: Device, current: Any, temperature: Array) -> tuple[Callable[[Array], Array], Scalar]:
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
