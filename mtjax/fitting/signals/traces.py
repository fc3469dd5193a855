"""Dwell times from a sampled telegraph trace, by a hidden Markov model whose levels, noise, low pass and drift are fitted."""

from __future__ import annotations

from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float
from scipy.optimize import minimize
from scipy.special import ndtri

from mtjax.fitting.result import Estimates, covariance_of
from mtjax.fitting.signals.hopping import (
    Kind,
    Lanes,
    begins,
    in_lanes,
    joined,
    looked_at,
    smoothed,
    transition,
    value_and_slope,
)
from mtjax.fitting.signals.stays import Dwell, Stays
from mtjax.fitting.signals.trace_start import drifting_start, noise_of, one_level, start
from mtjax.printing import Shown, with_unit
from mtjax.quantities import Numbers, as_numpy, in_double, require

_BETTER = 10.0
"""By how much a part of the model must raise the log-likelihood to be kept; twice that for a second level."""
_STEP = 0.1
_FAR, _SPIKES = 3.4e-6, 0.05
_ALIKE, _UNLIKE = 0.1, 0.2
_WHITE, _SLOW = 0.02, 6.0
_ROUNDS, _MOVED = 3, 0.3
_LEAST, _VAGUE, _ROUGH = 10, 1.0, 0.2
_NAMES = ("dwell_up", "dwell_down", "level_up", "level_down", "noise_up", "noise_down")


class TraceFit(Shown):
    """What a telegraph trace says: mean stays, levels and noise of both states, and what else was found in it.

    - `estimates`, `covariance`: `dwell_up`, `dwell_down` (s), levels and noise (unit of the signal), and where they were
      found, the `bandwidth` (Hz) of a low pass and the `creep`, the standard deviation of the drift after a second; (k, k).
    - `bias`: A, V or T; `step`: between samples, s; `unit`: of the signal.
    - `up`: probability that the state is up at every sample, from the whole trace; `drift`: of both levels; shape (n,).
    - `log_likelihood`; `kind`: which parts the model has; `warnings`: one sentence each.

    >>> from mtjax.fitting import fit_trace, synthetic_trace
    >>> time, signal = synthetic_trace(tau_up=1e-3, tau_down=3e-3, duration=1.0, step=1e-4, noise=0.2, seed=1)
    >>> found = fit_trace(time, signal)
    >>> print(f"{1e3 * found.estimates['dwell_up'].value:.1f} ms up, noise {found.estimates['noise_up'].value:.2f}")
    1.0 ms up, noise 0.20
    """

    estimates: Estimates
    covariance: Float[np.ndarray, "k k"]
    bias: float
    step: float
    unit: str
    up: Float[np.ndarray, " n"]
    drift: Float[np.ndarray, " n"]
    log_likelihood: float
    kind: Kind
    warnings: tuple[str, ...]

    @property
    def dwell_times(self) -> tuple[float, float]:
        """Mean stays up and down, s."""
        return float(self.estimates["dwell_up"].value), float(self.estimates["dwell_down"].value)

    @property
    def stays(self) -> Stays:
        """The complete stays of the likelier state at every sample, with the dwell times and their uncertainty.

        Raises `ValueError` where there are fewer than two changes of the state.
        """
        up, down = complete(self.up > 0.5, self.step)
        value = self.estimates.value[:2]
        return Stays(up, down, self.bias, dwell=Dwell(np.log(value), self.covariance[:2, :2] / np.outer(value, value)))

    @property
    def parts(self) -> str:
        """Which parts the model has, in words."""
        how = {"none": "white noise, no low pass seen", "after": "a low pass, white noise after it"}
        lowpass = how.get(self.kind.lowpass, "a low pass, white noise before it")
        return f"two levels, {lowpass}, {'with' if self.kind.drift else 'no'} drift"

    def __repr__(self) -> str:
        """The estimates in one line."""
        return f"TraceFit({self.estimates.summary}, bias={self.bias:g})"

    def __str__(self) -> str:
        """A table, the number of stays, and the warnings."""
        duration = self.step * len(self.up)
        summary = f"{len(self.up)} samples, {with_unit(self.step, 's')} apart, {with_unit(duration, 's')}: {self.parts}"
        return "\n".join([str(self.estimates), summary, *(f"warning: {sentence}" for sentence in self.warnings)])


