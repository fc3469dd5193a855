"""A probability density on the sphere, by its spherical harmonics: its start, its integrals, its values."""

from __future__ import annotations

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from mtjax.devices import Device
from mtjax.dynamics import inverse_temperature
from mtjax.printing import Shown
from mtjax.quantities import Scalar
from mtjax.switching.fokker_planck.harmonics import legendre
from mtjax.vector import Vector, frame


class Density(Shown):
    """Probability per solid angle, P(m) = sum over l and m of P_lm Y_lm about the axis `axes[2]`.

    - `re`, `im`: real and imaginary parts of P_lm for m >= 0, shape (m, l); more axes in front for several times.
    - `axes`: rows are the x, y and z of the harmonics in the laboratory frame, shape (3, 3).
    - `start`: start direction of the device, shape (3,).

    >>> import mtjax as mtj
    >>> device = mtj.presets.perpendicular_stt(40.0)
    >>> pulse = mtj.Pulse(2.0 * device.critical_current, 5e-9)
    >>> density = mtj.evolve(device, pulse, 0.0)
    >>> round(float(density.total), 6), round(float(density.mean @ device.start), 2)
    (1.0, 0.99)
    """

    re: Float[Array, "*times m l"]
    im: Float[Array, "*times m l"]
    axes: Float[Array, "3 3"]
    start: Float[Array, " 3"]

    @property
    def switched(self) -> Float[Array, "*times"]:
        """Probability of m.start < 0, from its own weights."""
        return self._sum(self.start, half_weights(self.re.shape[-1] - 1)[0])

    @property
    def unswitched(self) -> Float[Array, "*times"]:
        """Probability of m.start > 0, from its own weights, not 1 minus the other."""
        return self._sum(self.start, half_weights(self.re.shape[-1] - 1)[1])

    @property
    def total(self) -> Float[Array, "*times"]:
        """Integral over the sphere: 1."""
        return np.sqrt(4 * np.pi) * self.re[..., 0, 0]

    @property
    def mean(self) -> Float[Array, "*times 3"]:
        """Mean of m in the laboratory frame."""
        sideways = np.sqrt(8 * np.pi / 3)
        row = 1 if self.re.shape[-2] > 1 else 0
        x, y = -sideways * self.re[..., row, 1] * row, sideways * self.im[..., row, 1] * row
        return jnp.stack([x, y, np.sqrt(4 * np.pi / 3) * self.re[..., 0, 1]], axis=-1) @ self.axes

    def __call__(self, m: Float[Array, " 3"]) -> Float[Array, "*times"]:
        """Probability per solid angle in the direction `m` (a unit vector), 1/sr."""
        return self._sum(m, np.ones(self.re.shape[-1]))

    def _sum(self, m: Float[Array, " 3"], weights: np.ndarray) -> Float[Array, "*times"]:
        """Sum of weights_l P_lm Y_lm(m) over all l and m, negative m included."""
        x, y, z = jax.lax.stop_gradient(self.axes) @ m
        functions = _legendre_at(self.re.shape[-1] - 1, self.re.shape[-2] - 1, z) * weights.astype(m.dtype)
        on_axis = x**2 + y**2 < 1e-20
        azimuth = jnp.arctan2(jnp.where(on_axis, 0.0, y), jnp.where(on_axis, 1.0, x))
        order = jnp.arange(self.re.shape[-2])
        twice = jnp.where(order == 0, 1.0, 2.0)
        real, imaginary = (functions * (twice * f(order * azimuth))[:, None] for f in (jnp.cos, jnp.sin))
        return jnp.sum(self.re * real - self.im * imaginary, axis=(-2, -1))


def edge_tails(re: Float[Array, "m l"], im: Float[Array, "m l"]) -> Float[Array, " 2"]:
    """Largest coefficient among the last three l, and among the last two m (0 if m = 0 is all), over that of l = 0."""
    size = jnp.sqrt(re**2 + im**2)
    along_m = jnp.max(size[-2:]) if re.shape[0] > 1 else jnp.zeros((), re.dtype)
    return jnp.stack([jnp.max(size[:, -3:]), along_m]) / jnp.abs(re[0, 0])


def axes_of(device: Device) -> Float[Array, "3 3"]:
    """A right-handed frame, as rows, whose last axis is the one about which the energy is most nearly symmetric.

    Results do not depend on it, only their cost; no gradient passes through it.
    """
    device = jax.tree.map(jax.lax.stop_gradient, device)
    drive = device.drive(0.0)
    points = jnp.asarray(_SIX_AXES, device.start.dtype)
    energy = jax.vmap(lambda m: device.energy(Vector.of(m), drive) + device.energy(-Vector.of(m), drive))(points)
    values, vectors = jnp.linalg.eigh(_quadratic_form(energy))
    lonely = jnp.where(values[2] - values[1] > values[1] - values[0], 2, 0)
    distinct = jnp.abs(values[lonely] - values[1]) > 1e-4 * jnp.max(jnp.abs(values))
    along = vectors[:, lonely]
    tilted = distinct & (jnp.abs(along @ device.start) < 0.999)
    axis = jnp.where(tilted, along, device.start)
    return jnp.stack([*frame(axis), axis])


