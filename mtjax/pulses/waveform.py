"""Currents, voltages and fields as functions of time, that add, scale and shift."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Annotated, Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from mtjax.checks import Within, checked
from mtjax.printing import Shown, describe
from mtjax.quantities import Numbers, Scalar, as_direction, as_scalar, is_known, quantity


class AbstractPulse(Shown):
    """A current as a function of time; zero before time 0 and after its end.

    In an `Excitation` it may also be a voltage, its numbers in volts, or a component of a magnetic field, in tesla.

    >>> import mtjax as mtj
    >>> write = mtj.Pulse(100e-6, 1e-9) + mtj.Sine(20e-6, 1e9, 2e-9)
    >>> print(f"{write(0.25e-9) * 1e6:.0f} uA at 0.25 ns, {write.mean(0.0, 2e-9) * 1e6:.0f} uA on average over 2 ns")
    120 uA at 0.25 ns, 50 uA on average over 2 ns
    """

    @abstractmethod
    def __call__(self, t: ArrayLike) -> Any:
        """Current at time `t` (s), A; of an `Excitation` its `Applied`."""

    @abstractmethod
    def mean(self, t: ArrayLike, dt: ArrayLike) -> Any:
        """Mean current from `t` to `t + dt` (s), A; of an `Excitation` its `Applied`."""

    @property
    @abstractmethod
    def breakpoints(self) -> Float[Array, " n"]:
        """Times at which the waveform is not smooth, s."""

    @property
    @abstractmethod
    def peak(self) -> Any:
        """An upper bound of the absolute current, A; of an `Excitation` its `Applied`."""

    @property
    def knots(self) -> Float[Array, " n"]:
        """The breakpoints, and times between them that are close enough for a quadrature of 16 points between two, s."""
        return self.breakpoints

    @property
    def end(self) -> Scalar:
        """Time from which the current stays zero, s."""
        return jnp.max(self.breakpoints)

    @property
    def waveforms(self) -> tuple[AbstractPulse, ...]:
        """The functions of time it consists of: itself; of an `Excitation` those of its current, voltage and field."""
        return (self,)

    @property
    def electric(self) -> AbstractPulse:
        """What there is of it as a current: itself; of an `Excitation` its current."""
        return self

    def along(self, direction: Numbers) -> tuple[AbstractPulse | None, AbstractPulse | None, AbstractPulse | None]:
        """The components x, y and z of a field along `direction`, shape (3,), of this strength; `None` where there is none."""
        shares = as_direction(direction)
        known = np.asarray(shares) if is_known(shares) else np.full(3, np.nan)
        x, y, z = (None if known[i] == 0 else self if known[i] == 1 else Scaled(self, shares[i]) for i in range(3))
        return x, y, z

    @checked
    def __add__(self, other: AbstractPulse) -> AbstractPulse:
        """Both at once."""
        return Sum((self, other)) if other.electric is other else NotImplemented

    def __mul__(self, factor: ArrayLike) -> AbstractPulse:
        """The waveform times a number."""
        return Scaled(self, factor)

    __rmul__ = __mul__

    def __neg__(self) -> AbstractPulse:
        """The waveform with its sign changed."""
        return Scaled(self, -1.0)

    def shifted(self, delay: ArrayLike) -> AbstractPulse:
        """The waveform `delay` seconds later."""
        return Shifted(self, delay)

    def __str__(self) -> str:
        """Every quantity with its unit."""
        return describe(self)


class Scaled(AbstractPulse):
    """A waveform `pulse` times a number `factor`; made by `2.0 * pulse`.

    >>> import mtjax as mtj
    >>> half = -0.5 * mtj.Pulse(100e-6, 1e-9)
    >>> print(f"{half(0.5e-9) * 1e6:.0f} uA, never more than {half.peak * 1e6:.0f} uA")
    -50 uA, never more than 50 uA
    """

    pulse: AbstractPulse
    factor: Scalar = quantity("")

    def __check_init__(self):
        require_single(self, self.pulse)

    def __call__(self, t: ArrayLike) -> Array:
        """Current at time `t` (s), A."""
        return self.factor * self.pulse(t)

    def mean(self, t: ArrayLike, dt: ArrayLike) -> Array:
        """Mean current from `t` to `t + dt` (s), A."""
        return self.factor * self.pulse.mean(t, dt)

    @property
    def breakpoints(self) -> Float[Array, " n"]:
        """Those of the waveform, s."""
        return self.pulse.breakpoints

    @property
    def knots(self) -> Float[Array, " n"]:
        """Those of the waveform, s."""
        return self.pulse.knots

    @property
    def peak(self) -> Scalar:
        """A."""
        return jnp.abs(self.factor) * self.pulse.peak


class Shifted(AbstractPulse):
    """A waveform `pulse` that starts `delay` (s) later; made by `pulse.shifted(delay)`.

    Raises `ValueError` where the delay is negative.

    >>> import mtjax as mtj
    >>> late = mtj.Pulse(100e-6, 1e-9).shifted(2e-9)
    >>> print(f"{late(0.5e-9) * 1e6:.0f} uA at 0.5 ns, {late(2.5e-9) * 1e6:.0f} uA at 2.5 ns")
    0 uA at 0.5 ns, 100 uA at 2.5 ns
    """

    pulse: AbstractPulse
    delay: Scalar = quantity("s", least=0.0)

    def __check_init__(self):
        require_single(self, self.pulse)

    def __call__(self, t: ArrayLike) -> Array:
        """Current at time `t` (s), A."""
        return self.pulse(t - self.delay)

    def mean(self, t: ArrayLike, dt: ArrayLike) -> Array:
        """Mean current from `t` to `t + dt` (s), A."""
        return self.pulse.mean(t - self.delay, dt)

    @property
    def breakpoints(self) -> Float[Array, " n"]:
        """Those of the waveform, later, s."""
        return self.pulse.breakpoints + self.delay

    @property
    def knots(self) -> Float[Array, " n"]:
        """Those of the waveform, later, s."""
        return self.pulse.knots + self.delay

    @property
    def peak(self) -> Scalar:
        """A."""
        return self.pulse.peak


class Sum(AbstractPulse):
    """Several waveforms `pulses` at once; made by `a + b`.

    >>> import mtjax as mtj
    >>> bipolar = mtj.Pulse(100e-6, 1e-9) + mtj.Pulse(-60e-6, 1e-9, delay=1e-9)
    >>> print(f"{bipolar(0.5e-9) * 1e6:.0f} uA, then {bipolar(1.5e-9) * 1e6:.0f} uA")
    100 uA, then -60 uA
    """

    pulses: tuple[AbstractPulse, ...]

    def __check_init__(self):
        require_single(self, *self.pulses)

    def __call__(self, t: ArrayLike) -> Array:
        """Current at time `t` (s), A."""
        return sum((pulse(t) for pulse in self.pulses), jnp.zeros(()))

    def mean(self, t: ArrayLike, dt: ArrayLike) -> Array:
        """Mean current from `t` to `t + dt` (s), A."""
        return sum((pulse.mean(t, dt) for pulse in self.pulses), jnp.zeros(()))

    @property
    def breakpoints(self) -> Float[Array, " n"]:
        """Those of all waveforms, s."""
        return jnp.concatenate([pulse.breakpoints for pulse in self.pulses])

    @property
    def knots(self) -> Float[Array, " n"]:
        """Those of all waveforms, s."""
        return jnp.concatenate([pulse.knots for pulse in self.pulses])

    @property
    def peak(self) -> Scalar:
        """The sum of the peaks, A."""
        return sum((pulse.peak for pulse in self.pulses), jnp.zeros(()))


def require_single(owner: Any, *pulses: Any) -> None:
    """Raise `ValueError` where one of `pulses` is an `Excitation`, from which `owner`'s class cannot be made.

    >>> import mtjax as mtj
    >>> mtj.pulses.require_single(mtj.Pulse, mtj.off())
    """
    if not all(isinstance(pulse, AbstractPulse) and pulse.electric is pulse for pulse in pulses):
        name = type(owner).__name__
        raise ValueError(
            f"{name} must be made of single waveforms, but is given {', '.join(type(pulse).__name__ for pulse in pulses)}: "
            f"put a {name} of each into an Excitation."
        )


def require_current(owner: Any, pulse: AbstractPulse) -> None:
    """Raise `ValueError` where `pulse` is an `Excitation`, and `owner`'s class a law that holds for currents only.

    >>> import mtjax as mtj
    >>> mtj.pulses.require_current(mtj.ThermalActivation(), mtj.off())
    """
    if pulse.electric is not pulse:
        raise ValueError(
            f"{type(owner).__name__} holds for currents only, but the pulse is an Excitation: use FokkerPlanck or MonteCarlo."
        )


def integral(pulse: AbstractPulse, of: Callable[[Array], Array]) -> Scalar:
    """Integral over time of a function `of` the current, from 0 to the end of `pulse`, in the function's unit times s.

    By Gauss-Legendre quadrature (32 points) between the knots of the pulse.

    >>> import mtjax as mtj
    >>> pulse = mtj.Pulse(100e-6, 1e-9)
    >>> charge = mtj.pulses.integral(pulse, lambda current: current)
    >>> print(f"{charge * 1e15:.1f} fC")
    100.0 fC
    """
    nodes, weights = np.polynomial.legendre.leggauss(32)
    edges = jnp.sort(jnp.concatenate([jnp.zeros(1), pulse.knots, jnp.reshape(pulse.end, 1)]))
    half = jnp.diff(edges)[:, None] / 2
    times = edges[:-1, None] + half * (1 + nodes)
    currents = jax.vmap(pulse)(times.ravel()).reshape(times.shape)
    return jnp.sum(half * weights * of(currents))


@checked
def joule(pulse: AbstractPulse, resistance: Annotated[ArrayLike, Within(least=0.0, unit="ohm", single=True)]) -> Scalar:
    """Energy R times the integral of I^2 (J) that `pulse` leaves in a `resistance` (ohm).

    Exact for piecewise-linear waveforms, and to rounding for sines of up to about five hundred periods.

    >>> import mtjax as mtj
    >>> pulse = mtj.Pulse(100e-6, 1e-9)
    >>> print(f"{mtj.joule(pulse, 5e3) * 1e15:.1f} fJ")
    50.0 fJ
    """
    return as_scalar(resistance) * integral(pulse, jnp.square)
