"""A device is data: a free layer, what acts on it, how it is read, and its surroundings."""

from __future__ import annotations

from functools import partial
from typing import Any, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Bool, Float

from mtjax.constants import KB
from mtjax.devices.energies import AbstractTerm, total_energy, total_field
from mtjax.devices.heating import JouleHeating, ThermalHistory
from mtjax.devices.layer import Drive, FreeLayer, Magnet
from mtjax.devices.readout import AbstractResistance
from mtjax.devices.saturation import require_below
from mtjax.devices.torques import AbstractTorque
from mtjax.devices.wells import EnergyMinimum, downhill, lowest_barrier, span_of
from mtjax.printing import Shown, describe, with_unit
from mtjax.pulses import AbstractPulse, Applied, extremes
from mtjax.quantities import Scalar, as_scalar, direction, is_known, quantity
from mtjax.vector import Vector, points, turn

Term = TypeVar("Term", bound=AbstractTerm)
_LINEAR = 1e-4
"""Largest deviation of a torque from a line through zero, relative, that passes for rounding."""
_NO_SECOND_WELL = "no second well: without the applied fields no barrier stands between the starting well and its mirror image"


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
    temperature: Scalar = quantity("K", least=0.0, default=300.0)
    write_resistance: Scalar = quantity("ohm", least=0.0, default=1e3)
    readout: AbstractResistance | None = None
    heating: JouleHeating | None = None

    def __check_init__(self):
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

    def drive(self, current: ArrayLike | Applied, temperature: ArrayLike | None = None) -> Drive:
        """The drive at a `current` (A), whose voltage is the current times the write resistance, or at `Applied`."""
        levels = current if isinstance(current, Applied) else Applied(as_scalar(current))
        ampere = jnp.zeros_like(self.write_resistance) if levels.current is None else levels.current
        volt = ampere * self.write_resistance if levels.voltage is None else levels.voltage
        tesla = None if all(B is None for B in levels.field) else Vector(*(0.0 if B is None else B for B in levels.field))
        return Drive(ampere, volt, self.temperature if temperature is None else temperature, tesla)

    def field(self, m: Vector, drive: Drive) -> Vector:
        """Effective field of all terms at `m`, T."""
        return total_field(self.terms, m, self.layer.magnet(drive.temperature), drive)

    def energy(self, m: Vector, drive: Drive) -> Scalar:
        """Energy per moment of the conservative terms at `m`, T."""
        return total_energy(self.terms, m, self.layer.magnet(drive.temperature), drive)

    def history(self, pulse: AbstractPulse) -> ThermalHistory | None:
        """The temperature under `pulse` as a function of time; `None` where nothing heats the device."""
        return None if self.heating is None else self.heating.history(pulse.electric, self.write_resistance, self.temperature)

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
        return self.is_axisymmetric_at(extremes(jnp.asarray(1e-4, self.start.dtype)))

    def is_axisymmetric_at(self, currents: Any) -> Bool[Array, ""]:
        """Whether all fields are symmetric about the start direction at all of the `currents` (A, or `Applied`), shape (n,)."""
        magnet, probes = self.magnet, points(64)

        def fields(m, current):
            return total_field(self.terms, Vector.of(m), magnet, self.drive(current)).array()

        turned = jax.vmap(turn, in_axes=(0, None, None))
        places = jnp.concatenate([probes, turned(probes, self.start, 1.0)])
        here, there = jnp.split(jax.vmap(lambda i: jax.vmap(lambda m: fields(m, i))(places))(currents), 2, axis=1)
        mismatch = jnp.abs(there - jax.vmap(lambda B: turned(B, self.start, 1.0))(here))
        scale = jnp.max(jnp.abs(here), axis=(1, 2))
        return jnp.all(jnp.max(mismatch, axis=(1, 2)) <= 1e-5 * scale)

    @property
    def bottom(self) -> Float[Array, " 3"]:
        """Where the starting well is deepest without the applied fields: the minimum that is downhill from `start`.

        It is `start` itself for a device that starts along its easy axis, and a point of the cone for an easy cone.
        """
        return _bottom(self).m

    @property
    def stiffness(self) -> Float[Array, " 2"]:
        """Curvatures of the energy at the `bottom` of the starting well, without the applied fields, ascending, T.

        Around an easy cone the energy does not rise: one of them is 0 there.
        """
        return _bottom(self).stiffness

    @property
    def Bk(self) -> Scalar:
        """Effective anisotropy field: the mean of the two stiffnesses at the bottom of the starting well, T."""
        return jnp.mean(self.stiffness)

    @property
    def barrier(self) -> Scalar:
        """Energy barrier between the starting well and its mirror image without the applied fields, per moment, T.

        Over the lowest saddle between them, wherever they lie. Raises `ValueError` where there is none, and the device has no
        second well; under `jit` it is `nan` then.
        """
        return _told(_barrier(self))

    @property
    def delta(self) -> Scalar:
        """Thermal stability: the barrier without applied fields over kB T, no unit.

        Raises `ValueError` where the device has no second well; under `jit` it is `nan` then. (`mtjax.rates` includes the
        fields.)
        """
        return _told(figures(self)["delta"])

    @property
    def relaxation_time(self) -> Scalar:
        """(1 + alpha^2) / (alpha gamma Bk), s, with the effective anisotropy field `Bk`.

        At this rate a small deviation from the bottom of the starting well dies out, the mean over its two directions. (In an
        easy cone one of them is the way round, where nothing draws it back: the other relaxes twice as fast.)
        """
        return figures(self)["relaxation_time"]

    @property
    def critical_current(self) -> Scalar:
        """Macrospin critical current without thermal noise, A; positive if a positive current switches.

        Spins along the easy axis (antidamping): B_DL = alpha `Bk`, the linear stability limit. Spins across it:
        B_DL = Bk/2 - B_x/sqrt 2, with B_x the field along m x sigma (Lee et al., Appl. Phys. Lett. 102,
        112410, 2013, for slow ramps; abrupt pulses switch 9 to 17 % lower).

        Raises `KeyError` without a torque. It is found for a torque linear in the current, and `nan` for a torque of your own
        that is not: solve your own law for that B_DL then. It is `nan`, too, where `start` is not in a well itself (as on the
        axis of an easy cone): then no current is the least one at which it becomes unstable.
        """
        assert self[AbstractTorque]
        return figures(self)["critical_current"]