class _Found(NamedTuple):
    numbers: np.ndarray
    value: float
    scale: np.ndarray
    kind: Kind
    lanes: Lanes


@in_double
def fit_trace(time: Numbers, signal: Numbers, *, bias: float = 0.0, bandwidth: float | None = None, unit: str = "") -> TraceFit:
    """Mean stays in both states of a telegraph trace, with standard errors, by maximum likelihood.

    A two-state Markov chain in continuous time, sampled: the probability to change the state between two samples is that of
    its rates, all short stays included (the matrix exponential; the rates are thus those of the matrix logarithm). Levels and
    noise of both states are fitted, and where the trace shows them, a first-order low pass and a drift of both levels as a
    random walk. The standard errors are those of the curvature of the likelihood.

    - `time` (s, evenly spaced), `signal`: shape (n,); `unit`: of the signal; `bias`: A, V or T.
    - `bandwidth`: of the low pass, Hz, where it is known; `None`: it is looked for.

    Raises `ValueError` where times are not evenly spaced, numbers are not finite, or the trace does not tell two levels and
    their stays: one level only, too few changes of the state, stays shorter than the samples are apart.

    >>> from mtjax.fitting import fit_trace, synthetic_trace
    >>> time, signal = synthetic_trace(tau_up=1e-4, tau_down=1e-2, duration=4.0, step=2e-5, noise=0.2)
    >>> up = fit_trace(time, signal).estimates["dwell_up"]  # 1 % of the time, noise of a fifth of the gap
    >>> bool(abs(up.value - 1e-4) < 3 * up.stderr < 2e-5)
    True
    """
    require({"bandwidth": bandwidth, "bias": bias}, "bandwidth", positive=True, unit="Hz")
    require({"bias": bias}, "bias")
    step, signal = _checked(as_numpy(time), as_numpy(signal))
    middle, size = float(np.median(signal)), float(np.std(signal))
    y = (signal - middle) / size
    speed = None if bandwidth is None else 2 * np.pi * bandwidth * step
    found = _best(y, speed)
    free = _free(found.kind, speed)
    found, spread = _finished(found, free)
    rest = looked_at(jnp.asarray(found.numbers), in_lanes(y, floor=float(found.lanes.floor), lanes=1), found.kind)
    state, drift, rank = (np.asarray(x)[: len(y), 0] for x in (rest.up, rest.offset, rest.rank))
    rates = jnp.exp(jnp.asarray(found.numbers[4:6]))
    up = np.asarray(smoothed(jnp.asarray(state), transition(*rates)))
    _refuse(found, free, spread, y, up, bias)
    _refuse_misfit(rank, up)
    estimates, covariance = _estimates(found, free, spread, step, middle, size, unit)
    said = _remarks(estimates, rank, up, step, coarse=float(found.lanes.floor) > 0)
    return TraceFit(
        estimates, covariance, float(bias), step, unit, up, size * drift, found.value - len(y) * np.log(size), found.kind, said
    )


