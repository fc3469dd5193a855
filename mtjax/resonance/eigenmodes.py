"""Eigenfrequencies, linewidths and shapes of the modes of a device or stack."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from mtjax.checks import Number, checked
from mtjax.constants import NS
from mtjax.devices import Device, Stack
from mtjax.printing import Shown
from mtjax.quantities import Numbers, is_known
from mtjax.resonance.linear import at_rest, over_fields, steadiness


class Resonances(Shown):
    """Modes around an equilibrium, one for each layer, by ascending frequency; leading axes are those of the fields.

    - `frequencies`: of the free, damped oscillation, shape (..., layers), Hz; 0 for an overdamped mode.
    - `linewidths`: full width at half maximum of the power at fixed field, shape (..., layers), Hz: the decay rate over pi.
    - `ms`: the equilibrium, shape (..., layers, 3).
    - `shapes`: complex amplitudes of every mode in every layer, shape (..., modes, layers, 3), the squares of a mode adding up
      to 1, the largest component real; no gradient passes through them.
    - `ellipticities`: short over long axis of the ellipse that m describes, shape (..., modes, layers).

    >>> import mtjax as mtj
    >>> film = mtj.FreeLayer(mtj.EllipticCylinder(60e-9, 60e-9, 2e-9), Ms=1.2e6, alpha=0.01)
    >>> device = mtj.Device(film, (mtj.Demagnetisation((0, 0, 1)),), start=(1, 0, 0))
    >>> print(mtj.resonance.modes(device, field=(0.1, 0.0, 0.0)))
    Resonances: 11.23 GHz (width 479 MHz)
    """

    frequencies: Float[Array, "*fields layers"]
    linewidths: Float[Array, "*fields layers"]
    ms: Float[Array, "*fields layers 3"]
    shapes: Complex[Array, "*fields modes layers 3"]
    ellipticities: Float[Array, "*fields modes layers"]

    def __str__(self) -> str:
        """Frequencies and linewidths, or how many there are."""
        if not is_known(self.frequencies) or self.frequencies.ndim > 1:
            return f"Resonances: {self.frequencies.shape[-1]} in each of {np.prod(self.frequencies.shape[:-1])} fields"
        rows = zip(np.asarray(self.frequencies), np.asarray(self.linewidths), strict=True)
        return "Resonances: " + ", ".join(f"{f / 1e9:.4g} GHz (width {w / 1e6:.3g} MHz)" for f, w in rows)


@checked
def modes(
    device: Device | Stack, *, field: Numbers | None = None, current: Number = 0.0, start: Numbers | None = None
) -> Resonances:
    """The modes of a `device` or stack: eigenvalues of the derivative of the LLG equation's drift at the equilibrium.

    - `field`: applied besides the device's own, shape (3,) or (..., 3) for many at once, T.
    - `current`: constant, A: its torques move the equilibrium and change the damping.
    - `start`: from where the equilibrium is sought downhill, shape (3,) or (layers, 3); `None`: the device's own start.

    Exact in the damping, differentiable in every number of the device. Raises `ValueError` where an equilibrium is unstable;
    under `jit` the frequencies and linewidths are `nan` there. (Non-symmetric eigenvalues: jax works them out on CPUs.)

    >>> import mtjax as mtj
    >>> film = mtj.FreeLayer(mtj.EllipticCylinder(60e-9, 60e-9, 2e-9), Ms=1.2e6, alpha=0.01)
    >>> up, down = (mtj.Device(film, (mtj.Demagnetisation((0, 0, 1)),), start=(x, 0.1, 0)) for x in (1, -1))
    >>> pair = mtj.Stack((up, down), (mtj.InterlayerExchange(-3e-4),))
    >>> print(mtj.resonance.modes(pair, field=(0.0, 0.1, 0.0)))  # acoustic and optic
    Resonances: 7.427 GHz (width 504 MHz), 15.77 GHz (width 481 MHz)
    """
    return over_fields(_modes, device, field, current, start)


def _modes(device: Device | Stack, field: Array, current: Any, start: Any) -> tuple[Resonances, Array, Array]:
    """Also how fast the fastest deviation grows, and how large the drift is, 1/ns."""
    rest = at_rest(device, field, current, start)
    values, right, _ = eigen(rest.matrix)
    order = jnp.argsort(values.imag)[values.size // 2 :]
    values, shapes = values[order], _shapes(rest.across, right[:, order])
    growth, residual = steadiness(rest, values)
    frequencies = jnp.where(growth > 0, jnp.nan, values.imag / (2 * jnp.pi) / NS)
    linewidths = jnp.where(growth > 0, jnp.nan, -values.real / jnp.pi / NS)
    return Resonances(frequencies, linewidths, rest.ms, shapes, _ellipticity(shapes)), growth, residual


def eigen(matrix: Float[Array, "n n"]) -> tuple[Array, Array, Array]:
    """Eigenvalues, right eigenvectors as columns and left ones as rows; gradients pass through the eigenvalues only."""
    held = jax.lax.stop_gradient(matrix)
    values, right = jnp.linalg.eig(held)
    left = jnp.linalg.inv(right)
    return values + jnp.einsum("ki,ij,jk->k", left, matrix - held, right), right, left


def _shapes(across: Float[Array, "layers 2 3"], vectors: Array) -> Array:
    """Eigenvectors (as columns) as movements of the layers, shape (modes, layers, 3)."""
    across = jax.lax.stop_gradient(across)
    shapes = jnp.einsum("kli,lic->klc", vectors.T.reshape(-1, *across.shape[:2]), across)
    flat = shapes.reshape(shapes.shape[0], -1)
    largest = jnp.take_along_axis(flat, jnp.argmax(jnp.abs(flat), axis=1)[:, None], axis=1)
    size = jnp.linalg.norm(flat, axis=1, keepdims=True)
    return (flat / largest * (jnp.abs(largest) / size)).reshape(shapes.shape)


def _ellipticity(shapes: Array) -> Array:
    """Short over long axis of the ellipse Re(v exp(i omega t)) of complex vectors v along the last axis."""
    size, turned = jnp.sum(jnp.abs(shapes) ** 2, axis=-1), jnp.abs(jnp.sum(shapes**2, axis=-1))
    return jnp.sqrt(jnp.maximum(size - turned, 0.0) / (size + turned + jnp.finfo(size.dtype).tiny))
