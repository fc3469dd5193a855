"""Switching probability: one verb, the method as an object."""

import jax

from mtjax.checks import Wait, checked
from mtjax.compiled import forget_some
from mtjax.devices import Device
from mtjax.dynamics import settling_time
from mtjax.pulses import AbstractPulse
from mtjax.quantities import as_scalar, is_known, require
from mtjax.switching.automatic import Automatic
from mtjax.switching.method import AbstractMethod, Probability


@checked
def switching_probability(
    device: Device,
    pulse: AbstractPulse,
    *,
    method: AbstractMethod | None = None,
    relax: Wait | None = None,
) -> Probability:
    """Probability that `pulse` takes `device` from its starting well to the other side, m.start < 0.

    The device starts in thermal equilibrium in its well (exp(-E/kT) on the hemisphere m.start > 0) and is read `relax`
    seconds after the end of the pulse.

    - `method`: `Automatic()` by default: the engine that answers soonest, to 0.003, for any device and pulse;
      `FokkerPlanck(...)` where an exact answer, small probabilities or cheap gradients are wanted, `MonteCarlo(...)` where
      sampling is, `Splitting(...)` for rare events where the density cannot go. `found.method` tells which engine answered,
      `found.error` how accurate it is.
    - `relax`: s; `None` for `settling_time(device)`: three relaxation times, none for axisymmetric devices.

    Differentiable in every number of `device` and `pulse`. Raises `ValueError` where `relax` is negative.

    >>> import mtjax as mtj
    >>> device = mtj.presets.perpendicular_stt(40.0)
    >>> pulse = mtj.Pulse(2.0 * device.critical_current, 5e-9)
    >>> round(float(mtj.switching_probability(device, pulse).value), 3)
    0.503
    """
    if all(map(is_known, jax.tree.leaves((device, pulse)))):
        forget_some()
    method = Automatic() if method is None else method
    require({"relax": relax}, "relax", least=0.0, unit="s")
    relax = settling_time(device) if relax is None else as_scalar(relax)
    return method.probability(device, pulse, relax)
