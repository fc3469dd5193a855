"""A measurement of a device with known parameters, made from its own physics."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
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
    widths: ArrayLike,
    *,
    trials: int,
    seed: int,
    method: AbstractMethod | None = None,
) -> SwitchingData:
    """What an experiment on `device` would give: binomial counts around its switching probabilities.

    - `currents`: A; `widths`: of the pulses, s, one or as many; `trials`: per setting; `seed`: of the counts.
    - `method`: as for `fit`.
    """
    currents, widths = jnp.broadcast_arrays(as_scalar(currents), as_scalar(widths))
    settings = SwitchingData(current=currents, width=widths, switched=0, trials=trials)
    strongest = int(np.argmax(np.abs(settings.amplitude)))
    situation = (device, Pulse(currents[strongest], widths[strongest]))
    method = resolving(FokkerPlanck() if method is None else method, [situation], trials, None, again=False)
    p = np.asarray(_probabilities(device, currents, widths, method), float)
    counts = np.random.default_rng(seed).binomial(trials, np.clip(p, 0.0, 1.0))
    return SwitchingData(current=currents, width=widths, switched=counts, trials=trials)


@eqx.filter_jit
def _probabilities(device: Device, currents: Array, widths: Array, method: AbstractMethod) -> Array:
    def one(row):
        current, width = row
        return switching_probability(device, Pulse(current, width), method=method).value

    return jax.lax.map(one, (currents, widths))


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
    """Pulses of 6 and 20 ns, each at ten currents about where they switch, 200 times."""
    device = truth()
    short, long = np.linspace(1.2, 2.5, 10), np.linspace(0.75, 1.5, 10)
    currents = np.concatenate([short, long]) * np.asarray(device.critical_current)
    return measured(device, currents, np.repeat([6e-9, 20e-9], 10), trials=200, seed=seed)


def comparison(fit: Fit) -> str:
    """A table of true and fitted values, and how many standard errors lie between them."""
    lines = [f"{'':<14}{'truth':<12}{'estimate':<12}{'std. error':<12}off by"]
    for name, one, true in zip(fit.estimates.names, fit.estimates, parameters(truth()), strict=True):
        shown = "".join(f"{with_unit(x, one.unit):<12}" for x in (float(true), one.value, one.stderr))
        lines.append(f"{name:<14}{shown}{(one.value - float(true)) / one.stderr:+.2f} std. errors")
    return "\n".join(lines)
