"""Long times: how often a device leaves its well by itself, from nanoseconds to the age of the universe.

A device with an axis of symmetry is a walk along the angle to its start direction. Its mean time from one well to the
top of the barrier is a double integral of positive numbers, hence of full relative accuracy however high the barrier;
Brown's formula (Phys. Rev. 130, 1677, 1963) is the limit of a high one. Other devices: see
`mtjax.switching.fokker_planck.two_wells`.
"""

from __future__ import annotations

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from mtjax.constants import NS
from mtjax.devices import Device
from mtjax.dynamics import rate
from mtjax.printing import Shown
from mtjax.quantities import Numbers, Scalar, as_scalar
from mtjax.switching.fokker_planck.density import half_weights
from mtjax.switching.fokker_planck.generator import stencil
from mtjax.switching.fokker_planck.harmonics import legendre
from mtjax.switching.fokker_planck.known import known
from mtjax.switching.fokker_planck.resolution import survey
from mtjax.switching.fokker_planck.two_wells import resolved, wells
from mtjax.vector import Vector, frame

_POINTS = 4001


class Rates(Shown):
    """A device that hops between two wells.

    - `out`: rate from the starting well (m.start > 0) to the other, 1/s; `back`: the way back, 1/s.

    >>> import mtjax as mtj
    >>> found = mtj.rates(mtj.presets.perpendicular_stt(20.0))
    >>> out, back = found.dwell_times
    >>> print(f"{out * 1e3:.0f} ms in the starting well, {back * 1e3:.0f} ms in the other")
    1049 ms in the starting well, 1049 ms in the other
    """

    out: Scalar
    back: Scalar

    @property
    def slowest(self) -> Scalar:
        """Their sum: the lowest eigenvalue of the Fokker-Planck equation, 1/s."""
        return self.out + self.back

    @property
    def dwell_times(self) -> tuple[Scalar, Scalar]:
        """Mean times in the starting well and in the other, s."""
        return 1 / self.out, 1 / self.back

    def switched(self, time: Numbers) -> Array:
        """Probability to be found in the other well a `time` (s) after being in the starting one."""
        return self.out / self.slowest * -jnp.expm1(-self.slowest * as_scalar(time))

    def survival(self, time: Numbers) -> Array:
        """Probability never to have left the starting well within a `time` (s): the dwell-time distribution."""
        return jnp.exp(-self.out * as_scalar(time))


def rates(device: Device, current: ArrayLike = 0.0, *, lmax: int | None = None, mmax: int | None = None) -> Rates:
    """Hopping rates of a `device` with two wells at a constant `current` (A).

    With an axis of symmetry, from the mean first-passage times from one well's bottom to the other's: relative accuracy,
    beside corrections of exp(-barrier / kT), about 1e-5 down to the smallest number that the type can hold, at any current
    below the critical one. Otherwise from the slowest mode on the sphere (double precision only): without a current to
    about 1e-3 however high the barrier, under a current down to 1e-11 of the fastest rate.

    - `lmax`, `mmax`: truncation on the sphere; `None` enlarges it until the rates change by less than 1 %. Under `jit` they
      must be given for devices without an axis of symmetry.

    Raises an error where the device has not two wells at this current, or where the rates cannot be told. Differentiable in
    every number of the device, and in a current other than 0.

    >>> import mtjax as mtj
    >>> year = 365.25 * 86400.0
    >>> found = mtj.rates(mtj.presets.perpendicular_stt(40.0))
    >>> print(f"mean retention {1 / found.out / year:.1f} years")
    mean retention 5.5 years
    """
    current = as_scalar(current)
    surveys = [survey(sample, max(abs(float(i)), 1e-9), 1e-5) for sample, i in known((device, current))]
    if lmax is None and (not surveys or all(s.axisymmetric for s in surveys)):
        return _axial_rates(device, current)
    degree = max([s.degree for s in surveys], default=2)
    if lmax is None:
        rungs = tuple(int(n) for n in np.max([s.rungs for s in surveys], axis=0))
        lmax, mmax = resolved(list(known((device, current))), degree, rungs)
    found = wells(device, current, stencil(lmax, lmax if mmax is None else mmax, degree))
    per_second = found.rate / NS
    return Rates(per_second * (1 - found.share), per_second * found.share)


def _axial_rates(device: Device, current: Array) -> Rates:
    found, _, two_wells = hopping(device, current)
    asymmetric = "`rates` needs a device with an axis of symmetry, or numbers that are known, or `lmax`."
    out = eqx.error_if(found.out, ~device.is_axisymmetric, asymmetric)
    out = eqx.error_if(out, ~two_wells, "`rates` needs two wells: the current is beyond the critical one.")
    return Rates(out, found.back)


