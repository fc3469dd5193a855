"""Where a stack starts: Boltzmann's distribution around the minimum of its energy."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from mtjax.constants import KB
from mtjax.devices import Device, JointMinimum, Stack, lowest_near, moved
from mtjax.dynamics.noise import StepPath
from mtjax.dynamics.start import StartWell
from mtjax.printing import Shown
from mtjax.quantities import Scalar
from mtjax.vector import Layered

_PROPOSALS = 200
"""Proposals for every draw."""
_FREEDOM = 3
"""Of Student's distribution."""


class StackWell(Shown):
    """The starting well of a stack, ready for drawing from exp(-E / kT) where every layer is within 90 degrees of the minimum.

    Metropolis and Hastings' method with independent proposals: one half from Student's distribution with the curvatures of the
    minimum, the other half uniform, so that target over proposal is bounded; 200 proposals a draw. The temperature is the mean
    of the layers'. No gradient passes through it.

    - `stack`: whose well it is.
    - `bottom`: the minimum downhill from the layers' starts, without current.
    - `axes`: principal axes of the minimum as columns, shape (2 layers, 2 layers); `widths`: of proposals along them.

    >>> import jax
    >>> import mtjax as mtj
    >>> layer = mtj.presets.perpendicular_stt(40.0)
    >>> well = mtj.dynamics.well_of(mtj.Stack((layer, layer), (mtj.InterlayerExchange(1e-4),)))
    >>> ms = well.drawn(jax.random.key(0), 0).array()
    >>> ms.shape, bool((ms[:, 2] > 0.8).all())
    ((2, 3), True)
    """

    stack: Stack
    bottom: JointMinimum
    axes: Float[Array, "n n"]
    widths: Float[Array, " n"]

    @staticmethod
    def of(stack: Stack) -> StackWell:
        """The well of `stack`."""
        stack = jax.tree.map(jax.lax.stop_gradient, stack)
        bottom = lowest_near(lambda s, ms: s.energy(ms, s.drive(0.0)), stack, stack.start.array())
        curvatures, axes = jnp.linalg.eigh(_stiffness(stack) * bottom.hessian)
        return StackWell(stack, bottom, axes, 1 / jnp.sqrt(jnp.maximum(curvatures, 0.0) + 2.0))

    def drawn(self, key: Key[Array, ""], sample: Any) -> Layered:
        """The directions of a sample, with random numbers of the `key`; the minimum at temperature 0."""
        layers = self.bottom.ms.shape[0]
        paths = [StepPath(jax.random.fold_in(key, number), sample) for number in range(layers + 2)]
        nowhere = jnp.zeros(2 * layers, self.axes.dtype)

        def attempt(n, state):
            x, weight = state
            there = self._proposed(paths, n)
            new = self._log_ratio(there)
            taken = jnp.log(paths[-1].uniform(2 * n + 1)) < new - weight
            return jnp.where(taken, there, x), jnp.where(taken, new, weight)

        x, _ = jax.lax.fori_loop(0, _PROPOSALS, attempt, (nowhere, self._log_ratio(nowhere)))
        cold = jnp.mean(self.stack.temperature) <= 0
        return Layered.of(moved(self.bottom.ms, self.bottom.across, jnp.where(cold, 0.0, x)))

    def _proposed(self, paths: list[StepPath], n: Array) -> Float[Array, " n"]:
        *each, of_scale, of_choice = paths
        normals = jnp.stack([path.evaluate(n).array() for path in each]).astype(self.axes.dtype)
        scale = of_scale.evaluate(n).array()
        near = self.axes @ (self.widths * normals[:, :2].ravel()) * jnp.sqrt(_FREEDOM / (scale @ scale)).astype(self.axes.dtype)
        anywhere = (normals[:, :2] / normals[:, 2:]).ravel()
        return jnp.where(of_choice.uniform(2 * n) < 0.5, near, anywhere)

    def _log_ratio(self, x: Float[Array, " n"]) -> Scalar:
        """Logarithm of target over proposal, in the plane that touches the spheres at the minimum."""
        ms = Layered.of(moved(self.bottom.ms, self.bottom.across, x))
        rise = self.stack.energy(ms, self.stack.drive(0.0)) - self.bottom.value
        log_area = -1.5 * jnp.sum(jnp.log1p(jnp.sum(x.reshape(-1, 2) ** 2, axis=1)))
        uniform = log_area - x.size / 2 * math.log(2 * math.pi)
        spread = (x @ self.axes) / self.widths
        near = (_FREEDOM + x.size) / 2 * jnp.log1p(spread @ spread / _FREEDOM)
        student = _student(x.size) - jnp.sum(jnp.log(self.widths)) - near
        return -_stiffness(self.stack) * rise + log_area - jnp.logaddexp(student, uniform)


def _student(n: int) -> float:
    """Logarithm of the normalisation of Student's distribution in `n` dimensions."""
    return math.lgamma((_FREEDOM + n) / 2) - math.lgamma(_FREEDOM / 2) - n / 2 * math.log(_FREEDOM * math.pi)


def _stiffness(stack: Stack) -> Scalar:
    """Sum of the moments over kT, 1/T; of 300 K where the temperature is 0 (and the result is not used)."""
    temperature = jnp.mean(stack.temperature)
    return (stack.moment / KB) / jnp.where(temperature > 0, temperature, 300.0)


def well_of(device: Device | Stack) -> StartWell | StackWell:
    """The starting well of a device or of a stack.

    >>> import mtjax as mtj
    >>> type(mtj.dynamics.well_of(mtj.presets.perpendicular_stt(40.0))).__name__
    'StartWell'
    """
    return StackWell.of(device) if isinstance(device, Stack) else StartWell.of(device)
