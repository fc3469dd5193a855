"""Magnetic energies; each field is minus the gradient of its energy.

Energies are per magnetic moment, E / (Ms V), in tesla, so that B = -dE/dm is a flux density.
"""

from abc import abstractmethod

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from mtjax.constants import MU0
from mtjax.devices.layer import Drive, Magnet
from mtjax.printing import Shown
from mtjax.quantities import Scalar, direction, is_known, quantity
from mtjax.vector import Vector

_SUM = 0.02
"""By how much rounded demagnetisation factors may fail to add up to 1."""


class AbstractTerm(Shown):
    """Anything that acts on the magnetisation as an effective field.

    >>> import mtjax as mtj
    >>> device = mtj.presets.perpendicular_sot()
    >>> m, drive = mtj.vector.Vector.of(device.start), device.drive(100e-6)
    >>> for term in device.terms:
    ...     print(type(term).__name__, *(f"{component:.3f}" for component in term.field(m, device.magnet, drive).array()), "T")
    ...
    UniaxialAnisotropy 0.000 0.000 0.169 T
    AppliedField 0.020 0.000 0.000 T
    SpinOrbitTorque 0.066 0.000 0.000 T
    """

    @abstractmethod
    def field(self, m: Vector, magnet: Magnet, drive: Drive) -> Vector:
        """Effective field at the unit vector `m`, T."""


class AbstractEnergy(AbstractTerm):
    """A conservative term: give the energy, the field follows by differentiation.

    >>> import jax
    >>> import mtjax as mtj
    >>> class Cubic(mtj.AbstractEnergy):
    ...     Bc: jax.Array = mtj.quantity("T")
    ...     def energy(self, m, magnet, drive):
    ...         return self.Bc / 2 * (m.x**2 * m.y**2 + m.y**2 * m.z**2 + m.z**2 * m.x**2)
    ...
    >>> device = mtj.Device(mtj.presets.perpendicular_stt().layer, (Cubic(0.05),))
    >>> field = device[Cubic].field(mtj.vector.Vector.of([0.0, 0.6, 0.8]), device.magnet, device.drive(0.0))
    >>> print(f"{field.y * 1e3:.1f} mT along y, {field.z * 1e3:.1f} mT along z")
    -19.2 mT along y, -14.4 mT along z
    """

    @abstractmethod
    def energy(self, m: Vector, magnet: Magnet, drive: Drive) -> Scalar:
        """Energy per moment E / (Ms V), T."""

    def field(self, m: Vector, magnet: Magnet, drive: Drive) -> Vector:
        """B = -dE/dm, T."""
        return -jax.grad(self.energy)(m, magnet, drive)


class UniaxialAnisotropy(AbstractEnergy):
    """Uniaxial anisotropy, an easy axis (or, for negative `Bk`, a hard one): E = -(Bk/2) (m.axis)^2.

    Where the layer has a law of `saturation`, Bk follows it.

    - `Bk`: anisotropy field mu0 Hk = 2 K1 / Ms, T.
    - `axis`: direction, shape (3,).

    >>> import mtjax as mtj
    >>> device = mtj.presets.perpendicular_stt(40.0)
    >>> anisotropy = device[mtj.UniaxialAnisotropy]
    >>> print(f"{anisotropy.Bk * 1e3:.0f} mT along {anisotropy.axis}: {device.delta:.1f} kT at {device.temperature:.0f} K")
    220 mT along [0. 0. 1.]: 40.0 kT at 300 K
    """

    Bk: Scalar = quantity("T")
    axis: Float[Array, "3"] = direction(default=(0.0, 0.0, 1.0))

    def energy(self, m: Vector, magnet: Magnet, drive: Drive) -> Scalar:
        """-(Bk/2) (m.axis)^2."""
        return -self.Bk * magnet.softening / 2 * (m @ Vector.of(self.axis)) ** 2


