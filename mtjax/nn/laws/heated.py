"""How likely a pulse switches a device that is warm: its switching law as a smooth function of current and temperature."""

from __future__ import annotations

import dataclasses
from functools import partial
from importlib.resources import as_file, files
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.custom_derivatives import SymbolicZero
from jaxtyping import Array, ArrayLike, Float

from mtjax.checks import Count, Seconds, SecondsFromZero, checked
from mtjax.devices import Device
from mtjax.nn.laws.distilled import (
    Samples,
    chebyshev_nodes,
    coefficients,
    largest_error,
    probabilities,
    require_ranges,
    spread_points,
)
from mtjax.nn.laws.law import ChebyshevLaw, Series, clenshaw
from mtjax.printing import Shown, with_unit
from mtjax.pulses import Pulse
from mtjax.quantities import Scalar, as_scalar, quantity
from mtjax.switching import AbstractMethod, HazardLaw

Values = Float[Array, "*shape"]
_LEAST = 1e-12
"""Smaller probabilities count as this."""


class HeatedLaw(Shown):
    """Switching probability of a device under one pulse of `width`, against current and temperature.

    logit P is a product Chebyshev series in both, of the device held at one temperature. A neuron whose temperature changes in
    the pulse averages the hazard -ln(1 - P) over the pulse but its last `late`: what leaves the well then falls back, and the
    tail of a well lags behind the temperature. Currents and temperatures outside count as the nearest inside.

    - `law`: the series, whose one parameter is the temperature.
    - `width`: of the pulse, s.
    - `late`: last part of the pulse whose temperature does not count, s.

    Raises `ValueError` where the law has other parameters.

    >>> import mtjax as mtj
    >>> law = mtj.nn.kurenkov2019_law()
    >>> print(law)
    HeatedLaw for pulses of 5 ns, 100 uA to 600 uA, 300 K to 410 K: error of P below 0.014
    >>> for temperature in (340.0, 370.0, 400.0):
    ...     print(f"P = {law.psw(0.45e-3, temperature):.4f} at {temperature:.0f} K")
    P = 0.0001 at 340 K
    P = 0.0297 at 370 K
    P = 0.6620 at 400 K
    """

    law: ChebyshevLaw
    width: Scalar = quantity("s", positive=True)
    late: Scalar = quantity("s", least=0.0, default=0.0)

    def __check_init__(self):
        if self.law.names != ("temperature",):
            raise ValueError(f"`law` must have the parameter `temperature` and no other, but has {self.law.names}.")

    @property
    def domain(self) -> tuple[float, float]:
        """Lowest and highest current, A."""
        return self.law.ranges[0]

    @property
    def temperatures(self) -> tuple[float, float]:
        """Lowest and highest temperature, K."""
        return self.law.ranges[1]

    def logit(self, drive: Values, temperature: Values) -> Values:
        """ln(P/(1 - P)) at currents (A) and temperatures (K) of one shape."""
        drive, temperature = as_scalar(drive), as_scalar(temperature)
        x, y = (_place(at, ends) for at, ends in ((drive, self.domain), (temperature, self.temperatures)))
        x, y = jnp.broadcast_arrays(x, y)
        return surface(self.law.coefficients.astype(x.dtype), x, y)

    def psw(self, drive: ArrayLike, temperature: ArrayLike) -> Values:
        """Switching probability."""
        return jax.nn.sigmoid(self.logit(as_scalar(drive), as_scalar(temperature)))

    def __str__(self) -> str:
        """Pulse, ranges, error."""
        (a, b), (c, d) = self.domain, self.temperatures
        return (
            f"HeatedLaw for pulses of {with_unit(self.width, 's')}, {with_unit(a, 'A')} to {with_unit(b, 'A')}, "
            f"{c:.0f} K to {d:.0f} K: error of P below {self.law.error:.2g}"
        )


