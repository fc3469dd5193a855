"""A probability density on the sphere, by its spherical harmonics: its start, its integrals, its values."""

from __future__ import annotations

from functools import cache

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from mtjax.constants import KB
from mtjax.device import Device
from mtjax.harmonics import legendre
from mtjax.sphere import frame
from mtjax.types import Scalar, Vector


class Density(eqx.Module):
    """Probability per solid angle, P(m) = sum over l and m of P_lm Y_lm about the axis `axes[2]`.

    - `re`, `im`: real and imaginary parts of P_lm for m >= 0, shape (m, l); more axes in front for several times.
    - `axes`: rows are the x, y and z of the harmonics in the laboratory frame, shape (3, 3); the last one is the start
      direction of the device.
    """

    re: Float[Array, "*times m l"]
    im: Float[Array, "*times m l"]
    axes: Float[Array, "3 3"]

    @property
    def switched(self) -> Float[Array, "*times"]:
        """Probability of m.start < 0, from its own weights."""
        return self.re[..., 0, :] @ jnp.asarray(half_weights(self.re.shape[-1] - 1)[0], self.re.dtype)

    @property
    def unswitched(self) -> Float[Array, "*times"]:
        """Probability of m.start > 0, from its own weights, not 1 minus the other."""
        return self.re[..., 0, :] @ jnp.asarray(half_weights(self.re.shape[-1] - 1)[1], self.re.dtype)

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

    @property
    def tails(self) -> tuple[Array, Array]:
        """Largest coefficient among the last three l, and among the last two m, over the coefficient of l = 0."""
        size = jnp.sqrt(self.re**2 + self.im**2)
        scale = jnp.abs(self.re[..., 0, 0])
        return jnp.max(size[..., :, -3:], axis=(-2, -1)) / scale, jnp.max(size[..., -2:, :], axis=(-2, -1)) / scale

    def __call__(self, m: Float[Array, "3"]) -> Float[Array, "*times"]:
        """Probability per solid angle in the direction `m` (a unit vector), 1/sr."""
        x, y, z = self.axes @ m
        functions = _legendre_at(self.re.shape[-1] - 1, self.re.shape[-2] - 1, z)
        azimuth = jnp.arctan2(y, jnp.where((x == 0) & (y == 0), 1.0, x))
        order = jnp.arange(self.re.shape[-2])
        twice = jnp.where(order == 0, 1.0, 2.0)
        cosine, sine = twice * jnp.cos(order * azimuth), twice * jnp.sin(order * azimuth)
        return jnp.einsum("...ml,ml,m->...", self.re, functions, cosine) - jnp.einsum(
            "...ml,ml,m->...", self.im, functions, sine
        )


def axes_of(device: Device) -> Float[Array, "3 3"]:
    """A right-handed frame, as rows, whose last axis is the start direction."""
    return jnp.stack([*frame(device.start), device.start])


def equilibrium(device: Device, lmax: int, mmax: int) -> Density:
    """Boltzmann's distribution at zero current in the starting hemisphere, exp(-E / kT) for m.start > 0."""
    u, w, count = _hemisphere(lmax, mmax)
    azimuth = np.arange(count) * (2 * np.pi / count)
    s = np.sqrt(1 - u * u)[:, None]
    body = np.stack([s * np.cos(azimuth), s * np.sin(azimuth), np.broadcast_to(u[:, None], (u.size, count))], axis=-1)
    axes = axes_of(device)
    P = _boltzmann(device, (jnp.asarray(body, axes.dtype) @ axes).reshape(-1, 3)).reshape(u.size, count)
    weights = jnp.asarray(w * (2 * np.pi / count), P.dtype)
    P = P / jnp.sum(weights[:, None] * P)
    waves = jnp.fft.rfft(P, axis=1)[:, : mmax + 1]
    functions = jnp.asarray(legendre(lmax, mmax, tuple(u)), P.dtype)
    parts = (jnp.einsum("mlu,um,u->ml", functions, part, weights) for part in (waves.real, waves.imag))
    return Density(*parts, axes)


def stationary(device: Device, m: Float[Array, "n 3"]) -> Float[Array, " n"]:
    """exp(-(E - min E) / kT) at zero current in the directions `m`: Boltzmann's density up to a factor."""
    return _boltzmann(device, m)


def _boltzmann(device: Device, m: Float[Array, "n 3"]) -> Float[Array, " n"]:
    drive = device.drive(0.0)
    energy = jax.vmap(lambda m: device.energy(Vector.of(m), drive))(m)
    lowest = jax.lax.stop_gradient(jnp.min(energy))
    return jnp.exp(-(energy - lowest) * (device.moment / KB) / device.temperature)


@cache
def half_weights(lmax: int) -> np.ndarray:
    """Integrals of Y_l0 over the lower and the upper half of the sphere, shape (2, lmax + 1)."""
    u, w = np.polynomial.legendre.leggauss(lmax // 2 + 2)
    halves = [2 * np.pi * (legendre(lmax, 0, tuple((u + side) / 2))[0] @ (w / 2)) for side in (-1, 1)]
    return np.stack(halves)


@cache
def _hemisphere(lmax: int, mmax: int) -> tuple[np.ndarray, np.ndarray, int]:
    u, w = np.polynomial.legendre.leggauss(lmax + 16)
    return (u + 1) / 2, w / 2, 1 if mmax == 0 else 2 * (mmax + 16)


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
