"""The heated neuron: a device whose temperature is the membrane, pulsed, read and reset in slots of time."""

from __future__ import annotations

from typing import Annotated, Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from mtjax.checks import Count, Within
from mtjax.devices import Device, JouleHeating, metal_on_oxide
from mtjax.nn.elements.neurons import AbstractNeuron, Fired, Values
from mtjax.nn.estimators import AbstractEstimator
from mtjax.nn.laws import HeatedLaw
from mtjax.numerics import bisected, gauss_legendre, softplus_inverse
from mtjax.printing import Shown, with_unit
from mtjax.quantities import Scalar, as_scalar, is_known, quantity

Rises = Float[Array, "modes *shape"]


class OnOxide(Shown):
    """Heat that leaves a metal film through an oxide, as numbers that can be trained: `metal_on_oxide` of them at each use.

    - `oxide`, `film`: thicknesses, m; `length`, `width`: of the film, m.
    - `conductivity`: of the oxide, W/(m K); `modes`: how many cooling times are kept.

    >>> import mtjax as mtj
    >>> for oxide in (100e-9, 200e-9):
    ...     heating = mtj.nn.OnOxide(oxide, film=20e-9, length=200e-9, width=200e-9).heating
    ...     print(f"{1e9 * heating.time.max():.1f} ns")
    8.5 ns
    26.0 ns
    """

    oxide: Scalar = quantity("m", positive=True)
    film: Scalar = quantity("m", positive=True)
    length: Scalar = quantity("m", positive=True)
    width: Scalar = quantity("m", positive=True)
    conductivity: Scalar = quantity("W/(m K)", positive=True, default=1.4)
    modes: Count = eqx.field(static=True, default=3)

    @property
    def heating(self) -> JouleHeating:
        """Thermal resistances and cooling times; differentiable in every number."""
        return metal_on_oxide(
            length=self.length, width=self.width, oxide=self.oxide, film=self.film, conductivity=self.conductivity,
            modes=self.modes,
        )  # fmt: skip


class Warmth(Shown):
    """State of heated neurons.

    - `rises`: of the modes over the surroundings, shape (modes, *neurons), K.
    - `wait`: slots for which each takes no input, shape (*neurons,).
    """

    rises: Rises
    wait: Values


