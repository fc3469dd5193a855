"""What a network needs of a device: the logit of its switching probability as a smooth, cheap function of the drive."""

from __future__ import annotations

import json
from abc import abstractmethod
from functools import partial
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from interpax import interp1d
from jax.custom_derivatives import SymbolicZero
from jaxtyping import Array, ArrayLike, Float, Real

from mtjax.analytic import attempt_frequency, lowered_barrier
from mtjax.constants import GAMMA
from mtjax.files import write_whole
from mtjax.numerics import bisected
from mtjax.printing import Shown, with_unit
from mtjax.quantities import Numbers, Scalar, as_scalar, is_known, quantity

Current = Float[Array, "*batch"]
Drives = Real[ArrayLike, "*batch"]
Series = Float[Array | np.ndarray, "degrees ..."]


class AbstractLaw(Shown):
    """Switching probability of one device against its drive, inside a stated domain: the neuron's transfer curve.

    A law of your own needs `domain` and `logit`.

    >>> import mtjax as mtj
    >>> class Logistic(mtj.nn.AbstractLaw):
    ...     domain = (0.0, 2e-5)
    ...     def logit(self, drive):
    ...         return (drive - 1e-5) / 1e-6
    >>> print(f"P = 0.9 at {1e6 * Logistic().drive_at(0.9):.2f} uA")
    P = 0.9 at 12.20 uA
    """

    @property
    @abstractmethod
    def domain(self) -> tuple[Scalar | float, Scalar | float]:
        """Lowest and highest drive (A) for which the law holds."""

    @abstractmethod
    def logit(self, drive: Drives) -> Current:
        """ln(P/(1 - P)) at `drive` (A); not checked against the domain: neurons clip their drive to it themselves."""

    def psw(self, drive: Numbers) -> Current:
        """Switching probability at `drive` (A). Raises an error where a drive lies outside `domain`."""
        drive = as_scalar(drive)
        low, high = map(as_scalar, self.domain)
        outside = (drive < low * (1 - 1e-6)) | (drive > high * (1 + 1e-6))
        known = is_known(low) and is_known(high)
        ends = f", {with_unit(low, 'A')} to {with_unit(high, 'A')}" if known else ""
        message = f"The drive must lie in the law's domain{ends}"
        if known and is_known(drive) and bool(np.any(outside)):
            worst = np.asarray(drive)[np.asarray(outside)].ravel()[0]
            raise ValueError(f"{message}, but is {with_unit(worst, 'A')}.")
        drive = eqx.error_if(drive, outside, message + ".")
        return jax.nn.sigmoid(self.logit(drive))

    def drive_at(self, p: Numbers) -> Current:
        """The drive (A) in the domain at which the probability is `p`, by bisection (it must rise with the drive)."""
        target = jnp.log(as_scalar(p)) - jnp.log1p(-as_scalar(p))
        low, high = (jnp.full_like(target, end) for end in self.domain)
        return bisected(lambda drive: self.logit(drive) < target, low, high, 40)


