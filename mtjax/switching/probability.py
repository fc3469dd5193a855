"""Switching probability: one verb, the method as an object."""

from jaxtyping import ArrayLike

from mtjax.devices import Device
from mtjax.dynamics import settling_time
from mtjax.pulses import AbstractPulse
from mtjax.quantities import as_scalar, require
from mtjax.switching.fokker_planck import FokkerPlanck
from mtjax.switching.method import AbstractMethod, Probability


def switching_probability(
    device: Device,
    pulse: AbstractPulse,
    *,
    method: AbstractMethod | None = None,
    relax: ArrayLike | None = None,
) -> Probability:
    """Probability that `pulse` takes `device` from its starting well to the other side, m.start < 0.

    The device starts in thermal equilibrium in its well (exp(-E/kT) on the hemisphere m.start > 0) and is read `relax`
    seconds after the end of the pulse.

    - `method`: `FokkerPlanck()` by default, which takes the cheapest of its ways by itself and is exact to its stated
      accuracy; `MonteCarlo(samples=..., key=...)` where sampling is wanted. To 1 % of a probability near one half sampling
      costs one to ten times as much as the density on the sphere, a third to four fifths of it over 80 kT, and far more
      with an axis of symmetry, for better accuracy, or for small probabilities (`scripts/cost_map.py`): hence the default.
    - `relax`: s; `None` for `settling_time(device)`: three relaxation times, none for axisymmetric devices.

    Differentiable in every number of `device` and `pulse`. Raises `ValueError` where `relax` is negative.

    >>> import mtjax as mtj
    >>> device = mtj.presets.perpendicular_stt(40.0)
    >>> pulse = mtj.Pulse(2.0 * device.critical_current, 5e-9)
    >>> round(float(mtj.switching_probability(device, pulse).value), 3)
    0.503
    """
    method = FokkerPlanck() if method is None else method
    require({"relax": relax}, "relax", least=0.0, unit="s")
    relax = settling_time(device) if relax is None else as_scalar(relax)
    return method.probability(device, pulse, relax)
