"""How finely a Fokker-Planck problem is resolved, as a value that can be kept, compared and handed to compiled functions."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import equinox as eqx

from mtjax.checks import Count, CountFromZero
from mtjax.printing import Shown
from mtjax.switching.fokker_planck.generator import Stencil, stencil
from mtjax.switching.fokker_planck.resolution import LADDER, LEGENDRE_LADDER, rung


class Plan(Shown):
    """What the engine chose for a device and a pulse; `FokkerPlanck().planned(device, pulse)` makes one.

    - `lmax`, `mmax`: harmonics 0 <= m <= mmax, m <= l <= lmax are kept; mmax is 0 with an axis of symmetry.
    - `axisymmetric`: whether the device is symmetric about its start direction (Legendre polynomials do then).
    - `degree`: of the drift's expansion in harmonics; 2 for quadratic energies and plain torques.
    - `pattern`: which harmonics of the drift differ from zero; `None` keeps all.
    - `pieces`: time steps per smooth stretch of the pulse; 1 where current and temperature are constant.
    - `hopping`: whether long constant stretches are followed by the slowest mode alone, once all others have died out (without
      an axis of symmetry: after 30 relaxation times).

    >>> import mtjax as mtj
    >>> device = mtj.presets.perpendicular_stt(40.0)
    >>> pulse = mtj.Pulse(2.0 * device.critical_current, 5e-9)
    >>> plan = mtj.FokkerPlanck().planned(device, pulse).plan
    >>> plan.axisymmetric, plan.lmax
    (True, 128)
    """

    lmax: Count = eqx.field(static=True)
    mmax: CountFromZero = eqx.field(static=True)
    axisymmetric: bool = eqx.field(static=True, default=False)
    degree: Count = eqx.field(static=True, default=2)
    pattern: tuple | None = eqx.field(static=True, default=None)
    pieces: Count = eqx.field(static=True, default=1)
    hopping: bool = eqx.field(static=True, default=False)

    @property
    def name(self) -> str:
        """How the equation is solved, and the truncation."""
        how = "Legendre polynomials" if self.axisymmetric else "spherical harmonics"
        return f"{how}{' and hopping rates' if self.hopping else ''}, l_max {self.lmax}"

    @property
    def ladder(self) -> tuple[int, ...]:
        """The values of l_max that are tried."""
        return LEGENDRE_LADDER if self.axisymmetric else LADDER

    @property
    def nodes(self) -> int:
        """Points per time step in the integral of the gradient."""
        return max(4, 64 // self.pieces)

    @property
    def stencil(self) -> Stencil:
        """The operators of this truncation."""
        return stencil(self.lmax, self.mmax, self.degree, self.pattern)

    def truncated(self, lmax: int, mmax: int) -> Plan:
        """The same with another l_max, and an m_max of at most that."""
        return dataclasses.replace(self, lmax=lmax, mmax=0 if self.axisymmetric else min(mmax, lmax))

    def scaled(self, factor: float) -> Plan:
        """The same with larger or smaller l_max and m_max, on the ladder of truncations."""
        return self.truncated(rung(self.lmax * factor, self.ladder), rung(self.mmax * factor))


def union(plans: Sequence[Plan]) -> Plan:
    """One that is as good as each of `plans`."""
    patterns = [plan.pattern for plan in plans]
    together = None if None in patterns else tuple(sorted(set().union(*(p for p in patterns if p is not None))))
    return Plan(
        lmax=max(plan.lmax for plan in plans),
        mmax=max(plan.mmax for plan in plans),
        axisymmetric=all(plan.axisymmetric for plan in plans),
        degree=max(plan.degree for plan in plans),
        pattern=together,
        pieces=max(plan.pieces for plan in plans),
        hopping=any(plan.hopping for plan in plans),
    )
