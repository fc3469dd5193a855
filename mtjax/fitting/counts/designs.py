"""What to measure next: the settings that shrink a chosen uncertainty most per trial, by Fisher information."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Annotated

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from mtjax.checks import Count, CountFromZero, Within, checked
from mtjax.devices import Device
from mtjax.fitting.binomial import FLOOR
from mtjax.fitting.counts.data import SwitchingData
from mtjax.fitting.counts.device_fit import Fit
from mtjax.fitting.counts.linearised import linearised
from mtjax.fitting.counts.model import Settings
from mtjax.fitting.counts.sampled import with_samples
from mtjax.printing import Shown, with_unit
from mtjax.quantities import Numbers, in_double
from mtjax.switching import MonteCarlo

Quantity = str | Callable[[Device], ArrayLike]
"""A fitted quantity by its name, or a function of the device, like `lambda d: d.delta`."""
_ROUNDS = 400
_SAMPLES = 1024
"""Of every candidate, where probabilities are sampled."""
_WIDEST = 0.5
"""Largest deviation of a coordinate among the devices that a design should suit."""


class Design(Shown):
    """Settings to measure next, n rows, and what they are worth; prints as a table.

    - `amplitude` (A or V), `width` (s), `field` (T, or `None`), `trials`: shape (n,).
    - `quantity`: whose uncertainty they shrink; `value` of it now.
    - `before`, `after`: its standard error now, and as expected with the new trials.
    - `even`: as expected if as many trials went evenly to all candidates.
    - `of_voltage`: whether the amplitudes are voltages.
    - `unit`: of the quantity, SI; "" where it is a function of the device.

    >>> import mtjax as mtj
    >>> data = mtj.SwitchingData(current=[9e-6, 10e-6, 11e-6, 12e-6], width=100e-9, switched=[3, 16, 69, 99], trials=100)
    >>> found = mtj.fit(mtj.presets.perpendicular_stt(40.0), data, where=("Bk",), method=mtj.ThermalActivation())
    >>> plan = mtj.fitting.design(found, "Bk", trials=200, draws=2)
    >>> print(f"{plan.trials[0]:.0f} trials at {1e6 * plan.amplitude[0]:.1f} uA")
    200 trials at 11.1 uA
    >>> print(f"standard error of Bk {1e3 * plan.before:.2f} mT now, {1e3 * plan.after:.2f} mT with them")
    standard error of Bk 1.04 mT now, 0.69 mT with them
    >>> print(f"{plan.gain:.1f} times less than with an even grid")
    1.4 times less than with an even grid
    """

    amplitude: Float[np.ndarray, " n"]
    width: Float[np.ndarray, " n"]
    field: Float[np.ndarray, " n"] | None
    trials: Float[np.ndarray, " n"]
    quantity: str
    value: float
    before: float
    after: float
    even: float
    of_voltage: bool
    unit: str = ""

    @property
    def gain(self) -> float:
        """How many times smaller the standard error comes out than with the even grid."""
        return self.even / self.after

    def __str__(self) -> str:
        """The settings, and what they are expected to bring."""
        unit = "V" if self.of_voltage else "A"
        lines = [f"{'amplitude':<14}{'width':<12}" + ("" if self.field is None else f"{'field':<12}") + "trials"]
        for i in range(len(self.trials)):
            field = "" if self.field is None else f"{with_unit(self.field[i], 'T'):<12}"
            setting = f"{with_unit(self.amplitude[i], unit):<14}{with_unit(self.width[i], 's'):<12}"
            lines.append(f"{setting}{field}{self.trials[i]:.0f}")
        before, after, even = (with_unit(x, self.unit, 3) for x in (self.before, self.after, self.even))
        lines.append(
            f"These {self.trials.sum():.0f} trials should bring the standard error of {self.quantity} from {before} to {after} "
            f"(value {with_unit(self.value, self.unit)}); spread evenly over all candidates they would bring it to {even}."
        )
        return "\n".join(lines)


@checked
@in_double
def design(
    fit: Fit,
    quantity: Quantity,
    *,
    trials: Count,
    amplitudes: Annotated[Numbers, Within()] | None = None,
    widths: Annotated[Numbers, Within(positive=True, unit="s")] | None = None,
    fields: Annotated[Numbers, Within()] | None = None,
    most: Count = 6,
    draws: CountFromZero = 6,
    seed: CountFromZero = 0,
) -> Design:
    """Optimal design: where `trials` new trials should go so that the standard error of `quantity` shrinks most.

    Minimises the variance g' (I_now + sum_i n_i I_i)^-1 g over the numbers of trials n_i of all candidates, where I_i is the
    Fisher information of one trial and g the derivative of the quantity (c-optimality), by multiplicative updates of the n_i.
    What the fit does not know yet is allowed for: the variance's logarithm is averaged over `draws` devices from the fit's
    covariance.

    - `fit`: of the data so far; `seed`: of the `draws`.
    - `amplitudes` (A or V), `widths` (s), `fields` (T): candidates are all combinations; by default 40 amplitudes from 0.7
      times the smallest to 1.4 times the largest measured, and the measured widths and fields.
    - `most`: largest number of settings to use.

    Raises `ValueError` where the quantity is unknown, the fit has several groups, or no setting would tell anything.

    >>> import mtjax as mtj
    >>> data = mtj.SwitchingData(current=[9e-6, 10e-6, 11e-6, 12e-6], width=100e-9, switched=[3, 16, 69, 99], trials=100)
    >>> found = mtj.fit(mtj.presets.perpendicular_stt(40.0), data, where=("Bk",), method=mtj.ThermalActivation())
    >>> plan = mtj.fitting.design(found, lambda d: d.delta, trials=200, draws=2)
    >>> print(f"delta {plan.value:.1f} +- {plan.before:.2f}, with 200 trials more +- {plan.after:.2f}")
    delta 40.1 +- 0.19, with 200 trials more +- 0.13
    """
    if len(fit.model.groups) > 1:
        raise ValueError("A design is for one device, but the fit has several groups: fit one of them.")
    rows = candidates(fit, amplitudes, widths, fields)
    places = _places(fit, draws, seed)
    directions = [_direction(fit, quantity, c) for c in places]
    informations = [_informations(fit, rows, c) for c in places]
    now = np.linalg.inv(fit.spread)
    weights = _shares(now, informations, directions, trials, np.full(len(rows), 1.0))
    kept = np.zeros(len(rows))
    kept[np.argsort(weights)[-most:]] = 1.0
    weights = _shares(now, informations, directions, trials, kept)
    weights[weights < 0.02] = 0.0
    numbers = _whole(weights / weights.sum(), trials)
    chosen = np.flatnonzero(numbers)
    before, after, even = (
        _deviation(now, informations[0], directions[0], n)
        for n in (np.zeros(len(rows)), numbers, np.full(len(rows), trials / len(rows)))
    )
    name, unit, value, scale = _meaning(fit, quantity)
    return Design(
        rows.amplitude[chosen], rows.width[chosen], None if rows.field is None else rows.field[chosen], numbers[chosen],
        name, value, before * scale, after * scale, even * scale, fit.data.voltage is not None, unit,
    )  # fmt: skip


@checked
def candidates(
    fit: Fit,
    amplitudes: Annotated[Numbers, Within()] | None = None,
    widths: Annotated[Numbers, Within(positive=True, unit="s")] | None = None,
    fields: Annotated[Numbers, Within()] | None = None,
) -> Settings:
    """The settings that `design` chooses among: all combinations of amplitudes (A or V), widths (s) and fields (T).

    `fit`: of the data so far. Of `amplitudes`, `widths` and `fields` those not given are taken as in `design`; n rows, and the
    median temperature of the data where they have one.

    >>> import mtjax as mtj
    >>> data = mtj.SwitchingData(current=[9e-6, 10e-6, 11e-6, 12e-6], width=100e-9, switched=[3, 16, 69, 99], trials=100)
    >>> found = mtj.fit(mtj.presets.perpendicular_stt(40.0), data, where=("Bk",), method=mtj.ThermalActivation())
    >>> rows = mtj.fitting.candidates(found)
    >>> print(f"{len(rows)} settings, {1e6 * rows.amplitude[0]:.1f} to {1e6 * rows.amplitude[-1]:.1f} uA")
    40 settings, 6.3 to 16.8 uA
    """
    data = fit.data
    if amplitudes is None:
        size = np.abs(data.amplitude)
        amplitudes = np.sign(data.amplitude.sum()) * np.linspace(0.7 * size.min(), 1.4 * size.max(), 40)
    widths = np.unique(data.width) if widths is None else np.atleast_1d(np.asarray(widths, float))
    if fields is None:
        fields = [np.nan] if data.field is None else np.unique(data.field)
    grid = np.array(list(itertools.product(np.atleast_1d(np.asarray(amplitudes, float)), widths, np.atleast_1d(fields))))
    field = None if data.field is None else grid[:, 2]
    warm = None if data.temperature is None else np.full(len(grid), np.median(data.temperature))
    return Settings(grid[:, 0], grid[:, 1], np.zeros(len(grid), int), field, warm)


def measured_with(fit: Fit, found: Design, switched: Numbers) -> SwitchingData:
    """The data of the fit, and the counts of a design's settings after them: for the next fit.

    - `fit`: of the data so far, for which `design` found the settings.
    - `switched`: how often the device switched at each setting of `found`, shape (n,).

    >>> import mtjax as mtj
    >>> data = mtj.SwitchingData(current=[9e-6, 10e-6, 11e-6, 12e-6], width=100e-9, switched=[3, 16, 69, 99], trials=100)
    >>> found = mtj.fit(mtj.presets.perpendicular_stt(40.0), data, where=("Bk",), method=mtj.ThermalActivation())
    >>> plan = mtj.fitting.design(found, "Bk", trials=200, draws=2)
    >>> more = mtj.fitting.measured_with(found, plan, plan.trials / 2)
    >>> print(f"{len(more)} settings, {more.trials.sum():.0f} trials")
    5 settings, 600 trials
    """
    old = fit.data
    join = {"current" if old.voltage is None else "voltage": np.append(old.amplitude, found.amplitude)}
    field = None if old.field is None or found.field is None else np.append(old.field, found.field)
    warm = (
        None if old.temperature is None else np.append(old.temperature, np.full(len(found.trials), np.median(old.temperature)))
    )
    return SwitchingData(
        **join, width=np.append(old.width, found.width), switched=np.append(old.switched, np.asarray(switched, float)),
        trials=np.append(old.trials, found.trials), field=field, temperature=warm,
    )  # fmt: skip


def _places(fit: Fit, draws: int, seed: int) -> list[np.ndarray]:
    """The fitted coordinates, and others that the data allow."""
    scales, axes = np.linalg.eigh(fit.spread)
    root = axes * np.sqrt(np.clip(scales, 0.0, _WIDEST**2))
    others = fit.at + np.random.default_rng(seed).standard_normal((draws, len(fit.at))) @ root.T
    return [fit.at, *np.clip(others, fit.space.lower, fit.space.upper)]


def _informations(fit: Fit, rows: Settings, c: np.ndarray) -> Float[np.ndarray, "n k k"]:
    """Fisher information of one trial at every candidate."""
    number, size = len(rows), len(fit.data)
    padded = jax.tree.map(lambda x: np.pad(x, (0, -number % size), mode="edge"), rows)
    parts = [padded.rows(np.arange(i, i + size)) for i in range(0, len(padded), size)]
    model = with_samples(fit.model, _SAMPLES) if isinstance(fit.method, MonteCarlo) else fit.model
    found = [linearised(model, jnp.asarray(c), part) for part in parts]
    p, q, dp = (np.concatenate([np.asarray(getattr(x, name)) for x in found])[:number] for name in ("p", "q", "dp"))
    weight = 1 / np.maximum(p * q, FLOOR)
    weight = np.where((p < 1e-9) | (q < 1e-9), 0.0, weight)
    return np.nan_to_num(np.einsum("n,ni,nj->nij", weight, dp, dp))


def _direction(fit: Fit, quantity: Quantity, c: np.ndarray) -> np.ndarray:
    """Derivative of the (logarithm of the) quantity in the coordinates."""
    if callable(quantity):
        return np.asarray(_slope(fit.model, quantity, jnp.asarray(c)))
    if quantity not in fit.estimates.names:
        raise ValueError(f"The quantity must be a fitted one ({', '.join(fit.estimates.names)}), but is {quantity!r}.")
    return np.eye(len(c))[fit.estimates.names.index(quantity)]


@eqx.filter_jit
def _slope(model, quantity, c: Array) -> Array:
    return jax.grad(lambda c: jnp.log(jnp.abs(jnp.asarray(quantity(model.device_of(c))))))(c)


def _meaning(fit: Fit, quantity: Quantity) -> tuple[str, str, float, float]:
    """Name, unit, value, and what a coordinate's standard error is multiplied by to become the quantity's."""
    if callable(quantity):
        value = float(jnp.asarray(quantity(fit.device)))
        return getattr(quantity, "__name__", "the quantity").replace("<lambda>", "the quantity"), "", value, abs(value)
    i = fit.estimates.names.index(quantity)
    value = float(fit.estimates.value[i])
    return quantity, fit.estimates.units[i], value, abs(value) if fit.space.logarithmic[i] else 1.0


def _shares(now, informations, directions, trials: int, weights: np.ndarray) -> np.ndarray:
    """Shares of the trials, from a start in which zeros stay zero."""
    w = weights / weights.sum()
    for _ in range(_ROUNDS):
        gains = np.zeros(len(w))
        for each, g in zip(informations, directions, strict=True):
            v = np.linalg.solve(now + trials * np.einsum("n,nij->ij", w, each), g)
            gains += np.einsum("nij,i,j->n", each, v, v) / max(g @ v, 1e-300)
        if not gains.max() > 0:
            raise ValueError("No candidate tells anything about the quantity: give other amplitudes or widths.")
        w = w * np.sqrt(gains)
        w = w / w.sum()
    return w


def _deviation(now: np.ndarray, each: np.ndarray, g: np.ndarray, numbers: np.ndarray) -> float:
    return float(np.sqrt(g @ np.linalg.solve(now + np.einsum("n,nij->ij", numbers, each), g)))


def _whole(shares: np.ndarray, trials: int) -> np.ndarray:
    """Whole numbers of trials, the largest remainders rounded up."""
    exact = shares * trials
    numbers = np.floor(exact)
    missing = int(round(trials - numbers.sum()))
    numbers[np.argsort(exact - numbers)[::-1][:missing]] += 1
    return numbers
