"""Spectra: absorption in a small alternating field (ferromagnetic resonance), and thermal noise."""

from __future__ import annotations

from typing import Annotated, Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from mtjax.checks import Number, Within, checked
from mtjax.constants import NS
from mtjax.devices import Device, Stack
from mtjax.quantities import Numbers, as_direction, as_scalar
from mtjax.resonance.linear import AtRest, at_rest, layers_of, over_fields, steadiness
from mtjax.resonance.readings import Readout, require_readout, resistance_at


@checked
def absorption(
    device: Device | Stack,
    frequency: Annotated[Numbers, Within(least=0.0, unit="Hz")],
    *,
    field: Numbers | None = None,
    direction: Numbers = (0.0, 1.0, 0.0),
    current: Number = 0.0,
    start: Numbers | None = None,
) -> Float[Array, "*fields frequencies"]:
    """Power that a `device` or stack takes from a small field b cos(omega t) along `direction`, over b^2, W/T^2.

    - `frequency`: shape () or (frequencies,), Hz; `field`: shape (3,) or (..., 3), T, swept at will; `direction`: shape (3,).
    - `current`, `start`: as for `modes`.

    P = -(omega/2) Im(sum of b.m Ms V) b of the response m. All fields and frequencies in one compiled program. Raises
    `ValueError` where an equilibrium is unstable.

    >>> import jax.numpy as jnp
    >>> import mtjax as mtj
    >>> film = mtj.FreeLayer(mtj.EllipticCylinder(60e-9, 60e-9, 2e-9), Ms=1.2e6, alpha=0.01)
    >>> device = mtj.Device(film, (mtj.Demagnetisation((0, 0, 1)),), start=(1, 0, 0))
    >>> fields = jnp.linspace(0.02, 0.12, 101)[:, None] * jnp.eye(3)[0]
    >>> found = mtj.resonance.absorption(device, 9e9, field=fields)
    >>> found.shape, f"resonance at {fields[found[:, 0].argmax(), 0] * 1e3:.0f} mT"
    ((101, 1), 'resonance at 66 mT')
    """
    given = (jnp.atleast_1d(as_scalar(frequency)), as_direction(direction), as_scalar(current), start)
    return over_fields(_absorption, device, field, *given)


def _absorption(device: Device | Stack, field: Array, frequencies: Array, direction: Array, current: Array, start: Any):
    rest = at_rest(device, field, current, start)
    read = (_moments(device)[:, None] * (rest.across @ direction)).ravel()
    drive = rest.by_field @ direction

    def power(frequency):
        return -jnp.pi * frequency * jnp.imag(read @ (rest.susceptibility(frequency) @ drive))

    return jax.vmap(power)(frequencies), *steadiness(rest, jnp.linalg.eigvals(rest.matrix))


def _moments(device: Device | Stack) -> Float[Array, " layers"]:
    return jnp.stack([layer.moment for layer in layers_of(device)])


@checked
def noise_spectrum(
    device: Device | Stack,
    frequency: Annotated[Numbers, Within(least=0.0, unit="Hz")],
    *,
    field: Numbers | None = None,
    current: Number = 0.0,
    readout: Any = None,
    start: Numbers | None = None,
) -> Float[Array, "*fields frequencies"]:
    """One-sided power spectral density of the thermal noise of the resistance of a `device` or stack, ohm^2/Hz.

    - `frequency`: shape () or (frequencies,), Hz; `field`: shape (3,) or (..., 3), T; `current`, `start`: as for `modes`.
    - `readout`: as for `spin_diode`; of a component of m (`lambda ms: ms[0, 2]`) the result is 1/Hz.

    Each layer's Brownian rotation, the one of `simulate`, through the linear response:
    S = 2 sum over layers of 2 D |r (i omega - A)^-1|^2; without a current this is the fluctuation-dissipation theorem. Raises
    `ValueError` where there is no read-out, or an equilibrium is unstable.

    >>> import mtjax as mtj
    >>> device = mtj.presets.perpendicular_stt(40.0)
    >>> S = mtj.resonance.noise_spectrum(device, [1e9, 6.2e9], readout=lambda ms: ms[0, 0])
    >>> bool(S[1] > 10 * S[0])  # it resonates
    True
    """
    require_readout(device, readout)
    given = (jnp.atleast_1d(as_scalar(frequency)), as_scalar(current), readout, start)
    return over_fields(_noise, device, field, *given)


def _noise(device: Device | Stack, field: Array, frequencies: Array, current: Array, readout: Readout, start: Any):
    rest = at_rest(device, field, current, start)
    slope = jax.grad(lambda x: resistance_at(rest, readout, x))(rest.nowhere)
    diffusion = jnp.repeat(_diffusion(rest), 2)

    def density(frequency):
        seen = jnp.abs(slope @ rest.susceptibility(frequency)) ** 2
        return 4 * NS * jnp.sum(seen * diffusion)

    return jax.vmap(density)(frequencies), *steadiness(rest, jnp.linalg.eigvals(rest.matrix))


def _diffusion(rest: AtRest) -> Float[Array, " layers"]:
    """Diffusion constants of the layers, 1/ns."""
    return jnp.stack([layer.magnet.diffusion(layer.temperature) for layer in layers_of(rest.device)])
