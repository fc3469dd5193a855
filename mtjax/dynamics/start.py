"""Where a device starts: Boltzmann's distribution in the starting well, drawn exactly."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from mtjax.constants import KB
from mtjax.devices import Device, downhill, expanded
from mtjax.dynamics.noise import StepPath
from mtjax.numerics import bisected
from mtjax.printing import Shown
from mtjax.quantities import Scalar
from mtjax.vector import Vector, frame, points

_RING = 1e-3
"""Share of the curvature across a valley that it has along it, below which it counts as a ring."""
_PROBES = 2048
_MARGIN = 0.05


class Bottom(NamedTuple):
    """The lowest point of a well: `m`, shape (3,), principal `curvatures` of the energy there (T, ascending) and their `axes`.

    The axes are columns in the frame at `m`, shape (2, 2).
    """

    m: Float[Array, " 3"]
    curvatures: Float[Array, " 2"]
    axes: Float[Array, "2 2"]


def well_bottom(device: Device) -> Bottom:
    """Where the energy is least downhill from `device.start` without current.

    `device.start` itself where that leaves its hemisphere, and where the well is a ring around it (an easy cone).
    """
    energy = _zero_current_energy(device)
    found = downhill(energy, device.start).m
    choices = jnp.stack([found, device.start])
    curvatures, axes = jnp.linalg.eigh(jax.vmap(lambda m: expanded(energy, m).hessian)(choices))
    soft, stiff = curvatures[0]
    ring = (soft < _RING * stiff) & (found @ device.start < 0.99) & (device.temperature > 0)
    chosen = jnp.where(ring | (found @ device.start < 0.05), 1, 0)
    return Bottom(choices[chosen], curvatures[chosen], axes[chosen])


class StartWell(Shown):
    """The starting well, ready for drawing from exp(-E / kT) on the hemisphere m.start > 0.

    Rejection from an angular central Gaussian distribution fitted to the well's bottom (Kent, Ganeiber and Mardia,
    arXiv:1310.8110, as recalled); the bound is found by trying many points, with a margin.

    - `device`: whose well it is.
    - `axes`: principal directions and bottom as columns, shape (3, 3).
    - `widths`: of the proposal along them, shape (3,).
    - `bound`: of the logarithm of target over proposal.

    >>> import jax
    >>> import mtjax as mtj
    >>> from mtjax.dynamics import StartWell, StepPath
    >>> well = StartWell.of(mtj.presets.perpendicular_stt(40.0))
    >>> m = well.draw(StepPath(jax.random.key(0), 0))
    >>> bool(m.z > 0.8), f"width {well.widths[0]:.2f} across the easy axis"
    (True, 'width 0.11 across the easy axis')
    """

    device: Device
    axes: Float[Array, "3 3"]
    widths: Float[Array, " 3"]
    bound: Scalar

    @staticmethod
    def of(device: Device) -> StartWell:
        """The well of `device`; no gradient passes through it."""
        device = jax.tree.map(jax.lax.stop_gradient, device)
        bottom, curvatures, turn = well_bottom(device)
        stiffness = jnp.maximum(inverse_temperature(device) * curvatures, 0.0)
        axes = jnp.stack([*(turn.T @ jnp.stack(frame(bottom))), bottom], axis=1)
        widths = jnp.append((1 + stiffness / _concentration(stiffness)) ** -0.5, 1.0)
        unbounded = StartWell(device, axes, widths, jnp.zeros(()))
        probes = jax.vmap(unbounded._propose)(points(_PROBES))
        return StartWell(device, axes, widths, jnp.max(jax.vmap(unbounded._log_ratio)(probes)) + _MARGIN)

    def drawn(self, key: Key[Array, ""], sample: Any) -> Vector:
        """That of a sample, with random numbers of the `key`."""
        return self.draw(StepPath(key, sample))

    def draw(self, path: StepPath) -> Vector:
        """One direction from the well, with the random numbers of `path`; its bottom at temperature 0."""

        def attempt(carry):
            n, _, _ = carry
            m = self._propose(path.evaluate(n).array().astype(self.widths.dtype))
            return n + 2, m, jnp.log(path.uniform(n + 1)) < self._log_ratio(m) - self.bound

        bottom = self.axes[:, 2]
        cold = self.device.temperature <= 0
        _, m, _ = jax.lax.while_loop(lambda carry: ~carry[2], attempt, (jnp.int32(0), bottom, cold))
        return Vector.of(m)

    def _propose(self, normals: Float[Array, " 3"]) -> Float[Array, " 3"]:
        m = self.axes @ (self.widths * normals)
        m = m / jnp.linalg.norm(m)
        return jnp.where(m @ self.device.start < 0, -m, m)

    def _log_ratio(self, m: Float[Array, " 3"]) -> Scalar:
        energy = _zero_current_energy(self.device)
        rise = energy(Vector.of(m)) - energy(Vector.of(self.axes[:, 2]))
        spread = jnp.sum(((self.axes.T @ m) / self.widths) ** 2)
        return -inverse_temperature(self.device) * rise + 1.5 * jnp.log(spread)


def _zero_current_energy(device: Device):
    drive = device.drive(0.0)
    return lambda m: device.energy(m, drive)


def inverse_temperature(device: Device) -> Scalar:
    """Ms V / kT, 1/T; of 300 K where the temperature is 0 (and the result is not used).

    >>> import mtjax as mtj
    >>> device = mtj.presets.perpendicular_stt(40.0)
    >>> print(f"{mtj.dynamics.inverse_temperature(device):.0f} /T")  # a moment in 1 T has an energy of 364 kT
    364 /T
    """
    warm = jnp.where(device.temperature > 0, device.temperature, 300.0)
    return (device.moment / KB) / warm


def _concentration(stiffness: Float[Array, " 2"]) -> Scalar:
    """The b in [1, 3] with 1/b + sum 1/(b + stiffness) = 1, which makes the rejection most efficient."""
    one = jnp.ones((), stiffness.dtype)
    return bisected(lambda b: 1 / b + jnp.sum(1 / (b + stiffness)) > 1, one, 3 * one, 20)
