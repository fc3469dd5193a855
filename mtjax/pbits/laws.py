"""How often a p-bit flips, as a function of its input: a plain law, or the rates of a junction of low barrier."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from mtjax.checks import Count, checked
from mtjax.devices import Device
from mtjax.printing import Shown
from mtjax.quantities import Scalar, quantity
from mtjax.switching import rates

_SMALL = 1e-3
_REACH = 6.0
"""Inputs up to which a junction's rates are tabulated; beyond, their logarithms go on as straight lines."""


class AbstractFlipLaw(Shown):
    """The rates of a p-bit m = -1 or 1 at an input x, with odds of the two states near exp(2 x): P(m = 1) = (1 + tanh x) / 2.

    >>> import jax.numpy as jnp
    >>> import mtjax as mtj
    >>> class Even(mtj.pbits.AbstractFlipLaw):
    ...     def log_rates(self, x):
    ...         return x + jnp.log(1e9), -x + jnp.log(1e9)
    ...     def power(self, x):
    ...         return 0.0 * x
    ...
    >>> print(f"{Even().share_up(jnp.asarray(0.5)):.3f}")
    0.731
    """

    @abstractmethod
    def log_rates(self, x: Float[Array, "*n"]) -> tuple[Float[Array, "*n"], Float[Array, "*n"]]:
        """Logarithms of the rates (1/s) from -1 to 1, and from 1 to -1."""

    @abstractmethod
    def power(self, x: Float[Array, "*n"]) -> Float[Array, "*n"]:
        """Power of the write path at the input x, W; 0 where the law knows of none."""

    def share_up(self, x: Float[Array, "*n"]) -> Float[Array, "*n"]:
        """Probability of m = 1 at rest."""
        up, down = self.log_rates(x)
        return jax.nn.sigmoid(up - down)


class TanhLaw(AbstractFlipLaw):
    """Rates (1 + tanh x) / dwell_time up and (1 - tanh x) / dwell_time down: heat bath at a constant rate.

    - `dwell_time`: mean time between flips at x = 0, s.

    >>> import jax.numpy as jnp
    >>> import mtjax as mtj
    >>> up, down = mtj.pbits.TanhLaw(1e-9).log_rates(jnp.asarray(1.0))
    >>> print(f"{jnp.exp(up) / 1e9:.2f}, {jnp.exp(down) / 1e9:.2f} per ns")
    1.76, 0.24 per ns
    """

    dwell_time: Scalar = quantity("s", positive=True, default=1e-9)

    def log_rates(self, x: Float[Array, "*n"]) -> tuple[Float[Array, "*n"], Float[Array, "*n"]]:
        """Logarithms of (1 + tanh x) / dwell_time and of (1 - tanh x) / dwell_time."""
        scale = jnp.log(2 / self.dwell_time)
        return scale + jax.nn.log_sigmoid(2 * x), scale + jax.nn.log_sigmoid(-2 * x)

    def share_up(self, x: Float[Array, "*n"]) -> Float[Array, "*n"]:
        """(1 + tanh x) / 2."""
        return jax.nn.sigmoid(2 * x)

    def power(self, x: Float[Array, "*n"]) -> Float[Array, "*n"]:
        """It knows of no power: 0 W."""
        return jnp.zeros_like(x)


