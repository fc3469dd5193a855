"""Thresholds that are known only to intervals: switching by pulses of many widths, and the shift of loops by a current."""

from __future__ import annotations

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import log_ndtr
from jaxtyping import Array, Float

from mtjax.fitting.binomial import runs_tail
from mtjax.fitting.likelihood_fit import AbstractLikelihood, LikelihoodFit, maximise
from mtjax.fitting.signals.loops import UNITS
from mtjax.fitting.signals.one_barrier import by_polarity, fit_one_barrier
from mtjax.fitting.signals.switching_loops import Thresholds
from mtjax.fitting.space import Bounds, coordinates
from mtjax.quantities import require

_LEVEL = 0.01


def log_interval(low: Array, high: Array) -> Array:
    """log(Phi(high) - Phi(low)) of the standard normal, without cancellation; `high` may be infinite.

    >>> import jax.numpy as jnp
    >>> from mtjax.fitting import log_interval
    >>> low, high = jnp.array([-1.0, 10.0]), jnp.array([1.0, jnp.inf])
    >>> [f"{x:.2f}" for x in log_interval(low, high)]  # 68 % within one sigma, 8e-24 beyond ten
    ['-0.38', '-53.23']
    """
    flip = low > 0
    a, b = jnp.where(flip, -high, low), jnp.where(flip, -low, high)
    top, bottom = log_ndtr(b), log_ndtr(jnp.where(jnp.isfinite(a), a, -1e10))
    gap = jnp.maximum(-jnp.expm1(bottom - top), 1e-300)
    return top + jnp.log(gap)


def _scattered(law: ActivatedThresholds | ShiftedLoops, middle: Array, sigma: Array) -> Array:
    """Log-likelihood of a law's intervals for thresholds that scatter normally about `middle`."""
    return jnp.sum(log_interval((law.lower - middle) / sigma, (law.upper - middle) / sigma))


class ActivatedThresholds(AbstractLikelihood):
    """Thermally activated switching of a sweep of pulses, I_c = I_0 [1 - ln(t / tau_0) / delta] for each polarity.

    The barrier falls linearly with the current: rate = exp(-delta (1 - I / I_0)) / tau_0 (Koch, Katine and Sun, Phys. Rev.
    Lett. 92, 088302, 2004; recalled). I_c is where the rate is 1 / t, and thresholds scatter normally by a `scatter` that is
    fitted: a film that switches piece by piece (for one event over one barrier: `OneBarrier`).

    Quantities: I_0 of each polarity, then delta of each, then the relative scatter sigma / I_0. Where all thresholds are of one
    polarity, there is one I_0 and one delta.

    - `lower`, `upper`, `width`, `negative`: thresholds (A), pulse widths (s), whether negative, shape (n,).
    - `tau_0`: s.
    - `one_delta`: whether both polarities share one delta.

    >>> import jax.numpy as jnp
    >>> import numpy as np
    >>> from mtjax.fitting import ActivatedThresholds
    >>> low, width, negative = np.array([4e-4, 3e-4]), np.array([1e-6, 1e-4]), np.array([False, False])
    >>> law = ActivatedThresholds(low, low + 1e-4, width, negative, tau_0=1e-9)
    >>> [f"{1e6 * i:.0f} uA" for i in law.middle(jnp.array([1e-3, 20.0, 0.05]))]  # of I_0 = 1 mA, delta 20, scatter 5 %
    ['655 uA', '424 uA']
    """

    lower: Float[np.ndarray, " n"]
    upper: Float[np.ndarray, " n"]
    width: Float[np.ndarray, " n"]
    negative: np.ndarray
    tau_0: float
    one_delta: bool = eqx.field(static=True, default=False)

    @property
    def kind(self) -> str:
        """Number of thresholds and the law."""
        return f"{self.rows} switching thresholds by thermal activation, normal scatter"

    @property
    def rows(self) -> int:
        """Number of thresholds."""
        return len(self.lower)

    @property
    def calibrated(self) -> bool:
        """No: the likelihood has no measure of a perfect description."""
        return False

    def middle(self, values: Float[Array, " k"]) -> Array:
        """I_c of every row, A."""
        I0, delta = self._pairs(values)
        return I0 * (1 - jnp.log(self.width / self.tau_0) / delta)

    def log_likelihood(self, values: Float[Array, " k"]) -> Array:
        """Sum over the thresholds of the logarithm of the probability of their interval."""
        return _scattered(self, self.middle(values), values[-1] * self._pairs(values)[0])

    def _pairs(self, values: Array) -> tuple[Array, Array]:
        """I_0 and delta of every row."""
        return by_polarity(values[:-1], self.negative, one_delta=self.one_delta)


