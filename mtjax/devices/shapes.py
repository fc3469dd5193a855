"""Shapes of a free layer and their demagnetisation factors, exact and differentiable in every length.

A uniformly magnetised body of magnetisation Ms m has the mean demagnetising field
-mu0 Ms (Nx mx, Ny my, Nz mz), with x along `length`, y along `width` and z along `thickness`. The factors
depend on ratios of lengths only and are formed from ratios, so float32 neither over- nor underflows. Nothing
large cancels in thin films, and length == width is no special point.
"""

from __future__ import annotations

import math
from abc import abstractmethod

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from mtjax.numerics import gauss_legendre
from mtjax.printing import Shown
from mtjax.quantities import Scalar, quantity


class AbstractShape(Shown):
    """A body with three full extents: `length` along x, `width` along y, `thickness` along z (metres).

    >>> import mtjax as mtj
    >>> shapes = [kind(100e-9, 40e-9, 2e-9) for kind in (mtj.EllipticCylinder, mtj.Prism, mtj.Ellipsoid)]
    >>> print(", ".join(f"{type(shape).__name__} {shape.demagnetisation_factors()[2]:.3f}" for shape in shapes))
    EllipticCylinder 0.903, Prism 0.909, Ellipsoid 0.945
    """

    length: eqx.AbstractVar[Scalar]
    width: eqx.AbstractVar[Scalar]
    thickness: eqx.AbstractVar[Scalar]

    @property
    @abstractmethod
    def volume(self) -> Scalar:
        """Volume, m^3."""

    @property
    @abstractmethod
    def area(self) -> Scalar:
        """Largest cross-section in the film plane, m^2."""

    @abstractmethod
    def demagnetisation_factors(self) -> Float[Array, " 3"]:
        """The factors (Nx, Ny, Nz), shape (3,), of sum 1."""


class EllipticCylinder(AbstractShape):
    """A cylinder of elliptic cross-section, the usual pillar.

    - `length`, `width`: the axes (diameters, not radii) of the ellipse, m
    - `thickness`: its height, m

    Raises `ValueError` unless all three are finite and positive.

    >>> import mtjax as mtj
    >>> pillar = mtj.EllipticCylinder(100e-9, 40e-9, 1.2e-9)
    >>> print([f"{factor:.4f}" for factor in pillar.demagnetisation_factors()], f"{pillar.volume * 1e27:.0f} nm^3")
    ['0.0141', '0.0511', '0.9348'] 3770 nm^3
    """

    length: Scalar = quantity("m", positive=True)
    width: Scalar = quantity("m", positive=True)
    thickness: Scalar = quantity("m", positive=True)

    @property
    def volume(self) -> Scalar:
        """Volume pi/4 length width thickness, m^3."""
        return self.area * self.thickness

    @property
    def area(self) -> Scalar:
        """Area of the ellipse pi/4 length width, m^2."""
        return math.pi / 4 * self.length * self.width

    @eqx.filter_jit
    def demagnetisation_factors(self) -> Float[Array, " 3"]:
        """The factors (Nx, Ny, Nz) by exact integrals: circular cylinders averaged over in-plane directions.

        With w(phi) = sqrt(a^2 cos^2 phi + b^2 sin^2 phi), semi-axes a and b, N(R) the axial factor of a
        circular cylinder of radius R and the same thickness, and <f> = ab/2pi int f/w^2 dphi,

            Nz = <N(w)>,  Nx = <cos^2 phi (1 - N(w))>,  Ny = <sin^2 phi (1 - N(w))>.

        This is the Fourier-space integral of the magnetostatic energy (as in Beleggia et al., J. Phys. D 38,
        3333 (2005), cited from memory) with its radial part done. The periodic integral is a mean over 64
        points of a quadrant. Absolute error in float64: below 1e-13 for thickness / length from 1e-4 to 1e3
        and length / width from 1/20 to 20 (1e-10 for 100); in float32: 1e-6, and 2e-6 where
        thickness / length falls below 1e-3.
        """
        ratio = self.length / self.width
        psi = jnp.asarray((np.arange(64) + 0.5) * math.pi / 128, ratio.dtype)
        cos2, sin2 = jnp.cos(psi) ** 2, jnp.sin(psi) ** 2
        # tan(phi) = sqrt(a/b) tan(psi) spreads the points evenly over long and short axis; w is in sqrt(ab).
        above, below = ratio * cos2 + sin2, cos2 + ratio * sin2
        radius = jnp.sqrt(above / below)
        in_plane, axial = _circular(self.thickness / self.width / (radius * jnp.sqrt(ratio)))
        weight = jnp.sqrt(ratio) / above
        shares = jnp.stack([cos2 / below * in_plane, ratio * sin2 / below * in_plane, axial])
        return jnp.mean(weight * shares, axis=1)


