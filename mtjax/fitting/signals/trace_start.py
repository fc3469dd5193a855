"""Where the search for the levels and rates of a telegraph trace starts, and whether the trace can be one at all."""

from __future__ import annotations

from itertools import combinations

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from mtjax.fitting.signals.hopping import Kind, Lanes, in_lanes, log_likelihood, value_and_slope

_QUANTILES = (5e-4, 5e-3, 0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 0.98, 0.995, 0.9995)
_BINS, _ROUNDS = 400, 60
_RATES = (1.0, 0.3, 0.1, 0.03, 0.01, 1e-3, 1e-4)
"""Sum of both rates, per sample."""
_ORDER = 20
_FIRST = 60_000
_GAPS = (2.5, 4.0, 6.0, 10.0, 20.0, 50.0)
_CREEPS = (3e-2, 3e-3)


def noise_of(signal: Float[np.ndarray, " n"]) -> tuple[float, float]:
    """Standard deviation of the noise by the median of successive differences, and the resolution (0 where it is fine)."""
    values = np.unique(signal)
    grain = float(np.min(np.diff(values)))
    resolution = grain if len(values) < 0.1 * len(signal) or len(values) < 6 else 0.0
    floor = resolution / (50.0 if len(values) < 6 else np.sqrt(12))
    step = np.abs(np.diff(signal))
    noise = float(1.4826 * np.median(step) / np.sqrt(2))
    return max(noise, floor, 1e-3 * float(np.ptp(signal))), floor


def two_levels(signal: Float[np.ndarray, " n"], noise: float) -> list[tuple[float, float, float, float]]:
    """Mixtures of two normal distributions with one width that describe the values best: levels, width, share of the upper."""
    low, high = signal.min(), signal.max()
    counts, edges = np.histogram(signal, _BINS, (low, high))
    x, weight = ((edges[1:] + edges[:-1]) / 2)[counts > 0], counts[counts > 0] / len(signal)
    ends = [(a, b) for a, b in combinations(np.unique(np.quantile(signal, _QUANTILES)), 2) if b - a > noise]
    ends = np.array(ends or [(low, high)])
    levels, width, share = ends.T.copy(), np.full(len(ends), noise), np.full(len(ends), 0.5)
    least = max((edges[1] - edges[0]) / 2, noise / 4)
    for _ in range(_ROUNDS):
        portion = np.stack([1 - share, share])[..., None]
        height = np.log(np.maximum(portion, 1e-12)) - ((x - levels[..., None]) / width[:, None]) ** 2 / 2
        top = height.max(axis=0)
        part = np.exp(height - top)
        total = part.sum(axis=0)
        part = weight * part / total
        amount = np.maximum(part.sum(axis=-1), 1e-12)
        levels = (part * x).sum(axis=-1) / amount
        width = np.maximum(np.sqrt((part * (x - levels[..., None]) ** 2).sum(axis=(0, 2))), least)
        share = np.clip(amount[1], 1e-6, 1 - 1e-6)
    score = (weight * (top + np.log(total))).sum(axis=-1) - np.log(width)
    best, kept = np.argsort(-score), []
    for i in best:
        found = (float(levels[0, i]), float(levels[1, i]), float(width[i]), float(share[i]))
        if found[1] > found[0] and not any(np.allclose(found[:2], k[:2], atol=noise / 2) for k in kept):
            kept.append(found)
    return kept[:4]


def start(signal: Float[np.ndarray, " n"], lanes: Lanes, noise: float) -> np.ndarray:
    """`NUMBERS` where a search without low pass and drift starts: the likeliest of a table."""
    rows = [_row(a, b - a, w, p, rate) for a, b, w, p in two_levels(signal, noise) for rate in _RATES]
    return max(rows, key=lambda row: float(value_and_slope(jnp.asarray(row), lanes, Kind())[0]))


def drifting_start(signal: Float[np.ndarray, " n"], noise: float, floor: float) -> np.ndarray:
    """The same for a signal that drifts: by its first samples only, all rows of the table side by side."""
    first = signal[:_FIRST]
    at = float(np.median(first[:20]))
    rows = np.array([
        _row(at - (gap * noise if up else 0.0), gap * noise, noise, share, rate, creep * noise)
        for gap in _GAPS for up in (False, True) for share in (0.02, 0.5, 0.98)
        for rate in (0.3, 0.03, 0.003) for creep in _CREEPS
    ])  # fmt: skip
    lanes = in_lanes(first, floor=floor, lanes=1)
    values = jax.jit(jax.vmap(lambda row: log_likelihood(row, lanes, Kind("none", drift=True))))(jnp.asarray(rows))
    return rows[int(np.nanargmax(values))]


def _row(level: float, gap: float, noise: float, share: float, rate: float, creep: float = 1.0) -> np.ndarray:
    return np.array([level, *np.log([gap, noise, noise, rate * share, rate * (1 - share), 2.0, creep])])


def one_level(signal: Float[np.ndarray, " n"]) -> float:
    """Log-likelihood of one level with normal noise that remembers the last samples: autoregressive, fitted."""
    order = min(_ORDER, len(signal) // 10)
    rows = len(signal) - order
    lagged = np.stack([signal[order - k - 1 : order - k - 1 + rows] for k in range(order)] + [np.ones(rows)])
    target = signal[order:]
    weights = np.linalg.lstsq(lagged @ lagged.T, lagged @ target, rcond=None)[0]
    left = max(float(np.mean((target - weights @ lagged) ** 2)), 1e-300)
    return -rows / 2 * (np.log(2 * np.pi * left) + 1) * len(signal) / rows