@eqx.filter_jit
def figures(device: Device) -> dict[str, Scalar]:
    """Thermal stability `delta`, `relaxation_time` (s) and, with one torque, `critical_current` (A): one compiled program.

    `delta` is `nan` where there is no second well, `critical_current` where the torque is not linear in the current, or the
    energy curves down at the start direction, so that the well lies elsewhere.

    >>> import mtjax as mtj
    >>> found = mtj.devices.figures(mtj.presets.perpendicular_stt(40.0))
    >>> print(f"{found['delta']:.1f} kT, {found['relaxation_time'] * 1e9:.1f} ns, {found['critical_current'] * 1e6:.1f} uA")
    40.0 kT, 2.6 ns, 16.8 uA
    """
    alpha, bottom = device.layer.alpha, _bottom(device)
    found = {
        "delta": _barrier(device) * (device.moment / KB) / device.temperature,
        "relaxation_time": (1 + alpha**2) / (alpha * device.layer.gamma * jnp.mean(bottom.stiffness)),
    }
    if sum(isinstance(term, AbstractTorque) for term in device.terms) == 1:
        found["critical_current"] = _critical_current(device, device[AbstractTorque], bottom)
    return found


@eqx.filter_jit
def _bottom(device: Device) -> EnergyMinimum:
    """The bottom of the starting well without the applied fields; with them where nothing else acts."""
    return downhill(partial(_well_energy, device, _field_share(device)), device.start)