_SIX_AXES = (
    np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 0]]) / np.array([[1, 1, 1] + 3 * [2**0.5]]).T
)


def _quadratic_form(values: Float[Array, " 6"]) -> Float[Array, "3 3"]:
    """The symmetric matrix Q, without trace, with m Q m = the values at the six axes, up to a constant."""
    x, y, z, yz, zx, xy = values
    mixed = jnp.array([[0, xy - (x + y) / 2, zx - (z + x) / 2], [0, 0, yz - (y + z) / 2], [0, 0, 0]])
    return mixed + mixed.T + jnp.diag(values[:3] - jnp.mean(values[:3]))


def start_density(device: Device, lmax: int, mmax: int, *, side: int = 1) -> Density:
    """Boltzmann's distribution at zero current in the starting hemisphere, exp(-E / kT) for m.start > 0 (`side` -1: < 0)."""
    axes = axes_of(device)
    halves = jnp.where(axes[2] @ device.start > 0.99, 1.0, 0.0)
    whole_u, whole_w = np.polynomial.legendre.leggauss(lmax + 16)
    count = 1 if mmax == 0 else 2 * (mmax + 16)
    azimuth = np.arange(count) * (2 * np.pi / count)
    # Where the polar axis is the start direction the hemisphere is cut exactly, else the whole sphere is summed.
    u, w = jnp.where(halves > 0, side * (whole_u + 1) / 2, whole_u), jnp.where(halves > 0, whole_w / 2, whole_w)
    u, w = u.astype(axes.dtype), w.astype(axes.dtype) * (2 * np.pi / count)
    s = jnp.sqrt(1 - u * u)[:, None]
    body = jnp.stack([s * np.cos(azimuth), s * np.sin(azimuth), jnp.broadcast_to(u[:, None], (u.size, count))], axis=-1)
    m = (body.astype(axes.dtype) @ axes).reshape(-1, 3)
    P = jnp.where(side * (m @ device.start) > 0, boltzmann(device, m), 0.0).reshape(u.size, count)
    P = P / jnp.sum(w[:, None] * P)
    waves = jnp.fft.rfft(P, axis=1)[:, : mmax + 1]
    exact, cut = (jnp.asarray(legendre(lmax, mmax, tuple(v)), P.dtype) for v in (whole_u, side * (whole_u + 1) / 2))
    functions = jnp.where(halves > 0, cut, exact)
    re, im = (jnp.einsum("mlu,um,u->ml", functions, part, w) for part in (waves.real, waves.imag))
    return Density(re, im, axes, device.start)


def boltzmann(device: Device, m: Float[Array, "n 3"]) -> Float[Array, " n"]:
    """exp(-(E - min E) / kT) at zero current in the directions `m`: Boltzmann's density up to a factor."""
    return jnp.exp(-excess_energy(device, m))


def excess_energy(device: Device, m: Float[Array, "n 3"]) -> Float[Array, " n"]:
    """(E - min E) / kT at zero current in the directions `m`."""
    drive = device.drive(0.0)
    energy = jax.vmap(lambda m: device.energy(Vector.of(m), drive))(m)
    return inverse_temperature(device) * (energy - jax.lax.stop_gradient(jnp.min(energy)))


@cache
def half_weights(lmax: int) -> np.ndarray:
    """Factors lambda_l with which the lower and the upper half of the sphere weigh Y_lm (Funk, Hecke)."""
    u, w = np.polynomial.legendre.leggauss(lmax // 2 + 2)
    halves = [2 * np.pi * (legendre(lmax, 0, tuple((u + side) / 2))[0] @ (w / 2)) for side in (-1, 1)]
    return np.stack(halves) * np.sqrt(4 * np.pi / (2 * np.arange(lmax + 1) + 1))


def _legendre_at(lmax: int, mmax: int, u: Scalar) -> Float[Array, "m l"]:
    """Normalised associated Legendre functions at a traced point, by the same recursion as `harmonics.legendre`."""
    order = np.arange(mmax + 1.0)
    growth = np.concatenate([[0.0], 0.5 * np.cumsum(np.log1p(0.5 / order[1:]))]) - 0.5 * np.log(4 * np.pi)
    root = jnp.sqrt(jnp.maximum(1 - u * u, 1e-30))
    diagonal = (-1.0) ** order * jnp.exp(growth + order * jnp.log(root))

    def step(carry, l):
        before, now = carry
        up = jnp.sqrt(jnp.maximum((l * l - order**2) / (4 * l * l - 1), 0.0))
        down = jnp.sqrt(jnp.maximum(((l - 1) ** 2 - order**2) / (4 * (l - 1) ** 2 - 1), 0.0))
        after = (u * now - down * before) / jnp.where(l > order, up, 1.0)
        after = jnp.where(order == l, diagonal, jnp.where(order < l, after, 0.0))
        return (now, after), after

    first = jnp.where(order == 0, diagonal, 0.0)
    _, rest = jax.lax.scan(step, (jnp.zeros_like(first), first), jnp.arange(1.0, lmax + 1))
    return jnp.concatenate([first[None], rest]).T
