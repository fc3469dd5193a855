"""A device is data: a free layer, what acts on it, how it is read, and its surroundings."""

from __future__ import annotations

from typing import TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Bool, Float

from mtjax.constants import GAMMA, KB
from mtjax.devices.energies import AbstractTerm, total_energy, total_field
from mtjax.devices.heating import JouleHeating, ThermalHistory
from mtjax.devices.layer import Drive, FreeLayer, Magnet
from mtjax.devices.readout import AbstractResistance
from mtjax.devices.saturation import require_below
from mtjax.devices.torques import AbstractTorque
from mtjax.printing import Shown, describe, with_unit
from mtjax.pulses import AbstractPulse
from mtjax.quantities import Scalar, as_scalar, direction, quantity, require
from mtjax.vector import Vector, frame, points, turn

Term = TypeVar("Term", bound=AbstractTerm)
_LINEAR = 1e-4
"""Largest deviation of a torque from a line through zero, relative, that passes for rounding."""


class Device(Shown):
    """One magnetic device; every number in it can be differentiated, fitted, batched and replaced.

    - `layer`: the free layer.
    - `terms`: what acts on it, energies and torques; `device[SpinOrbitTorque]` picks one by its class.
    - `start`: direction of the well in which it starts, shape (3,); it has switched when m.start < 0.
    - `temperature`: of the surroundings, K; 0 means no noise.
    - `write_resistance`: of the path that the current takes, ohm: the voltage is the current times it.
    - `readout`: resistance model, or `None`.
    - `heating`: how the current heats the layer above `temperature`, or `None`.

    Raises `ValueError` where the temperature is negative or not below the layer's Curie temperature, or a number is not finite.

    >>> import mtjax as mtj
    >>> layer = mtj.FreeLayer(mtj.EllipticCylinder(40e-9, 40e-9, 1.2e-9), Ms=1e6, alpha=0.01)
    >>> terms = (mtj.UniaxialAnisotropy(0.22), mtj.SpinTransferTorque(polarisation=0.6, sigma=(0.0, 0.0, -1.0)))
    >>> device = mtj.Device(layer, terms)
    >>> print(f"{device.delta:.1f} kT, critical current {device.critical_current * 1e6:.1f} uA")
    40.0 kT, critical current 16.8 uA
    """

    layer: FreeLayer
    terms: tuple[AbstractTerm, ...]
    start: Float[Array, " 3"] = direction(default=(0.0, 0.0, 1.0))
    temperature: Scalar = quantity("K", default=300.0)
    write_resistance: Scalar = quantity("ohm", default=1e3)
    readout: AbstractResistance | None = None
    heating: JouleHeating | None = None

    def __check_init__(self):
        require(self, "temperature write_resistance", least=0.0)
        if self.layer.saturation is not None:
            require_below("temperature", self.temperature, self.layer.saturation.highest)

    def __getitem__(self, kind: type[Term]) -> Term:
        """The one term of class `kind`; raises `KeyError` where there is none or more than one."""
        found = [term for term in self.terms if isinstance(term, kind)]
        if len(found) != 1:
            raise KeyError(f"The device must have one term of class {kind.__name__}, but has {len(found)}.")
        return found[0]

    def __str__(self) -> str:
        """Every quantity with its unit, then the derived ones."""
        try:
            return describe(self) + "\n" + _derived(self)
        except (jax.errors.ConcretizationTypeError, TypeError):
            return describe(self)

    def drive(self, current: ArrayLike, temperature: ArrayLike | None = None) -> Drive:
        """The drive at a `current` (A): its voltage is the current times the write resistance."""
        current = as_scalar(current)
        kelvin = self.temperature if temperature is None else temperature
        return Drive(current, current * self.write_resistance, kelvin)

    def field(self, m: Vector, drive: Drive) -> Vector:
        """Effective field of all terms at `m`, T."""
        return total_field(self.terms, m, self.layer.magnet(drive.temperature), drive)

    def energy(self, m: Vector, drive: Drive) -> Scalar:
        """Energy per moment of the conservative terms at `m`, T."""
        return total_energy(self.terms, m, self.layer.magnet(drive.temperature), drive)

    def history(self, pulse: AbstractPulse) -> ThermalHistory | None:
        """The temperature under `pulse` as a function of time; `None` where nothing heats the device."""
        return None if self.heating is None else self.heating.history(pulse, self.write_resistance, self.temperature)

    @property
    def magnet(self) -> Magnet:
        """The layer's numbers at the temperature of the surroundings."""
        return self.layer.magnet(self.temperature)

    @property
    def moment(self) -> Scalar:
        """Magnetic moment Ms V at the temperature of the surroundings, A m^2."""
        return self.layer.Ms_at(self.temperature) * self.layer.shape.volume

    @property
    def is_axisymmetric(self) -> Bool[Array, ""]:
        """Whether all fields, with and without a current, are symmetric about the start direction (tried at 64 points)."""
        magnet, currents, probes = self.magnet, jnp.array([0.0, 1e-4, -1e-4], self.start.dtype), points(64)

        def fields(m, current):
            return total_field(self.terms, Vector.of(m), magnet, self.drive(current)).array()

        turned = jax.vmap(turn, in_axes=(0, None, None))
        places = jnp.concatenate([probes, turned(probes, self.start, 1.0)])
        here, there = jnp.split(jax.vmap(lambda i: jax.vmap(lambda m: fields(m, i))(places))(currents), 2, axis=1)
        mismatch = jnp.abs(there - jax.vmap(lambda B: turned(B, self.start, 1.0))(here))
        scale = jnp.max(jnp.abs(here), axis=(1, 2))
        return jnp.all(jnp.max(mismatch, axis=(1, 2)) <= 1e-5 * scale)

    @property
    def stiffness(self) -> Float[Array, " 2"]:
        """Curvatures of the energy at the start direction, without the applied fields, ascending, T."""
        e1, e2 = frame(self.start)

        def bent(ab):
            return _even_energy(self, Vector.of(self.start + ab[0] * e1 + ab[1] * e2).normalised())

        return jnp.linalg.eigvalsh(jax.hessian(bent)(jnp.zeros(2, self.start.dtype)))

    @property
    def Bk(self) -> Scalar:
        """Effective anisotropy field: the mean of the two stiffnesses at the start direction, T."""
        return jnp.mean(self.stiffness)

    @property
    def barrier(self) -> Scalar:
        """Energy barrier between the two wells without the applied fields, per moment, T."""
        e1, e2 = frame(self.start)
        angles = jnp.arange(8) * (jnp.pi / 8)
        ring = jnp.cos(angles)[:, None] * e1 + jnp.sin(angles)[:, None] * e2
        energies = jax.vmap(lambda m: _even_energy(self, Vector.of(m)))(ring)
        c, s = 2 * jnp.mean(energies * jnp.cos(2 * angles)), 2 * jnp.mean(energies * jnp.sin(2 * angles))
        swing = c**2 + s**2
        depth = jnp.where(swing > 0, jnp.sqrt(jnp.where(swing > 0, swing, 1.0)), 0.0)
        return jnp.mean(energies) - depth - _even_energy(self, Vector.of(self.start))

    @property
    def delta(self) -> Scalar:
        """Thermal stability: the barrier without applied fields over kB T, no unit."""
        return figures(self)["delta"]

    @property
    def relaxation_time(self) -> Scalar:
        """(1 + alpha^2) / (alpha gamma Bk), s, with the effective anisotropy field `Bk`."""
        return figures(self)["relaxation_time"]

    @property
    def critical_current(self) -> Scalar:
        """Macrospin critical current without thermal noise, A; positive if a positive current switches.

        Spins along the easy axis (antidamping): B_DL = alpha `Bk`, the linear stability limit. Spins across it:
        B_DL = Bk/2 - B_x/sqrt 2, with B_x the field along m x sigma (Lee et al., Appl. Phys. Lett. 102,
        112410, 2013, for slow ramps; abrupt pulses switch 9 to 17 % lower).

        Raises `KeyError` without a torque. It is found for a torque linear in the current, and `nan` for a torque of your own
        that is not: solve your own law for that B_DL then.
        """
        assert self[AbstractTorque]
        return figures(self)["critical_current"]


