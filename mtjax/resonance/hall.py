"""Harmonic Hall measurement: what a slow alternating current reads of the angle that it turns the magnetisation by."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from mtjax.checks import Number, checked
from mtjax.devices import Device, Stack
from mtjax.printing import Shown
from mtjax.quantities import Numbers, as_scalar
from mtjax.resonance.linear import at_rest, over_fields, steadiness
from mtjax.resonance.readings import Readout, require_readout, resistance_at


class HarmonicHall(Shown):
    """Harmonics of a voltage over the amplitude of the current; axes are those of the fields.

    - `first`: of sin(omega t), shape (...), ohm; `second`: of -cos(2 omega t), shape (...), ohm.

    >>> import mtjax as mtj
    >>> bar = mtj.presets.perpendicular_sot()
    >>> fields = [[0.01, 0.0, 0.0], [0.02, 0.0, 0.0]]
    >>> mtj.resonance.harmonic_hall(bar, amplitude=10e-6, field=fields, readout=lambda ms: ms[0, 2]).first.shape
    (2,)
    """

    first: Float[Array, "*fields"]
    second: Float[Array, "*fields"]


@checked
def harmonic_hall(
    device: Device | Stack,
    *,
    amplitude: Number,
    field: Numbers | None = None,
    current: Number = 0.0,
    readout: Any = None,
    start: Numbers | None = None,
) -> HarmonicHall:
    """First and second harmonic of the (Hall) voltage of a `device` or stack under a slow current I sin(omega t).

    - `amplitude`: I, A; `current`: a constant one beside it, A.
    - `field`: applied besides the device's own, shape (3,) or (..., 3), T: scan its angle here; `start`: as for `modes`.
    - `readout`: as for `spin_diode`; a `HallBar` has the planar Hall effect beside the anomalous one.

    m follows the current: V = I sin(omega t) R(m) with dR/dI from the derivative of the equilibrium, so that
    V = R I sin(omega t) + I^2/2 dR/dI (1 - cos(2 omega t)). (Method of Kim et al., Nat. Mater. 12, 240, 2013, and Hayashi et
    al., Phys. Rev. B 89, 144425, 2014, as recalled; without heating.) Raises `ValueError` as `spin_diode` does.

    >>> import mtjax as mtj
    >>> bar = mtj.presets.perpendicular_sot()
    >>> found = mtj.resonance.harmonic_hall(bar, amplitude=10e-6, field=(0.01, 0.0, 0.0), readout=lambda ms: ms[0, 2])
    >>> print(f"{found.first:.3f} and {found.second * 1e3:.2f} thousandths")
    0.984 and -3.58 thousandths
    """
    require_readout(device, readout)
    return over_fields(_harmonics, device, field, as_scalar(amplitude), as_scalar(current), readout, start)


def _harmonics(device: Device | Stack, field: Array, amplitude: Array, current: Array, readout: Readout, start):
    rest = at_rest(device, field, current, start)
    resistance, slope = jax.value_and_grad(lambda x: resistance_at(rest, readout, x))(rest.nowhere)
    matrix = rest.matrix
    by_current = slope @ -jnp.linalg.solve(matrix, rest.by_current)
    return HarmonicHall(resistance, amplitude / 2 * by_current), *steadiness(rest, jnp.linalg.eigvals(matrix))