class JunctionLaw(AbstractFlipLaw):
    """The hopping rates of a junction at the current that stands for an input: current = centre + unit x.

    Made by `JunctionLaw.of(device)`: its table is `mtjax.rates`; m = 1 is the starting well.

    - `centre`: current at which both states are as likely, A; `unit`: change of the current per input, A, so that the odds
      rise by exp(2) at first (with its sign).
    - `resistance`: of the write path, ohm.
    - `inputs`: of the table, shape (k,); `log_up`, `log_down`: logarithms of the rates (1/s) there, shape (k,).

    >>> import jax.numpy as jnp
    >>> import mtjax as mtj
    >>> law = mtj.pbits.JunctionLaw.of(mtj.presets.perpendicular_stt(4.0), points=5)
    >>> print(f"{law.dwell_time * 1e9:.0f} ns, {law.unit * 1e6:.2f} uA, P(1) at 0.5: {law.share_up(jnp.asarray(0.5)):.2f}")
    1593 ns, -0.25 uA, P(1) at 0.5: 0.73
    """

    centre: Scalar = quantity("A")
    unit: Scalar = quantity("A")
    resistance: Scalar = quantity("ohm")
    inputs: Float[Array, " k"] = quantity("")
    log_up: Float[Array, " k"] = quantity("")
    log_down: Float[Array, " k"] = quantity("")

    @staticmethod
    @checked
    def of(device: Device, *, points: Count = 25) -> JunctionLaw:
        """The law of a `device` with two wells, tabulated at `points` inputs from -6 to 6, or as far as there are two wells.

        Raises `ValueError` where the device has no rates without current (one well, or none), or a current does not change
        their ratio.
        """
        centre, slope = _centre(device)
        unit = 2 / slope
        x = np.linspace(-_REACH, _REACH, points)
        found = [(float(value), *pair) for value in x if (pair := _log_rates(device, centre + unit * value)) is not None]
        if len(found) < 2:
            raise ValueError("`device` must have two wells over a range of currents, but has them at one current at most.")
        inputs, up, down = (jnp.asarray(column) for column in zip(*found, strict=True))
        return JunctionLaw(centre, unit, device.write_resistance, inputs, up, down)

    @property
    def dwell_time(self) -> Scalar:
        """Mean time between flips at the input 0, s."""
        up, down = self.log_rates(jnp.zeros(()))
        return (jnp.exp(-up) + jnp.exp(-down)) / 2

    def log_rates(self, x: Float[Array, "*n"]) -> tuple[Float[Array, "*n"], Float[Array, "*n"]]:
        """Logarithms of the rates by straight lines between those tabulated, and beyond them."""
        up, down = (
            jnp.interp(x, self.inputs, rows, left="extrapolate", right="extrapolate") for rows in (self.log_up, self.log_down)
        )
        return up, down

    def power(self, x: Float[Array, "*n"]) -> Float[Array, "*n"]:
        """I^2 R, W."""
        return (self.centre + self.unit * x) ** 2 * self.resistance


def law_of(law: Any) -> Any:
    """The law of a device; a law, or what is none, as it is."""
    return JunctionLaw.of(law) if isinstance(law, Device) else law


def _log_rates(device: Device, current: float) -> tuple[float, float] | None:
    """Logarithms of the rates towards and away from the starting well at a `current` (A); `None` where there are not two."""
    try:
        found = rates(device, float(current))
    except (ValueError, RuntimeError, eqx.EquinoxRuntimeError):
        return None
    pair = float(found.log_back), float(found.log_out)
    return pair if np.all(np.isfinite(pair)) else None


def _centre(device: Device) -> tuple[float, float]:
    """The current (A) of even odds, and the slope of the logarithm of the odds there, 1/A; three steps of Newton's."""
    scale = _scale(device)
    current, slope = 0.0, 0.0
    for _ in range(3):
        here, there = (_log_rates(device, current + shift * _SMALL * scale) for shift in (-1, 1))
        if here is None or there is None:
            raise ValueError("`device` must have rates, that is two wells without current and near it, but has none.")
        odds = (here[0] - here[1] + there[0] - there[1]) / 2
        slope = (there[0] - there[1] - here[0] + here[1]) / (2 * _SMALL * scale)
        if abs(slope) * scale < 1e-6:
            raise ValueError("`device` must have rates that depend on the current, but a current does not change their ratio.")
        current -= odds / slope
        if abs(odds) < 1e-9:
            break
    return current, slope


def _scale(device: Device) -> float:
    """A current that matters, A: the critical one, or 10 uA."""
    try:
        found = abs(float(device.critical_current))
    except (KeyError, ValueError):
        return 1e-5
    return found if np.isfinite(found) and found > 0 else 1e-5
