"""Telegraph signals made up from known dwell times."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float


def synthetic_trace(
    *,
    tau_up: float,
    tau_down: float,
    duration: float,
    step: float,
    bandwidth: float | None = None,
    noise: float = 0.0,
    seed: int = 0,
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """Times (s) and a signal between 0 and 1 that hops, through a first-order low pass of `bandwidth` (Hz), with `noise`.

    >>> from mtjax.fitting import synthetic_trace
    >>> time, signal = synthetic_trace(tau_up=1e-3, tau_down=1e-3, duration=0.1, step=1e-5, bandwidth=1e5)
    >>> time.shape, f"{signal.min():.2f} to {signal.max():.2f}"
    ((10000,), '0.00 to 1.00')
    """
    random = np.random.default_rng(seed)
    number = int(4 * duration / (tau_up + tau_down)) + 50
    pairs = np.stack([random.exponential(tau_up, number), random.exponential(tau_down, number)], axis=1).ravel()
    flips = np.cumsum(pairs)
    time = np.arange(0.0, min(duration, flips[-1]), step)
    signal = _hopping(time, flips) if bandwidth is None else _passed(time, flips, bandwidth)
    return time, signal + noise * random.standard_normal(len(time))


def _hopping(time: np.ndarray, flips: np.ndarray) -> np.ndarray:
    return 1.0 - np.searchsorted(flips, time, side="right") % 2


def _passed(time: np.ndarray, flips: np.ndarray, bandwidth: float) -> np.ndarray:
    """Exactly, from one edge or sample to the next."""
    edges = np.unique(np.concatenate([time, flips[flips < time[-1]]]))
    state = _hopping(edges[:-1], flips)
    decay = np.exp(-2 * np.pi * bandwidth * np.diff(edges))
    level = np.empty(len(edges))
    level[0] = 1.0
    for i, (s, d) in enumerate(zip(state, decay, strict=True)):
        level[i + 1] = s + (level[i] - s) * d
    return level[np.searchsorted(edges, time)]