class ShiftedLoops(AbstractLikelihood):
    """Switching fields of loops under a current: they move together by the shift, and shrink together by heat.

    Along its own direction each lies at +-(b + chi I) + w + h I^2, with normal scatter.

    Quantities: for every in-plane field the shift per current chi (T/A), the offset b (T), the coercive field w (T), its
    change by heat h (T/A^2); then one scatter (T): that of a set with wide intervals alone would run to zero.

    - `lower`, `upper` (T), `sign`, `current` (A), `group`: shape (n,).

    >>> import jax.numpy as jnp
    >>> import numpy as np
    >>> from mtjax.fitting import ShiftedLoops
    >>> low, sign = np.array([9e-3, 11e-3]), np.array([1.0, -1.0])
    >>> law = ShiftedLoops(low, low + 1e-3, sign, np.array([1e-3, 1e-3]), np.array([0, 0]))
    >>> [f"{1e3 * b:.0f} mT" for b in law.middle(jnp.array([-1.0, 0.0, 0.01, 0.0, 1e-3]))]  # -1 T/A about 10 mT
    ['9 mT', '11 mT']
    """

    lower: Float[np.ndarray, " n"]
    upper: Float[np.ndarray, " n"]
    sign: Float[np.ndarray, " n"]
    current: Float[np.ndarray, " n"]
    group: np.ndarray

    @property
    def kind(self) -> str:
        """Number of switching fields."""
        return f"{self.rows} switching fields of loops under a current"

    @property
    def rows(self) -> int:
        """Number of switching fields."""
        return len(self.lower)

    @property
    def calibrated(self) -> bool:
        """No: the likelihood has no measure of a perfect description."""
        return False

    def middle(self, values: Float[Array, " k"]) -> Array:
        """Switching field of every row, along its own direction, T."""
        chi, b, w, h = values[:-1].reshape(4, -1)[:, jnp.asarray(self.group, int)]
        return self.sign * (b + chi * self.current) + w + h * self.current**2

    def log_likelihood(self, values: Float[Array, " k"]) -> Array:
        """Sum over the switching fields of the logarithm of the probability of their interval."""
        return _scattered(self, self.middle(values), values[-1])


def fit_thresholds(
    data: Thresholds,
    *,
    tau_0: float = 1e-9,
    single: bool = False,
    exponent: float | None = None,
    one_delta: bool = False,
    bounds: Bounds | None = None,
) -> LikelihoodFit:
    """Critical current (or field) and thermal stability for both polarities in one fit.

    - `data`: what `thresholds` finds in loops; `bounds`: by name of the quantity.
    - `tau_0`: attempt time, s (1 ns assumed, as usual; delta moves with its logarithm).
    - `single`: whether one event over one barrier switches all of it, as in `OneBarrier`: the distribution over many cycles at
      one pulse width or sweep rate is enough then. Without it, several pulse widths are needed, and thresholds scatter normally
      as in `ActivatedThresholds`.
    - `exponent`: of the barrier, for `single`; 1 for currents and voltages and 2 for fields where `None`.
    - `one_delta`: whether both polarities share one delta.

    Raises `ValueError` where a polarity has fewer than two pulse widths (fewer than three events in two steps, for `single`),
    no time is known, or a number is out of range.

    >>> import numpy as np
    >>> import mtjax as mtj
    >>> from mtjax.fitting import Thresholds
    >>> width = np.array([1e-6, 1e-5, 1e-4, 1e-3])
    >>> low, zero = 1e-3 * (1 - np.log(width / 1e-9) / 40) - 5e-6, np.zeros(4)  # 1 mA, delta 40
    >>> fit = mtj.fit_thresholds(Thresholds(low, low + 1e-5, zero + 1, width, zero, zero))
    >>> f"{1e3 * fit.estimates['critical_current[+]'].value:.2f} mA, delta {fit.estimates['delta[+]'].value:.0f}"
    '1.00 mA, delta 40'
    """
    require({"tau_0": tau_0, "exponent": exponent}, "tau_0", positive=True, unit="s")
    require({"exponent": exponent}, "exponent", least=1.0, most=3.0)
    if single:
        power = (2.0 if data.unit == "T" else 1.0) if exponent is None else exponent
        return fit_one_barrier(data, tau_0=tau_0, exponent=power, one_delta=one_delta, bounds=bounds)
    if np.any(data.width <= 0):
        raise ValueError("Thresholds must have a pulse width each, but some have none: give it, or fit with single=True.")
    names = {1: "+", -1: "-"}
    signs = [s for s in (1, -1) if np.any(data.polarity == s)]
    for s in signs:
        if len(np.unique(data.width[data.polarity == s])) < 2:
            raise ValueError(
                f"Thresholds of two pulse widths are needed for a thermal stability, but {names[s]} has one (a distribution "
                "over many cycles at one width is fitted with single=True)."
            )
    law = ActivatedThresholds(data.lower, data.upper, data.width, data.polarity < 0, tau_0, one_delta)
    middles = [_middles(data)[data.polarity == s] for s in signs]
    slopes = [_line(np.log(data.width[data.polarity == s] / tau_0), y) for s, y in zip(signs, middles, strict=True)]
    labels = [names[s] for s in signs]
    deltas = [float(np.clip(-a / b if b < 0 else 50.0, 5.0, 500.0)) for a, b in slopes]
    start = [max(a, y.max()) for (a, _), y in zip(slopes, middles, strict=True)]
    start += [float(np.mean(deltas))] if one_delta else deltas
    quantities = [f"critical_{UNITS[data.unit]}[{x}]" for x in labels]
    units = [data.unit] * len(signs) + [""] * (1 if one_delta else len(signs))
    quantities += ["delta"] if one_delta else [f"delta[{x}]" for x in labels]
    start, quantities, units = [*start, 0.05], [*quantities, "relative_scatter"], [*units, ""]
    space = coordinates(quantities, units, start, bounds={"relative_scatter": (1e-3, 1.0), **(bounds or {})})
    fit = maximise(law, space, warnings=data.warnings)
    return _criticised(fit, law.middle(jnp.asarray(fit.estimates.value)), data, data.width)


