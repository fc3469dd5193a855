"""What couples two layers of a stack: interlayer exchange, Dzyaloshinskii-Moriya interaction, dipole fields, spin transfer.

Energies are per area of the interface, in J/m^2; the field on each layer is minus the derivative of the energy over the layer's
moment per area, Ms t, so that layers of different thickness and magnetisation feel different fields.
"""

import dataclasses
import math
from abc import abstractmethod
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from mtjax.constants import MU0, SPIN_FIELD
from mtjax.devices.layer import Drive, Magnet
from mtjax.devices.shapes import AbstractShape, EllipticCylinder, Prism
from mtjax.printing import Shown
from mtjax.quantities import Numbers, Scalar, as_scalar, is_known, quantity
from mtjax.vector import Vector

Pair = tuple[Vector, Vector]
Magnets = tuple[Magnet, Magnet]


class AbstractCoupling(Shown):
    """Anything that acts between two layers as effective fields on both.

    - `layers`: the numbers of the two layers in the stack, counted from 0.

    >>> import jax
    >>> import mtjax as mtj
    >>> class Drag(mtj.AbstractCoupling):
    ...     B: jax.Array = mtj.quantity("T")
    ...     layers: tuple[int, int] = (0, 1)
    ...     def fields(self, ms, magnets, drive):  # the second layer follows the first, which does not notice
    ...         return self.B * 0.0 * ms[1], self.B * ms[0]
    ...
    >>> layer = mtj.presets.perpendicular_stt(40.0)
    >>> stack = mtj.Stack((layer, layer), (Drag(0.1),))
    >>> ms = mtj.vector.Layered.of([[0.0, 0.0, 1.0], [0.0, 0.0, -1.0]])
    >>> [f"{B.z:+.2f} T" for B in stack.field(ms, stack.drive(0.0)).each]
    ['+0.22 T', '-0.12 T']
    """

    layers: eqx.AbstractVar[tuple[int, int]]

    @abstractmethod
    def fields(self, ms: Pair, magnets: Magnets, drive: Drive) -> Pair:
        """Effective fields on the two layers at their unit vectors `ms`, T."""


class AbstractCouplingEnergy(AbstractCoupling):
    """A conservative coupling: give the energy per area, the fields follow by differentiation.

    - `layers`: the numbers of the two layers in the stack, counted from 0.

    >>> import jax
    >>> import mtjax as mtj
    >>> class Cubic(mtj.AbstractCouplingEnergy):
    ...     J3: jax.Array = mtj.quantity("J/m^2")
    ...     layers: tuple[int, int] = (0, 1)
    ...     def energy(self, ms, magnets):
    ...         return -self.J3 * (ms[0] @ ms[1]) ** 3
    ...
    >>> layer = mtj.presets.perpendicular_stt(40.0)
    >>> stack = mtj.Stack((layer, layer), (Cubic(1e-4),))
    >>> ms = mtj.vector.Layered.of([[0.0, 0.0, 1.0], [0.0, 0.6, 0.8]])
    >>> f"{(stack.field(ms, stack.drive(0.0)).each[0].y * 1e3):.1f} mT along y on the first layer"
    '96.0 mT along y on the first layer'
    """

    layers: eqx.AbstractVar[tuple[int, int]]

    @abstractmethod
    def energy(self, ms: Pair, magnets: Magnets) -> Scalar:
        """Energy per area of the interface, J/m^2."""

    def fields(self, ms: Pair, magnets: Magnets, drive: Drive) -> Pair:
        """-dE/dm over the moment per area of the interface, T."""
        first, second = jax.grad(self.energy)(ms, magnets)
        area = interface(magnets)
        return first * (-1 / moment_over(area, magnets[0])), second * (-1 / moment_over(area, magnets[1]))


def interface(magnets: Magnets) -> Scalar:
    """Area of the interface: that of the smaller of the two layers, m^2."""
    return jnp.minimum(magnets[0].area, magnets[1].area)


def moment_over(area: Scalar, magnet: Magnet) -> Scalar:
    """Moment of a layer over an `area` (m^2): Ms t where it is its own, A."""
    return magnet.Ms * (magnet.volume / area)


