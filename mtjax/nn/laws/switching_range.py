"""The currents between which a device goes from hardly ever to nearly always switched."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mtjax.devices import Device
from mtjax.printing import with_unit
from mtjax.pulses import AbstractPulse
from mtjax.quantities import as_scalar
from mtjax.switching import AbstractMethod, switching_probability

LOW, HIGH = 2e-3, 0.998
"""Probabilities at the ends of a range."""
_ENOUGH = 0.6
"""What the probability must reach for a range: a neuron rests at 1/2."""
_FIRST, _MOST = 1e-6, 20e-3
"""Currents at which the search begins and ends, A."""
_STEP, _PATIENCE = 1.15, 4
"""Factor from one current to the next; how many currents without a higher probability end the search."""


def switching_range(build: Callable[..., tuple[Device, AbstractPulse]], method: AbstractMethod) -> tuple[float, float]:
    """Currents (A) between which the probability first rises from 0.002 to 0.998, or to its maximum if that is lower.

    `build`: from a current (A) to a device under a pulse. The first may be negative, for a device that switches by itself.
    Raises `ValueError` where the probability stays below 0.6 up to 20 mA.
    """

    def probability(current: float) -> float:
        device, pulse = build(as_scalar(current))
        return float(switching_probability(device, pulse, method=method).value)

    low = _low_end(probability)
    return low, _high_end(probability, max(low, _FIRST))


def _low_end(probability: Callable[[float], float]) -> float:
    """The last current before the probability exceeds 0.002, within 15 %; within a factor of 2 where it is negative."""
    if probability(_FIRST) > LOW:
        below = (0.0, *(-_FIRST * 2**n for n in range(15)))
        return next((current for current in below if probability(current) <= LOW), below[-1])
    current = _FIRST
    for factor in (2.0, _STEP):
        while current < _MOST and probability(factor * current) <= LOW:
            current *= factor
    return current


def _high_end(probability: Callable[[float], float], low: float) -> float:
    """The current from `low` on at which the probability is 0.998, or largest before it rises no more."""
    currents, found, best = [low], [probability(low)], 0
    while found[best] < HIGH and len(found) - best <= _PATIENCE and currents[-1] < _MOST:
        currents.append(currents[-1] * _STEP)
        found.append(probability(currents[-1]))
        best = int(np.argmax(found))
    if found[best] < _ENOUGH:
        raise ValueError(
            f"The probability of switching must reach {_ENOUGH} at some positive current up to {with_unit(_MOST, 'A')}, but "
            f"its maximum is {found[best]:.2g}, at {with_unit(currents[best], 'A')} (try another width; a device that a "
            "negative current switches must start on the other side)."
        )
    return currents[best]
