"""What can be wrong with a fit, in sentences."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from mtjax.fitting.binomial import Prediction, chi_square_tail, residual_slopes, residuals, runs_tail
from mtjax.fitting.counts.data import SwitchingData
from mtjax.fitting.counts.least_deviance import Minimum
from mtjax.fitting.counts.model import SwitchingModel
from mtjax.fitting.identified import flat_directions
from mtjax.fitting.space import Coordinates

LEVEL = 0.01
"""Probability below which a deviation counts as real."""
_MIN_TRIALS = 20
_LITTLE = 1e-2
"""A fall of the deviance, over the scatter, that is not worth a further step: a tenth of a standard error."""
_MANY = 1000
"""Trials of a setting from which a small misfit counts, and is named as small."""
_SMALL = 0.05
"""Misfit of switched shares, root mean square, that is small."""
_FALL = 4.0
"""Standard errors by which a switched share is below that of a weaker pulse, to count as fallen."""


def criticise(
    data: SwitchingData,
    each: np.ndarray,
    at: Prediction,
    model: SwitchingModel,
    found: Minimum,
    information: np.ndarray,
    dof: int,
) -> tuple[str, ...]:
    """Sentences on the search, on the misfit, and on what the data cannot determine; `each` row's deviance is given."""
    scatter = max(float(each.sum()) / max(dof, 1), 1.0)
    told = found.converged or _left_to_gain(data, at, model.space, found.c) < _LITTLE * scatter
    return (
        *_search(model.space, found, converged=told),
        *_misfit(data, each, at, dof),
        *([] if model.lapse is not None else _fallen(data, at)),
        *_few(data, len(model.space)),
        *flat_directions(information, model.space.names, model.space.mask),
    )


def _search(space: Coordinates, found: Minimum, *, converged: bool) -> list[str]:
    said = space.edge_remarks(found.c)
    return said + ([] if converged else ["The search for the best values did not converge."])


def _left_to_gain(data: SwitchingData, at: Prediction, space: Coordinates, c: np.ndarray) -> float:
    """By how much the deviance could still fall if the residuals were straight lines."""
    known = (np.asarray(part(space.prior_residuals)(jnp.asarray(c))) for part in (lambda f: f, jax.jacfwd))
    r, slopes = residuals(data.switched, data.trials, at.p, at.q), residual_slopes(data.switched, data.trials, at)
    r, slopes = (np.concatenate([np.asarray(x), y]) for x, y in zip((r, slopes), known, strict=True))
    if not (np.isfinite(r).all() and np.isfinite(slopes).all()):
        return np.inf
    step = np.linalg.lstsq(slopes, -r)[0]
    return float(r @ r - np.sum((r + slopes @ step) ** 2))


def _misfit(data: SwitchingData, each: np.ndarray, at: Prediction, dof: int) -> list[str]:
    at = Prediction(*(np.asarray(x, float) for x in at))
    p_value = chi_square_tail(float(each.sum()), dof)
    order = np.lexsort((data.amplitude, data.width))
    telling = np.minimum(at.p, at.q)[order] * data.trials[order] > 0.5
    runs = runs_tail(np.asarray(residuals(data.switched, data.trials, at.p, at.q))[order][telling])
    said = [] if p_value >= LEVEL else [_deviating(data, each, at, dof, p_value, trend=runs < LEVEL)]
    if runs < LEVEL:
        said.append(f"The residuals keep their sign over long stretches (runs test, p = {runs:.1g}): a trend is missed.")
    return said


def _deviating(data: SwitchingData, each: np.ndarray, at: Prediction, dof: int, p_value: float, *, trend: bool) -> str:
    """That the deviance is too large; where the misfit is small and the trials are many, that this is why."""
    i, unit = int(np.argmax(each)), "A" if data.voltage is None else "V"
    figures = f"deviance {each.sum():.4g} on {dof} degrees of freedom (p = {p_value:.1g})"
    where = f"{data.amplitude[i]:.4g} {unit}, where {data.probability[i]:.3g} switched and the model says {at.p[i]:.3g}"
    most = f"most of all at {where}"
    between = np.minimum(at.p, at.q) > 0.01
    off = float(np.sqrt(np.mean((data.probability - at.p)[between] ** 2))) if between.any() else np.inf
    trials = float(np.median(data.trials))
    if trials < _MANY or off > _SMALL or dof < 1:
        return f"The model does not describe the data: {figures}, {most}; the standard errors are too small."
    least = float(np.sqrt(np.mean((at.p * at.q / data.trials)[between])))
    kind = (
        "a smooth difference that the model lacks"
        if trend
        else "scatter without a trend, of the measurement rather than of the model"
    )
    return (
        f"The model does not describe the data to the precision of {trials:g} trials: {figures}, {most}. Shares are off by "
        f"{off:.2g} (root mean square) where the trials alone scatter by {least:.2g}: {kind}. With so many trials every simple "
        f"model fails this test; the standard errors are too small, at least by the factor {np.sqrt(each.sum() / dof):.2g}."
    )


def _fallen(data: SwitchingData, at: Prediction) -> list[str]:
    """Strong pulses that switch less often than weaker ones, and than the model says, which no threshold explains."""
    size, p = np.abs(data.amplitude), data.probability
    series = np.array([f"{label}, {sign}" for label, sign in zip(data.series(), np.sign(data.amplitude), strict=True)])
    variance = (data.switched + 1) * (data.trials - data.switched + 1) / (data.trials + 2) ** 3
    short = np.asarray(residuals(data.switched, data.trials, at.p, at.q)) < -2
    fallen = []
    for j in np.flatnonzero(short):
        weaker = np.flatnonzero((series == series[j]) & (size < size[j]) & (p > p[j]) & (p >= 0.5))
        fall = (p[weaker] - p[j]) / np.sqrt(variance[weaker] + variance[j])
        fallen += [(j, weaker[np.argmax(fall)])] if len(fall) and fall.max() > _FALL else []
    if len(fallen) < 2:
        return []
    unit = "A" if data.voltage is None else "V"
    low, high = max(fallen, key=lambda pair: p[pair[1]] - p[pair[0]])
    more, less = (f"{p[i]:.3g} at {data.amplitude[i]:.4g} {unit}" for i in (high, low))
    top = max(size[j] for j, _ in fallen)
    return [
        f"Strong pulses switch less often than weaker ones: {more}, but {less}, as after back-hopping: try "
        f"`lapse=BackHopping(end={top:.3g})`."
    ]


def _few(data: SwitchingData, k: int) -> list[str]:
    partial = (data.switched > 0) & (data.switched < data.trials)
    if partial.sum() < k:
        return [f"Only {partial.sum()} of {len(data)} settings switched sometimes but not always: too few for {k} parameters."]
    smallest = data.trials[partial].min()
    if smallest < _MIN_TRIALS:
        return [f"Some settings have only {smallest:g} trials: standard errors and p-values are rough."]
    return []