class Prism(AbstractShape):
    """A rectangular block.

    - `length`, `width`, `thickness`: the edges, m

    Raises `ValueError` unless all three are finite and positive.

    >>> import mtjax as mtj
    >>> block = mtj.Prism(100e-9, 20e-9, 2e-9)
    >>> print([f"{factor:.4f}" for factor in block.demagnetisation_factors()], f"{block.volume * 1e27:.0f} nm^3")
    ['0.0218', '0.1152', '0.8629'] 4000 nm^3
    """

    length: Scalar = quantity("m", positive=True)
    width: Scalar = quantity("m", positive=True)
    thickness: Scalar = quantity("m", positive=True)

    @property
    def volume(self) -> Scalar:
        """Volume length width thickness, m^3."""
        return self.area * self.thickness

    @property
    def area(self) -> Scalar:
        """Area of the face length width, m^2."""
        return self.length * self.width

    @eqx.filter_jit
    def demagnetisation_factors(self) -> Float[Array, " 3"]:
        """The factors (Nx, Ny, Nz): the values, not the formula, of Aharoni, J. Appl. Phys. 83, 3432 (1998).

        That formula is a difference of large terms, useless in float32; each factor is here a sum of two
        smooth integrals by 48 Gauss points (see `_half_factor`). Absolute error: below 1e-13 in float64 and
        3e-7 in float32, for ratios of edges up to 1000.
        """
        height = jnp.stack([self.length, self.width, self.thickness])
        near, far = jnp.roll(height, -1), jnp.roll(height, 1)
        return jax.vmap(_half_factor)(near, far, height) + jax.vmap(_half_factor)(far, near, height)


class Ellipsoid(AbstractShape):
    """A general ellipsoid.

    - `length`, `width`, `thickness`: the full axes (twice the semi-axes), m

    Raises `ValueError` unless all three are finite and positive.

    >>> import mtjax as mtj
    >>> sphere = mtj.Ellipsoid(20e-9, 20e-9, 20e-9)
    >>> print([f"{factor:.4f}" for factor in sphere.demagnetisation_factors()], f"{sphere.volume * 1e27:.0f} nm^3")
    ['0.3333', '0.3333', '0.3333'] 4189 nm^3
    """

    length: Scalar = quantity("m", positive=True)
    width: Scalar = quantity("m", positive=True)
    thickness: Scalar = quantity("m", positive=True)

    @property
    def volume(self) -> Scalar:
        """Volume pi/6 length width thickness, m^3."""
        return math.pi / 6 * self.length * self.width * self.thickness

    @property
    def area(self) -> Scalar:
        """Area of the equator pi/4 length width, m^2; volume / area is 2/3 of `thickness`."""
        return math.pi / 4 * self.length * self.width

    @eqx.filter_jit
    def demagnetisation_factors(self) -> Float[Array, " 3"]:
        """The factors Nx = abc/3 R_D(b^2, c^2, a^2), and so on, for semi-axes a, b, c.

        These are the integrals of Osborn, Phys. Rev. 67, 351 (1945), in Carlson's symmetric form. Relative
        error: below 1e-14 in float64 and 1e-6 in float32, for ratios of axes up to 1000.
        """
        axes = jnp.stack([jnp.ones_like(self.width), self.width / self.length, self.thickness / self.length])
        squares = axes**2
        return jnp.prod(axes) / 3 * _carlson_rd(jnp.roll(squares, -1), jnp.roll(squares, 1), squares)


