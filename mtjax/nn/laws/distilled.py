"""Distil a law for networks from the physics of a device."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from mtjax.checks import Count, Finite, Seconds, checked
from mtjax.devices import Device
from mtjax.nn.laws.law import ChebyshevLaw, polynomials
from mtjax.nn.laws.switching_range import switching_range
from mtjax.printing import Shown
from mtjax.progress import progress_bar
from mtjax.pulses import Pulse
from mtjax.quantities import as_scalar
from mtjax.switching import AbstractMethod, Automatic, switching_probability

Build = Callable[..., tuple[Device, Pulse]]
"""From the drive (A) and the parameters, by name, to a device under a pulse."""


class Samples(Shown):
    """Switching probabilities at points of drive and parameters.

    - `points`: shape (points, 1 + parameters), SI.
    - `p`, `complement`, `stderr`: shape (points,); `stderr` is 0 where nothing was sampled.
    """

    points: np.ndarray
    p: np.ndarray
    complement: np.ndarray
    stderr: np.ndarray


@checked
def distil(
    device: Device | Build,
    width: Seconds | None = None,
    *,
    domain: tuple[Finite, Finite] | None = None,
    parameters: Mapping[str, tuple[float, float, float]] | None = None,
    degree: int | tuple[int, ...] = 16,
    nodes: int | tuple[int, ...] | None = None,
    method: AbstractMethod | None = None,
    checks: Count = 8,
    check_method: AbstractMethod | None = None,
    progress: bool = True,
) -> ChebyshevLaw:
    """A Chebyshev series of logit P_sw, fitted at Chebyshev nodes, with its error at independent points.

    - `device`, `width`: of rectangular pulses (s); or a function `(current, **parameters) -> (device, pulse)`.
    - `domain`: of the drive, A; where it is None, the one in which the probability rises from 0.002 to 0.998
      (`switching_range`), at the usual values of the parameters.
    - `parameters`: name -> (lowest, highest, usual value), SI.
    - `degree`: of the series in the drive and every parameter; `nodes`: points along each, by default one more.
    - `method`: `Automatic()` by default, within 0.003 of the probability: absolute errors are what count in a network.
    - `checks`: number of points, spread over the domain and off the nodes, at which `check_method` (default `method`) is
      asked again; the largest difference is the law's `error`.
    - `progress`: whether a bar is shown.

    Least squares in which an error of the *probability* counts alike everywhere (weights P(1 - P), and where probabilities
    were sampled over their standard error). Raises `ValueError` where there are fewer nodes than coefficients, or no current
    switches the device.

    >>> import mtjax as mtj
    >>> device, method = mtj.presets.perpendicular_stt(40.0), mtj.ThermalActivation()
    >>> law = mtj.nn.distil(device, 100e-9, domain=(8e-6, 12e-6), degree=4, checks=1, method=method, progress=False)
    >>> print(f"P = {law.psw(10e-6):.3f} at 10 uA, 1/2 at {1e6 * law.drive_at(0.5):.1f} uA")
    P = 0.182 at 10 uA, 1/2 at 10.7 uA
    """
    parameters = {} if parameters is None else parameters
    require_ranges(parameters if domain is None else {"domain": domain, **parameters})
    if isinstance(device, Device) and width is None:
        raise ValueError("`width` must be given where a device is, but is None.")
    build = device if not isinstance(device, Device) else _rectangular(device, width)
    method = Automatic() if method is None else method
    if domain is None:
        usual = {name: as_scalar(value) for name, (_, _, value) in parameters.items()}
        domain = switching_range(lambda current: build(current, **usual), method)
    ranges = (domain, *((low, high) for low, high, _ in parameters.values()))
    degrees = _each(degree, len(ranges))
    numbers = _each(nodes if nodes is not None else tuple(d + 1 for d in degrees), len(ranges))
    if any(n <= d for n, d in zip(numbers, degrees, strict=True)):
        raise ValueError(f"`nodes` must exceed `degree` along every axis, but they are {numbers} and {degrees}.")
    grid = np.array(list(itertools.product(*(chebyshev_nodes(n, ends) for n, ends in zip(numbers, ranges, strict=True)))))
    samples = probabilities(build, grid, tuple(parameters), method, progress=progress)
    law = fitted(samples, ranges, degrees, parameters)
    tests = spread_points(checks, ranges)
    found = probabilities(build, tests, tuple(parameters), check_method or method, progress=progress)
    error = largest_error(law, found)
    described = f"{len(grid)} values, checked at {checks} others; {method.name}"
    return ChebyshevLaw(law.coefficients, ranges, law.names, law.values, error, described)


def probabilities(
    build: Build, points: np.ndarray, names: tuple[str, ...], method: AbstractMethod, *, progress: bool = True
) -> Samples:
    """Switching probability at every point by `method`."""
    rows = []
    with progress_bar("switching probabilities", shown=progress, total=len(points)) as bar:
        for point in points:
            device, pulse = build(as_scalar(point[0]), **{n: as_scalar(v) for n, v in zip(names, point[1:], strict=True)})
            p: Any = switching_probability(device, pulse, method=method)
            rows.append((float(p.value), float(p.complement), float(p.stderr) if p.stderr is not None else 0.0))
            bar.update()
    return Samples(points, *np.array(rows).T)


def fitted(
    samples: Samples,
    ranges: tuple[tuple[float, float], ...],
    degrees: tuple[int, ...],
    parameters: Mapping[str, tuple[float, float, float]],
) -> ChebyshevLaw:
    """The series that fits `samples`; probabilities below 1e-9 count as that."""
    p, q = np.maximum(samples.p, 1e-9), np.maximum(samples.complement, 1e-9)
    weight = np.minimum(p, q) / np.maximum(samples.stderr, 1e-4) + 1e-3
    found = coefficients(samples.points, np.log(p / q), weight, ranges, degrees)
    values = tuple(as_scalar(usual) for _, _, usual in parameters.values())
    return ChebyshevLaw(found, ranges, tuple(parameters), values)


def coefficients(
    points: np.ndarray,
    logits: np.ndarray,
    weight: np.ndarray,
    ranges: tuple[tuple[float, float], ...],
    degrees: tuple[int, ...],
) -> Array:
    """Of the product Chebyshev series nearest to `logits` at `points`, in weighted least squares."""
    columns = np.ones((len(logits), 1))
    for x, (low, high), degree in zip(points.T, ranges, degrees, strict=True):
        more = np.asarray(polynomials(jnp.asarray(2 * (x - low) / (high - low) - 1), degree + 1))
        columns = (columns[:, :, None] * more[:, None, :]).reshape(len(logits), -1)
    found = np.linalg.lstsq(columns * weight[:, None], logits * weight, rcond=None)[0]
    return jnp.asarray(found.reshape([d + 1 for d in degrees]))


def require_ranges(ranges: Mapping[str, tuple[float, ...]]) -> None:
    """Raise `ValueError` where a range does not begin with a lowest and a highest value."""
    for name, (low, high, *_) in ranges.items():
        if not low < high:
            raise ValueError(f"`{name}` must be a lowest and a highest value, but is {low:g} to {high:g}.")


def largest_error(law: ChebyshevLaw, samples: Samples) -> float:
    """Largest difference in probability between `law` and `samples`."""
    errors = []
    for point, p in zip(samples.points, samples.p, strict=True):
        at = law.at(**dict(zip(law.names, point[1:], strict=True)))
        errors.append(abs(float(at.psw(point[0])) - p))
    return float(max(errors, default=np.nan))


def chebyshev_nodes(number: int, ends: tuple[float, float]) -> np.ndarray:
    """The roots of T_number, mapped to the range."""
    x = np.cos(np.pi * (np.arange(number) + 0.5) / number)
    return ends[0] + (ends[1] - ends[0]) * (x + 1) / 2


def spread_points(number: int, ranges: tuple[tuple[float, float], ...]) -> np.ndarray:
    """`number` points spread evenly over the ranges: a Kronecker sequence, shape (number, ranges)."""
    root = 1.0
    for _ in range(60):  # the generalised golden ratio: root^(d + 1) = root + 1
        root = (1 + root) ** (1 / (len(ranges) + 1))
    steps = root ** -np.arange(1.0, len(ranges) + 1)
    unit = (0.5 + np.outer(np.arange(1, number + 1), steps)) % 1
    low, high = np.array(ranges).T
    return low + (high - low) * unit


def _each(x: int | tuple[int, ...], number: int) -> tuple[int, ...]:
    return (x,) * number if isinstance(x, int) else tuple(x)


def _rectangular(device: Device, width: float | None) -> Build:
    if width is None:
        raise ValueError("`width` of the pulse must be given along with a device, but is None.")
    return lambda current: (device, Pulse(current, width))
