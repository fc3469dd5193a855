"""Distributions of switching currents and fields: one event over one barrier, from cycle to cycle."""

from __future__ import annotations

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import gammaincc
from jaxtyping import Array, ArrayLike, Float
from scipy.special import gamma

from mtjax.fitting.likelihood_fit import AbstractLikelihood, LikelihoodFit, maximise
from mtjax.fitting.signals.loops import UNITS
from mtjax.fitting.signals.switching_loops import Thresholds
from mtjax.fitting.space import Bounds, coordinates

_PULSES = 48
"""Pulses below the one that switches that are counted one by one; those before are an integral."""
_FLOOR = 1e-300
_EULER = 0.5772


class OneBarrier(AbstractLikelihood):
    """Switching amplitudes of single cycles, by thermal activation over one barrier that the amplitude x lowers.

    rate(x) = exp(-delta (1 - x / x_0)^n) / tau_0 up to x_0, and 1 / tau_0 beyond. A cycle switches between two amplitudes with
    the probability exp(-A(lower)) - exp(-A(upper)), where A(x) is the number of events expected on the way to x: the integral
    of the rate over the time of a steady sweep, or the sum of rate times width over the pulses up to x. So J. Kurkijarvi
    (Phys. Rev. B 6, 832, 1972), for any power n of the barrier A. Garg (Phys. Rev. B 51, 15592, 1995), both recalled; the
    attempt time tau_0 is constant here. n = 1 for a spin-polarised current (Koch, Katine and Sun, Phys. Rev. Lett. 92, 088302,
    2004; recalled), 2 for a field along the easy axis of a macrospin, 3/2 for one at an angle.

    Quantities: x_0 of each polarity, then delta of each (or one for both).

    - `lower`, `upper`: shape (n,), A, V or T; `negative`: whether of the negative polarity.
    - `dose`: expected events for each attempt: width / tau_0 for pulses, 1 / (sweep rate tau_0) for sweeps; shape (n,).
    - `step`: from pulse to pulse, A, V or T; 0 for sweeps; shape (n,).
    - `exponent`: n; `one_delta`: whether both polarities share delta.

    >>> import jax.numpy as jnp
    >>> import numpy as np
    >>> from mtjax.fitting import OneBarrier
    >>> law = OneBarrier(np.array([6e-4]), np.array([7e-4]), np.array([False]), np.array([1e3]), np.array([1e-4]))
    >>> share = np.exp(law.log_likelihood(jnp.array([1e-3, 20.0])))  # pulses of 1 us, x_0 of 1 mA, delta 20
    >>> print(f"{100 * share:.0f} % of the cycles switch between 600 and 700 uA")
    62 % of the cycles switch between 600 and 700 uA
    """

    lower: Float[np.ndarray, " n"]
    upper: Float[np.ndarray, " n"]
    negative: np.ndarray
    dose: Float[np.ndarray, " n"]
    step: Float[np.ndarray, " n"]
    exponent: float = eqx.field(static=True, default=1.0)
    one_delta: bool = eqx.field(static=True, default=False)

    @property
    def kind(self) -> str:
        """Number of thresholds and the law."""
        return f"{self.rows} switching thresholds by thermal activation, one event over one barrier (power {self.exponent:g})"

    @property
    def rows(self) -> int:
        """Number of thresholds."""
        return len(self.lower)

    @property
    def calibrated(self) -> bool:
        """No: the likelihood has no measure of a perfect description."""
        return False

    def expected(self, values: Float[Array, " k"], x: Float[Array, " n"]) -> Array:
        """Number of events that every row expects up to the amplitude x."""
        critical, delta = by_polarity(values, self.negative, one_delta=self.one_delta)
        step = self.step[:, None] * np.arange(_PULSES)
        pulses = jnp.sum(self._share(1 - (x[:, None] - step) / critical[:, None], delta[:, None]), axis=1)
        width = jnp.where(self.step > 0, self.step, 1.0)
        rest = critical * self._tail(1 - (x - (_PULSES - 0.5) * self.step) / critical, delta)
        swept = critical * self._tail(1 - x / critical, delta)
        return jnp.asarray(self.dose) * jnp.where(self.step > 0, pulses + rest / width, swept)

    def log_likelihood(self, values: Float[Array, " k"]) -> Array:
        """Sum over the cycles of the logarithm of the probability of their interval."""
        closed = jnp.isfinite(self.upper)
        low = self.expected(values, jnp.asarray(self.lower))
        more = self.expected(values, jnp.where(closed, self.upper, self.lower)) - low
        switched = jnp.log(jnp.maximum(-jnp.expm1(-jnp.maximum(more, _FLOOR)), _FLOOR))
        return jnp.sum(-low + jnp.where(closed, switched, 0.0))

    def _share(self, height: Array, delta: Array) -> Array:
        """exp(-delta height^n), 1 beyond the top."""
        return jnp.exp(-delta * jnp.maximum(height, 1e-12) ** self.exponent)

    def _tail(self, height: Array, delta: Array) -> Array:
        """The integral of exp(-delta h^n) over all h above `height`."""
        above = jnp.maximum(height, 1e-12)
        if self.exponent == 1:
            return jnp.exp(-delta * above) / delta + jnp.maximum(-height, 0.0)
        a = 1 / self.exponent
        integral = gamma(a) * a * delta**-a * gammaincc(a, delta * above**self.exponent)
        return integral + jnp.maximum(-height, 0.0)


