"""Hopping between two states whose rates depend exponentially on a bias."""

from __future__ import annotations

from collections.abc import Iterable

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from mtjax.checks import checked
from mtjax.fitting.likelihood_fit import AbstractLikelihood, LikelihoodFit, maximise
from mtjax.fitting.signals.stays import Stays
from mtjax.fitting.space import Bounds, coordinates


class BiasedDwell(AbstractLikelihood):
    """Two-state hopping whose rates depend exponentially on a bias, from dwell times with their uncertainty at every bias.

    tau_up = tau exp((b - b_equal) / w_up), tau_down = tau exp(-(b - b_equal) / w_down); the logarithms of the dwell times
    scatter normally. Quantities: tau (s), b_equal, w_up, w_down (unit of the bias).

    - `bias`: shape (n,); `log_mean`: of the dwell times up and down over 1 s, shape (n, 2); `precision`: the inverse of their
      covariance, shape (n, 2, 2).

    >>> import jax.numpy as jnp
    >>> import numpy as np
    >>> from mtjax.fitting.signals import BiasedDwell
    >>> law = BiasedDwell(np.array([1e-5]), np.log([[2.7e-3, 0.6e-3]]), np.eye(2)[None] * 100)
    >>> up, down = law.stays(jnp.array([1e-3, 0.0, 1e-5, 2e-5]))  # tau 1 ms, scales of 10 and 20 uA, at 10 uA
    >>> print(f"up {1e3 * up[0]:.2f} ms, down {1e3 * down[0]:.2f} ms")
    up 2.72 ms, down 0.61 ms
    """

    bias: Float[np.ndarray, " n"]
    log_mean: Float[np.ndarray, "n 2"]
    precision: Float[np.ndarray, "n 2 2"]

    @property
    def kind(self) -> str:
        """Number of biases."""
        return f"dwell times at {len(self.bias)} biases by two-state hopping"

    @property
    def rows(self) -> int:
        """Number of dwell times."""
        return 2 * len(self.bias)

    @property
    def calibrated(self) -> bool:
        """Yes: squares in units of the standard errors."""
        return True

    def stays(self, values: Float[Array, " k"]) -> tuple[Array, Array]:
        """True mean stays up and down, s, at every bias."""
        return exponential(self.bias, values)

    def log_likelihood(self, values: Float[Array, " k"]) -> Array:
        """Minus half the sum of squares."""
        off = jnp.log(jnp.stack(self.stays(values), axis=1)) - self.log_mean
        return -jnp.einsum("ni,nij,nj->", off, self.precision, off) / 2


def exponential(bias: ArrayLike, values: Float[Array, " k"]) -> tuple[Array, Array]:
    """Mean stays up and down, s, for a time scale, the bias of equal stays, and the scales of the bias up and down."""
    tau, equal, w_up, w_down = values
    off = jnp.asarray(bias) - equal
    return tau * jnp.exp(off / w_up), tau * jnp.exp(-off / w_down)


class Telegraph(AbstractLikelihood):
    """Two-state hopping whose rates depend exponentially on a bias.

    tau_up = tau exp((b - b_equal) / w_up), tau_down = tau exp(-(b - b_equal) / w_down). Stays shorter than the dead time are
    missed, and join the stays around them: the mean observed stay beyond the dead time d is, exactly,
    tau_up + (1/s - 1) (tau_up + mean of the missed ones), with s = exp(-d / tau_down) the share that is seen; its
    distribution is taken as exponential (true to first order in d / tau).

    Quantities: tau (s), b_equal, w_up, w_down (unit of the bias).

    - `bias`, `dead` (s): shape (n,).
    - `number_up`, `number_down`: of stays; `excess_up`, `excess_down`: their sum beyond the dead time, s; shape (n,).

    >>> import jax.numpy as jnp
    >>> import numpy as np
    >>> from mtjax.fitting import Telegraph
    >>> one = np.array([1.0])
    >>> law = Telegraph(1e-5 * one, 0.0 * one, 40 * one, 40 * one, 0.1 * one, 0.02 * one)
    >>> up, down = law.stays(jnp.array([1e-3, 0.0, 1e-5, 2e-5]))  # tau 1 ms, scales of 10 and 20 uA, at 10 uA
    >>> print(f"up {1e3 * up[0]:.2f} ms, down {1e3 * down[0]:.2f} ms")
    up 2.72 ms, down 0.61 ms
    """

    bias: Float[np.ndarray, " n"]
    dead: Float[np.ndarray, " n"]
    number_up: Float[np.ndarray, " n"]
    number_down: Float[np.ndarray, " n"]
    excess_up: Float[np.ndarray, " n"]
    excess_down: Float[np.ndarray, " n"]

    @property
    def kind(self) -> str:
        """Number of stays."""
        return f"{int(np.sum(self.number_up + self.number_down))} stays at {len(self.bias)} biases by two-state hopping"

    @property
    def rows(self) -> int:
        """Number of mean stays."""
        return 2 * len(self.bias)

    @property
    def calibrated(self) -> bool:
        """No: the likelihood has no measure of a perfect description."""
        return False

    def stays(self, values: Float[Array, " k"]) -> tuple[Array, Array]:
        """True mean stays up and down, s, at every bias."""
        return exponential(self.bias, values)

    def log_likelihood(self, values: Float[Array, " k"]) -> Array:
        """Of all stays."""
        up, down = self.stays(values)
        total = 0.0
        for number, excess, mean in (
            (self.number_up, self.excess_up, observed_excess(up, down, self.dead)),
            (self.number_down, self.excess_down, observed_excess(down, up, self.dead)),
        ):
            total = total - jnp.sum(number * jnp.log(mean) + excess / mean)
        return jnp.asarray(total)