def fit_loop_shift(data: Thresholds) -> LikelihoodFit:
    """How far a current shifts loops, T/A, for every in-plane field, from their switching fields under several currents.

    - `data`: what `thresholds` finds in loops over the out-of-plane field.

    The shift is where the middle of the loop lies on the axis of the out-of-plane field; the effective field of the
    spin-orbit torque is minus that. Where the in-plane field aligns all domain walls, B_DL = (2 / pi) times it (Pai et al.,
    Phys. Rev. B 93, 144409, 2016; recalled).

    Raises `ValueError` where a field has fewer than three currents, or loops switch in one direction only.

    >>> import numpy as np
    >>> import mtjax as mtj
    >>> from mtjax.fitting import Thresholds
    >>> current, sign = 1e-3 * np.repeat([-2.0, -1.0, 1.0, 2.0], 2), np.tile([1.0, -1.0], 4)
    >>> low = 1e-2 - sign * current - 1e-4  # -1 T/A about 10 mT
    >>> fit = mtj.fit_loop_shift(Thresholds(low, low + 2e-4, sign, 0 * sign, current, 0 * sign + 0.02))
    >>> f"{fit.estimates['shift_per_current[20 mT]'].value:.2f} T/A"
    '-1.00 T/A'
    """
    fields, group = np.unique(np.round(data.field, 9), return_inverse=True)
    for g, field in enumerate(fields):
        chosen = group == g
        if len(np.unique(data.current[chosen])) < 3 or len(np.unique(data.polarity[chosen])) < 2:
            raise ValueError(
                f"Loops in both directions under at least three currents are needed, but at {field:g} T there are fewer."
            )
    law = ShiftedLoops(data.lower, data.upper, data.polarity, data.current, group)
    names, units, start = _shift_quantities(data, fields, group)
    reach = float(np.ptp(data.current)) / 2
    large = float(np.max(np.abs(data.upper[np.isfinite(data.upper)])))
    bounds = {}
    for name, unit in zip(names[:-1], units[:-1], strict=True):
        size = large / reach ** {"T/A": 1, "T": 0, "T/A^2": 2}[unit]
        bounds[name] = (-10 * size, 10 * size)
    space = coordinates(names, units, start, bounds=bounds)
    fit = maximise(law, space, warnings=data.warnings)
    return _criticised(fit, law.middle(jnp.asarray(fit.estimates.value)), data, data.current)


def _shift_quantities(data: Thresholds, fields, group) -> tuple[list[str], list[str], list[float]]:
    labels = [f"{1e3 * f:g} mT" for f in fields]
    names = [f"{q}[{x}]" for q in ("shift_per_current", "offset", "coercive_field", "heating") for x in labels]
    units = [u for u in ("T/A", "T", "T", "T/A^2") for _ in labels]
    y, starts = _middles(data), []
    for g in range(len(fields)):
        rows = group == g
        design = np.stack([data.polarity * data.current, data.polarity, np.ones(len(y)), data.current**2], axis=1)[rows]
        starts.append(np.linalg.lstsq(design, y[rows], rcond=None)[0])
    widths = (data.upper - data.lower)[np.isfinite(data.upper)]
    return [*names, "scatter"], [*units, "T"], [*np.array(starts).T.ravel(), float(np.median(widths)) / 3]


def _middles(data: Thresholds) -> np.ndarray:
    """Middles of the intervals; the lower ends where they are open."""
    return np.where(np.isfinite(data.upper), (data.lower + np.where(np.isfinite(data.upper), data.upper, 0)) / 2, data.lower)


def _line(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    b, a = np.polyfit(x, y, 1)
    return float(a), float(b)


def _criticised(fit: LikelihoodFit, middle: Array, data: Thresholds, order: np.ndarray) -> LikelihoodFit:
    """A runs test along each polarity, in one sentence."""
    off = _middles(data) - np.asarray(middle)
    said = []
    for sign, name in ((1, "positive"), (-1, "negative")):
        rows = np.flatnonzero(data.polarity == sign)
        p = runs_tail(off[rows][np.argsort(order[rows], kind="stable")])
        if p < _LEVEL:
            said.append(f"The {name} thresholds keep to one side of the law over long stretches (runs test, p = {p:.1g}).")
    return eqx.tree_at(lambda f: f.warnings, fit, (*fit.warnings, *said))
