"""Pulse sequences of neuron and synapse experiments: pairs, amplitude sequences, loops."""

from __future__ import annotations

from typing import Annotated

import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from mtjax.checks import Count, Number, Wait, Within, checked
from mtjax.pulses.waveform import AbstractPulse
from mtjax.pulses.waveforms import Pulse
from mtjax.quantities import as_scalar

_Current = Annotated[ArrayLike, Within(unit="A", single=True)]


@checked
def pair(pre: AbstractPulse, post: AbstractPulse, delay: Number) -> AbstractPulse:
    """`pre` and `post`, the latter `delay` seconds after the former, start to start; a negative delay puts it first.

    >>> import mtjax as mtj
    >>> spikes = mtj.pair(mtj.Pulse(2e-3, 1e-9), mtj.Pulse(1e-3, 1e-9), delay=-5e-9)
    >>> print(f"{spikes(0.5e-9) * 1e3:.0f} mA first, {spikes(5.5e-9) * 1e3:.0f} mA 5 ns later")
    1 mA first, 2 mA 5 ns later
    """
    delay = as_scalar(delay)
    return pre.shifted(jnp.maximum(-delay, 0.0)) + post.shifted(jnp.maximum(delay, 0.0))


@checked
def opposite_pair(amplitude: Number, width: Wait, delay: Number) -> AbstractPulse:
    """A `pair` of rectangular pulses `delay` (s) apart: `pre` of `amplitude` (A), `post` opposite, both of `width` (s).

    >>> import mtjax as mtj
    >>> spikes = mtj.opposite_pair(2e-3, width=1e-9, delay=5e-9)
    >>> print(f"{spikes(0.5e-9) * 1e3:.0f} mA, then {spikes(5.5e-9) * 1e3:.0f} mA")
    2 mA, then -2 mA
    """
    pre = Pulse(amplitude, width)
    return pair(pre, -pre, delay)


@checked
def loop(peak: _Current, number: Count, *, lowest: _Current | None = None) -> Float[Array, " n"]:
    """Amplitudes of a loop, A: from 0 up to `peak`, down to `lowest` and back up to `peak`, `number` steps per leg.

    - `lowest`: A; `None` for minus `peak`. A minor loop has a `lowest` of smaller size.

    Raises `ValueError` where `number` is not positive, or a current is not finite.

    >>> import mtjax as mtj
    >>> print("  ".join(f"{current * 1e3:.0f}" for current in mtj.loop(2e-3, 2)), "mA")
    0  1  2  0  -2  0  2 mA
    """
    if number < 1:
        raise ValueError(f"`number` must be at least 1, but is {number}.")
    peak = as_scalar(peak)
    lowest = -peak if lowest is None else as_scalar(lowest)
    up, down, back = (jnp.linspace(a, b, number + 1) for a, b in ((0.0, peak), (peak, lowest), (lowest, peak)))
    return jnp.concatenate([up, down[1:], back[1:]])
