"""Current-induced torques, as effective fields: B_DL (m x sigma) + B_FL sigma.

With dm/dt = -gamma m x B a positive B_DL pulls m towards +sigma.
"""

from abc import abstractmethod

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from mtjax.constants import SPIN_FIELD
from mtjax.devices.energies import AbstractTerm
from mtjax.devices.layer import Drive, Magnet
from mtjax.quantities import Scalar, direction, quantity
from mtjax.vector import Vector


class AbstractTorque(AbstractTerm):
    """A torque of spins polarised along `sigma`: give the damping-like field, the field-like one follows.

    - `sigma`: spin polarisation for a positive current, shape (3,).
    - `field_like_ratio`: B_FL / B_DL.

    >>> import jax
    >>> import mtjax as mtj
    >>> class Measured(mtj.AbstractTorque):
    ...     efficiency: jax.Array = mtj.quantity("T/A")
    ...     sigma: jax.Array = mtj.direction(default=(0.0, 1.0, 0.0))
    ...     field_like_ratio: jax.Array = mtj.quantity("", default=0.2)
    ...     def damping_like(self, m, magnet, drive):
    ...         return self.efficiency * drive.current
    ...
    >>> device = mtj.presets.perpendicular_sot()
    >>> field = Measured(500.0).field(mtj.vector.Vector.of(device.start), device.magnet, device.drive(100e-6))
    >>> print(f"damping-like {-field.x * 1e3:.0f} mT along -x, field-like {field.y * 1e3:.0f} mT along y")
    damping-like 50 mT along -x, field-like 10 mT along y
    """

    sigma: eqx.AbstractVar[Float[Array, "3"]]
    field_like_ratio: eqx.AbstractVar[Scalar]

    @abstractmethod
    def damping_like(self, m: Vector, magnet: Magnet, drive: Drive) -> Scalar:
        """Damping-like field B_DL, T."""

    def field(self, m: Vector, magnet: Magnet, drive: Drive) -> Vector:
        """B_DL (m x sigma) + field_like_ratio B_DL sigma, T, and `more_field_like` sigma where there is more."""
        sigma = Vector.of(self.sigma)
        B_DL, more = self.damping_like(m, magnet, drive), self.more_field_like(magnet, drive)
        field = B_DL * (m.cross(sigma) + self.field_like_ratio * sigma)
        return field if more is None else field + more * sigma

    def more_field_like(self, magnet: Magnet, drive: Drive) -> Scalar | None:
        """Field along `sigma` beside `field_like_ratio` B_DL, T; `None`: there is none."""
        return None


class SpinOrbitTorque(AbstractTorque):
    """Spin-orbit torque (SOT) of the spin Hall effect in a heavy metal under the layer (Slonczewski form).

    B_DL = (hbar / 2e) theta_sh J / (Ms t) (1 - sech(d / l_sf)) with J = I / (width d): a positive current times a
    positive `theta_sh` pulls m towards `sigma`.

    - `theta_sh`: spin-Hall angle.
    - `width`, `thickness`: cross-section of the heavy metal (thickness d), m.
    - `sigma`: spin polarisation at the interface for a positive current and angle, shape (3,).
    - `field_like_ratio`: B_FL / B_DL.
    - `spin_diffusion_length`: l_sf, m; `None` means much shorter than d (factor 1).

    Raises `ValueError` where a number is not finite, or a length not positive.

    >>> import mtjax as mtj
    >>> device = mtj.presets.perpendicular_sot()
    >>> m = mtj.vector.Vector.of(device.start)
    >>> B_DL = device[mtj.SpinOrbitTorque].damping_like(m, device.magnet, device.drive(100e-6))
    >>> print(f"{B_DL * 1e3:.1f} mT at 100 uA")
    65.8 mT at 100 uA
    """

    theta_sh: Scalar = quantity("")
    width: Scalar = quantity("m", positive=True)
    thickness: Scalar = quantity("m", positive=True)
    sigma: Float[Array, "3"] = direction(default=(0.0, 1.0, 0.0))
    field_like_ratio: Scalar = quantity("", default=0.0)
    spin_diffusion_length: Scalar | None = quantity("m", positive=True, default=None)

    def damping_like(self, m: Vector, magnet: Magnet, drive: Drive) -> Scalar:
        """(hbar / 2e) theta_sh J / (Ms t) (1 - sech(d / l_sf)), T."""
        J = drive.current / self.width / self.thickness
        B_DL = SPIN_FIELD * self.theta_sh * J / (magnet.Ms * magnet.thickness)
        if self.spin_diffusion_length is None:
            return B_DL
        return B_DL * (1 - 1 / jnp.cosh(self.thickness / self.spin_diffusion_length))


