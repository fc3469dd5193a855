"""Magnetic energies; each field is minus the gradient of its energy.

Energies are per magnetic moment, E / (Ms V), in tesla, so that B = -dE/dm is a flux density.
"""

from abc import abstractmethod

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from mtjax.constants import MU0
from mtjax.devices.layer import Drive, Magnet
from mtjax.printing import Shown
from mtjax.quantities import Numbers, Scalar, as_scalar, direction, quantity, require
from mtjax.vector import Vector


class AbstractTerm(Shown):
    """Anything that acts on the magnetisation as an effective field."""

    @abstractmethod
    def field(self, m: Vector, magnet: Magnet, drive: Drive) -> Vector:
        """Effective field at the unit vector `m`, T."""


class AbstractEnergy(AbstractTerm):
    """A conservative term: give the energy, the field follows by differentiation."""

    @abstractmethod
    def energy(self, m: Vector, magnet: Magnet, drive: Drive) -> Scalar:
        """Energy per moment E / (Ms V), T."""

    def field(self, m: Vector, magnet: Magnet, drive: Drive) -> Vector:
        """B = -dE/dm, T."""
        return -jax.grad(self.energy)(m, magnet, drive)


def _as_field(B: Numbers) -> Array:
    B = as_scalar(B)
    if B.shape[-1:] != (3,):
        raise ValueError(f"A field must have three components (T), but has shape {B.shape}.")
    return B


def _as_factors(N: Numbers | None) -> Array | None:
    return None if N is None else as_scalar(N)


class UniaxialAnisotropy(AbstractEnergy):
    """Easy axis (or, for negative `Bk`, hard axis): E = -(Bk/2) (m.axis)^2.

    Where the layer has a law of `saturation`, Bk follows it.

    - `Bk`: anisotropy field mu0 Hk = 2 K1 / Ms, T.
    - `axis`: direction, shape (3,).
    """

    Bk: Scalar = quantity("T")
    axis: Float[Array, "3"] = direction(default=(0.0, 0.0, 1.0))

    def __check_init__(self):
        require(self, "Bk")

    def energy(self, m: Vector, magnet: Magnet, drive: Drive) -> Scalar:
        """-(Bk/2) (m.axis)^2."""
        return -self.Bk * magnet.softening / 2 * (m @ Vector.of(self.axis)) ** 2


class SecondOrderAnisotropy(AbstractEnergy):
    """K2 sin^4: E = (Bk2/4) (1 - (m.axis)^2)^2.

    Where the layer has a law of `saturation`, Bk2 fades like Bk (assumed: higher orders fade faster).

    - `Bk2`: second-order anisotropy field 4 K2 / Ms, T.
    - `axis`: direction, shape (3,).
    """

    Bk2: Scalar = quantity("T")
    axis: Float[Array, "3"] = direction(default=(0.0, 0.0, 1.0))

    def __check_init__(self):
        require(self, "Bk2")

    def energy(self, m: Vector, magnet: Magnet, drive: Drive) -> Scalar:
        """(Bk2/4) (1 - (m.axis)^2)^2."""
        return self.Bk2 * magnet.softening / 4 * (1 - (m @ Vector.of(self.axis)) ** 2) ** 2


class Demagnetisation(AbstractEnergy):
    """Shape anisotropy: E = (mu0 Ms / 2) (Nx mx^2 + Ny my^2 + Nz mz^2).

    - `factors`: shape (3,); `None` takes those of the layer's shape.
    """

    factors: Float[Array, "3"] | None = eqx.field(default=None, converter=_as_factors, metadata={"unit": ""})

    def __check_init__(self):
        require(self, "factors", least=0.0, most=1.0)

    def energy(self, m: Vector, magnet: Magnet, drive: Drive) -> Scalar:
        """(mu0 Ms / 2) sum_i N_i m_i^2."""
        N = Vector.of(magnet.factors if self.factors is None else self.factors)
        return MU0 * magnet.Ms / 2 * (N.x * m.x**2 + N.y * m.y**2 + N.z * m.z**2)


class AppliedField(AbstractEnergy):
    """A uniform field: E = -B.m.

    - `B`: flux density, shape (3,), T.
    """

    B: Float[Array, "3"] = eqx.field(converter=_as_field, metadata={"unit": "T"})

    def __check_init__(self):
        require(self, "B")

    def energy(self, m: Vector, magnet: Magnet, drive: Drive) -> Scalar:
        """-B.m."""
        return -(m @ Vector.of(self.B))


class ExchangeBias(AbstractEnergy):
    """The unidirectional field of an adjacent antiferromagnet: E = -B.m.

    - `B`: flux density, shape (3,), T.
    """

    B: Float[Array, "3"] = eqx.field(converter=_as_field, metadata={"unit": "T"})

    def __check_init__(self):
        require(self, "B")

    def energy(self, m: Vector, magnet: Magnet, drive: Drive) -> Scalar:
        """-B.m."""
        return -(m @ Vector.of(self.B))


class VCMA(AbstractEnergy):
    """Voltage control of the interface anisotropy: E = xi V / (Ms t t_ox) (m.axis)^2.

    A positive voltage lowers the anisotropy along `axis` by 2 xi V / (Ms t t_ox), t the layer's thickness.

    - `xi`: VCMA coefficient, J/(V m) (100 fJ/(V m) = 1e-13).
    - `oxide_thickness`: of the barrier, m.
    - `axis`: direction, shape (3,).
    """

    xi: Scalar = quantity("J/(V m)")
    oxide_thickness: Scalar = quantity("m")
    axis: Float[Array, "3"] = direction(default=(0.0, 0.0, 1.0))

    def __check_init__(self):
        require(self, "xi")
        require(self, "oxide_thickness", positive=True)

    def energy(self, m: Vector, magnet: Magnet, drive: Drive) -> Scalar:
        """Xi V / (Ms t t_ox) (m.axis)^2."""
        strength = self.xi / magnet.thickness / self.oxide_thickness / magnet.Ms
        return strength * drive.voltage * (m @ Vector.of(self.axis)) ** 2


def total_field(terms: tuple[AbstractTerm, ...], m: Vector, magnet: Magnet, drive: Drive) -> Vector:
    """Sum of the effective fields of all terms, T."""
    fields = [term.field(m, magnet, drive) for term in terms]
    return sum(fields, Vector(jnp.zeros_like(m.x), jnp.zeros_like(m.y), jnp.zeros_like(m.z)))


def total_energy(terms: tuple[AbstractTerm, ...], m: Vector, magnet: Magnet, drive: Drive) -> Scalar:
    """Sum of the energies per moment of the conservative terms, T."""
    energies = [term.energy(m, magnet, drive) for term in terms if isinstance(term, AbstractEnergy)]
    return sum(energies, jnp.zeros_like(m.x))
