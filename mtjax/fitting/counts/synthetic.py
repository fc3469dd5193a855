"""Counts that an experiment on a known device would give."""

from __future__ import annotations

from typing import Annotated

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from mtjax.checks import Count, CountFromZero, Within, checked
from mtjax.devices import Device
from mtjax.fitting.counts.data import SwitchingData
from mtjax.pulses import Pulse
from mtjax.quantities import Numbers, as_scalar
from mtjax.switching import AbstractMethod, FokkerPlanck, resolving, switching_probability


@checked
def measured(
    device: Device,
    currents: Annotated[Numbers, Within()],
    widths: Annotated[Numbers, Within(positive=True, unit="s")],
    *,
    trials: Count,
    seed: CountFromZero,
    method: AbstractMethod | None = None,
) -> SwitchingData:
    """What an experiment on `device` would give: binomial counts around its switching probabilities.

    - `currents`: A, shape (n,); `widths`: of the pulses, s, one or as many; `trials`: per setting; `seed`: of the counts.
    - `method`: as for `fit`.

    >>> import numpy as np
    >>> import mtjax as mtj
    >>> device, currents = mtj.presets.perpendicular_stt(40.0), np.array([9e-6, 10e-6, 11e-6, 12e-6])
    >>> data = mtj.measured(device, currents, 100e-9, trials=100, seed=0, method=mtj.ThermalActivation())
    >>> print(", ".join(f"{n:.0f} at {1e6 * i:.0f} uA" for n, i in zip(data.switched, data.current)))
    3 at 9 uA, 16 at 10 uA, 69 at 11 uA, 99 at 12 uA
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