def by_polarity(values: Array, negative: ArrayLike, *, one_delta: bool) -> tuple[Array, Array]:
    """The critical amplitude and delta of every row."""
    polarities = len(values) - 1 if one_delta else len(values) // 2
    chosen = jnp.minimum(jnp.asarray(negative, int), polarities - 1)
    delta = values[polarities] * jnp.ones(chosen.shape) if one_delta else values[polarities : 2 * polarities][chosen]
    return values[:polarities][chosen], delta


def fit_one_barrier(
    data: Thresholds, *, tau_0: float, exponent: float, one_delta: bool, bounds: Bounds | None
) -> LikelihoodFit:
    """Critical amplitude and delta of each polarity, from cycles at one pulse width or sweep rate, or at several."""
    rows = [np.flatnonzero(data.polarity == sign) for sign in (1, -1)]
    dose, step = _doses(data, tau_0)
    names, starts = [], []
    for chosen, label in zip(rows, ("+", "-"), strict=True):
        if len(chosen):
            names.append(label)
            starts.append(_start(data, chosen, dose, step, exponent, label))
    law = OneBarrier(data.lower, data.upper, data.polarity < 0, dose, step, float(exponent), one_delta)
    what = f"critical_{UNITS[data.unit]}"
    quantities = [f"{what}[{x}]" for x in names] + (["delta"] if one_delta else [f"delta[{x}]" for x in names])
    deltas = [delta for _, delta in starts]
    values = [critical for critical, _ in starts] + ([float(np.mean(deltas))] if one_delta else deltas)
    units = [data.unit] * len(names) + [""] * (len(quantities) - len(names))
    return maximise(law, coordinates(quantities, units, values, bounds=bounds), warnings=data.warnings)


def _doses(data: Thresholds, tau_0: float) -> tuple[np.ndarray, np.ndarray]:
    """Attempts for each row, and the step between pulses (0 for sweeps)."""
    rate = np.zeros(len(data)) if data.sweep_rate is None else data.sweep_rate
    if np.any((data.width <= 0) & (rate <= 0)):
        raise ValueError(
            "A barrier needs the time that the loops took: a pulse width, or a sweep rate where the resistance is read while "
            "the sweep goes on (fixed: width='1 us', or sweep_rate='1 mT' per second; or a column of times)."
        )
    closed = np.isfinite(data.upper)
    gap = np.where(closed, np.where(closed, data.upper, 0.0) - data.lower, np.nan)
    step = np.where(np.isfinite(gap) & (gap > 0), gap, np.nanmedian(gap[gap > 0]))
    pulsed = data.width > 0
    return np.where(pulsed, data.width, 1 / np.where(rate > 0, rate, 1.0)) / tau_0, np.where(pulsed, step, 0.0)


def _start(
    data: Thresholds, rows: np.ndarray, dose: np.ndarray, step: np.ndarray, exponent: float, label: str
) -> tuple[float, float]:
    """Critical amplitude and delta by the mean and the scatter of the middles, or by their line against ln(time)."""
    closed = rows[np.isfinite(data.upper[rows])]
    ends = {(a, b) for a, b in zip(data.lower[closed], data.upper[closed], strict=True)}
    if len(closed) < 3 or len(ends) < 2:
        found = f"{len(closed)} of {len(rows)} cycles switch" if len(closed) < 3 else "all switch within the same step"
        raise ValueError(
            "A distribution of at least three switching events, in two steps of the sweep at least, is needed for a barrier, "
            f"but of polarity {label} {found}."
        )
    x = (data.lower[closed] + data.upper[closed]) / 2
    times = np.log(dose[closed])
    largest = np.isclose(times, np.median(times), atol=0.05)
    if largest.sum() >= 8:
        width = max(float(np.std(x[largest])), float(np.median(step[closed])) / 2, 1e-4 * abs(x.mean())) * np.sqrt(6) / np.pi
        mean = float(np.mean(x[largest])) + _EULER * width
    else:
        slope = np.polyfit(times, x, 1)[0] if np.ptp(times) > 0.1 else 0.0
        width, mean = max(-slope, 0.01 * abs(x.mean())), float(x.mean())
    spacing = float(np.median(step[closed]))
    reach = max(float(np.median(times)) + np.log(width / spacing if spacing > 0 else width), 2.0)
    critical = mean + exponent * width * reach
    return critical, float(np.clip(reach / (1 - mean / critical) ** exponent, 3.0, 1e4))