class InterlayerExchange(AbstractCouplingEnergy):
    """Interlayer exchange, bilinear and biquadratic: E = -J m1.m2 - J2 (m1.m2)^2.

    A positive `J` favours parallel layers, a negative one antiparallel ones (a synthetic antiferromagnet); a negative `J2`
    favours layers at right angles. (Bruno and Chappert, Phys. Rev. Lett. 67, 1602, 1991; Slonczewski, ibid. 3172; as recalled.)

    - `J`: bilinear, J/m^2 (1 erg/cm^2 is 1e-3); `J2`: biquadratic, J/m^2.
    - `layers`: the numbers of the two layers in the stack, counted from 0.

    >>> import mtjax as mtj
    >>> layer = mtj.presets.perpendicular_stt(40.0)
    >>> stack = mtj.Stack((layer, layer), (mtj.InterlayerExchange(-2e-4),))
    >>> ms = mtj.vector.Layered.of([[0.0, 0.0, 1.0], [0.0, 0.0, -1.0]])
    >>> f"{stack.field(ms, stack.drive(0.0)).each[0].z * 1e3:.0f} mT on the first layer, 220 of them its anisotropy"
    '386 mT on the first layer, 220 of them its anisotropy'
    """

    J: Scalar = quantity("J/m^2")
    J2: Scalar = quantity("J/m^2", default=0.0)
    layers: tuple[int, int] = eqx.field(static=True, default=(0, 1))

    def energy(self, ms: Pair, magnets: Magnets) -> Scalar:
        """-J m1.m2 - J2 (m1.m2)^2."""
        product = ms[0] @ ms[1]
        return -self.J * product - self.J2 * product**2


class InterlayerDMI(AbstractCouplingEnergy):
    """Interlayer Dzyaloshinskii-Moriya interaction: E = D.(m1 x m2).

    (Form of Vedmedenko et al., Phys. Rev. Lett. 122, 257202, 2019, as recalled.) With the other order of `layers`, D has
    the other sign.

    - `D`: vector, shape (3,), J/m^2.
    - `layers`: the numbers of the two layers in the stack, counted from 0.

    >>> import mtjax as mtj
    >>> layer = mtj.presets.perpendicular_stt(40.0)
    >>> stack = mtj.Stack((layer, layer), (mtj.InterlayerDMI((0.0, 5e-5, 0.0)),))
    >>> ms = mtj.vector.Layered.of([[0.0, 0.0, 1.0], [0.0, 0.0, 1.0]])
    >>> [f"{B.x * 1e3:.0f} mT along x" for B in stack.field(ms, stack.drive(0.0)).each]  # they turn apart
    ['42 mT along x', '-42 mT along x']
    """

    D: Float[Array, "3"] = quantity("J/m^2")
    layers: tuple[int, int] = eqx.field(static=True, default=(0, 1))

    def energy(self, ms: Pair, magnets: Magnets) -> Scalar:
        """D.(m1 x m2)."""
        return Vector.of(self.D) @ ms[0].cross(ms[1])


