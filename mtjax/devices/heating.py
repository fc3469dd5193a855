"""Temperature as a state beside m: heat of the write current, cooling by exponentials.

The rise of temperature is a sum of modes, dx_k/dt = (R_k P(t) - x_k) / tau_k with P the power I^2 R of the write path. It
depends on the pulse alone, so it is solved in closed form between the pulse's breakpoints and then known at any time:
every copy of a device, every grain and the Fokker-Planck equation see the same T(t).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float, Int

from mtjax.checks import Count, checked
from mtjax.numerics import bisected, gauss_legendre
from mtjax.printing import Shown, describe, with_unit
from mtjax.pulses import AbstractPulse
from mtjax.quantities import Scalar, as_scalar, is_known, quantity, require

_SETTLED = 4.0
"""Cooling times after which a device is read: 1.8 % of the rise are left."""
_NODES = 16
_LOOKS = 16
"""Places between two knots where the highest temperature is looked for at first."""
_PEAKS = 32
"""Peaks between those places that are climbed: under a ripple the highest need not look so."""
_CUTS = 40
_HALVINGS = 60
_TERMS, _MOST = 2048, 256
"""Modes that stand for all of them, and how many may be kept."""
_TAIL = 8
"""Times as many modes as are kept give the mean time of the last one."""
_TRIED, _WITHIN = 200, 0.009
"""Times at which a number of modes is tried, and the largest relative error of the rise there: 1 % between them."""


class JouleHeating(Shown):
    """Heat of the write current that leaves by one or more exponentials.

    - `resistance`: thermal resistances R_k, scalar or shape (k,), K/W: the rise at constant power P is P times their sum.
    - `time`: cooling times tau_k, of the same shape, s.

    Raises `ValueError` where a resistance is negative, a time not positive, or the shapes differ.

    >>> import mtjax as mtj
    >>> heating = mtj.JouleHeating(resistance=1e6, time=2e-9)
    >>> history = heating.history(mtj.Pulse(300e-6, 5e-9), 1e3, 300.0)
    >>> print(f"{history(5e-9):.0f} K at the end of the pulse, {history(7e-9):.0f} K after 2 ns more")
    383 K at the end of the pulse, 330 K after 2 ns more
    """

    resistance: Array = quantity("K/W", least=0.0)
    time: Array = quantity("s", positive=True)

    def __check_init__(self):
        if jnp.shape(self.resistance) != jnp.shape(self.time):
            raise ValueError(
                "`resistance` and `time` of JouleHeating must have the same shape, but have "
                f"{jnp.shape(self.resistance)} and {jnp.shape(self.time)}."
            )

    @property
    def settling(self) -> Scalar:
        """Four times the longest cooling time, s."""
        return _SETTLED * jnp.max(self.time)

    def history(self, pulse: AbstractPulse, resistance: ArrayLike, ambient: ArrayLike) -> ThermalHistory:
        """The temperature while `pulse` runs through an electrical `resistance` (ohm), from and towards `ambient` (K)."""
        return ThermalHistory.of(self, pulse, as_scalar(resistance), as_scalar(ambient))

    def __str__(self) -> str:
        """Every quantity with its unit, and the total."""
        return describe(self) + f"\n  total resistance = {with_unit(jnp.sum(self.resistance), 'K/W')}"


class ThermalHistory(Shown):
    """Temperature against time: `history(t)`, t in s, in K.

    Exact where the current is constant between breakpoints; elsewhere by Gauss-Legendre quadrature of I^2, 16 points
    between neighbouring knots (a sine burst: up to about 250 periods).

    - `heating`: the device's; `pulse`: that heats; `resistance`: that it flows through, ohm; `ambient`: K.
    - `edges`: the pulse's knots in order, from 0, shape (n,), s; `rises`: of the modes there, shape (n, k), K.

    >>> import mtjax as mtj
    >>> heating = mtj.JouleHeating(resistance=1e6, time=2e-9)
    >>> history = heating.history(mtj.Pulse(300e-6, 5e-9), 1e3, 300.0)
    >>> print([f"{history(t):.0f} K" for t in (0.0, 1e-9, 5e-9, 20e-9)])
    ['300 K', '335 K', '383 K', '300 K']
    """

    heating: JouleHeating
    pulse: AbstractPulse
    resistance: Scalar
    ambient: Scalar
    edges: Float[Array, " n"]
    rises: Float[Array, "n k"]

    @staticmethod
    def of(heating: JouleHeating, pulse: AbstractPulse, resistance: Scalar, ambient: Scalar) -> ThermalHistory:
        """Solve the modes from knot to knot."""
        edges = jnp.sort(jnp.concatenate([jnp.zeros(1), pulse.knots]))
        cold = jnp.zeros(jnp.atleast_1d(heating.time).shape, edges.dtype)
        later = partial(_later, heating, pulse, resistance)

        def onward(rise, ends):
            rise = later(rise, *ends)
            return rise, rise

        _, rises = jax.lax.scan(onward, cold, (edges[:-1], edges[1:]))
        return ThermalHistory(heating, pulse, resistance, ambient, edges, jnp.concatenate([cold[None], rises]))

    def rise(self, t: ArrayLike) -> Float[Array, " k"]:
        """Rise of every mode at time `t` (s), K."""
        place = jnp.clip(jnp.searchsorted(self.edges, t, side="right") - 1, 0)
        return _later(self.heating, self.pulse, self.resistance, self.rises[place], self.edges[place], as_scalar(t))

    def __call__(self, t: ArrayLike) -> Scalar:
        """Temperature at time `t` (s), K."""
        return self.ambient + jnp.sum(self.rise(t))

    @property
    def hottest(self) -> Scalar:
        """Highest temperature from time 0 on, K."""
        return _hottest(self)


@eqx.filter_jit
def _hottest(history: ThermalHistory) -> Scalar:
    """The highest of sixteen looks between neighbouring knots, then refined: one compiled program."""
    looks, edges = jnp.linspace(0.0, 1.0, _LOOKS, endpoint=False), history.edges
    times = jnp.append(edges[:-1, None] + jnp.diff(edges)[:, None] * looks, edges[-1])
    still, times = jax.lax.stop_gradient((history, times))
    seen = jax.vmap(history)(times)
    best = _highest_peaks(jax.lax.stop_gradient(seen))
    low, high = times[jnp.maximum(best - 1, 0)], times[jnp.minimum(best + 1, len(times) - 1)]
    tops = jax.vmap(partial(_top, still))(low, high)
    return jnp.maximum(jnp.max(seen), jnp.max(jax.vmap(history)(tops)))


def _highest_peaks(seen: Float[Array, " n"]) -> Int[Array, " peaks"]:
    """Numbers of the highest samples that are no lower than their neighbours."""
    beside = jnp.pad(seen, 1, constant_values=-jnp.inf)
    peak = (seen >= beside[:-2]) & (seen >= beside[2:])
    return jax.lax.top_k(jnp.where(peak, seen, -jnp.inf), min(_PEAKS, len(seen)))[1]


def _top(signal: Callable[[Array], Array], low: Array, high: Array) -> Array:
    """Where `signal` is highest between `low` and `high`, by golden sections; it must have one maximum there."""
    share = (np.sqrt(5) - 1) / 2

    def cut(_, ends):
        low, high = ends
        left, right = high - share * (high - low), low + share * (high - low)
        falls = signal(left) > signal(right)
        return jnp.where(falls, low, left), jnp.where(falls, right, high)

    return jnp.mean(jnp.stack(jax.lax.fori_loop(0, _CUTS, cut, (low, high))))


def _later(heating, pulse, resistance, rise: Array, begin: Array, t: Array) -> Array:
    """The modes at `t` (s), `rise` (K) at `begin`: R_k times the power averaged with the weight exp(-age / tau_k).

    The nodes lie at the squares of Gauss's: the age is a logarithm of its share of the weight, steep where little is left.
    """
    tau = jnp.atleast_1d(heating.time)
    x = jnp.maximum(t - begin, 0.0) / tau
    filled = -jnp.expm1(-x)
    left, weights = gauss_legendre(_NODES)
    ages = -tau[:, None] * jnp.log1p(-filled[:, None] * (1 - left**2))
    power = resistance * jnp.sum(pulse(t - ages) ** 2 * (2 * weights * left), axis=-1)
    return (rise * jnp.exp(-x) + jnp.atleast_1d(heating.resistance) * filled * power).astype(rise.dtype)


@checked
def metal_on_oxide(
    *,
    length: ArrayLike,
    width: ArrayLike,
    oxide: ArrayLike,
    film: ArrayLike,
    conductivity: ArrayLike = 1.4,
    oxide_capacity: ArrayLike = 1.6e6,
    film_capacity: ArrayLike = 3.0e6,
    shortest: float = 1e-9,
    modes: Count | None = None,
) -> JouleHeating:
    """Heating of a metal film on an oxide on a substrate that stays at ambient temperature, from the geometry.

    Heat flows straight down through the oxide (a film much longer and wider than the oxide is thick; otherwise the
    temperature comes out too high). The film is uniform. Then, with u = `oxide_capacity` `oxide` / (`film_capacity` `film`)
    and z_k the roots of z tan z = u, tau_k = oxide^2 c / (kappa z_k^2) and R_k = R 2 / (z_k^2 (1 + 1/u + z_k^2/u^2)), with
    R = oxide / (kappa length width) in total (Carslaw and Jaeger, Conduction of Heat in Solids, 1959, section 3.13). The last
    mode takes the resistance that the left-out ones would carry, and their mean time.

    - `length`, `width`: of the heated film, m; `oxide`, `film`: thicknesses, m.
    - `conductivity`: kappa of the oxide, W/(m K); SiO2: 1.4 (handbook value, recalled).
    - `oxide_capacity`, `film_capacity`: J/(m^3 K); SiO2: 1.6e6 (recalled), metals about 3e6 (assumed).
    - `shortest`: shortest time for which the power flows or rests, s: there are as many modes as make the rise at a constant
      power right within 1 % of itself from then on.
    - `modes`: how many modes to keep, instead. Must be given where thicknesses or constants are being traced.

    Raises `ValueError` where a number is not positive, `shortest` asks for more than 256 modes, or `modes` is missing.

    >>> import mtjax as mtj
    >>> heating = mtj.devices.metal_on_oxide(length=1e-6, width=1e-6, oxide=100e-9, film=20e-9)
    >>> print(f"{heating.resistance.sum() / 1e3:.1f} K/mW, cooling in {heating.time.max() * 1e9:.1f} ns")
    71.4 K/mW, cooling in 8.5 ns
    >>> for shortest in (1e-9, 1e-10):
    ...     heating = mtj.devices.metal_on_oxide(length=1e-6, width=1e-6, oxide=300e-9, film=20e-9, shortest=shortest)
    ...     print(f"{len(heating.time)} modes for {shortest * 1e9:g} ns")
    ...
    4 modes for 1 ns
    9 modes for 0.1 ns
    """
    sizes = {"length": length, "width": width, "oxide": oxide, "film": film}
    require(sizes, "length width oxide film", positive=True, unit="m")
    constants = {"conductivity": conductivity, "oxide_capacity": oxide_capacity, "film_capacity": film_capacity}
    require(constants, "conductivity oxide_capacity film_capacity", positive=True)
    require({"shortest": shortest}, "shortest", positive=True, unit="s")
    if modes is not None and modes < 1:
        raise ValueError(f"`modes` must be at least 1, but is {modes}.")
    u = oxide_capacity * as_scalar(oxide) / (film_capacity * as_scalar(film))
    unit = oxide**2 * (oxide_capacity / as_scalar(conductivity))
    if modes is None and not (is_known(u) and is_known(unit)):
        raise ValueError("`modes` must be given where thicknesses or constants are traced: their number depends on them.")
    z = _roots(u, _TERMS if modes is None else _TAIL * modes)
    shares = 2 / (z**2 * (1 + 1 / u + z**2 / u**2))
    if modes is None:
        modes = _enough(np.asarray(shares, float), np.asarray(unit / z**2, float), shortest)
    total, late = oxide / (conductivity * as_scalar(length) * width), slice(modes - 1, _TAIL * modes)
    mean_time = jnp.sum(shares[late] / z[late] ** 2) / jnp.sum(shares[late])
    resistances = total * shares[:modes].at[-1].set(1 - jnp.sum(shares[: modes - 1]))
    return JouleHeating(resistances, unit * (1 / z[:modes] ** 2).at[-1].set(mean_time))


film_on_oxide = metal_on_oxide


def _enough(shares: np.ndarray, times: np.ndarray, shortest: float) -> int:
    """Fewest modes with which the rise of all of them (shapes (terms,), s) is found within 1 % from `shortest` (s) on."""
    t = np.geomspace(shortest, shortest + 10 * times[0], _TRIED)
    risen = -np.expm1(-t[:, None] / times) * shares
    tail, weighted = (np.cumsum(x[::-1])[::-1][:_MOST] for x in (shares, shares * times))
    before = np.cumsum(risen, axis=1)[:, :_MOST] - risen[:, :_MOST]
    found = before - tail * np.expm1(-t[:, None] * tail / weighted)
    enough = np.flatnonzero(np.max(np.abs(found / np.sum(risen, axis=1, keepdims=True) - 1), axis=0) <= _WITHIN)
    if len(enough) == 0:
        raise ValueError(f"`shortest` of {shortest:g} s asks for more than {_MOST} modes.")
    return int(enough[0]) + 1


def _roots(u: Scalar, number: int) -> Float[Array, " number"]:
    """The first roots of z tan z = u, in ((k - 1) pi, (k - 1/2) pi); differentiable by a last step of Newton's."""
    low = np.pi * jnp.arange(number, dtype=u.dtype)
    fixed = jax.lax.stop_gradient(u)

    def below(z):
        return z * jnp.sin(z) * jnp.cos(low) <= fixed * jnp.cos(z) * jnp.cos(low)

    z = bisected(below, low, low + np.pi / 2, _HALVINGS)
    value, slope = z * jnp.sin(z) - u * jnp.cos(z), (1 + u) * jnp.sin(z) + z * jnp.cos(z)
    return z - value / jax.lax.stop_gradient(slope)
