"""The spin diode (spin-torque ferromagnetic resonance): an alternating current through its own resonating resistance."""

from __future__ import annotations

from typing import Annotated, Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from mtjax.checks import Number, Within, checked
from mtjax.constants import NS
from mtjax.devices import Device, Stack
from mtjax.printing import Shown
from mtjax.quantities import Numbers, as_scalar
from mtjax.resonance.eigenmodes import eigen
from mtjax.resonance.linear import AtRest, at_rest, over_fields, steadiness
from mtjax.resonance.readings import Readout, require_readout, resistance_at


class SpinDiode(Shown):
    """Rectified voltage of a spin diode; leading axes are those of the fields.

    - `voltage`: shape (..., frequencies), V.
    - `resonances`: frequencies of the modes, shape (..., modes), Hz; `widths`: full widths, shape (..., modes), Hz.
    - `symmetric`, `antisymmetric`: amplitudes S and A of every mode's line, shape (..., modes), V: near a resonance the mixing
      voltage is (S + A d) / (1 + d^2) with d = 2 (f - resonance) / width.

    >>> import mtjax as mtj
    >>> device = mtj.presets.sengupta2016()
    >>> found = mtj.resonance.spin_diode(device, [3e9, 5e9], amplitude=1e-6, field=(0.0, 0.02, 0.0))
    >>> found.voltage.shape, found.symmetric.shape
    ((2,), (1,))
    """

    voltage: Float[Array, "*fields frequencies"]
    resonances: Float[Array, "*fields modes"]
    widths: Float[Array, "*fields modes"]
    symmetric: Float[Array, "*fields modes"]
    antisymmetric: Float[Array, "*fields modes"]


@checked
def spin_diode(
    device: Device | Stack,
    frequency: Annotated[Numbers, Within(least=0.0, unit="Hz")],
    *,
    amplitude: Number,
    field: Numbers | None = None,
    current: Number = 0.0,
    readout: Any = None,
    start: Numbers | None = None,
) -> SpinDiode:
    """The voltage that a `device` or stack rectifies of a current I cos(omega t), to second order in I.

    - `frequency`: shape () or (frequencies,), Hz; `amplitude`: I, A.
    - `field`: applied besides the device's own, shape (3,) or (..., 3), T; `start`: as for `modes`.
    - `current`: a constant one beside it, A. With it comes the voltage that it finds in the mean change of the resistance.
    - `readout`: resistance (ohm) of the unit vectors, shape (layers, 3); `None`: the device's own, of a stack the sum of its
      layers'. (Its dependence on the voltage is left out.)

    V = I/2 Re(r (i omega - A)^-1 b) I + I_dc <R>_2 with A, b and r the derivatives of the drift and of the resistance
    (Tulapurkar et al., Nature 438, 339, 2005, for the effect). All fields and frequencies in one compiled program, a new one
    for every new function `readout`. Raises `ValueError` where there is no read-out, or an equilibrium is unstable.

    >>> import jax.numpy as jnp
    >>> import mtjax as mtj
    >>> device = mtj.presets.sengupta2016()
    >>> fields = jnp.stack([jnp.zeros(3), jnp.linspace(0.0, 0.04, 3)[1] * jnp.eye(3)[1]])
    >>> mtj.resonance.spin_diode(device, jnp.linspace(1e9, 9e9, 101), amplitude=1e-6, field=fields).voltage.shape
    (2, 101)
    """
    require_readout(device, readout)
    frequencies = jnp.atleast_1d(as_scalar(frequency))
    given = (frequencies, as_scalar(amplitude), as_scalar(current), readout, start)
    return over_fields(_spin_diode, device, field, *given)


def _spin_diode(
    device: Device | Stack, field: Array, frequencies: Array, amplitude: Array, current: Array, readout: Readout, start
):
    rest = at_rest(device, field, current, start)
    slope = jax.grad(lambda x: resistance_at(rest, readout, x))(rest.nowhere)
    voltage = jax.vmap(_second_order(rest, slope, readout, amplitude, current))(frequencies)
    values, right, left = eigen(rest.matrix)
    order = jnp.argsort(values.imag)[values.size // 2 :]
    strengths = ((slope @ right) * (left @ rest.by_current.astype(right.dtype)))[order]
    size, values = amplitude**2 / 2 / -values[order].real, values[order]
    lines = (values.imag / (2 * jnp.pi) / NS, -values.real / jnp.pi / NS, size * strengths.real, size * strengths.imag)
    return SpinDiode(voltage, *lines), *steadiness(rest, values)


def _second_order(rest: AtRest, slope: Array, readout: Readout, amplitude: Array, current: Array):
    """The rectified voltage (V) as a function of the frequency (Hz)."""
    matrix, drive = rest.matrix, rest.by_current

    def moving(x, I):
        return rest.velocity(x, I, rest.nothing[1])

    begin = (rest.nowhere, rest.nothing[0])
    (by_xx, by_xI), (_, by_II) = jax.jacfwd(jax.jacfwd(moving, argnums=(0, 1)), argnums=(0, 1))(*begin)
    curvature = jax.hessian(lambda x: resistance_at(rest, readout, x))(rest.nowhere)

    def voltage(frequency):
        x = rest.susceptibility(frequency) @ drive * amplitude
        square, mixed = jnp.real(jnp.outer(x, x.conj())) / 2, x.real * amplitude / 2
        push = jnp.einsum("kij,ij->k", by_xx, square) / 2 + by_xI @ mixed + by_II * amplitude**2 / 4
        mean = -jnp.linalg.solve(matrix, push)
        change = slope @ mean + jnp.sum(curvature * square) / 2
        return amplitude / 2 * (slope @ x.real) + current * change

    return voltage
