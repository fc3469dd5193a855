"""A measurement of a device with known parameters, made from its own physics."""

from __future__ import annotations

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from mtjax.data import SwitchingData
from mtjax.device import Device
from mtjax.fields import UniaxialAnisotropy
from mtjax.fitting import Fit
from mtjax.fokker_planck import FokkerPlanck
from mtjax.guess import resolving
from mtjax.methods import AbstractMethod
from mtjax.presets import perpendicular_stt
from mtjax.pulses import Pulse
from mtjax.switching import switching_probability
from mtjax.torques import SpinTransferTorque
from mtjax.types import as_scalar, with_unit


def measured(
    device: Device,
    currents: Float[ArrayLike, " n"],
    width: ArrayLike,
    *,
    trials: int,
    seed: int,
    method: AbstractMethod | None = None,
) -> SwitchingData:
    """What an experiment on `device` would give: binomial counts around its switching probabilities.

    - `currents`: A; `width`: of the pulses, s; `trials`: per current; `seed`: of the counts.
    - `method`: as for `fit`.
    """
    currents, width = as_scalar(currents), float(as_scalar(width))
    zeros = SwitchingData(current=currents, width=width, switched=0, trials=trials)
    ready = resolving(FokkerPlanck() if method is None else method, device, zeros, None, again=False)
    p = np.asarray(_probabilities(device, currents, width, ready), float)
    counts = np.random.default_rng(seed).binomial(trials, np.clip(p, 0.0, 1.0))
    return SwitchingData(current=currents, width=width, switched=counts, trials=trials)


@eqx.filter_jit
def _probabilities(device: Device, currents: Array, width: float, method: AbstractMethod) -> Array:
    return jax.vmap(lambda i: switching_probability(device, Pulse(i, width), method=method).value)(currents)


def parameters(device: Device):
    """What the demonstration fits: the anisotropy field and the spin polarisation."""
    return device[UniaxialAnisotropy].Bk, device[SpinTransferTorque].polarisation


def truth() -> Device:
    """The device that is measured: `perpendicular_stt` with thermal stability 40."""
    return perpendicular_stt(delta=40.0)


def first_guess() -> Device:
    """Where the fit starts: the same device, but with 40 % too much anisotropy and 25 % too little polarisation."""
    device = truth()
    Bk, polarisation = parameters(device)
    return eqx.tree_at(parameters, device, (1.4 * Bk, 0.75 * polarisation))


def experiment(*, seed: int) -> SwitchingData:
    """Pulses of 10 ns at 15 currents about the critical one, 200 times each."""
    device = truth()
    return measured(device, np.linspace(0.9, 2.1, 15) * device.critical_current, 10e-9, trials=200, seed=seed)


def comparison(fit: Fit) -> str:
    """A table of true and fitted values, and how many standard errors lie between them."""
    lines = [f"{'':<14}{'truth':<12}{'estimate':<12}{'std. error':<12}off by"]
    for name, one, true in zip(fit.estimates.names, fit.estimates, parameters(truth()), strict=True):
        shown = "".join(f"{with_unit(x, one.unit):<12}" for x in (float(true), one.value, one.stderr))
        lines.append(f"{name:<14}{shown}{(one.value - float(true)) / one.stderr:+.2f} std. errors")
    return "\n".join(lines)