def observed_excess(tau: Array, other: Array, dead: ArrayLike) -> Array:
    """Mean observed stay beyond the dead time in a state of mean stay `tau`, where stays in the `other` may be missed, s."""
    x = dead / other
    missed = -jnp.expm1(-x)
    # mean length of a stay that is known to be shorter than the dead time
    short = other - dead * jnp.exp(-x) / jnp.where(missed > 0, missed, 1.0)
    return tau + missed * jnp.exp(x) * (tau + jnp.where(missed > 0, short, 0.0))


@checked
def fit_telegraph(stays: Iterable[Stays], *, unit: str = "A", bounds: Bounds | None = None) -> LikelihoodFit:
    """Time scale, bias of equal stays and the two bias scales, from stays at several biases.

    - `stays`: one for every bias, as `read_stays` reads them (or `TraceFit.stays`), or your own.
    - `unit`: of the bias; `bounds`: by name of the quantity.

    Raises `ValueError` where there are fewer than two biases.

    >>> import numpy as np
    >>> import mtjax as mtj
    >>> from mtjax.fitting import Stays
    >>> up, down = np.array([2e-3, 4e-3]), np.array([1e-3, 1e-3])
    >>> fit = mtj.fit_telegraph([Stays(up, down, 1e-5), Stays(down, up, -1e-5)])
    >>> tau, _, scale_up, _ = fit.estimates
    >>> print(f"equal stays of {1e3 * tau.value:.2f} ms; the stay up grows e-fold in {1e6 * scale_up.value:.1f} uA")
    equal stays of 1.73 ms; the stay up grows e-fold in 18.2 uA
    """
    found = sorted(stays, key=lambda s: s.bias)
    bias = np.array([s.bias for s in found], float)
    if len(np.unique(bias)) < 2:
        raise ValueError("Stays at two biases at least are needed, but there is one.")
    law = _with_errors(bias, found) if all(s.dwell is not None for s in found) else _of_stays(bias, found)
    space = coordinates(*_start(law, unit), bounds={"equal_bias": _near(bias), **(bounds or {})})
    return maximise(law, space)


def _with_errors(bias: np.ndarray, found: list[Stays]) -> BiasedDwell:
    known = [s.dwell for s in found if s.dwell is not None]
    return BiasedDwell(bias, np.array([d.log_mean for d in known]), np.array([np.linalg.inv(d.covariance) for d in known]))


def _of_stays(bias: np.ndarray, found: list[Stays]) -> Telegraph:
    dead = np.array([s.dead_time for s in found])
    ups, downs = ([np.maximum(getattr(s, n) - s.dead_time, 0.0) for s in found] for n in ("up", "down"))
    numbers = (np.array([float(len(x)) for x in xs]) for xs in (ups, downs))
    return Telegraph(bias, dead, *numbers, *(np.array([float(x.sum()) for x in xs]) for xs in (ups, downs)))


def _near(bias: np.ndarray) -> tuple[float, float]:
    """Where the bias of equal stays is looked for."""
    span = float(np.ptp(bias))
    return bias.min() - 20 * span, bias.max() + 20 * span


def _start(law: BiasedDwell | Telegraph, unit: str) -> tuple[list[str], list[str], list[float]]:
    """Names, units and values by straight lines through the logarithms of the stays."""
    if isinstance(law, BiasedDwell):
        up, down = law.log_mean.T
    else:
        up, down = np.log(law.excess_up / law.number_up), np.log(law.excess_down / law.number_down)
    (a, at_a), (b, at_b) = np.polyfit(law.bias, up, 1), np.polyfit(law.bias, down, 1)
    least = 1e-6 / float(np.ptp(law.bias))
    a, b = (x if abs(x) > least else least * (1.0 if sign > 0 else -1.0) for x, sign in ((a, 1), (b, -1)))
    low, high = _near(law.bias)
    equal = float(
        np.clip((at_b - at_a) / (a - b) if a != b else law.bias.mean(), 0.99 * low + 0.01 * high, 0.01 * low + 0.99 * high)
    )
    start = [float(np.exp((np.polyval([a, at_a], equal) + np.polyval([b, at_b], equal)) / 2)), equal, 1 / a, -1 / b]
    return ["tau", "equal_bias", "scale_up", "scale_down"], ["s", unit, unit, unit], start