def _checked(time: np.ndarray, signal: np.ndarray) -> tuple[float, np.ndarray]:
    """The time between samples, and the signal."""
    if time.ndim != 1 or time.shape != signal.shape or len(time) < _LEAST:
        raise ValueError(
            f"A trace must have ten samples at least, a time for each, but has shapes {time.shape} and {signal.shape}."
        )
    for name, x in (("times", time), ("signal", signal)):
        if not np.all(np.isfinite(x)):
            raise ValueError(f"The {name} of a trace must be finite, but sample {int(np.argmin(np.isfinite(x))) + 1} is not.")
    step = float(time[-1] - time[0]) / (len(time) - 1)
    if step <= 0 or np.any(np.diff(time) < 0):
        at = int(np.argmax(np.diff(time) < 0)) + 2
        raise ValueError(f"The times of a trace must increase evenly, but sample {at} comes before the one above it.")
    steps = np.diff(time)
    uneven = np.abs(time - time[0] - step * np.arange(len(time))) > 0.6 * step
    gaps = steps > 1.6 * np.median(steps) if steps.min() > 0.4 * np.median(steps) else [False]  # unless times are rounded
    if uneven.any() or np.any(gaps):
        at = int(np.argmax(np.abs(np.diff(time) - np.median(np.diff(time)))))
        raise ValueError(
            f"The times of a trace must increase evenly, but from sample {at + 1} to {at + 2} they do by "
            f"{np.diff(time)[at]:g} s, mostly by {np.median(np.diff(time)):g} s."
        )
    if np.ptp(signal) == 0:
        raise ValueError(f"A trace must hop between two levels, but all its samples are {signal[0]:g}.")
    return step, signal


def _best(y: np.ndarray, speed: float | None) -> _Found:
    """The likeliest model: parts are added where what is left of the trace asks for them."""
    noise, floor = noise_of(y)
    lanes = in_lanes(y, floor=floor**2)
    first = _with(start(y, lanes, noise), 7, 0.003 * noise)
    best = _climb(_with(first, 6, speed or 1.0), lanes, Kind("none" if speed is None else "after"), speed)
    plain = best
    if _is_slow(best):
        best = max((_drifting(n, y, lanes, best.kind, speed) for n in _drifting_starts(best, y, noise)), key=lambda f: f.value)
    if _is_coloured(best):
        places = ("after", "before") if speed is None else ("before",)
        for place in places:
            best = _better(best, _climb(_with(best.numbers, 6, speed or 1.0), best.lanes, Kind(place, best.kind.drift), speed))
    if best.kind.drift:
        steady = _climb(best.numbers, lanes, Kind(best.kind.lowpass), speed)
        best = _better(steady, best)
    if speed is None and abs(_correlation(_ranks(best))) > _ALIKE:  # what a drift took for itself may be a low pass alone
        best = _better(best, _climb(_with(plain.numbers, 6, 0.5), lanes, Kind("after"), speed))
    return best


def _drifting_starts(best: _Found, y: np.ndarray, noise: float) -> list[np.ndarray]:
    """Without drift as it is where that told two levels, and one from the first samples."""
    other = _with(drifting_start(y, noise, float(best.lanes.floor)), 6, np.exp(best.numbers[6]))
    gap, scatter = np.exp(best.numbers[1]), np.exp(best.numbers[2:4]).max()
    return [best.numbers, other] if gap > 2 * scatter else [other]


def _with(numbers: np.ndarray, index: int, value: float) -> np.ndarray:
    return np.where(np.arange(len(numbers)) == index, np.log(value), numbers)


def _better(one: _Found, other: _Found) -> _Found:
    return other if other.value > one.value + _BETTER else one


def _drifting(numbers: np.ndarray, y: np.ndarray, lanes: Lanes, kind: Kind, speed: float | None) -> _Found:
    """The best with drift: where each piece begins is taken from a run through the whole trace."""
    kind = Kind(kind.lowpass, drift=True)
    for _ in range(_ROUNDS):
        run = looked_at(jnp.asarray(numbers), in_lanes(y, floor=float(lanes.floor), lanes=1), kind)
        index = begins(lanes)
        known = [np.where(index > 0, np.asarray(x)[np.maximum(index - 1, 0), 0], 0.0) for x in (run.offset, run.doubt)]
        own = eqx.tree_at(lambda l: (l.offset, l.doubt), lanes, tuple(map(jnp.asarray, known)))
        found = _climb(numbers, own, kind, speed)
        moved, numbers = np.abs(found.numbers - numbers), found.numbers
        if np.all(moved < _MOVED):
            break
    return found


