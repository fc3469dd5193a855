"""A device or stack at rest, and how it answers what is small: the derivatives of its own drift, in the planes that touch
each layer's sphere at the equilibrium.

With x the gnomonic coordinates there, dx/dt = F(x, I, B): everything here is a derivative of F, taken by jax. Times in
nanoseconds, fields in tesla.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from mtjax.constants import NS
from mtjax.devices import Device, Stack, downhill_from, moved, tangents
from mtjax.dynamics import prepare
from mtjax.printing import Shown
from mtjax.pulses import Applied, off
from mtjax.quantities import Numbers, Scalar, as_direction, as_scalar, is_known
from mtjax.vector import Layered, Vector

Magnetic = Device | Stack
"""What has resonances."""
_NEWTON = 7
"""Newton steps from the minimum of the energy to where the drift vanishes."""


class AtRest(Shown):
    """An equilibrium: where the drift vanishes, torques of a constant current included.

    - `device`: what is at rest, at a constant `current` (A) and an applied `field` (shape (3,), T) besides its own.
    - `ms`: unit vectors, shape (layers, 3); `across`: two directions across each, shape (layers, 2, 3).

    >>> import mtjax as mtj
    >>> rest = mtj.resonance.at_rest(mtj.presets.perpendicular_sot(), field=(0.0, 0.0, 0.1))
    >>> f"mx = {rest.ms[0, 0]:.3f}, mz = {rest.ms[0, 2]:.3f}"
    'mx = 0.074, mz = 0.997'
    """

    device: Magnetic
    current: Scalar
    field: Float[Array, " 3"]
    ms: Float[Array, "layers 3"]
    across: Float[Array, "layers 2 3"]

    def velocity(self, x: Float[Array, " n"], current: Scalar, field: Float[Array, " 3"]) -> Float[Array, " n"]:
        """F = dx/dt at coordinates x (n = 2 layers), 1/ns, under `current` and `field` besides the constant ones."""
        ms = moved(self.ms, self.across, x)
        rates = _drift(self.device, ms, self.current + current, self.field + field)
        along = jnp.sum(ms * self.ms, axis=1, keepdims=True)
        turned = jnp.sum(rates * self.ms, axis=1, keepdims=True)
        return jnp.einsum("sic,sc->si", self.across, rates / along - ms * turned / along**2).ravel()

    @property
    def matrix(self) -> Float[Array, "n n"]:
        """A = dF/dx: the linear equation of motion dx/dt = A x, 1/ns."""
        return jax.jacfwd(self.velocity)(self.nowhere, *self.nothing)

    @property
    def by_current(self) -> Float[Array, " n"]:
        """dF/dI, 1/(ns A)."""
        return jax.jacfwd(self.velocity, 1)(self.nowhere, *self.nothing)

    @property
    def by_field(self) -> Float[Array, "n 3"]:
        """dF/dB, 1/(ns T)."""
        return jax.jacfwd(self.velocity, 2)(self.nowhere, *self.nothing)

    @property
    def nowhere(self) -> Float[Array, " n"]:
        """The coordinates of the equilibrium itself: zeros."""
        return jnp.zeros(2 * self.ms.shape[0], self.ms.dtype)

    @property
    def nothing(self) -> tuple[Scalar, Float[Array, " 3"]]:
        """No current and no field more."""
        return jnp.zeros((), self.ms.dtype), jnp.zeros(3, self.ms.dtype)

    def at(self, x: Float[Array, " n"]) -> Float[Array, "layers 3"]:
        """Unit vectors at coordinates x."""
        return moved(self.ms, self.across, x)

    def susceptibility(self, frequency: Scalar) -> Any:
        """(i omega - A)^-1 at a `frequency` (Hz), shape (n, n), complex, ns: x = susceptibility @ what drives."""
        n = self.nowhere.size
        return jnp.linalg.inv(2j * jnp.pi * (frequency * NS) * jnp.eye(n) - self.matrix)


@eqx.filter_jit
def at_rest(device: Magnetic, field: Numbers | None = None, current: Any = 0.0, start: Numbers | None = None) -> AtRest:
    """The equilibrium of a `device` or stack: the minimum of its energy downhill from `start`, then where the drift vanishes.

    - `field`: applied besides the device's own, shape (3,), T; `current`: constant, A.
    - `start`: directions, shape (layers, 3); `None`: those in which the layers start.

    Its derivatives are those of the equilibrium.

    >>> import mtjax as mtj
    >>> rest = mtj.resonance.at_rest(mtj.presets.perpendicular_stt(40.0))
    >>> rest.ms.shape, rest.matrix.shape
    ((1, 3), (2, 2))
    """
    field = jnp.zeros(3) if field is None else as_scalar(field)
    begin = directions(device) if start is None else as_direction(start).reshape(-1, 3)
    current = as_scalar(current)
    given = (device, current, field)
    ms = downhill_from(_energy, given, begin)
    held = jax.tree.map(jax.lax.stop_gradient, given)
    ms = jax.lax.fori_loop(0, _NEWTON, lambda _, ms: _balanced(held, ms), ms)
    return _resting(given, _balanced(given, jax.lax.stop_gradient(ms)))


def _balanced(given: Any, ms: Float[Array, "layers 3"]) -> Float[Array, "layers 3"]:
    """One Newton step to where the drift vanishes; only the drift is differentiated."""
    rest = _resting(given, ms)
    step = jnp.linalg.solve(jax.lax.stop_gradient(rest.matrix), rest.velocity(rest.nowhere, *rest.nothing))
    return rest.at(-step)


def _resting(given: tuple[Magnetic, Scalar, Array], ms: Float[Array, "layers 3"]) -> AtRest:
    device, current, field = given
    return AtRest(device, current, field, ms, tangents(ms))


def layers_of(device: Magnetic) -> tuple[Device, ...]:
    """The layers of a stack, or the device by itself."""
    return device.layers if isinstance(device, Stack) else (device,)


def directions(device: Magnetic) -> Float[Array, "layers 3"]:
    """In which the layers start."""
    return device.start.array() if isinstance(device, Stack) else device.start[None]


def _drive(device: Magnetic, current: Scalar, field: Array) -> Any:
    return device.drive(Applied(current, None, tuple(field)))


def _energy(given: tuple[Magnetic, Scalar, Array], ms: Layered) -> Scalar:
    device, current, field = given
    m: Any = ms if isinstance(device, Stack) else ms.each[0]
    return device.energy(m, _drive(device, current, field))


def _drift(device: Magnetic, ms: Float[Array, "layers 3"], current: Scalar, field: Array) -> Float[Array, "layers 3"]:
    """dm/dt, 1/ns."""
    dynamics: Any = prepare(device, off(), NS)
    m = Layered.of(ms) if isinstance(device, Stack) else Vector.of(ms[0])
    return (dynamics.angle() * dynamics.rate(m, _drive(device, current, field))).array().reshape(-1, 3)


def over_fields(one: Callable[..., Any], device: Magnetic, field: Numbers | None, *rest: Any) -> Any:
    """What `one(device, field, *rest)` finds for every field, shape (..., 3): with the same leading axes, in one program.

    It gives what `steadiness` says of its equilibrium, too. Raises `ValueError` where an equilibrium is unstable.
    """
    fields = jnp.zeros(3) if field is None else as_scalar(field)
    if fields.shape[-1:] != (3,):
        raise ValueError(f"`field` must have three components in its last axis, but has shape {fields.shape}.")
    mapped = _mapped(one, device, fields.reshape(-1, 3), rest)
    found, growth, residual = jax.tree.map(lambda x: x.reshape(*fields.shape[:-1], *x.shape[1:]), mapped)
    _require_stable(growth, residual, field)
    return found


@eqx.filter_jit
def _mapped(one: Callable[..., Any], device: Magnetic, fields: Float[Array, "n 3"], rest: Any) -> Any:
    return jax.vmap(lambda field: one(device, field, *rest))(fields)


def steadiness(rest: AtRest, values: Array) -> tuple[Array, Array]:
    """Growth rate of the fastest deviation, of the eigenvalues' `values`, and the largest drift at rest, 1/ns."""
    drift = rest.velocity(rest.nowhere, *rest.nothing)
    return jax.lax.stop_gradient(jnp.max(values.real)), jax.lax.stop_gradient(jnp.max(jnp.abs(drift)))


def _require_stable(growth: Array, residual: Array, field: Numbers | None) -> None:
    """Raise `ValueError` where the drift does not vanish, or a deviation grows, in 1/ns; traced numbers are not looked at."""
    if not (is_known(growth) and is_known(residual)):
        return
    bad = ~((np.asarray(growth) <= 0) & (np.asarray(residual) < _AT_REST))
    if np.any(bad):
        where = "" if np.ndim(bad) == 0 or field is None else f" (first in the field {np.asarray(field)[bad][0]} T)"
        raise ValueError(
            "The equilibrium must be stable, but from the given start none was found, or deviations grow from it, in "
            f"{np.sum(bad)} of {bad.size} fields{where}."
        )


_AT_REST = 1e-3
"""Largest drift, rad/ns, that passes for none."""