def hopping(device: Device, current: Array) -> tuple[Rates, tuple[Array, Array], Array]:
    """Rates, the quasi-stationary density (angles from -start to start, logarithm), and whether there are two wells."""
    angles, log_density, D = _walk(device, current)
    top = jnp.argmin(log_density)
    two_wells = (top > 1) & (top < angles.size - 2)
    out, back = (_escape(angles, log_density, D, side) / NS for side in (1, -1))
    return Rates(out, back), (angles, log_density), two_wells


def settled_column(device: Device, current: Array, column: Float[Array, " l"], time: Array) -> Float[Array, " l"]:
    """Coefficients of Y_l0 a long `time` (s) later: populations by the hopping rates, each well in its own equilibrium.

    With one well only, `column` itself: it no longer changes.
    """
    found, (angles, log_density), two_wells = hopping(device, current)
    lower, upper = (jnp.asarray(w, column.dtype) @ column for w in half_weights(column.size - 1) * _polar(column.size))
    decay, moved = jnp.exp(-found.slowest * time), -jnp.expm1(-found.slowest * time) / found.slowest
    populations = (lower * decay + found.out * moved, upper * decay + found.back * moved)
    later = jnp.zeros_like(column)
    for population, side in zip(populations, (angles > np.pi / 2, angles < np.pi / 2), strict=True):
        log_side = jnp.where(side, log_density, -jnp.inf)
        P = jnp.exp(log_side - jnp.max(log_side)) * jnp.sin(angles)
        later = later + population * (_project(P, column.size) / jnp.sum(P))
    return jnp.where(two_wells, later, column)


def _project(P: Array, size: int) -> Array:
    """Sums of P Y_l0 over the angles pi ... 0."""
    angles = np.linspace(np.pi, 0.0, P.size)
    return jnp.asarray(legendre(size - 1, 0, tuple(np.cos(angles)))[0], P.dtype) @ P


def _polar(size: int) -> np.ndarray:
    """Y_l0 at the pole."""
    return np.sqrt((2 * np.arange(size) + 1) / (4 * np.pi))


def slope_down(device: Device, current: Array, temperature: Array) -> tuple[Callable[[Array], Array], Scalar]:
    """Drift away from the start direction over D as a function of the angle from it (1/rad), and D (1/ns).

    At a `current` (A) and a `temperature` (K).
    """
    drive = device.drive(current, temperature)
    magnet = device.layer.magnet(drive.temperature)
    D = magnet.diffusion(drive.temperature)
    sideways, _ = frame(device.start)

    def slope(angle):
        m = Vector.of(jnp.cos(angle) * device.start + jnp.sin(angle) * sideways)
        down = Vector.of(jnp.cos(angle) * sideways - jnp.sin(angle) * device.start)
        return (magnet.gamma * rate(m, device.field(m, drive), magnet.alpha)) @ down / D

    return slope, D


def _walk(device: Device, current: Array) -> tuple[Array, Array, Scalar]:
    """Angles from the start direction, pi to 0, logarithm of the density there (up to a constant), and D (1/ns)."""
    slope, D = slope_down(device, current, device.temperature)
    angles = jnp.linspace(np.pi, 0.0, _POINTS, dtype=device.start.dtype)
    slopes = -jax.vmap(slope)(angles)
    middles = -jax.vmap(slope)((angles[1:] + angles[:-1]) / 2)
    h = np.pi / (_POINTS - 1)
    log_density = jnp.cumsum(jnp.append(0.0, h / 6 * (slopes[:-1] + 4 * middles + slopes[1:])))
    return angles, log_density, D


def _escape(angles: Array, log_density: Array, D: Scalar, side: int) -> Scalar:
    """Inverse of the mean time from the bottom of the well on `side` to that of the other, 1/ns.

    T = integral over the angle of exp(-log density) / (D sin) times the weight of what lies behind, all positive.
    """
    angle_step = np.pi / (_POINTS - 1)
    sine = jnp.sin(angles)
    if side == 1:
        log_density, sine = log_density[::-1], sine[::-1]
    well, barrier = log_density[0], jnp.min(log_density)
    weight = _cumulative(jnp.exp(log_density - well) * sine)
    inner = sine > 1e-9
    resistance = jnp.where(inner, jnp.exp(barrier - log_density) / jnp.where(inner, sine, 1.0), 0.0)
    return D / (angle_step**2 * jnp.sum(resistance * weight)) * jnp.exp(barrier - well)


def _cumulative(f: Array) -> Array:
    """Integral from the first point, trapezoidal, in units of the step."""
    return jnp.append(0.0, jnp.cumsum((f[1:] + f[:-1]) / 2))
