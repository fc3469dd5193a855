"""Where a fit starts, and how finely its equation is resolved."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
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

_COUNTS = 0.05
"""Error allowed in an expected number of switched trials."""
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
    Zero where the critical current is within a factor of two already.
    Zero where the device has no critical current, or the parameters do not change it.
    """
    x = np.zeros(k)
    for i in range(_STEPS if current > 0 else 0):
        try:
            off, slope, barrier = map(np.asarray, _mismatch(device_at, jnp.asarray(x), jnp.asarray(current)))
        except KeyError:
            break
        cheap = np.linalg.solve(np.eye(k) + _BARRIER * np.outer(barrier, barrier), slope)
        if (
            not (np.isfinite(off) and np.all(np.isfinite(cheap)))
            or slope @ cheap < 1e-12
            or abs(off) < (_CLOSENESS if i else _NEAR)
        ):
            break
        x = x - cheap * np.clip(off, -1.0, 1.0) / (slope @ cheap)
    return x


@eqx.filter_jit
def _mismatch(device_at: Any, x: Array, current: Array) -> tuple[Array, Array, Array]:
    """Logarithm of the critical current over `current`, its slope, and the slope of the logarithm of delta."""
    off, slope = jax.value_and_grad(lambda x: jnp.log(jnp.abs(device_at(x).critical_current) / current))(x)
    return off, slope, jax.grad(lambda x: jnp.log(jnp.abs(device_at(x).delta)))(x)


def resolving(method: AbstractMethod, device: Device, data: SwitchingData, relax: Any, *, again: bool) -> AbstractMethod:
    """`method` as it can be used under `jit`: Fokker-Planck with a truncation that suits `device` and the pulses.

    `again`: whether `method` was resolved before, for another device; it comes back unchanged if it is still good.
    """
    if not isinstance(method, FokkerPlanck) or (method.lmax is not None and not again):
        return method
    i = int(np.argmax(np.abs(data.currents(device))))
    pulse = Pulse(data.currents(device)[i], data.width[i])
    relax = settling_time(device) if relax is None else relax
    tolerance = _COUNTS / float(data.trials.max())
    if again and _is_fine(dataclasses.replace(method, tolerance=tolerance), device, pulse, relax):
        return method
    planned = FokkerPlanck(relative=False, tolerance=tolerance, degree=method.degree).planned(device, pulse, relax)
    return dataclasses.replace(planned, tolerance=_UNCHECKED)


def _is_fine(method: FokkerPlanck, device: Device, pulse: Pulse, relax: Any) -> bool:
    try:
        jax.block_until_ready(method.probability(device, pulse, relax).value)
    except RuntimeError:
        return False
    return True
