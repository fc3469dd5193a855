"""Single shots with the resistance before and after: two levels of resistance are found, and shots are counted by them."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from mtjax.fitting.counts.columns import TEXT
from mtjax.printing import with_unit

_ROUNDS = 200
_SURE = 0.99
"""Share of the two levels that one must have for a reading to count as that level."""
_FOREIGN = 0.9
"""Probability of belonging to neither level from which a reading is ambiguous."""
_APART = 3.0
"""Distance of the levels, over the noise, below which they are not told apart."""
_FEW = 3
_SHOTS = 10
"""Shots of a temperature that is set; with fewer it is measured, and no reason to look for levels anew."""
_OVERLOAD = 1e30
"""Instruments write 9.9e37 where they could not read."""
_WRONG = 0.25
"""Largest share of the other initial state that counts as wrong: beyond it both directions are measured on purpose."""
_BLOCKS = 20
_CLEAR = 5.0


class Levels(NamedTuple):
    """Two levels of resistance: where they are, their noise, their shares of the readings, each (low, high); the background."""

    at: Float[np.ndarray, " 2"]
    noise: Float[np.ndarray, " 2"]
    share: Float[np.ndarray, " 2"]
    background: float

    @property
    def gap(self) -> float:
        """Distance of the levels."""
        return float(self.at[1] - self.at[0])


def fit_levels(readings: Float[np.ndarray, " n"]) -> Levels:
    """Two normal levels and an even background, by expectation maximisation from several divisions of the readings.

    Raises `ValueError` where the levels are not 3 times the noise apart, or one of them has fewer than 3 readings.

    >>> import numpy as np
    >>> from mtjax.fitting.counts.shots import fit_levels
    >>> noise = np.random.default_rng(0).normal(0, 20, 400)
    >>> found = fit_levels(np.repeat([2530.0, 5660.0], 200) + noise)
    >>> print(f"{found.at.round(-1)} ohm, noise {found.noise.round()} ohm")
    [2530. 5660.] ohm, noise [19. 21.] ohm
    """
    x = readings[np.abs(readings) < _OVERLOAD]
    if len(x) < 2 * _FEW or np.ptp(x) == 0:
        raise ValueError(f"Raw shots must show two levels of resistance, but all {len(x)} readings are the same or too few.")
    found = max((_climbed(x, trim) for trim in (0.0, 0.001, 0.01, 0.05)), key=lambda pair: pair[0])[1]
    if found.gap < _APART * found.noise.max() or (found.share * len(x)).min() < _FEW - 0.5:
        raise ValueError(
            f"Raw shots must show two levels of resistance, but {found.at[0]:.5g} and {found.at[1]:.5g} with noise "
            f"{found.noise.max():.3g} and {found.share[0]:.1%} of the readings at the lower are not told apart: did it switch?"
        )
    return found


def _climbed(x: np.ndarray, trim: float) -> tuple[float, Levels]:
    """Log-likelihood and levels, from the division of the inner readings that leaves the least scatter."""
    inner = np.sort(x)[int(trim * len(x)) : len(x) - int(trim * len(x))]
    sums, n = np.cumsum(inner), np.arange(1, len(inner))
    means = sums[:-1] / n, (sums[-1] - sums[:-1]) / (len(inner) - n)
    cut = int(np.argmax(n * (len(inner) - n) * (means[1] - means[0]) ** 2.0)) + 1
    least = max(1e-4 * np.ptp(inner), 1e-9 * np.abs(x).max())
    halves = inner[:cut], inner[cut:]
    at, noise = np.array([np.median(h) for h in halves]), np.array([max(1.48 * _spread(h), least) for h in halves])
    share, background = np.array([cut, len(inner) - cut]) * 0.99 / len(inner), 0.01
    score = -math.inf
    for _ in range(_ROUNDS):
        weights, density = _weights(x, Levels(at, noise, share, background))
        last, score = score, float(np.sum(np.log(density)))
        if score - last < 1e-9 * abs(score):
            break
        total = np.maximum(weights.sum(1), 1e-12)
        at = weights @ x / total
        noise = np.maximum(np.sqrt(np.sum(weights * (x - at[:, None]) ** 2, axis=1) / total), least)
        share, background = total / len(x), max(1 - float(total.sum()) / len(x), 1e-6)
    order = np.argsort(at)
    return score, Levels(at[order], noise[order], share[order], background)


def _spread(x: np.ndarray) -> float:
    return float(np.median(np.abs(x - np.median(x))))


def _weights(x: np.ndarray, levels: Levels) -> tuple[np.ndarray, np.ndarray]:
    """Probability that each reading belongs to the levels, shape (2, n), and the density of the readings."""
    z = (x - levels.at[:, None]) / levels.noise[:, None]
    parts = levels.share[:, None] * np.exp(-np.minimum(z**2 / 2, 700.0)) / (levels.noise[:, None] * math.sqrt(2 * math.pi))
    density = parts.sum(0) + levels.background / max(float(np.ptp(x)), 1e-300)
    return parts / density, density


def states(readings: Float[np.ndarray, " n"], levels: Levels) -> Int[np.ndarray, " n"]:
    """0 for the lower level, 1 for the higher, -1 where a reading is ambiguous or belongs to neither."""
    read = np.abs(readings) < _OVERLOAD
    weights, _ = _weights(np.where(read, readings, levels.at[0]), levels)
    both = weights.sum(0)
    sure = (weights.max(0) >= _SURE * both) & (both > 1 - _FOREIGN) & read
    return np.where(sure, np.argmax(weights, axis=0), -1)


class Shots(NamedTuple):
    """What shots say: which count, the state before, which switched; the levels, and sentences on what was found."""

    kept: Bool[np.ndarray, " n"]
    high: Bool[np.ndarray, " n"]
    switched: Bool[np.ndarray, " n"]
    levels: Levels
    told: tuple[str, ...]
    wrong: int
    ambiguous: int


def count_shots(before: Float[np.ndarray, " n"], after: Float[np.ndarray, " n"], groups: Int[np.ndarray, " n"]) -> Shots:
    """States before and after every shot; `groups` are the shots that should start from the same state.

    Readings drift: what the levels move in common from block to block of the shots is taken off before they are told apart.
    """
    n = len(before)
    moved, drift, sure = np.zeros(n), 0.0, 0.0
    for _ in range(3):
        flat = np.concatenate([before - moved, after - moved])
        levels = fit_levels(flat)
        found = states(flat, levels)
        moved, drift, sure = _drift(np.concatenate([before, after]), found, levels, n)
        if sure < _CLEAR:
            moved = np.zeros(n)
    first, last = found[:n], found[n:]
    clear = (first >= 0) & (last >= 0)
    wrong = np.zeros(n, bool)
    for group in np.unique(groups):
        here = clear & (groups == group)
        high = float(np.mean(first[here])) if here.any() else 0.0
        if 0 < min(high, 1 - high) <= _WRONG:
            wrong |= here & (first != (high > 0.5))
    ambiguous = int(np.sum(~clear))
    told = _sentences(n, levels, ambiguous, int(wrong.sum()), drift if sure >= _CLEAR else 0.0)
    return Shots(clear & ~wrong, first == 1, first != last, levels, told, int(wrong.sum()), ambiguous)


def _drift(readings: np.ndarray, found: np.ndarray, levels: Levels, n: int) -> tuple[np.ndarray, float, float]:
    """How far the levels have moved at each shot, the range of that, and by how many standard errors it is more than none."""
    shot = np.tile(np.arange(n), 2)
    good = (found >= 0) & (np.abs(readings) < _OVERLOAD)
    residual = np.where(good, readings - levels.at[found], 0.0)
    size = max(n // _BLOCKS, 10)
    block = np.minimum(shot // size, max(n // size - 1, 0))
    number = np.bincount(block[good], minlength=block.max() + 1)
    full = number > 4
    mean = np.bincount(block[good], residual[good], minlength=block.max() + 1)[full] / number[full]
    if full.sum() < 3:
        return np.zeros(n), 0.0, 0.0
    error = float(np.sqrt(np.mean(levels.noise**2)) / np.sqrt(np.median(number[full])))
    centres = (np.flatnonzero(full) + 0.5) * size
    scatter = float(np.std(mean)) / error
    return np.interp(np.arange(n), centres, mean - mean.mean()), float(np.ptp(mean)), scatter * math.sqrt(len(mean)) / 2


def _sentences(n: int, levels: Levels, ambiguous: int, wrong: int, drift: float) -> tuple[str, ...]:
    low, high = (f"{at:.5g} +- {noise:.2g} ohm" for at, noise in zip(levels.at, levels.noise, strict=True))
    counted = (
        f"{n} shots: {n - ambiguous - wrong} counted, {ambiguous} ambiguous and {wrong} with the wrong initial state left out"
    )
    moved = f"; the levels drift by {drift:.2g} ohm, {drift / levels.gap:.1%} of their distance, which is allowed for"
    return (
        f"levels of resistance: {low} and {high}, {levels.gap / levels.noise.max():.3g} times the noise apart"
        + (moved if drift else "; no drift"),
        counted,
    )


def rows_of_shots(
    before: Float[np.ndarray, " n"], after: Float[np.ndarray, " n"], settings: dict[str, Any], path: str
) -> tuple[dict[str, Any], list[str]]:
    """Settings, switched and trials of the shots that count, a row each, and what is told; devices and temperatures apart.

    Without labels of its own a shot that starts from the higher resistance has the direction "AP->P", the other "P->AP".
    """
    amplitude = settings.get("current", settings.get("voltage"))
    signs = np.sign(np.asarray(amplitude)).tolist()
    starts = zip(signs, *(settings[name] for name in TEXT if name in settings), strict=True)
    groups = np.unique([repr(label) for label in starts], return_inverse=True)[1]
    apart = [settings[name] for name in ("device_id", "temperature") if name in settings and _few_values(settings[name])]
    labels = list(zip(*apart, strict=True)) if apart else [()] * len(before)
    every = list(dict.fromkeys(labels))
    number = np.array([every.index(label) for label in labels]) if len(every) > 1 else np.zeros(len(before), int)
    direction, switched, kept, told = np.empty(len(before), object), np.zeros(len(before)), [], []
    for i, label in enumerate(every):
        place = np.flatnonzero(number == i)
        name = ", ".join(x if isinstance(x, str) else with_unit(x, "K") for x in label)
        try:
            shots = count_shots(before[place], after[place], groups[place])
        except ValueError as error:
            raise ValueError(f"{path!r}{', ' if name else ''}{name}: {error}") from None
        direction[place], switched[place] = np.where(shots.high, "AP->P", "P->AP"), shots.switched
        kept += place[shots.kept].tolist()
        told += [f"  {name}{': ' if name else ''}{sentence}" for sentence in shots.told]
    if not kept:
        raise ValueError(f"{path!r} must hold shots with clear states, but holds none.")
    rows = sorted(kept)
    labelled = {"direction": direction.tolist(), **settings}
    chosen = {name: [x[i] for i in rows] if name in TEXT else x[rows] for name, x in labelled.items()}
    return {**chosen, "switched": switched[rows], "trials": np.ones(len(rows))}, told


def _few_values(column: Any) -> bool:
    """Whether values are set rather than measured anew at every shot."""
    return len(set(column)) <= max(len(column) // _SHOTS, 1)