class ChebyshevLaw(AbstractLaw):
    """logit P as a product Chebyshev series in the drive and, if wanted, in parameters of device or pulse.

    logit P = sum_ij.. c_ij.. T_i(x) T_j(y) .., with x, y the drive and the parameters, each mapped from its range to
    [-1, 1]. `at(width=...)` fixes or replaces parameters; they can be trained, as leaves of the law.

    - `coefficients`: shape (drive, parameter, ...).
    - `ranges`: (low, high) of the drive (A) and of every parameter (SI).
    - `names`: of the parameters.
    - `values`: of the parameters, now.
    - `error`: largest error in probability at independent check points.
    - `provenance`: what it was made from, in words.

    Raises `ValueError` where coefficients, ranges, names and values do not belong together.

    >>> import jax.numpy as jnp
    >>> import mtjax as mtj
    >>> law = mtj.nn.ChebyshevLaw(jnp.array([0.0, 5.0]), ranges=((0.0, 100e-6),))  # logit P = 5 x, x from -1 to 1
    >>> print(f"P = {law.psw(50e-6):.3f} at 50 uA, {law.psw(75e-6):.3f} at 75 uA")
    P = 0.500 at 50 uA, 0.924 at 75 uA
    >>> print(f"P = 0.9 at {1e6 * law.drive_at(0.9):.1f} uA")
    P = 0.9 at 72.0 uA
    """

    coefficients: Float[Array, "..."]  # noqa: UP037 - jaxtyping reads it
    ranges: tuple[tuple[float, float], ...] = eqx.field(static=True)
    names: tuple[str, ...] = eqx.field(static=True, default=())
    values: tuple[Scalar, ...] = ()
    error: float = eqx.field(static=True, default=float("nan"))
    provenance: str = eqx.field(static=True, default="")

    def __check_init__(self):
        if not len(self.ranges) == self.coefficients.ndim == 1 + len(self.names) == 1 + len(self.values):
            raise ValueError(
                f"`coefficients` must have one axis for the drive and one for each of the parameters {self.names}, "
                f"but has shape {self.coefficients.shape}, with {len(self.ranges)} ranges and {len(self.values)} values."
            )

    def __str__(self) -> str:
        """Domain, parameters, error, provenance."""
        (low, high), *others = self.ranges
        lines = [f"ChebyshevLaw of degree {self.coefficients.shape[0] - 1} for {with_unit(low, 'A')} to {with_unit(high, 'A')}"]
        for name, (a, b), value in zip(self.names, others, self.values, strict=True):
            lines.append(f"  {name} = {float(value):.4g} ({a:.4g} to {b:.4g})")
        return "\n".join(
            [*lines, f"  largest error of the probability where checked: {self.error:.1e}", f"  {self.provenance}"]
        )

    @property
    def domain(self) -> tuple[Scalar | float, Scalar | float]:
        """Lowest and highest drive, A."""
        return self.ranges[0]

    def at(self, **values: ArrayLike) -> ChebyshevLaw:
        """The same law at other parameters. Raises `ValueError` for unknown names and values out of range."""
        for name, value in values.items():
            if name not in self.names:
                raise ValueError(f"The parameters of this law are {self.names or 'none'}, but `{name}` was given.")
            low, high = self.ranges[1 + self.names.index(name)]
            if is_known(value) and not low <= float(as_scalar(value)) <= high:
                raise ValueError(f"`{name}` must lie between {low:g} and {high:g} in this law, but is {float(value):g}.")
        new = tuple(as_scalar(values.get(n, v)) for n, v in zip(self.names, self.values, strict=True))
        return eqx.tree_at(lambda law: law.values, self, new) if self.names else self

    def series(self) -> Float[Array, " drive"]:
        """Coefficients in the drive alone, at the present values of the parameters."""
        c = self.coefficients
        for value, ends in zip(reversed(self.values), reversed(self.ranges[1:]), strict=True):
            c = c @ polynomials(_mapped(value, ends), c.shape[-1])
        return c

    def logit(self, drive: Drives) -> Current:
        """By Clenshaw's recurrence; beyond the ends of the domain the value at the end."""
        drive = as_scalar(drive)
        x = jnp.clip(_mapped(drive, self.domain), -1, 1)
        return clenshaw(self.series().astype(drive.dtype), x)

    def save(self, path: str | Path) -> None:
        """Write as JSON."""
        write_whole(path, json.dumps(self.to_dict(), indent=1))

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "law": "chebyshev",
            "coefficients": np.asarray(self.coefficients, float).tolist(),
            "ranges": [list(ends) for ends in self.ranges],
            "names": list(self.names),
            "values": [float(v) for v in self.values],
            "error": self.error,
            "provenance": self.provenance,
        }

    @staticmethod
    def load(path: str | Path) -> ChebyshevLaw:
        """Read what `save` wrote. Raises `ValueError` where the file holds something else."""
        try:
            d = json.loads(Path(path).read_text())
            return ChebyshevLaw(
                jnp.asarray(d["coefficients"], float), tuple((a, b) for a, b in d["ranges"]), tuple(d["names"]),
                tuple(as_scalar(v) for v in d["values"]), d["error"], d["provenance"],
            )  # fmt: skip
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"'{path}' must hold a law saved by mtjax, but does not ({error}).") from None