def _free(kind: Kind, speed: float | None) -> np.ndarray:
    return kind.free if speed is None else np.setdiff1d(kind.free, [6])


def _climb(numbers: np.ndarray, lanes: Lanes, kind: Kind, speed: float | None) -> _Found:
    """The likeliest numbers near a start, by BFGS in units of the standard errors that are expected."""
    free, scale = _free(kind, speed), _expected(numbers, int(lanes.counted.sum()))

    def cost(z: np.ndarray) -> tuple[float, np.ndarray]:
        value, slope = value_and_slope(jnp.asarray(_moved(numbers, free, scale, z)), lanes, kind)
        good = bool(np.isfinite(value)) and bool(np.all(np.isfinite(slope)))
        return (-float(value), -np.asarray(slope)[free] * scale[free]) if good else (1e12, np.zeros(len(free)))

    found = minimize(cost, np.zeros(len(free)), jac=True, method="BFGS", options={"gtol": 0.1, "maxiter": 100})
    return _Found(_moved(numbers, free, scale, found.x), -float(found.fun), scale, kind, lanes)


def _moved(numbers: np.ndarray, free: np.ndarray, scale: np.ndarray, z: np.ndarray) -> np.ndarray:
    moved = numbers.copy()
    moved[free] = moved[free] + scale[free] * z
    moved[1:] = np.clip(moved[1:], -30.0, 8.0)
    return moved


def _expected(numbers: np.ndarray, n: int) -> np.ndarray:
    """Standard errors as they would be with known states."""
    rates, noise, gap = np.exp(numbers[4:6]), np.exp(numbers[2:4]), np.exp(numbers[1])
    share = rates[::-1] / rates.sum()
    number = np.maximum(n * share, 1.0)
    events = max(n * rates[0] * rates[1] / rates.sum(), 1.0)
    least = noise / np.sqrt(number)
    return np.array([least[0], np.hypot(*least) / gap, *(0.7 / np.sqrt(number)), *[events**-0.5] * 2, 0.05, 0.2])


def _finished(found: _Found, free: np.ndarray) -> tuple[_Found, np.ndarray]:
    """A last step of Newton's, and the covariance of the free numbers, by differences of the slope."""
    scale = found.scale[free]

    def slope(z: np.ndarray) -> np.ndarray:
        numbers = _moved(found.numbers, free, found.scale, z)
        return np.asarray(value_and_slope(jnp.asarray(numbers), found.lanes, found.kind)[1])[free] * scale

    here = slope(np.zeros(len(free)))
    rows = np.array([(here - slope(z)) / _STEP for z in _STEP * np.eye(len(free))])
    spread = covariance_of((rows + rows.T) / 2)
    step = spread @ here
    numbers = _moved(found.numbers, free, found.scale, step if np.all(np.abs(step) < 1) else 0 * step)
    return found._replace(numbers=numbers), spread * np.outer(scale, scale)


def _ranks(found: _Found) -> np.ndarray:
    """What is left of every sample, as it would be normal and independent if the model were right."""
    rank = joined(looked_at(jnp.asarray(found.numbers), found.lanes, found.kind).rank, found.lanes)
    return ndtri(np.clip(rank, 1e-9, 1 - 1e-9))


