"""The binomial likelihood of switched counts: deviance, its residuals, Fisher information, and tests of the fit."""

from __future__ import annotations

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

FLOOR = 1e-300
"""Probabilities below this count as this in a logarithm: one switched trial at P = 0 costs a deviance of about 1400."""
Rows = Float[Array, " n"] | Float[np.ndarray, " n"]
Slopes = Float[Array, "n k"] | Float[np.ndarray, "n k"]


class Prediction(NamedTuple):
    """What a model says of n settings, and how that depends on k parameters.

    - `p`, `q`: probability of switching and of not switching, shape (n,).
    - `dp`, `dq`: their derivatives, shape (n, k).

    >>> import numpy as np
    >>> import mtjax as mtj
    >>> device, law = mtj.presets.perpendicular_stt(40.0), mtj.ThermalActivation()
    >>> currents = np.array([0.6, 0.7, 0.8, 0.9]) * float(device.critical_current)
    >>> data = mtj.measured(device, currents, 1e-7, trials=100, seed=0, method=law)
    >>> found = mtj.fit(device, data, where=("Bk",), method=law, relax=0.0)
    >>> at = found.predict(currents[:2], 1e-7)
    >>> at.p.shape, at.dp.shape  # two settings, one fitted quantity
    ((2,), (2, 1))
    """

    p: Rows
    q: Rows
    dp: Slopes
    dq: Slopes


def deviances(switched: Rows, trials: Rows, p: Rows, q: Rows) -> Rows:
    """Contribution of each setting to the deviance, 2 [k log(k / n p) + (n - k) log((n - k) / n q)]."""
    p, q = jnp.maximum(p, FLOOR), jnp.maximum(q, FLOOR)
    return 2 * jnp.maximum(_cost(switched, trials * p) + _cost(trials - switched, trials * q), 0.0)


def residuals(switched: Rows, trials: Rows, p: Rows, q: Rows) -> Rows:
    """Signed square roots of the deviances: positive where the device switched more often than predicted."""
    return jnp.sign(switched * q - (trials - switched) * p) * jnp.sqrt(deviances(switched, trials, p, q))


def residual_slopes(switched: Rows, trials: Rows, at: Prediction) -> Float[Array, "n k"]:
    """Derivatives of the residuals in the parameters, shape (n, k)."""
    d = residuals(switched, trials, at.p, at.q)
    p, q = jnp.maximum(at.p, FLOOR)[:, None], jnp.maximum(at.q, FLOOR)[:, None]
    gain = switched[:, None] * (at.dp / p) + (trials - switched)[:, None] * (at.dq / q)
    close = (jnp.abs(d) < 1e-5)[:, None]
    at_zero = -jnp.sqrt(trials[:, None] / p / q) * at.dp
    return jnp.where(close, at_zero, -gain / jnp.where(close, 1.0, d[:, None]))


def fisher_information(trials: Rows, at: Prediction) -> Float[Array, "k k"]:
    """sum over settings of n dp dp^T / (p q), shape (k, k)."""
    p, q = jnp.maximum(at.p, FLOOR), jnp.maximum(at.q, FLOOR)
    slopes = jnp.sqrt(trials / p)[:, None] * (at.dp / jnp.sqrt(q)[:, None])
    return slopes.T @ slopes


def chi_square_tail(deviance: float, dof: int) -> float:
    """Probability that a chi-square variable of `dof` degrees of freedom exceeds `deviance`; 1 for none."""
    return float(jax.scipy.special.gammaincc(dof / 2, deviance / 2)) if dof > 0 else 1.0


def runs_tail(signs: np.ndarray) -> float:
    """Probability of as few runs of equal sign, or fewer, among signs in random order (Wald and Wolfowitz, 1940)."""
    signs = np.sign(signs[signs != 0])
    a, b = int(np.sum(signs > 0)), int(np.sum(signs < 0))
    if a == 0 or b == 0:
        return 1.0
    runs = 1 + int(np.sum(signs[1:] != signs[:-1]))
    return sum(_ways(r, a, b) for r in range(2, runs + 1)) / math.comb(a + b, a)


def _cost(k: Rows, expected: Rows) -> Rows:
    return jnp.where(k > 0, k * jnp.log(jnp.where(k > 0, k, 1.0) / jnp.maximum(expected, FLOOR)), 0.0)


def _ways(runs: int, a: int, b: int) -> int:
    """Number of orders of a plus and b minus signs with that many runs."""
    half = runs // 2
    if runs % 2 == 0:
        return 2 * math.comb(a - 1, half - 1) * math.comb(b - 1, half - 1)
    return math.comb(a - 1, half) * math.comb(b - 1, half - 1) + math.comb(a - 1, half - 1) * math.comb(b - 1, half)
