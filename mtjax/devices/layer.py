"""The free layer, the state it is in, and the drive that acts on it."""

import equinox as eqx
from jaxtyping import Array, ArrayLike, Float

from mtjax.constants import GAMMA, GAMMA_NS, KB, NS
from mtjax.devices.saturation import AbstractSaturation
from mtjax.devices.shapes import AbstractShape
from mtjax.printing import Shown
from mtjax.quantities import Scalar, as_scalar, quantity
from mtjax.vector import Vector


class Drive(Shown):
    """What acts on the device at one moment.

    - `current`: through the write path, A.
    - `voltage`: across the barrier, V.
    - `temperature`: of the free layer, K.
    - `field`: applied beside the device's own fields, T; `None`: there is none.

    >>> import mtjax as mtj
    >>> device = mtj.presets.perpendicular_stt(40.0)
    >>> device.drive(50e-6)
    Drive(current=50 uA, voltage=250 mV, temperature=300 K, field=None)
    """

    current: Scalar = quantity("A")
    voltage: Scalar = quantity("V")
    temperature: Scalar = quantity("K")
    field: Vector | None = None


class Magnet(Shown):
    """The numbers that fields and torques need of a layer at one temperature, worked out once before a simulation.

    - `Ms`: saturation magnetisation, A/m; `alpha`: Gilbert damping.
    - `softening`: Bk at this temperature over the stated Bk.
    - `volume` (m^3), `area` (m^2, in the film plane), `thickness` (m).
    - `factors`: demagnetisation factors along x, y, z, shape (3,).
    - `gyromagnetic_ratio`: rad/(ns T).

    >>> import mtjax as mtj
    >>> magnet = mtj.presets.perpendicular_stt(40.0).magnet
    >>> print(f"moment {magnet.moment:.2e} A m^2, Nz {magnet.factors[2]:.3f}")
    moment 1.51e-18 A m^2, Nz 0.916
    """

    Ms: Scalar
    alpha: Scalar
    volume: Scalar
    area: Scalar
    thickness: Scalar
    factors: Float[Array, "3"]
    softening: ArrayLike = 1.0
    gyromagnetic_ratio: ArrayLike = GAMMA_NS

    @property
    def moment(self) -> Scalar:
        """Magnetic moment Ms V, A m^2."""
        return self.Ms * self.volume

    @property
    def gamma(self) -> Scalar:
        """gamma / (1 + alpha^2), rad/(ns T): the precession rate per field of the explicit LLG equation."""
        return as_scalar(self.gyromagnetic_ratio) / (1 + self.alpha**2)

    def diffusion(self, temperature: ArrayLike) -> Scalar:
        """Diffusion constant on the unit sphere, 1/ns.

        D = alpha gamma kB T / ((1 + alpha^2) Ms V) (Brown, Phys. Rev. 130, 1677, 1963).
        """
        return self.alpha * self.gamma * (as_scalar(temperature) / (self.moment / KB))


class FreeLayer(Shown):
    """A uniformly magnetised layer (one macrospin).

    - `shape`: its outline and thickness.
    - `Ms`: saturation magnetisation, A/m.
    - `alpha`: Gilbert damping, no unit.
    - `saturation`: how Ms and Bk change with temperature; `None`: not at all.
    - `gyromagnetic_ratio`: gamma = g mu_B / hbar, rad/(s T); `None`: that of the electron, 1.76086e11, g = 2.00232.

    Raises `ValueError` where `Ms`, `alpha` or `gyromagnetic_ratio` is not positive.

    >>> import mtjax as mtj
    >>> shape = mtj.EllipticCylinder(40e-9, 40e-9, 1.2e-9)
    >>> layer = mtj.FreeLayer(shape, Ms=1e6, alpha=0.01, saturation=mtj.BlochLaw(Tc=1000.0))
    >>> print(f"{layer.Ms_at(300.0) / 1e6:.3f} MA/m at 300 K, {layer.Ms_at(400.0) / 1e6:.3f} MA/m at 400 K")
    1.000 MA/m at 300 K, 0.894 MA/m at 400 K
    >>> cobalt = mtj.FreeLayer(shape, Ms=1e6, alpha=0.01, gyromagnetic_ratio=2.18 / 2.00232 * mtj.constants.GAMMA)
    >>> print(f"{cobalt.gamma / mtj.constants.TAU / 1e9:.1f} GHz/T, the electron {layer.gamma / mtj.constants.TAU / 1e9:.1f}")
    30.5 GHz/T, the electron 28.0
    """

    shape: AbstractShape
    Ms: Scalar = quantity("A/m", positive=True)
    alpha: Scalar = quantity("", positive=True)
    saturation: AbstractSaturation | None = None
    gyromagnetic_ratio: Scalar | None = quantity("rad/(s T)", positive=True, default=None)

    @property
    def gamma(self) -> Scalar:
        """The gyromagnetic ratio, rad/(s T)."""
        return as_scalar(GAMMA if self.gyromagnetic_ratio is None else self.gyromagnetic_ratio)

    def magnet(self, temperature: ArrayLike | None = None) -> Magnet:
        """The derived numbers (volume, demagnetisation factors, ...); differentiable in the sizes.

        - `temperature`: K; `None` for the one at which `Ms` is stated.
        """
        shape = self.shape
        magnet = Magnet(
            Ms=self.Ms,
            alpha=self.alpha,
            volume=shape.volume,
            area=shape.area,
            thickness=shape.thickness,
            factors=shape.demagnetisation_factors(),
            gyromagnetic_ratio=GAMMA_NS if self.gyromagnetic_ratio is None else self.gyromagnetic_ratio * NS,
        )
        return magnet if temperature is None else self.warmed(magnet, temperature)

    def Ms_at(self, temperature: ArrayLike) -> Scalar:
        """Saturation magnetisation at a `temperature` (K), A/m."""
        return self.Ms if self.saturation is None else self.Ms * self.saturation.magnetisation(temperature)

    def warmed(self, magnet: Magnet, temperature: ArrayLike) -> Magnet:
        """`magnet` of this layer at another `temperature` (K)."""
        law = self.saturation
        if law is None:
            return magnet
        new = (self.Ms_at(temperature), law.anisotropy(temperature))
        return eqx.tree_at(lambda m: (m.Ms, m.softening), magnet, new)