def _is_slow(found: _Found) -> bool:
    """Whether means over long stretches differ by more than chance."""
    z = _ranks(found)
    length = max(len(z) // 60, 10)
    means = z[: len(z) // length * length].reshape(-1, length).mean(axis=1) * np.sqrt(length)
    return bool(np.sum(means**2) > len(means) + _SLOW * np.sqrt(2 * len(means)))


def _is_coloured(found: _Found) -> bool:
    """Whether neighbours are alike."""
    z = _ranks(found)
    alike = np.abs(_correlation(z))
    return bool(alike > max(_WHITE, 4 / np.sqrt(len(z))))


def _correlation(z: np.ndarray) -> float:
    return float(np.mean(z[1:] * z[:-1]))


def _refuse(found: _Found, free: np.ndarray, spread: np.ndarray, y: np.ndarray, up: np.ndarray, bias: float) -> None:
    """Raise `ValueError` where the trace does not tell its stays."""
    where = f" at bias {bias:g}" if bias else ""
    one, gap, noise = one_level(y), np.exp(found.numbers[1]), np.exp(found.numbers[2:4])
    if found.value < one + 2 * _BETTER or (noise.max() > 3 * noise.min() and gap < noise.max()):
        raise ValueError(
            f"A trace must show two levels, but one level with noise describes that{where} as well: nothing tells the states "
            "apart."
        )
    changes = int(np.sum(np.diff(up > 0.5) != 0))
    if changes < 3:
        raise ValueError(f"A trace must change its state at least three times, but that{where} does {changes} times.")
    rates, error = np.exp(found.numbers[4:6]), np.sqrt(np.diag(spread))[np.isin(free, (4, 5))]
    if rates.max() > 1:
        raise ValueError(
            f"Stays must be longer than the time between samples, but those{where} last {1 / rates.max():.2g} of it: sample "
            "faster, or take out what spikes there are."
        )
    if not np.all(error < _VAGUE):
        raise ValueError(
            f"A trace must tell its dwell times better than within a factor of e, but that{where}, with {changes} "
            "changes of the state, does not: measure longer."
        )


def _refuse_misfit(rank: np.ndarray, up: np.ndarray) -> None:
    """Raise `ValueError` where samples are alike, or many are far off: as many on the other side are taken for short stays."""
    alike = _correlation(ndtri(np.clip(rank, 1e-9, 1 - 1e-9)))
    if abs(alike) > max(_UNLIKE, 6 / np.sqrt(len(rank))):
        raise ValueError(
            "A trace must be two levels behind a first-order low pass, white noise and slow drift, but neighbouring samples "
            f"are alike beyond that (correlation {alike:.2f}): sample more slowly, or state the bandwidth."
        )
    edges = np.convolve(np.diff(up > 0.5, prepend=up[0] > 0.5), np.ones(7), "same") > 0.5
    far = int(np.sum(((rank < _FAR) | (rank > 1 - _FAR)) & ~edges))
    stays = max(int(np.sum(np.diff(up > 0.5))) / 2, 1.0)
    if far > max(5.0 + 10 * _FAR * len(rank), _SPIKES * stays):
        raise ValueError(
            f"The noise of a trace must be normal, but {far} samples far from any change lie 4.5 standard deviations "
            f"and more off, beside {stays:.0f} stays: such spikes between the levels would be taken for stays. "
            "Take them out, or filter the trace."
        )


def _estimates(found: _Found, free: np.ndarray, spread: np.ndarray, step: float, middle: float, size: float, unit: str):
    """Of the quantities that a reader asks for, and their covariance."""
    n, k = found.numbers, len(free)
    levels = middle + size * (n[0] + np.array([np.exp(n[1]), 0.0]))
    noise = size * np.sqrt(np.exp(2 * n[[3, 2]]) + float(found.lanes.floor))
    value = [step * np.exp(-n[5]), step * np.exp(-n[4]), *levels, *noise]
    turn = np.zeros((6, k))
    turn[0, 5], turn[1, 4] = -value[0], -value[1]
    turn[2, 0] = turn[3, 0] = size
    turn[2, 1] = size * np.exp(n[1])
    turn[4, 3], turn[5, 2] = noise
    names, units = list(_NAMES), ["s", "s", *[unit] * 4]
    for i, name, shown, own in (
        (6, "bandwidth", np.exp(n[6]) / (2 * np.pi * step), "Hz"),
        (7, "creep", size * np.exp(n[7]) / np.sqrt(step), f"{unit}/sqrt(s)".lstrip("/")),
    ):
        if i in free:
            row = np.where(free == i, shown, 0.0)
            turn, value, names, units = np.vstack([turn, row]), [*value, shown], [*names, name], [*units, own]
    covariance = turn @ spread @ turn.T
    logarithmic = tuple(name not in ("level_down", "level_up") for name in names)
    error = np.sqrt(np.diag(covariance))
    return Estimates(tuple(names), tuple(units), np.array(value), error, logarithmic), covariance


def _remarks(estimates: Estimates, rank: np.ndarray, up: np.ndarray, step: float, *, coarse: bool) -> tuple[str, ...]:
    """What is unlikely, one sentence each; the scatter of readings of a few values is not looked at."""
    said = []
    z = np.sort(rank)
    off = float(np.max(np.abs(z - (np.arange(len(z)) + 0.5) / len(z))))
    if not coarse and off > 0.03 and off > 2 / np.sqrt(len(z)):
        said.append(
            f"The samples do not scatter as two levels with normal noise would (largest difference of the distributions "
            f"{off:.2f}): a third level, spikes or hum change the dwell times too."
        )
    alike = _correlation(ndtri(np.clip(rank, 1e-9, 1 - 1e-9)))
    if abs(alike) > max(_ALIKE, 4 / np.sqrt(len(z))):
        said.append(f"Neighbouring samples are alike beyond the model (correlation {alike:.2f}): the noise is not white.")
    rough = float(np.max(estimates.stderr[:2] / estimates.value[:2]))
    if rough > _ROUGH:
        said.append(
            f"A dwell time is known to {100 * rough:.0f} % only, from {int(np.sum(np.diff(up > 0.5)))} changes of the state."
        )
    for name, stay in zip(("up", "down"), estimates.value[:2], strict=True):
        if stay < 2 * step:
            said.append(
                f"The stays {name} last {stay / step:.1f} times the time between samples: their mean rests on the law of "
                "exponential stays."
            )
    for name, stays in zip(("up", "down"), complete(up > 0.5, step), strict=True):
        said += _not_exponential(name, stays, step)
    return tuple(said)


def _not_exponential(name: str, stays: np.ndarray, step: float) -> list[str]:
    """Whether stays well longer than a sample scatter as exponential ones do: the standard deviation is the mean."""
    long = stays[stays > 4 * step] - 4 * step
    if len(long) < 30 or long.mean() < 4 * step:
        return []
    ratio = float(long.std() / long.mean())
    if abs(ratio - 1) < max(0.2, 4 / np.sqrt(len(long))):
        return []
    return [f"The stays {name} are not exponential: they scatter by {ratio:.2f} of their mean, where one rate gives 1."]


def complete(up: np.ndarray, step: float) -> tuple[np.ndarray, np.ndarray]:
    """Lengths of the complete stays up and down, s."""
    changes = np.flatnonzero(np.diff(up)) + 1
    lengths, state = np.diff(changes) * step, up[changes[:-1]]
    return lengths[state], lengths[~state]


def read_stays(time: Numbers, signal: Numbers, *, bias: float, bandwidth: float | None = None) -> Stays:
    """The complete stays of a sampled trace, and its dwell times: `fit_trace(...).stays`.

    - `time` (s, evenly spaced), `signal`: shape (n,); `bias`: A, V or T.
    - `bandwidth`: of the low pass, Hz, where it is known; `None`: it is looked for.

    Plain means of the stays are long, because short ones are missed; `Stays.dwell_times` are not. Raises `ValueError` as
    `fit_trace` does.

    >>> import numpy as np
    >>> import mtjax as mtj
    >>> signal = np.repeat([0.0, 1.0] * 6, [3, 4, 2, 6, 3, 9, 5, 2, 1, 3, 8, 4])
    >>> stays = mtj.read_stays(1e-6 * np.arange(50), signal, bias=1e-5)
    >>> [f"{1e6 * t:.0f} us up" for t in stays.up], f"mean {1e6 * stays.dwell_times[0]:.1f} us"
    (['4 us up', '6 us up', '9 us up', '2 us up', '3 us up'], 'mean 4.0 us')
    """
    return fit_trace(time, signal, bias=bias, bandwidth=bandwidth).stays
