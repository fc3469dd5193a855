"""One plan for many settings, no finer than their numbers of trials can tell."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import jax

from mtjax.devices import Device
from mtjax.dynamics import settling_time
from mtjax.pulses import Pulse
from mtjax.quantities import as_scalar
from mtjax.switching.fokker_planck.method import FokkerPlanck
from mtjax.switching.fokker_planck.plan import Plan, union
from mtjax.switching.fokker_planck.resolution import LADDER
from mtjax.switching.method import AbstractMethod

_COUNTS = 0.05
"""Error allowed in an expected number of switched trials."""
_AGREEMENT = 0.1
"""Share of it that two truncations may differ by."""
_MEANINGLESS = 1e-3
"""Share of it that a probability can have and mean nothing."""
_UNCHECKED = 1e6


def resolving(
    method: AbstractMethod,
    situations: Sequence[tuple[Device, Pulse]],
    most_trials: float,
    relax: Any,
    *,
    again: bool,
) -> AbstractMethod:
    """`method` as it can be used under `jit`: Fokker-Planck with a plan that suits the `situations`.

    No finer than `most_trials` can tell. `again`: whether `method` was resolved before, for other values; it comes back
    unchanged if it is still good.

    >>> import mtjax as mtj
    >>> device = mtj.presets.perpendicular_stt(40.0)
    >>> pulse = mtj.Pulse(2.0 * device.critical_current, 5e-9)
    >>> method = mtj.switching.resolving(mtj.FokkerPlanck(), [(device, pulse)], 100, 0.0, again=False)
    >>> method.plan.lmax, method.relative
    (48, False)
    """
    if not isinstance(method, FokkerPlanck) or (method.plan is not None and not again):
        return method
    waits = [settling_time(device) if relax is None else as_scalar(relax) for device, _ in situations]
    cases = [(device, pulse, wait) for (device, pulse), wait in zip(situations, waits, strict=True)]
    checked = dataclasses.replace(method, relative=False, tolerance=_COUNTS / most_trials)
    if again and all(_is_fine(checked, *case) for case in cases):
        return method
    plans = [_thinned(dataclasses.replace(checked, plan=None), *case) for case in cases]
    return dataclasses.replace(checked, plan=union(plans), tolerance=_UNCHECKED)


def least_resolved(method: AbstractMethod, most_trials: float) -> float:
    """The probability below which those of `method` mean nothing for so many trials.

    >>> import mtjax as mtj
    >>> print(f"{mtj.switching.least_resolved(mtj.FokkerPlanck(relative=False), 1000):.0e}")
    5e-08
    """
    unresolved = isinstance(method, FokkerPlanck) and not method.relative
    return _MEANINGLESS * _COUNTS / most_trials if unresolved else 0.0


def _thinned(method: FokkerPlanck, device: Device, pulse: Pulse, relax: Any) -> Plan:
    """The plan for a case with the smallest truncation that still agrees, and has no tail to speak of."""
    found = method.planned(device, pulse, relax)
    plan = found.plan
    assert plan is not None

    def truncated(lmax: int) -> FokkerPlanck:
        return dataclasses.replace(found, plan=plan.truncated(lmax, plan.mmax))

    if not _is_fine(found, device, pulse, relax):
        finer = (l for l in LADDER if l > plan.lmax and _is_fine(truncated(l), device, pulse, relax))
        return plan.truncated(next(finer, plan.lmax), plan.mmax)
    full = found.probability(device, pulse, relax).value
    for lmax in (l for l in LADDER if plan.lmax / 3 <= l < plan.lmax):
        if _is_fine(truncated(lmax), device, pulse, relax):
            value = truncated(lmax).probability(device, pulse, relax).value
            if abs(float(value - full)) < _AGREEMENT * method.tolerance:
                return plan.truncated(lmax, plan.mmax)
    return plan


def _is_fine(method: FokkerPlanck, device: Device, pulse: Pulse, relax: Any) -> bool:
    try:
        jax.block_until_ready(method.probability(device, pulse, relax).value)
    except RuntimeError:
        return False
    return True
