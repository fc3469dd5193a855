"""Where a fit starts, and how finely its equation is resolved."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from mtjax.data import SwitchingData
from mtjax.device import Device
from mtjax.fokker_planck import FokkerPlanck
from mtjax.methods import AbstractMethod
from mtjax.pulses import Pulse
from mtjax.settling import settling_time
from mtjax.truncation import LADDER
from mtjax.types import as_scalar

_COUNTS = 0.05
"""Error allowed in an expected number of switched trials."""
_AGREEMENT = 0.1
"""Share of it that two truncations may differ by."""
_MEANINGLESS = 1e-3
"""Share of it that a probability can have and mean nothing."""
_UNCHECKED = 1e6
_STEPS = 40
_CLOSENESS = 1e-3
_NEAR = np.log(2.0)
"""A critical current within a factor of two is left as it is: pulses shift the threshold by as much."""
_BARRIER = 100.0
"""How much dearer a change of the barrier is than one of the parameters themselves."""


def midpoint(data: SwitchingData, device: Device) -> float:
    """The current that best parts the trials that switched from those that did not, A."""
    currents = np.abs(data.currents(device))
    order = np.argsort(currents)
    failed, switched = (data.trials - data.switched)[order], data.switched[order]
    wrong = np.concatenate([[0], np.cumsum(switched)]) + np.concatenate([np.cumsum(failed[::-1])[::-1], [0]])
    at = int(np.argmin(wrong))
    between = currents[order][max(at - 1, 0) : at + 1]
    return float(np.mean(between))


def least_move(device_at: Callable[[Array], Device], k: int, current: float) -> Float[np.ndarray, " k"]:
    """The smallest x, shape (k,), for which the critical current of `device_at(x)` is `current` (A).

    It leaves the barrier alone if it can: data of short pulses say much about the torque and little about the barrier.
    Zero where the critical current is within a factor of two already, where the device has none, and where the parameters do
    not change it.
    """
    x = np.zeros(k)
    for i in range(_STEPS if current > 0 and _is_far(device_at(jnp.zeros(k)), current) else 0):
        try:
            off, slope, barrier = map(np.asarray, _mismatch(device_at, jnp.asarray(x), jnp.asarray(current)))
        except KeyError:
            break
        cheap = np.linalg.solve(np.eye(k) + _BARRIER * np.outer(barrier, barrier), slope)
        if not (np.isfinite(off) and np.all(np.isfinite(cheap))) or slope @ cheap < 1e-12 or (i and abs(off) < _CLOSENESS):
            break
        x = x - cheap * np.clip(off, -1.0, 1.0) / (slope @ cheap)
    return x


def _is_far(device: Device, current: float) -> bool:
    """Whether the critical current is more than a factor of two away; false where there is none."""
    try:
        ratio = float(_critical_current(device)) / current
    except KeyError:
        return False
    return not abs(np.log(max(abs(ratio), 1e-300))) < _NEAR


@eqx.filter_jit
def _critical_current(device: Device) -> Array:
    return device.critical_current


@eqx.filter_jit
def _mismatch(device_at: Any, x: Array, current: Array) -> tuple[Array, Array, Array]:
    """Logarithm of the critical current over `current`, its slope, and the slope of the logarithm of delta."""
    off, slope = jax.value_and_grad(lambda x: jnp.log(jnp.abs(device_at(x).critical_current) / current))(x)
    return off, slope, jax.grad(lambda x: jnp.log(jnp.abs(device_at(x).delta)))(x)


def resolving(
    method: AbstractMethod,
    situations: Sequence[tuple[Device, Pulse]],
    most_trials: float,
    relax: Any,
    *,
    again: bool,
) -> AbstractMethod:
    """`method` as it can be used under `jit`: Fokker-Planck with a truncation that suits the `situations`.

    No finer than `most_trials` can tell. `again`: whether `method` was resolved before, for other values; it comes back
    unchanged if it is still good.
    """
    if not isinstance(method, FokkerPlanck) or (method.is_complete and not again):
        return method
    tolerance = _COUNTS / most_trials
    waits = [settling_time(device) if relax is None else as_scalar(relax) for device, _ in situations]
    cases = [(device, pulse, wait) for (device, pulse), wait in zip(situations, waits, strict=True)]
    checked = dataclasses.replace(method, relative=False, tolerance=tolerance)
    if again and all(_is_fine(checked, *case) for case in cases):
        return method
    open_ended = checked if not again else dataclasses.replace(checked, lmax=None, mmax=None)
    planned = [_thinned(open_ended.planned(*case), *case) for case in cases]
    return dataclasses.replace(_union(planned), tolerance=_UNCHECKED)


def least_resolved(method: AbstractMethod, most_trials: float) -> float:
    """The probability below which those of `method` mean nothing for so many trials."""
    unresolved = isinstance(method, FokkerPlanck) and not method.relative
    return _MEANINGLESS * _COUNTS / most_trials if unresolved else 0.0


def _thinned(method: FokkerPlanck, device: Device, pulse: Pulse, relax: Any) -> FokkerPlanck:
    """The same with the smallest truncation that still agrees, and has no tail to speak of."""
    lmax = method.lmax or 0
    if not _is_fine(method, device, pulse, relax):
        finer = (_truncated(method, l) for l in LADDER if l > lmax)
        return next((m for m in finer if _is_fine(m, device, pulse, relax)), method)
    full = method.probability(device, pulse, relax).value
    for fewer in (_truncated(method, l) for l in LADDER if lmax / 3 <= l < lmax):
        if _is_fine(fewer, device, pulse, relax):
            found = fewer.probability(device, pulse, relax).value
            if abs(float(found - full)) < _AGREEMENT * method.tolerance:
                return fewer
    return method


def _truncated(method: FokkerPlanck, lmax: int) -> FokkerPlanck:
    return dataclasses.replace(method, lmax=lmax, mmax=min(method.mmax or 0, lmax))


def _union(methods: Sequence[FokkerPlanck]) -> FokkerPlanck:
    """One that is as good as each of them."""
    lmax, mmax, degree, pieces = (max(getattr(m, n) or 0 for m in methods) for n in ("lmax", "mmax", "degree", "pieces"))
    symmetric = all(bool(m.axisymmetric) for m in methods)
    pattern = tuple(sorted(set().union(*(m.pattern or () for m in methods))))
    return dataclasses.replace(
        methods[0], lmax=lmax, mmax=mmax, degree=degree, pieces=pieces, axisymmetric=symmetric, pattern=pattern or None,
        hopping=any(m.hopping for m in methods),
    )  # fmt: skip


def _is_fine(method: FokkerPlanck, device: Device, pulse: Pulse, relax: Any) -> bool:
    try:
        jax.block_until_ready(method.probability(device, pulse, relax).value)
    except RuntimeError:
        return False
    return True
