"""Long times: how often a device leaves its well by itself, from nanoseconds to the age of the universe.

A device with an axis of symmetry is a walk along the angle to its start direction. Its mean time from one well to the
top of the barrier is a double integral of positive numbers, hence of full relative accuracy however high the barrier;
Brown's formula (Phys. Rev. 130, 1677, 1963) is the limit of a high one. Other devices: see
`mtjax.switching.fokker_planck.two_wells`.
"""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from mtjax.checks import Count, CountFromZero, Number, checked
from mtjax.constants import NS
from mtjax.devices import Device
from mtjax.printing import Shown
from mtjax.quantities import Numbers, Scalar, as_scalar, is_known
from mtjax.switching.fokker_planck.axial_mode import axial_mode
from mtjax.switching.fokker_planck.concrete import known
from mtjax.switching.fokker_planck.generator import stencil
from mtjax.switching.fokker_planck.resolution import survey
from mtjax.switching.fokker_planck.two_wells import require_resolvable, resolved, wells

_ONE_WELL = "`rates` needs two wells: here is one."


class Rates(Shown):
    """A device that hops between two wells.

    - `out`: rate from the starting well (m.start > 0) to the other, 1/s; `back`: the way back, 1/s.
    - `log_out`, `log_back`: their natural logarithms, which stay finite where a rate is smaller than any number.

    >>> import mtjax as mtj
    >>> found = mtj.rates(mtj.presets.perpendicular_stt(20.0))
    >>> out, back = found.dwell_times
    >>> print(f"{out * 1e3:.0f} ms in the starting well, {back * 1e3:.0f} ms in the other")
    1049 ms in the starting well, 1049 ms in the other
    """

    out: Scalar
    back: Scalar
    log_out: Scalar
    log_back: Scalar

    def __init__(self, out: Scalar, back: Scalar, log_out: Scalar | None = None, log_back: Scalar | None = None):
        self.out, self.back = out, back
        self.log_out = jnp.log(out) if log_out is None else log_out
        self.log_back = jnp.log(back) if log_back is None else log_back

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
        share = jax.nn.sigmoid(self.log_out - self.log_back)
        return share * -jnp.expm1(-self.slowest * as_scalar(time))

    def survival(self, time: Numbers) -> Array:
        """Probability never to have left the starting well within a `time` (s): the dwell-time distribution."""
        return jnp.exp(-self.out * as_scalar(time))


@checked
def rates(device: Device, current: Number = 0.0, *, lmax: Count | None = None, mmax: CountFromZero | None = None) -> Rates:
    """Hopping rates of a `device` with two wells at a constant `current` (A).

    Their sum is the smallest eigenvalue of the Fokker-Planck equation other than 0, their ratio that of the populations of
    the two sides of the barrier in equilibrium at this current. (1 / `out` is the mean time in the well where the barrier is
    high; at a few kT, where a device hardly is "in a well", the mean time of first passage is another number: `survival`.)

    With an axis of symmetry to about 1e-6 of themselves, at barriers of any height: where a rate is smaller than any number its
    logarithm still tells it. Otherwise from the slowest mode on the sphere (double precision only): without a current to
    about 1e-3 however high the barrier, under a current down to 1e-11 of the fastest rate (and the smaller of both rates to
    1e-12 of the larger). No asymptotic formula is taken anywhere.

    - `lmax`, `mmax`: truncation on the sphere; `None` enlarges it until the rates change by less than 1 %. Under `jit` they
      must be given for devices without an axis of symmetry.

    Raises an error where the device has not two wells in its fields and at this current, or where the rates cannot be told:
    where they are too small under a current, or a well is too narrow for the harmonics. Differentiable in every number of the
    device, and in a current other than 0.

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
        for sample, _ in known((device, current)):
            require_resolvable(sample)
        rungs = tuple(int(n) for n in np.max([s.rungs for s in surveys], axis=0))
        lmax, mmax = resolved(list(known((device, current))), degree, rungs)
    found = wells(device, current, stencil(lmax, lmax if mmax is None else mmax, degree))
    log_rate = found.log_rate - np.log(NS)
    return _of_logarithms(log_rate + jax.nn.log_sigmoid(-found.log_odds), log_rate + jax.nn.log_sigmoid(found.log_odds))


def _of_logarithms(log_out: Scalar, log_back: Scalar) -> Rates:
    return Rates(jnp.exp(log_out), jnp.exp(log_back), log_out, log_back)


def _axial_rates(device: Device, current: Array) -> Rates:
    found = axial_mode(device, current)
    if is_known(found.exist) and not np.all(np.asarray(found.exist)):
        raise ValueError(_ONE_WELL)
    asymmetric = "`rates` needs a device with an axis of symmetry, or numbers that are known, or `lmax`."
    log_rate = eqx.error_if(found.log_rate - np.log(NS), ~device.is_axisymmetric, asymmetric)
    log_rate = eqx.error_if(log_rate, ~found.exist, _ONE_WELL)
    return _of_logarithms(log_rate + found.log_down, log_rate + found.log_up)
