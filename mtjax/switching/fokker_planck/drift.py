"""The drift of the Landau-Lifshitz-Gilbert equation as potentials on the sphere."""

from __future__ import annotations

from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from mtjax.devices import Device
from mtjax.dynamics import rate
from mtjax.switching.fokker_planck.density import axes_of
from mtjax.switching.fokker_planck.generator import Flow, _complex, harmonics_of
from mtjax.switching.fokker_planck.harmonics import legendre
from mtjax.vector import Vector


def flow_of(device: Device, current: Any, temperature: Any, degree: int) -> tuple[Flow, jax.Array]:
    """Drift potentials and diffusion of `device` at a current (A) and temperature (K), and the largest speed (1/ns)."""
    drive = device.drive(current, temperature)
    magnet = device.layer.magnet(drive.temperature)
    axes = axes_of(device)

    def velocity(points):
        def at(point):
            m = Vector.of(point @ axes)
            return axes @ (magnet.gamma * rate(m, device.field(m, drive), magnet.alpha)).array()

        return jax.vmap(at, in_axes=1, out_axes=1)(points)

    phi, psi, v = drift_flow(velocity, degree, axes.dtype)
    return Flow(phi, psi, magnet.diffusion(drive.temperature)), jnp.sqrt(jnp.max(jnp.sum(v**2, axis=0)))


def drift_flow(velocity: Any, degree: int, dtype: Any) -> tuple[Array, Array, Array]:
    """Potentials of a tangential velocity field by quadrature.

    `velocity` maps points, shape (3, n), to velocities of the same shape. Returns `phi`, `psi` (2, harmonics) and the
    velocities at the points (3, n).
    """
    points, gradients, weights, norms = _quadrature(degree)
    v = velocity(jnp.asarray(points, dtype))
    turned = np.cross(points, gradients, axisa=0, axisb=1, axisc=1)
    parts = [
        jnp.einsum("hcn,cn,n->h", (np.conj(g) / norms).astype(_complex(dtype)), v, weights.astype(dtype))
        for g in (gradients, turned)
    ]
    phi, psi = (jnp.stack([jnp.real(p), jnp.imag(p)]) for p in parts)
    return phi, psi, v


@cache
def _quadrature(degree: int) -> tuple[np.ndarray, ...]:
    """Points (3, n), gradients of the harmonics there (h, 3, n), weights (n,), lambda (lambda + 1) (h, 1, 1)."""
    count = 2 * degree + 4
    u, w = np.polynomial.legendre.leggauss(count)
    azimuth = (np.arange(2 * count) + 0.5) * (np.pi / count)
    c, phi = np.repeat(u, 2 * count), np.tile(azimuth, count)
    s = np.sqrt(1 - c * c)
    points = np.stack([s * np.cos(phi), s * np.sin(phi), c])
    along_theta = np.stack([c * np.cos(phi), c * np.sin(phi), -s])
    along_phi = np.stack([-np.sin(phi), np.cos(phi), 0 * phi])
    values = np.repeat(legendre(degree + 1, degree, tuple(u)), 2 * count, axis=2)
    gradients = []
    for l, m in harmonics_of(degree):
        ladder = np.sqrt(((l + 1) ** 2 - m * m) * (2 * l + 1) / (2 * l + 3))
        slope = (ladder * values[m, l + 1] - (l + 1) * c * values[m, l]) / s
        wave = np.exp(1j * m * phi)
        gradients.append(wave * (slope * along_theta + 1j * m / s * values[m, l] * along_phi))
    norms = np.array([l * (l + 1.0) for l, _ in harmonics_of(degree)])[:, None, None]
    weights = np.repeat(w, 2 * count) * (np.pi / count)
    return points, np.stack(gradients), weights, norms