class SecondOrderAnisotropy(AbstractEnergy):
    """K2 sin^4: E = (Bk2/4) (1 - (m.axis)^2)^2.

    It belongs beside K1 sin^2, the `UniaxialAnisotropy` of Bk = 2 K1 / Ms. Where cos^4 is written, a part of it belongs to K1,
    apart from a constant: -Ku1 cos^2 - Ku2 cos^4 (mumax3) is (Ku1 + 2 Ku2) sin^2 - Ku2 sin^4, that is Bk = 2 (Ku1 + 2 Ku2) / Ms
    and Bk2 = -4 Ku2 / Ms; K1 sin^2 + K2 cos^4 is (K1 - 2 K2) sin^2 + K2 sin^4.

    Where the layer has a law of `saturation`, Bk2 fades like Bk (assumed: higher orders fade faster).

    - `Bk2`: second-order anisotropy field 4 K2 / Ms, T.
    - `axis`: direction, shape (3,).

    >>> import mtjax as mtj
    >>> device, term = mtj.presets.perpendicular_stt(40.0), mtj.SecondOrderAnisotropy(0.02)
    >>> up, across = (mtj.vector.Vector.of(m) for m in ([0.0, 0.0, 1.0], [1.0, 0.0, 0.0]))
    >>> low, high = (term.energy(m, device.magnet, device.drive(0.0)) for m in (up, across))
    >>> print(f"adds {(high - low) * 1e3:.1f} mT to the {device[mtj.UniaxialAnisotropy].Bk / 2 * 1e3:.0f} mT of the barrier")
    adds 5.0 mT to the 110 mT of the barrier
    """

    Bk2: Scalar = quantity("T")
    axis: Float[Array, "3"] = direction(default=(0.0, 0.0, 1.0))

    def energy(self, m: Vector, magnet: Magnet, drive: Drive) -> Scalar:
        """(Bk2/4) (1 - (m.axis)^2)^2."""
        return self.Bk2 * magnet.softening / 4 * (1 - (m @ Vector.of(self.axis)) ** 2) ** 2


class Demagnetisation(AbstractEnergy):
    """Demagnetising field, shape anisotropy: E = (mu0 Ms / 2) (Nx mx^2 + Ny my^2 + Nz mz^2).

    - `factors`: along x, y, z, shape (3,); `None` takes those of the layer's shape.

    Raises `ValueError` where a factor is not between 0 and 1, or they do not add up to 1.

    >>> import mtjax as mtj
    >>> layer = mtj.FreeLayer(mtj.EllipticCylinder(40e-9, 40e-9, 1.2e-9), Ms=1e6, alpha=0.01)
    >>> device = mtj.Device(layer, (mtj.UniaxialAnisotropy(1.35), mtj.Demagnetisation()))
    >>> up, across = (mtj.vector.Vector.of(m) for m in ([0.0, 0.0, 1.0], [1.0, 0.0, 0.0]))
    >>> low, high = (device.energy(m, device.drive(0.0)) for m in (up, across))
    >>> print(f"Bk = {2 * (high - low):.3f} T is left of 1.35 T")
    Bk = 0.252 T is left of 1.35 T
    """

    factors: Float[Array, "3"] | None = quantity("", least=0.0, most=1.0, default=None)

    def __check_init__(self):
        if self.factors is not None and is_known(self.factors) and not abs(float(np.sum(self.factors)) - 1) <= _SUM:
            raise ValueError(f"`factors` of Demagnetisation must add up to 1, but add up to {np.sum(self.factors):.4g}.")

    def energy(self, m: Vector, magnet: Magnet, drive: Drive) -> Scalar:
        """(mu0 Ms / 2) sum_i N_i m_i^2."""
        N = Vector.of(magnet.factors if self.factors is None else self.factors)
        return MU0 * magnet.Ms / 2 * (N.x * m.x**2 + N.y * m.y**2 + N.z * m.z**2)


class AppliedField(AbstractEnergy):
    """A uniform applied field (Zeeman energy): E = -B.m.

    - `B`: flux density, shape (3,), T.

    >>> import dataclasses
    >>> import mtjax as mtj
    >>> device = mtj.presets.perpendicular_sot()
    >>> anisotropy, _, torque = device.terms
    >>> helped = dataclasses.replace(device, terms=(anisotropy, mtj.AppliedField((0.05, 0.0, 0.0)), torque))
    >>> print(f"{device.critical_current * 1e6:.0f} uA in 20 mT, {helped.critical_current * 1e6:.0f} uA in 50 mT")
    107 uA in 20 mT, 74 uA in 50 mT
    """

    B: Float[Array, "3"] = quantity("T")

    def energy(self, m: Vector, magnet: Magnet, drive: Drive) -> Scalar:
        """-B.m."""
        return -(m @ Vector.of(self.B))