class NeelBrownLaw(AbstractLaw):
    """Thermally activated switching in closed form, for long pulses below the critical current.

    P = 1 - exp(-f0 t exp(-delta (1 - I/Ic)^exponent)), as `mtjax.ThermalActivation`, made smooth at Ic: above it the
    barrier is zero.

    - `delta`, `critical_current` (A), `width` (s), `Bk` (T), `alpha`: of device and pulse.
    - `exponent`: of the barrier; 2 for a perpendicular spin, 1 in many in-plane junctions.
    - `gyromagnetic_ratio`: rad/(s T); `None`: that of the electron.

    >>> import mtjax as mtj
    >>> device = mtj.presets.perpendicular_stt(40.0)
    >>> law = mtj.nn.NeelBrownLaw.of(device, width=100e-9)
    >>> print(f"P = {law.psw(10e-6):.3f} at 10 uA, 1/2 at {1e6 * law.drive_at(0.5):.2f} uA")
    P = 0.182 at 10 uA, 1/2 at 10.68 uA
    """

    delta: Scalar = quantity("", positive=True)
    critical_current: Scalar = quantity("A", positive=True)
    width: Scalar = quantity("s", positive=True)
    Bk: Scalar = quantity("T", positive=True)
    alpha: Scalar = quantity("", positive=True)
    exponent: Scalar = quantity("", positive=True, default=2.0)
    gyromagnetic_ratio: Scalar | None = quantity("rad/(s T)", positive=True, default=None)

    @staticmethod
    def of(device: Any, width: ArrayLike, *, exponent: ArrayLike = 2.0) -> NeelBrownLaw:
        """The law of `device` under rectangular pulses of `width` seconds, for drives from 0 to its critical current."""
        layer = device.layer
        return NeelBrownLaw(
            device.delta, device.critical_current, width, device.Bk, layer.alpha, exponent, layer.gyromagnetic_ratio
        )

    @property
    def domain(self) -> tuple[float, Scalar]:
        """From 0 to the critical current, A."""
        return 0.0, self.critical_current

    def logit(self, drive: Drives) -> Current:
        """ln(exp(x) - 1), with x the expected number of hops."""
        barrier = lowered_barrier(self.delta, as_scalar(drive) / self.critical_current, self.exponent)
        gamma = GAMMA if self.gyromagnetic_ratio is None else self.gyromagnetic_ratio
        hops = jnp.log(attempt_frequency(self.delta, self.Bk, self.alpha, gamma=gamma) * self.width) - barrier
        return _log_expm1(hops)


def _log_expm1(log_x: Array) -> Array:
    """ln(exp(x) - 1), from ln x."""
    small, large = jnp.exp(jnp.clip(log_x, -60, 2)), jnp.exp(jnp.maximum(log_x, 2))
    return jnp.where(log_x > 2, large + jnp.log1p(-jnp.exp(-large)), log_x + jnp.log(jnp.expm1(small) / small))