def _circular(p: Float[Array, " n"]) -> tuple[Float[Array, " n"], Float[Array, " n"]]:
    """1 - Nz and Nz of circular cylinders of thickness over diameter `p`, each accurate relative to itself.

    The Coulomb energy of the two discs, by parts over the distance 2 R s between points of a disc, gives

        1 - Nz = 4/pi int_0^1 sqrt(1 - s^2) exp(-u) ds,  s = p sinh(u),

    the same as Joseph's elliptic integrals (J. Appl. Phys. 37, 4639 (1966)). Over u up to U = asinh(1/p) the
    integrand is smooth but for its square root, sqrt(1 - s^2) = p sqrt(sinh(U - u) sinh(U + u)), which
    u = U (1 - x^2) removes.
    """
    x, w = (jnp.asarray(a, p.dtype) for a in gauss_legendre(32))
    p = p[:, None]
    end = jnp.arcsinh(1 / p)
    u = end * (1 - x**2)
    root = p * jnp.sqrt(jnp.sinh(end * x**2) * jnp.sinh(end + u))
    share = 4 / math.pi * root * p * jnp.cosh(u) * 2 * end * x * w
    return jnp.sum(share * jnp.exp(-u), axis=1), -jnp.sum(share * jnp.expm1(-u), axis=1)


def _half_factor(near: Scalar, far: Scalar, height: Scalar) -> Scalar:
    """Share of a prism's factor along `height` from directions that leave its face by the edge at `near`.

    Points of the face, near x far, are apart by (x, y) with weight (1 - x/near)(1 - y/far). In a direction
    y/x = (far/near) eta the distance runs up to g height, and the energy integral over it, by parts as in
    `_circular`, is closed:

        1 - (1 + eta)/2 [asinh(g)/g + e] + 2 eta/3 [e + 1/(1 + rho)],  rho = sqrt(1 + g^2),  e = 1/(g + rho).

    This is averaged over angles, 2/pi int dv / cosh(v), where sinh(v) = y/x runs to far/near and
    g = near/height cosh(v).
    """
    x, w = (jnp.asarray(a, near.dtype) for a in gauss_legendre(48))
    end = jnp.arcsinh(far / near)
    v = end * x
    eta = jnp.sinh(v) * (near / far)
    g = near / height * jnp.cosh(v)
    rho = jnp.sqrt(1 + g**2)
    e = 1 / (g + rho)
    inside = 1 - (1 + eta) / 2 * (jnp.arcsinh(g) / g + e) + 2 * eta / 3 * (e + 1 / (1 + rho))
    return 2 / math.pi * end * jnp.sum(w * inside / jnp.cosh(v))


def _carlson_rd(x: Float[Array, " n"], y: Float[Array, " n"], z: Float[Array, " n"]) -> Float[Array, " n"]:
    """R_D(x, y, z) = 3/2 int_0^inf dt / [(t + z) sqrt((t + x)(t + y)(t + z))], for positive x, y, z.

    Carlson's duplication, Numer. Algorithms 10, 13 (1995), with a fixed number of steps. Each one brings the
    arguments four times closer, and the square of their last relative distance is the error.
    """
    total, power = jnp.zeros_like(z), 1.0
    for _ in range(14):
        sx, sy, sz = jnp.sqrt(x), jnp.sqrt(y), jnp.sqrt(z)
        shift = sx * sy + sy * sz + sz * sx
        total = total + power / (sz * (z + shift))
        power = power / 4
        x, y, z = (x + shift) / 4, (y + shift) / 4, (z + shift) / 4
    mean = (x + y + 3 * z) / 5
    return power / (mean * jnp.sqrt(mean)) + 3 * total