class ExchangeBias(AbstractEnergy):
    """The unidirectional field of an adjacent antiferromagnet: E = -B.m.

    - `B`: flux density, shape (3,), T.

    >>> import mtjax as mtj
    >>> cell = mtj.presets.kurenkov2019_neuron().cell
    >>> field = cell[mtj.ExchangeBias].field(mtj.vector.Vector.of(cell.start), cell.magnet, cell.drive(0.0))
    >>> print(f"{cell[mtj.ExchangeBias]} acts like an applied field of {field.x * 1e3:.0f} mT")
    ExchangeBias(B=[0.03, 0, 0] T) acts like an applied field of 30 mT
    """

    B: Float[Array, "3"] = quantity("T")

    def energy(self, m: Vector, magnet: Magnet, drive: Drive) -> Scalar:
        """-B.m."""
        return -(m @ Vector.of(self.B))


class VCMA(AbstractEnergy):
    """Voltage-controlled magnetic anisotropy of the interface: E = xi V / (Ms t t_ox) (m.axis)^2.

    A positive voltage lowers the anisotropy along `axis` by 2 xi V / (Ms t t_ox), t the layer's thickness.

    - `xi`: VCMA coefficient, J/(V m) (100 fJ/(V m) = 1e-13).
    - `oxide_thickness`: of the barrier, m.
    - `axis`: direction, shape (3,).

    >>> import mtjax as mtj
    >>> device = mtj.presets.perpendicular_stt()
    >>> lowered = mtj.VCMA(xi=100e-15, oxide_thickness=1e-9)
    >>> field = lowered.field(mtj.vector.Vector.of(device.start), device.magnet, device.drive(200e-6))
    >>> print(f"{device.drive(200e-6).voltage:.1f} V changes the anisotropy by {field.z * 1e3:.0f} mT")
    1.0 V changes the anisotropy by -167 mT
    """

    xi: Scalar = quantity("J/(V m)")
    oxide_thickness: Scalar = quantity("m", positive=True)
    axis: Float[Array, "3"] = direction(default=(0.0, 0.0, 1.0))

    def energy(self, m: Vector, magnet: Magnet, drive: Drive) -> Scalar:
        """Xi V / (Ms t t_ox) (m.axis)^2."""
        strength = self.xi / magnet.thickness / self.oxide_thickness / magnet.Ms
        return strength * drive.voltage * (m @ Vector.of(self.axis)) ** 2


def total_field(terms: tuple[AbstractTerm, ...], m: Vector, magnet: Magnet, drive: Drive) -> Vector:
    """Sum of the effective fields of all terms, and of the field of the `drive`, T.

    >>> import mtjax as mtj
    >>> device = mtj.presets.perpendicular_sot()
    >>> m = mtj.vector.Vector.of(device.start)
    >>> field = mtj.devices.total_field(device.terms, m, device.magnet, device.drive(100e-6))
    >>> print([f"{component * 1e3:.0f} mT" for component in field.array()])
    ['86 mT', '0 mT', '169 mT']
    """
    fields = [term.field(m, magnet, drive) for term in terms] + ([] if drive.field is None else [drive.field])
    return sum(fields, Vector(jnp.zeros_like(m.x), jnp.zeros_like(m.y), jnp.zeros_like(m.z)))


def total_energy(terms: tuple[AbstractTerm, ...], m: Vector, magnet: Magnet, drive: Drive) -> Scalar:
    """Sum of the energies per moment of the conservative terms, and of that in the field of the `drive`, T.

    >>> import mtjax as mtj
    >>> device = mtj.presets.perpendicular_sot()
    >>> up, across = (mtj.vector.Vector.of(m) for m in ([0.0, 0.0, 1.0], [1.0, 0.0, 0.0]))
    >>> low, high = (mtj.devices.total_energy(device.terms, m, device.magnet, device.drive(0.0)) for m in (up, across))
    >>> print(f"{(high - low) * 1e3:.0f} mT, times the moment {(high - low) * device.moment * 1e21:.0f} zJ")
    64 mT, times the moment 126 zJ
    """
    energies = [term.energy(m, magnet, drive) for term in terms if isinstance(term, AbstractEnergy)]
    energies += [] if drive.field is None else [-(m @ drive.field)]
    return sum(energies, jnp.zeros_like(m.x))