class MeasuredLaw(AbstractLaw):
    """A measured transfer curve: monotone cubic interpolation of the logit (interpax).

    - `drives`: A, shape (points,), ascending.
    - `logits`: at them.

    Raises `ValueError` where drives do not ascend, or a number is not finite.

    >>> import mtjax as mtj
    >>> law = mtj.nn.MeasuredLaw.of([50e-6, 60e-6, 70e-6, 80e-6], [0.0, 0.2, 0.7, 1.0], trials=100)
    >>> print(f"P = {law.psw(65e-6):.3f} at 65 uA, 1/2 at {1e6 * law.drive_at(0.5):.1f} uA")
    P = 0.430 at 65 uA, 1/2 at 66.5 uA
    """

    drives: Float[Array, " points"] = quantity("A")
    logits: Float[Array, " points"] = quantity("")

    def __check_init__(self):
        if is_known(self.drives) and not np.all(np.diff(np.asarray(self.drives)) > 0):
            raise ValueError(f"`drives` of MeasuredLaw must ascend, but are {np.asarray(self.drives)}.")

    @staticmethod
    def of(drives: Numbers, probabilities: Numbers, *, trials: Numbers | None = None) -> MeasuredLaw:
        """From measured switching probabilities at ascending `drives` (A).

        With `trials` a probability p of n trials counts as (n p + 1/2)/(n + 1), so that 0 and 1 are allowed. Raises
        `ValueError` where drives do not ascend or probabilities are not in range.
        """
        x, p = np.asarray(drives, float), np.asarray(probabilities, float)
        if x.ndim != 1 or x.shape != p.shape or x.size < 2 or not np.all(np.diff(x) > 0):
            raise ValueError(f"`drives` must be two or more ascending numbers, one for each probability, but are {x}.")
        if trials is not None:
            p = (np.asarray(trials) * p + 0.5) / (np.asarray(trials) + 1)
        if not np.all((p > 0) & (p < 1)):
            raise ValueError(f"Without `trials` every probability must lie strictly between 0 and 1, but they are {p}.")
        return MeasuredLaw(jnp.asarray(x), jnp.log(jnp.asarray(p)) - jnp.log1p(-jnp.asarray(p)))

    @property
    def domain(self) -> tuple[Scalar, Scalar]:
        """First and last drive, A."""
        return self.drives[0], self.drives[-1]

    def logit(self, drive: Drives) -> Current:
        """Monotone cubic interpolation; beyond the ends the value at the end."""
        drive = as_scalar(drive)
        inside = jnp.clip(drive, self.drives[0], self.drives[-1])
        return interp1d(inside.ravel(), self.drives, self.logits, method="monotonic").reshape(drive.shape)


@jax.custom_jvp
def clenshaw(c: Series, x: Float[Array | np.ndarray, "*batch"]) -> Current:
    """The Chebyshev series with coefficients `c` at `x`; its derivative is a series too, so that none of it is stored."""
    b1 = b2 = jnp.zeros_like(x)
    for k in range(c.shape[0] - 1, 0, -1):
        b1, b2 = c[k] + 2 * x * b1 - b2, b1
    return c[0] + x * b1 - b2


@partial(clenshaw.defjvp, symbolic_zeros=True)
def _clenshaw_slope(primals, tangents):
    (c, x), (dc, dx) = primals, tangents
    down = jnp.asarray(np.polynomial.chebyshev.chebder(np.eye(c.shape[0])), c.dtype) if c.shape[0] > 1 else jnp.zeros((1, 1))
    slope = jnp.tensordot(down.astype(c.dtype), c, 1)
    change = jnp.zeros_like(x)
    if not isinstance(dx, SymbolicZero):
        change += clenshaw(slope, x) * dx
    if not isinstance(dc, SymbolicZero):
        change += clenshaw(dc, x)
    return clenshaw(c, x), change


def polynomials(x: ArrayLike, number: int) -> Float[Array, "*batch number"]:
    """The Chebyshev polynomials T_0 .. T_(number - 1) at `x`."""
    x = as_scalar(x)
    values = [jnp.ones_like(x), x]
    while len(values) < number:
        values.append(2 * x * values[-1] - values[-2])
    return jnp.stack(values[:number], axis=-1)


def _mapped(x: ArrayLike, ends: tuple[float, float]) -> Array:
    """From the range to [-1, 1]."""
    low, high = ends
    return (2 * as_scalar(x) - (low + high)) / (high - low)