class SpinTransferTorque(AbstractTorque):
    """Spin-transfer torque (STT) of a current through the junction, after Slonczewski.

    B_DL = (hbar / 2e) eta J / (Ms t) with J = I / area and eta = 2 P L^2 / (L^2 + 1 + (L^2 - 1) m.sigma); eta = P
    for L = 1. A positive current pulls m towards `sigma`, the polarisation of the reference layer: it favours P.
    (Form of Xiao, Zangwill and Stiles, Phys. Rev. B 70, 172405, 2004, as recalled.) OOMMF and mumax3 write eta = 2 epsilon, and
    add a torque of the constant coefficient epsilon': here B_FL = field_like_ratio B_DL + (hbar / e) epsilon' J / (Ms t).

    - `polarisation`: P, between -1 and 1.
    - `asymmetry`: L (Lambda), at least 1.
    - `sigma`: direction of the reference layer, shape (3,).
    - `field_like_ratio`: B_FL / B_DL.
    - `epsilon_prime`: the constant second coefficient of OOMMF and mumax3, no unit; `None`: there is none.

    Raises `ValueError` where a number is not finite or out of its range.

    >>> import mtjax as mtj
    >>> device = mtj.presets.perpendicular_stt(40.0)
    >>> m = mtj.vector.Vector.of(device.start)
    >>> B_DL = device[mtj.SpinTransferTorque].damping_like(m, device.magnet, device.drive(100e-6))
    >>> print(f"{B_DL * 1e3:.1f} mT at 100 uA")
    13.1 mT at 100 uA
    >>> second = mtj.SpinTransferTorque(polarisation=0.6, epsilon_prime=0.06)
    >>> field = second.field(m, device.magnet, device.drive(100e-6))
    >>> print(f"epsilon' adds {field.z * 1e3:.1f} mT along sigma")
    epsilon' adds 2.6 mT along sigma
    """

    polarisation: Scalar = quantity("", least=-1.0, most=1.0)
    sigma: Float[Array, "3"] = direction(default=(0.0, 0.0, 1.0))
    asymmetry: Scalar = quantity("", least=1.0, default=1.0)
    field_like_ratio: Scalar = quantity("", default=0.0)
    epsilon_prime: Scalar | None = quantity("", default=None)

    def damping_like(self, m: Vector, magnet: Magnet, drive: Drive) -> Scalar:
        """(hbar / 2e) eta(m.sigma) J / (Ms t), T."""
        L2 = self.asymmetry**2
        eta = 2 * self.polarisation * L2 / (L2 + 1 + (L2 - 1) * (m @ Vector.of(self.sigma)))
        J = drive.current / magnet.area
        return SPIN_FIELD * eta * J / (magnet.Ms * magnet.thickness)

    def more_field_like(self, magnet: Magnet, drive: Drive) -> Scalar | None:
        """(hbar / e) epsilon' J / (Ms t), T."""
        if self.epsilon_prime is None:
            return None
        J = drive.current / magnet.area
        return 2 * SPIN_FIELD * self.epsilon_prime * J / (magnet.Ms * magnet.thickness)
