"""What can be wrong with a fit, in sentences."""

from __future__ import annotations

import numpy as np

from mtjax.fitting.binomial import Prediction, chi_square_tail, residuals, runs_tail
from mtjax.fitting.counts.data import SwitchingData
from mtjax.fitting.counts.least_deviance import Minimum
from mtjax.fitting.counts.model import SwitchingModel
from mtjax.fitting.identified import flat_directions
from mtjax.fitting.space import Coordinates

LEVEL = 0.01
"""Probability below which a deviation counts as real."""
_MIN_TRIALS = 20


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
    return (
        *_search(model.space, found),
        *_misfit(data, each, at, dof, lapse=model.lapse is not None),
        *_few(data, len(model.space)),
        *flat_directions(information, model.space.names, model.space.mask),
    )


def _search(space: Coordinates, found: Minimum) -> list[str]:
    said = [f"{name} ran to the end of the range that is searched: its value means nothing." for name in space.at_edge(found.c)]
    return said + ([] if found.converged else ["The search for the best values did not converge."])


def _misfit(data: SwitchingData, each: np.ndarray, at: Prediction, dof: int, *, lapse: bool) -> list[str]:
    said = []
    at = Prediction(*(np.asarray(x, float) for x in at))
    p_value = chi_square_tail(float(each.sum()), dof)
    if p_value < LEVEL:
        i = int(np.argmax(each))
        unit = "A" if data.voltage is None else "V"
        said.append(
            f"The model does not describe the data: deviance {each.sum():.4g} on {dof} degrees of freedom "
            f"(p = {p_value:.1g}), most of all at {data.amplitude[i]:.4g} {unit}, where {data.probability[i]:.3g} "
            f"switched and the model says {at.p[i]:.3g}; the standard errors are too small."
        )
        said += [] if lapse else _plateau(data, at)
    order = np.lexsort((data.amplitude, data.width))
    telling = np.minimum(at.p, at.q)[order] * data.trials[order] > 0.5
    runs = runs_tail(np.asarray(residuals(data.switched, data.trials, at.p, at.q))[order][telling])
    if runs < LEVEL:
        said.append(f"The residuals keep their sign over long stretches (runs test, p = {runs:.1g}): a trend is missed.")
    return said


def _plateau(data: SwitchingData, at: Prediction) -> list[str]:
    """Strong pulses that switch less often than the model says, which no threshold explains."""
    short = (residuals(data.switched, data.trials, at.p, at.q) < -2) & (np.asarray(at.p) > 0.5)
    high = np.abs(data.amplitude) > np.abs(data.amplitude[data.probability >= 0.5]).min(initial=np.inf)
    rows = np.flatnonzero(np.asarray(short) & high)
    if len(rows) < 2:
        return []
    unit = "A" if data.voltage is None else "V"
    low, top = np.sort(data.amplitude[rows])[[0, -1]]
    return [
        f"Between {low:.4g} and {top:.4g} {unit}, above the threshold, the device switches less often than the model can say "
        f"({data.probability[rows].min():.2g} where it says {at.p[rows[np.argmin(data.probability[rows])]]:.2g}), as after "
        f"back-hopping: try `lapse=BackHopping(end={top:.3g})`."
    ]


def _few(data: SwitchingData, k: int) -> list[str]:
    partial = (data.switched > 0) & (data.switched < data.trials)
    if partial.sum() < k:
        return [f"Only {partial.sum()} of {len(data)} settings switched sometimes but not always: too few for {k} parameters."]
    smallest = data.trials[partial].min()
    if smallest < _MIN_TRIALS:
        return [f"Some settings have only {smallest:g} trials: standard errors and p-values are rough."]
    return []