class DipolarCoupling(AbstractCouplingEnergy):
    """The stray field of each layer in the other, averaged over it: B1 = -mu0 Ms2 N m2.

    Energy per volume of the first layer: mu0 Ms1 Ms2 m1.N m2; the field on the second is that of the transposed tensor times
    the ratio of the volumes.

    - `tensor`: N, shape (3, 3), no unit; the field of the second layer in the first.
    - `layers`: the numbers of the two layers in the stack, counted from 0.

    >>> import mtjax as mtj
    >>> disc = mtj.EllipticCylinder(60e-9, 60e-9, 1.5e-9)
    >>> N = mtj.DipolarCoupling.between(disc, disc, gap=1e-9).tensor
    >>> [f"{factor:.4f}" for factor in N.diagonal()]  # antiparallel in the plane, parallel along the normal
    ['0.0207', '0.0207', '-0.0414']
    """

    tensor: Float[Array, "3 3"] = quantity("")
    layers: tuple[int, int] = eqx.field(static=True, default=(0, 1))

    @staticmethod
    def between(
        first: AbstractShape, second: AbstractShape, gap: ArrayLike, layers: tuple[int, int] = (0, 1)
    ) -> "DipolarCoupling":
        """Of two layers of the same outline, one above the other with a spacer of thickness `gap` (m) between them.

        With F(h) = h N(h) of a body of thickness h, the exact mean is [F(t1 + g + t2) - F(t1 + g) - F(g + t2) + F(g)] / (2 t1):
        the energies of bodies that touch add up to that of the whole body. Raises `ValueError` unless both are elliptic
        cylinders or prisms of the same length and width, and `gap` is at least 0.
        """
        _require_same_outline(first, second)
        gap = as_scalar(gap)
        if is_known(gap) and not gap >= 0:
            raise ValueError(f"`gap` must be at least 0, but is {gap} m.")
        t1, t2 = first.thickness, second.thickness
        heights = jnp.stack([t1 + gap + t2, t1 + gap, gap + t2, jnp.maximum(gap, 1e-6 * t1)])
        factors = jax.vmap(lambda h: dataclasses.replace(first, thickness=h).demagnetisation_factors())(heights)
        F = (heights / t1)[:, None] * factors
        return DipolarCoupling(jnp.diag(F[0] - F[1] - F[2] + F[3]) / 2, layers)

    @staticmethod
    def point(separation: Numbers, volume: ArrayLike, layers: tuple[int, int] = (0, 1)) -> "DipolarCoupling":
        """Of two point dipoles: `separation` from the one to the other, shape (3,), m; `volume` of the second layer, m^3.

        N = V2 / (4 pi r^3) (1 - 3 r r / r^2). Raises `ValueError` where the separation has not three components, or is zero.
        """
        r = as_scalar(separation)
        if r.shape != (3,) or (is_known(r) and not np.any(np.asarray(r))):
            raise ValueError(f"`separation` must have three components, not all of them zero, but is {separation}.")
        length = jnp.linalg.norm(r)
        along = r / length
        strength = as_scalar(volume) / length / length / length / (4 * math.pi)
        return DipolarCoupling(strength * (jnp.eye(3, dtype=r.dtype) - 3 * jnp.outer(along, along)), layers)

    def energy(self, ms: Pair, magnets: Magnets) -> Scalar:
        """mu0 Ms1 Ms2 m1.N m2 times the volume of the first layer per area of the interface."""
        across = Vector.of(self.tensor @ ms[1].array())
        return MU0 * magnets[1].Ms * moment_over(interface(magnets), magnets[0]) * (ms[0] @ across)


def _require_same_outline(first: AbstractShape, second: AbstractShape) -> None:
    kinds = (EllipticCylinder, Prism)
    sizes: list[Any] = [size for shape in (first, second) if isinstance(shape, kinds) for size in (shape.length, shape.width)]
    fits = type(first) is type(second) and len(sizes) == 4
    if fits and all(map(is_known, sizes)):
        fits = bool(np.allclose(np.asarray(sizes[:2]), np.asarray(sizes[2:]), rtol=1e-6, atol=0.0))
    if not fits:
        raise ValueError(
            "`first` and `second` must be two elliptic cylinders, or two prisms, of the same length and width, but are "
            f"{first} and {second}."
        )


class MutualSpinTransfer(AbstractCoupling):
    """Spin transfer of a current from each of two layers to the other (Slonczewski), B_DL = (hbar / 2e) P J / (Ms t).

    A positive current pulls the first layer towards the second, and pushes the second away from the first: electrons that the
    first layer reflects arrive with the opposite spin. With a second layer that cannot move it is a `SpinTransferTorque` of the
    first.

    - `polarisation`: P, between -1 and 1.
    - `field_like_ratio`: B_FL / B_DL.
    - `layers`: the numbers of the two layers in the stack, counted from 0.

    >>> import mtjax as mtj
    >>> layer = mtj.presets.perpendicular_stt(40.0)
    >>> free = mtj.Device(layer.layer, (mtj.UniaxialAnisotropy(0.22),))
    >>> stack = mtj.Stack((free, free), (mtj.MutualSpinTransfer(0.6),))
    >>> ms = mtj.vector.Layered.of([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    >>> [f"{B.y * 1e3:.1f} mT along y" for B in stack.field(ms, stack.drive(100e-6)).each]
    ['-13.1 mT along y', '-13.1 mT along y']
    """

    polarisation: Scalar = quantity("", least=-1.0, most=1.0)
    field_like_ratio: Scalar = quantity("", default=0.0)
    layers: tuple[int, int] = eqx.field(static=True, default=(0, 1))

    def fields(self, ms: Pair, magnets: Magnets, drive: Drive) -> Pair:
        """B_DL (m1 x m2) on the first layer, -B_DL (m2 x m1) on the second, and the field-like parts, T."""

        def on(m, other, magnet, sign):
            B_DL = sign * SPIN_FIELD * self.polarisation * (drive.current / interface(magnets)) / (magnet.Ms * magnet.thickness)
            return B_DL * (m.cross(other) + self.field_like_ratio * other)

        return on(ms[0], ms[1], magnets[0], 1.0), on(ms[1], ms[0], magnets[1], -1.0)