class HeatedNeuron(AbstractNeuron):
    """A leaky integrate-and-fire neuron that is a heated device: Joule heat is integrated, cooling is the leak.

    Time goes in slots of `interval`. In each a pulse of current bias + scale x, within the domain of `law`, is written for
    `law.width`; its heat R I^2 enters the modes of `heating`. The device switches with the hazard of its law at that current
    and at the temperatures of the pulse, is read at the end of the slot, and after a spike takes no input for `refractory`
    slots, in the first of which a pulse of `reset_current` sets it back, and warms it. Heat outlives the reset: it cools by
    itself. After Kurenkov et al., Adv. Mater. 31, 1900636 (2019).

    - `law`: of one pulse at one temperature; `heating`: a `JouleHeating` or `OnOxide`.
    - `bias`, `scale`: current at input 0, and per unit of input, A; scalars or one for every neuron.
    - `resistance`: of the write path, ohm; `ambient`: temperature of the surroundings, K.
    - `interval`: from slot to slot, s; `reset_current`: A, for as long as a write pulse.
    - `refractory`: slots without input after a spike; `nodes`: temperatures in a pulse that are looked at.

    Raises `ValueError` where the interval is shorter than the pulse.

    >>> import jax.numpy as jnp
    >>> import mtjax as mtj
    >>> film = mtj.presets.kurenkov2019_neuron()
    >>> neuron = mtj.nn.HeatedNeuron.of(film.cell, mtj.nn.kurenkov2019_law(), interval=10e-9)
    >>> print(neuron)
    HeatedNeuron: bias 510.3 uA, 22.34 uA per unit of input, slots of 10 ns, cooling in 8.488 ns
    >>> state, u, how = neuron.init((1,)), jnp.full(1, 0.9), mtj.nn.StraightThrough()
    >>> for _ in range(4):
    ...     fired, state = neuron(jnp.full(1, 2.0), state, uniforms=u, estimator=how)
    ...     print(f"P = {1 / (1 + jnp.exp(-fired.logit[0])):.4f}, then {state.rises.sum():.1f} K warmer")
    P = 0.0098, then 32.3 K warmer
    P = 0.1642, then 42.2 K warmer
    P = 0.3466, then 45.2 K warmer
    P = 0.4228, then 46.2 K warmer
    """

    law: HeatedLaw
    heating: JouleHeating | OnOxide
    bias: Array = quantity("A")
    scale: Array = quantity("A", positive=True)
    resistance: Scalar = quantity("ohm", positive=True)
    interval: Scalar = quantity("s", positive=True)
    reset_current: Scalar = quantity("A", default=-0.5e-3)
    ambient: Scalar = quantity("K", positive=True, default=300.0)
    refractory: Annotated[int, Within(least=1)] = eqx.field(static=True, default=1)
    nodes: Annotated[int, Within(least=1)] = eqx.field(static=True, default=2)

    @staticmethod
    def of(
        device: Device, law: HeatedLaw, *, interval: ArrayLike, p: ArrayLike = 0.05, slope: ArrayLike = 1.0, **others: Any
    ) -> HeatedNeuron:
        """On `device`, biased to fire with probability `p` when kept at input 0, with d(logit)/dx = `slope` of a pulse there.

        - `interval`: s; `others`: fields by name, such as `heating` in place of the device's.

        Raises `ValueError` where the device has no heating and none is given.
        """
        heating = others.pop("heating", device.heating)
        if heating is None:
            raise ValueError("A HeatedNeuron must be on a device with `heating`, but this one has none.")
        fields = {"resistance": device.write_resistance, "ambient": device.temperature, "interval": interval, **others}
        start = HeatedNeuron(law, heating, law.domain[0], 1.0, **fields)
        target = jnp.log(as_scalar(p)) - jnp.log1p(-as_scalar(p))
        low, high = (jnp.full_like(target, end) for end in law.domain)
        bias = bisected(lambda current: start.steady(current)[0] < target, low, high, 40)
        rises = start.steady(bias)[1]
        slope_there = jax.grad(lambda i: start.pulsed(i, rises)[0])(bias)
        return eqx.tree_at(lambda n: (n.bias, n.scale), start, (bias, as_scalar(slope) / slope_there))

    def __check_init__(self):
        if is_known(self.interval) and is_known(self.law.width) and self.interval < self.law.width:
            given, least = (with_unit(x, "s") for x in (self.interval, self.law.width))
            raise ValueError(f"`interval` must be at least the pulse's width, {least}, but is {given}.")

    def __str__(self) -> str:
        """Bias, scale, times."""
        cooling = with_unit(jnp.max(self.cooling.time), "s")
        return (
            f"HeatedNeuron: bias {with_unit(self.bias, 'A')}, {with_unit(self.scale, 'A')} per unit of input, "
            f"slots of {with_unit(self.interval, 's')}, cooling in {cooling}"
        )

    @property
    def cooling(self) -> JouleHeating:
        """Thermal resistances and cooling times."""
        return self.heating if isinstance(self.heating, JouleHeating) else self.heating.heating

    def ready(self) -> HeatedNeuron:
        """With its cooling times worked out: a network does this once, before its time-steps."""
        return eqx.tree_at(lambda n: n.heating, self, self.cooling)

    def init(self, shape: tuple[int, ...]) -> Warmth:
        """Cold, and free to be written."""
        modes = jnp.size(self.cooling.time)
        return Warmth(jnp.zeros((modes, *shape)), jnp.zeros(shape))

    def pulsed(self, current: Values, rises: Rises) -> tuple[Values, Rises]:
        """Logit of the probability that a pulse of `current` (A) switches, and the rises (K) one interval after its start."""
        R, tau = self._modes(rises)
        power, (width, counts) = (self.resistance * current**2).astype(rises.dtype), self._lengths(rises)
        t, w = (jnp.asarray(x, rises.dtype) for x in gauss_legendre(self.nodes))
        shares = jnp.reshape(t, (-1, 1, *(1,) * power.ndim))
        warm = jnp.sum(_later(rises, R * power, counts * shares / tau), axis=1)
        drive = jnp.broadcast_to(current.astype(rises.dtype), warm.shape)
        logits = self.law.logit(drive, self.ambient.astype(rises.dtype) + warm)
        hazard = jnp.tensordot(w, jax.nn.softplus(logits), 1)
        return softplus_inverse(hazard), self._cooled(_later(rises, R * power, width / tau))

    def steady(self, current: Values) -> tuple[Values, Rises]:
        """Logit and rises (K) before a pulse, when pulses of `current` (A) have gone on for long without a spike."""
        ready, current = self.ready(), jnp.asarray(current)
        rises = jnp.zeros((jnp.size(ready.cooling.time), *current.shape), current.dtype)
        R, tau = ready._modes(rises)
        gained = ready._cooled(_later(rises, R * (self.resistance * current**2), self.law.width / tau))
        rises = gained / -jnp.expm1(-self.interval / tau)
        return ready.pulsed(current, rises)[0], rises

    def _modes(self, rises: Array) -> tuple[Array, Array]:
        """Thermal resistances and cooling times, in the shape of `rises`."""
        heating = self.cooling
        shape = (-1, *(1,) * (rises.ndim - 1))
        return jnp.reshape(heating.resistance, shape).astype(rises.dtype), jnp.reshape(heating.time, shape).astype(rises.dtype)

    def _lengths(self, rises: Array) -> tuple[Array, Array]:
        """Of the pulse, and of its part that counts, s."""
        width, late = self.law.width.astype(rises.dtype), self.law.late.astype(rises.dtype)
        return width, width - late

    def _cooled(self, rises: Array) -> Array:
        """From the end of a pulse to the next slot."""
        return rises * jnp.exp(-(self.interval - self.law.width).astype(rises.dtype) / self._modes(rises)[1])

    def current(self, x: Values) -> Values:
        """Write current at input `x`, A: inside the law's domain; at its limits the slope is zero."""
        return jnp.clip(self.bias.astype(x.dtype) + self.scale.astype(x.dtype) * x, *self.law.domain)

    def __call__(self, x: Values, state: Any, *, uniforms: Values, estimator: AbstractEstimator) -> tuple[Fired, Warmth]:
        """Write while warm, read; reset in the next slot after a spike."""
        free, resetting = state.wait <= 0, state.wait >= self.refractory
        current = self.current(x).astype(state.wait.dtype)
        logit, warmed = self.pulsed(current, state.rises)
        spikes = estimator.spike(logit, uniforms) * free
        R, tau = self._modes(state.rises)
        power = jnp.where(resetting, self.resistance * self.reset_current**2, 0.0).astype(warmed.dtype)
        idle = self._cooled(_later(state.rises, R * power, self.law.width.astype(warmed.dtype) / tau))
        rises = jnp.where(free, warmed, idle)
        wait = jnp.where(jax.lax.stop_gradient(spikes) > 0.5, float(self.refractory), jnp.maximum(state.wait - 1, 0.0))
        flowing = jnp.where(free, current, 0.0)
        return Fired(spikes, logit, flowing), Warmth(rises, wait.astype(state.wait.dtype))


def _later(rises: Array, steady: Array, times: Array) -> Array:
    """The modes `times` cooling times later, on their way to `steady`."""
    return steady + (rises - steady) * jnp.exp(-times)