@eqx.filter_jit
def figures(device: Device) -> dict[str, Scalar]:
    """Thermal stability `delta`, `relaxation_time` (s) and, with one torque, `critical_current` (A): one compiled program.

    `critical_current` is `nan` where the torque is not linear in the current.

    >>> import mtjax as mtj
    >>> found = mtj.devices.figures(mtj.presets.perpendicular_stt(40.0))
    >>> print(f"{found['delta']:.1f} kT, {found['relaxation_time'] * 1e9:.1f} ns, {found['critical_current'] * 1e6:.1f} uA")
    40.0 kT, 2.6 ns, 16.8 uA
    """
    alpha = device.layer.alpha
    found = {
        "delta": device.barrier * (device.moment / KB) / device.temperature,
        "relaxation_time": (1 + alpha**2) / (alpha * GAMMA * device.Bk),
    }
    if sum(isinstance(term, AbstractTorque) for term in device.terms) == 1:
        found["critical_current"] = _critical_current(device, device[AbstractTorque])
    return found


def _critical_current(device: Device, torque: AbstractTorque) -> Scalar:
    m, sigma = Vector.of(device.start), Vector.of(torque.sigma)
    per_ampere = torque.damping_like(m, device.magnet, device.drive(1.0))
    along = -(m @ sigma)
    antidamping = device.layer.alpha * device.Bk / jnp.where(jnp.abs(along) > 0.5, along, 1.0)
    in_plane = m.cross(sigma) @ _odd_field(device)
    sense = jnp.where(in_plane < 0, -1.0, 1.0)
    across = sense * (device.Bk / 2 - jnp.abs(in_plane) / jnp.sqrt(2.0))
    wanted = jnp.where(jnp.abs(along) > 0.5, antidamping, across)
    current = wanted / per_ampere
    off = torque.damping_like(m, device.magnet, device.drive(current)) - wanted
    return jnp.where(jnp.abs(off) > _LINEAR * jnp.abs(wanted), jnp.nan, current)


def _even_energy(device: Device, m: Vector) -> Scalar:
    drive = device.drive(0.0)
    return (device.energy(m, drive) + device.energy(-m, drive)) / 2


def _odd_field(device: Device) -> Vector:
    m, drive = Vector.of(device.start), device.drive(0.0)

    def odd(m):
        return (device.energy(m, drive) - device.energy(-m, drive)) / 2

    return -jax.grad(odd)(m)


def _derived(device: Device) -> str:
    found = figures(device)
    lines = [
        f"  thermal stability delta = {with_unit(found['delta'], '')}",
        f"  relaxation time = {with_unit(found['relaxation_time'], 's')}",
    ]
    if "critical_current" in found:
        current = float(found["critical_current"])
        sign = "positive" if current > 0 else "negative"
        said = f"= {with_unit(current, 'A')} (a {sign} current leaves the start well)"
        lines.append(f"  critical current {'unknown: the torque is not linear in the current' if np.isnan(current) else said}")
    return "\n".join(lines)