@eqx.filter_jit
def _barrier(device: Device) -> Scalar:
    """The barrier to the other well without the applied fields; `nan` where there is none."""
    frozen = _frozen(device)
    even, plain = partial(_even_energy, device), partial(_even_energy, frozen)
    return jnp.where(_field_share(device) > 0, jnp.nan, lowest_barrier(even, plain, _bottom(device)))


def _field_share(device: Device) -> Scalar:
    """1 where nothing but fields acts, else 0."""
    even, odd = (span_of(partial(energy, _frozen(device)), device.start.dtype) for energy in (_even_energy, _odd_energy))
    return jnp.where(even <= 1e-6 * odd, jnp.ones_like(even), 0.0)


def _frozen(device: Device) -> Device:
    """The device without derivatives."""
    return jax.tree.map(lambda x: jax.lax.stop_gradient(x) if eqx.is_inexact_array(x) else x, device)


def _well_energy(device: Device, share: Scalar, m: Vector) -> Scalar:
    return _even_energy(device, m) + share * _odd_energy(device, m)


def _told(value: Scalar) -> Scalar:
    """`value`, unless it is known to be `nan`."""
    if is_known(value) and np.any(np.isnan(np.asarray(value))):
        raise ValueError(_NO_SECOND_WELL)
    return value


def _critical_current(device: Device, torque: AbstractTorque, bottom: EnergyMinimum) -> Scalar:
    Bk = jnp.mean(bottom.stiffness)
    m, sigma = Vector.of(device.start), Vector.of(torque.sigma)
    per_ampere = torque.damping_like(m, device.magnet, device.drive(1.0))
    along = -(m @ sigma)
    antidamping = device.layer.alpha * Bk / jnp.where(jnp.abs(along) > 0.5, along, 1.0)
    in_plane = m.cross(sigma) @ _odd_field(device)
    sense = jnp.where(in_plane < 0, -1.0, 1.0)
    across = sense * (Bk / 2 - jnp.abs(in_plane) / jnp.sqrt(2.0))
    wanted = jnp.where(jnp.abs(along) > 0.5, antidamping, across)
    current = wanted / per_ampere
    off = torque.damping_like(m, device.magnet, device.drive(current)) - wanted
    unknown = (jnp.abs(off) > _LINEAR * jnp.abs(wanted)) | ~bottom.near
    return jnp.where(unknown, jnp.nan, current)


def _even_energy(device: Device, m: Vector) -> Scalar:
    drive = device.drive(0.0)
    return (device.energy(m, drive) + device.energy(-m, drive)) / 2


def _odd_energy(device: Device, m: Vector) -> Scalar:
    drive = device.drive(0.0)
    return (device.energy(m, drive) - device.energy(-m, drive)) / 2


def _odd_field(device: Device) -> Vector:
    return -jax.grad(lambda m: _odd_energy(device, m))(Vector.of(device.start))


def _derived(device: Device) -> str:
    found = figures(device)
    delta = float(found["delta"])
    lines = [
        f"  thermal stability delta = {with_unit(delta, '')}" if not np.isnan(delta) else f"  {_NO_SECOND_WELL}",
        f"  relaxation time = {with_unit(found['relaxation_time'], 's')}",
    ]
    if "critical_current" in found:
        current = float(found["critical_current"])
        sign = "positive" if current > 0 else "negative"
        said = f"= {with_unit(current, 'A')} (a {sign} current leaves the start well)"
        lines.append(f"  critical current {f'unknown: {_why_unknown(device)}' if np.isnan(current) else said}")
    return "\n".join(lines)


def _why_unknown(device: Device) -> str:
    """Why there is no critical current."""
    if not _bottom(device).near:
        return "the start direction is a maximum of the energy or a saddle, not a well"
    return "the torque is not linear in the current"