@checked
def distil_heated(
    device: Device,
    width: Seconds,
    *,
    domain: tuple[float, float],
    temperatures: tuple[float, float],
    degree: tuple[int, int] = (10, 5),
    nodes: tuple[int, int] = (25, 13),
    checks: Count = 60,
    late: SecondsFromZero = 0.0,
    method: AbstractMethod | None = None,
) -> HeatedLaw:
    """The law of `device` under rectangular pulses of `width` (s), its own heating left out: neurons add that.

    - `domain`: of the current, A; `temperatures`: K. P should rise with both in there; beyond the threshold of a device with
      spin-orbit torque, where the moment lies in the plane when the pulse ends, it does not.
    - `degree`, `nodes`: of the series and of the points that it is fitted to, in current and temperature.
    - `checks`: at how many other points the error is found.
    - `late`: see `HeatedLaw`, s.
    - `method`: of `switching_probability`; `None` for the stored `HazardLaw`, which knows a damping of 0.05.

    Raises `ValueError` where the lowest of a range is not below the highest, and as `method` does.

    >>> import mtjax as mtj
    >>> cell = mtj.presets.kurenkov2019_neuron().cell
    >>> small = {"degree": (4, 2), "nodes": (6, 4), "checks": 4}
    >>> law = mtj.nn.distil_heated(cell, 5e-9, domain=(0.4e-3, 0.5e-3), temperatures=(340.0, 380.0), **small)
    >>> print(f"P = {law.psw(0.45e-3, 370.0):.3f}")
    P = 0.029
    """
    method = HazardLaw.stored() if method is None else method

    def build(current, temperature):
        cell = eqx.tree_at(lambda d: (d.heating, d.temperature), device, (None, temperature), is_leaf=lambda x: x is None)
        return cell, Pulse(current, width)

    ranges = (domain, temperatures)
    require_ranges({"domain": domain, "temperatures": temperatures})
    axes = [chebyshev_nodes(number, ends) for number, ends in zip(nodes, ranges, strict=True)]
    grid = np.stack([x.ravel() for x in np.meshgrid(*axes, indexing="ij")], axis=1)
    at, how = partial(probabilities, build, names=("temperature",), method=method, progress=False), f"by {method.name}"
    series = _fitted(at(grid), ranges, degree)
    described = f"{len(grid)} values, checked at {checks} others; {how}"
    law = ChebyshevLaw(series, ranges, ("temperature",), (as_scalar(temperatures[0]),), provenance=described)
    error = largest_error(law, at(spread_points(checks, ranges)))
    return HeatedLaw(dataclasses.replace(law, error=error), width, late)


def _fitted(samples: Samples, ranges: tuple[tuple[float, float], ...], degree: tuple[int, int]) -> Array:
    """Coefficients of logit P, weighted by the slope of P and, so that rare events come out too, by a hundredth everywhere."""
    p, q = (np.maximum(x, _LEAST) for x in (samples.p, samples.complement))
    return coefficients(samples.points, np.log(p / q), np.sqrt(p * q) + 0.01, ranges, degree)


def kurenkov2019_law() -> HeatedLaw:
    """Of the median cell of `presets.kurenkov2019_neuron` under pulses of 5 ns (`scripts/distil_laws.py` makes it).

    `late` is 1.05 ns, with which trains of up to six pulses of 0.4 to 0.6 mA, 8 to 25 ns apart, come out within 0.07 of the
    `HazardLaw`, which knows when in a pulse the cell leaves.

    >>> import mtjax as mtj
    >>> law = mtj.nn.kurenkov2019_law()
    >>> print(f"P = {law.psw(0.4e-3, 400.0):.2f} at 0.4 mA and 400 K")
    P = 0.32 at 0.4 mA and 400 K
    """
    with as_file(files("mtjax.nn.laws") / "stored" / "kurenkov2019.json") as path:
        return HeatedLaw(ChebyshevLaw.load(path), 5e-9, late=1.05e-9)


@jax.custom_jvp
def surface(c: Series, x: Values, y: Values) -> Values:
    """The product Chebyshev series sum_ij c_ij T_i(x) T_j(y); its derivatives are series too: nothing is stored."""
    rows = [clenshaw(row, y) for row in c]
    before = last = jnp.zeros_like(x)
    for row in rows[:0:-1]:
        last, before = row + 2 * x * last - before, last
    return rows[0] + x * last - before


@partial(surface.defjvp, symbolic_zeros=True)
def _surface_slope(primals, tangents):
    (c, x, y), (dc, dx, dy) = primals, tangents
    change = jnp.zeros_like(x)
    if not isinstance(dx, SymbolicZero):
        change += surface(_down(c.shape[0], c.dtype) @ c, x, y) * dx
    if not isinstance(dy, SymbolicZero):
        change += surface(c @ _down(c.shape[1], c.dtype).T, x, y) * dy
    if not isinstance(dc, SymbolicZero):
        change += surface(dc, x, y)
    return surface(c, x, y), change


def _down(number: int, dtype: Any) -> Array:
    """From coefficients to those of the derivative, with as many."""
    found = np.polynomial.chebyshev.chebder(np.eye(number)) if number > 1 else np.zeros((0, 1))
    return jnp.asarray(np.concatenate([found, np.zeros((1, number))]), dtype)


def _place(x: Array, ends: tuple[float, float]) -> Array:
    """From the range to [-1, 1]; no slope outside."""
    low, high = ends
    return jnp.clip((2 * x - (low + high)) / (high - low), -1.0, 1.0)
