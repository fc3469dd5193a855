"""Where a fit starts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from mtjax.devices import Device
from mtjax.fitting.counts.data import SwitchingData

_STEPS = 40
_CLOSENESS = 1e-3
_NEAR = float(np.log(2.0))
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


def least_move(device_at: Callable[[Array], Device], k: int, current: float, near: float = _NEAR) -> Float[np.ndarray, " k"]:
    """The smallest x, shape (k,), for which the critical current of `device_at(x)` is `current` (A).

    It leaves the barrier alone if it can: data of short pulses say much about the torque and little about the barrier.
    Zero where the critical current is within a factor of exp(`near`) already, where the device has none, and where the
    parameters do not change it.
    """
    x = np.zeros(k)
    for i in range(_STEPS if current > 0 and _is_far(device_at(jnp.zeros(k)), current, near) else 0):
        try:
            off, slope, barrier = map(np.asarray, _mismatch(device_at, jnp.asarray(x), jnp.asarray(current)))
        except KeyError:
            break
        cheap = np.linalg.solve(np.eye(k) + _BARRIER * np.outer(barrier, barrier), slope)
        if not (np.isfinite(off) and np.all(np.isfinite(cheap))) or slope @ cheap < 1e-12 or (i and abs(off) < _CLOSENESS):
            break
        x = x - cheap * np.clip(off, -1.0, 1.0) / (slope @ cheap)
    return x


def _is_far(device: Device, current: float, near: float) -> bool:
    """Whether the critical current is more than a factor of exp(`near`) away; false where there is none."""
    try:
        ratio = float(_critical_current(device)) / current
    except KeyError:
        return False
    return not abs(np.log(max(abs(ratio), 1e-300))) < near


@eqx.filter_jit
def _critical_current(device: Device) -> Array:
    return device.critical_current


@eqx.filter_jit
def _mismatch(device_at: Any, x: Array, current: Array) -> tuple[Array, Array, Array]:
    """Logarithm of the critical current over `current`, its slope, and the slope of the logarithm of delta."""
    off, slope = jax.value_and_grad(lambda x: jnp.log(jnp.abs(device_at(x).critical_current) / current))(x)
    return off, slope, jax.grad(lambda x: jnp.log(jnp.abs(device_at(x).delta)))(x)
