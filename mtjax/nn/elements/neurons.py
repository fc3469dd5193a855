"""Neurons: equinox modules `(x, state) -> (fired, state)`, x the input from a synapse in units of `scale`."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from mtjax.checks import Seconds, SecondsFromZero
from mtjax.devices import Device
from mtjax.dynamics import settling_time, simulate, threefry
from mtjax.nn.estimators import AbstractEstimator, with_slope
from mtjax.nn.laws import AbstractLaw
from mtjax.printing import Shown, with_unit
from mtjax.pulses import Pulse
from mtjax.quantities import Scalar, as_scalar, quantity

Values = Float[Array, "*shape"]


class Fired(Shown):
    """What a layer of neurons did in one time-step.

    - `spikes`: 0 or 1 (an estimator may put something smooth in their place).
    - `logit`: of their probabilities.
    - `current`: write current of each neuron, A.

    >>> import jax.numpy as jnp
    >>> import mtjax as mtj
    >>> neuron = mtj.nn.ClockedNeuron.of(mtj.nn.sengupta2016_law())
    >>> x, u = jnp.array([0.0, 4.0]), jnp.full(2, 0.7)
    >>> fired, _ = neuron(x, None, uniforms=u, estimator=mtj.nn.StraightThrough())
    >>> print(", ".join(f"{b:.0f} after {1e6 * i:.1f} uA" for b, i in zip(fired.spikes, fired.current)))
    0 after 70.8 uA, 1 after 121.2 uA
    """

    spikes: Values
    logit: Values
    current: Values


class TrajectorySampler(Shown):
    """Device in the loop: whether a neuron switches is found by integrating its stochastic LLG equation.

    - `device`: what is integrated.
    - `width`: of the write pulse, s.
    - `relax`: time from its end to the read-out, s; `None` for `settling_time(device)`.
    - `dt`: longest step, s; `None` for the default of `simulate`.

    >>> import mtjax as mtj
    >>> device, law = mtj.presets.sengupta2016(), mtj.nn.sengupta2016_law()
    >>> sampler = mtj.nn.TrajectorySampler(device, width=0.5e-9)
    >>> neuron = mtj.nn.ClockedNeuron(law, bias=law.drive_at(0.5), scale=10e-6, sampler=sampler)
    >>> print(f"{neuron}; read {1e9 * mtj.settling_time(device):.2f} ns after the pulse")
    ClockedNeuron: bias 70.78 uA, 10 uA per unit of input; read 2.32 ns after the pulse
    """

    device: Device
    width: Scalar = quantity("s", positive=True)
    relax: SecondsFromZero | None = eqx.field(static=True, default=None)
    dt: Seconds | None = eqx.field(static=True, default=None)

    def __call__(self, current: Values, uniforms: Values, side: Values | None = None) -> Values:
        """1 where the device is on the far side after a pulse of `current` (A); the uniforms seed its thermal noise.

        - `side`: from where each starts, 0 or 1, at the bottom of that well; `None` for thermal equilibrium in well 0.
        """
        relax = settling_time(self.device) if self.relax is None else self.relax

        def one(current, seed, side):
            pulse, key = Pulse(current, self.width), jax.random.wrap_key_data(seed)
            start = None if side is None else (1 - 2 * side) * self.device.start
            end = simulate(self.device, pulse, self.width + relax, key=key, save=1, start=start, dt=self.dt, chunk=1)
            return end.ms[0, 0] @ self.device.start < 0

        flat = (jax.lax.stop_gradient(current).ravel(), _seeds(uniforms.ravel()), None if side is None else side.ravel())
        return jax.vmap(one)(*flat).reshape(current.shape).astype(current.dtype)

    def over(self, spikes: Values, current: Values, uniforms: Values, side: Values | None = None) -> Values:
        """The integrated spikes in value, with the slope of `spikes`."""
        return with_slope(self(current, uniforms, side), spikes)


def _seeds(u: Array) -> Array:
    """Two words for every uniform number, of which 24 bits are random, and its place; shape (n, 2)."""
    words = (u * 2**24).astype(jnp.uint32)
    zero = jnp.uint32(0)
    return jnp.stack(threefry(zero, zero, words, jnp.arange(u.size, dtype=jnp.uint32)), axis=-1)


class AbstractNeuron(Shown):
    """A layer of like neurons, with a state from one time-step to the next where they have a memory.

    >>> import jax.numpy as jnp
    >>> from mtjax import nn
    >>> law, x, how = nn.sengupta2016_law(), jnp.ones(1), {"uniforms": jnp.ones(1), "estimator": nn.StraightThrough()}
    >>> for neuron in (nn.ClockedNeuron.of(law), nn.IntegratingNeuron(law, 50e-6, 10e-6), nn.FreeRunningNeuron()):
    ...     fired, _ = neuron(x, neuron.init((1,)), **how)
    ...     print(f"{type(neuron).__name__}: {1e6 * fired.current[0]:.1f} uA, logit {fired.logit[0]:.2f}")
    ClockedNeuron: 83.4 uA, logit 0.92
    IntegratingNeuron: 60.0 uA, logit -0.95
    FreeRunningNeuron: 2.5 uA, logit 1.00
    """

    @abstractmethod
    def init(self, shape: tuple[int, ...]) -> Any:
        """The state at rest of neurons of this shape."""

    @abstractmethod
    def __call__(self, x: Values, state: Any, *, uniforms: Values, estimator: AbstractEstimator) -> tuple[Fired, Any]:
        """What they do with input `x`, and their next state."""


class ClockedNeuron(AbstractNeuron):
    """The probabilistic (stochastic, binary) neuron: write with bias + scale x, read whether it switched, reset; no memory.

    The write driver is limited to the domain of the law. Sengupta et al., IEEE TED 63, 2963 (2016).

    - `law`: switching probability against current.
    - `bias`: current at input 0, A; a scalar or one for every neuron.
    - `scale`: current per unit of input, A.
    - `sampler`: `None` draws spikes from the law; a `TrajectorySampler` integrates every neuron instead, while derivatives
      are those of the law.

    >>> import jax
    >>> import mtjax as mtj
    >>> neuron = mtj.nn.ClockedNeuron.of(mtj.nn.sengupta2016_law(), p=0.5)
    >>> print(neuron)
    ClockedNeuron: bias 70.78 uA, 12.61 uA per unit of input
    >>> p = jax.nn.sigmoid(neuron.logit(jax.numpy.array([-2.0, 0.0, 2.0])))
    >>> print(", ".join(f"{x:.3f}" for x in p))
    0.060, 0.500, 0.851
    """

    law: AbstractLaw
    bias: Array = quantity("A")
    scale: Array = quantity("A", positive=True)
    sampler: TrajectorySampler | None = None

    @staticmethod
    def of(law: AbstractLaw, *, p: ArrayLike = 0.5, slope: ArrayLike = 1.0) -> ClockedNeuron:
        """Biased to fire with probability `p` at input 0, with d(logit)/dx = `slope` there."""
        bias = law.drive_at(p)
        steepness = jax.grad(lambda i: law.logit(i))(bias)
        return ClockedNeuron(law, bias, as_scalar(slope) / steepness)

    def __str__(self) -> str:
        """Bias and scale."""
        return f"ClockedNeuron: bias {with_unit(self.bias, 'A')}, {with_unit(self.scale, 'A')} per unit of input"

    def init(self, shape: tuple[int, ...]) -> None:
        """No state."""

    def current(self, x: Values) -> Values:
        """Write current at input `x`, A: inside the law's domain; at its limits the slope is zero."""
        low, high = self.law.domain
        free = self.bias.astype(x.dtype) + self.scale.astype(x.dtype) * x
        return jnp.clip(free, low, high)

    def logit(self, x: Values) -> Values:
        """Logit of the switching probability at input `x`."""
        return self.law.logit(self.current(x))

    def __call__(self, x: Values, state: Any, *, uniforms: Values, estimator: AbstractEstimator) -> tuple[Fired, Any]:
        """Write, read, reset."""
        current = self.current(x)
        logit = self.law.logit(current)
        spikes = estimator.spike(logit, uniforms)
        if self.sampler is not None:
            spikes = self.sampler.over(spikes, current, uniforms)
        return Fired(spikes, logit, current), state


class IntegratingNeuron(AbstractNeuron):
    """A leaky integrate-and-fire neuron whose membrane is the temperature of a spin-orbit-torque dot.

    Every write pulse heats the dot by `resistance` I^2 `width` / `heat_capacity`; it cools with `cooling_time` until the
    next time-step. Heat lowers the switching current: the law sees the current times 1 + rise / `softening`, the first
    order of a barrier and moment that fall with temperature. After a spike the dot is reset and cools to rest. The form of
    the law of heat is assumed (a single time constant); `mtjax` devices with heating have the full one.

    With a `synaptic_time` the input is first summed by a synapse that forgets: i = x + i_before exp(-interval / synaptic_time)
    takes the place of x, and outlives a spike; the state is then the pair of rise and i. The heat goes with the square of
    the current: inputs that are small beside the bias are integrated as by the usual linear membrane.

    - `law`: at rest; `bias`, `scale`: A, as for `ClockedNeuron`.
    - `resistance`: ohm; `width`: of the pulse, s; `interval`: between time-steps, s.
    - `heat_capacity`: J/K; `cooling_time`: s; `softening`: K.
    - `synaptic_time`: of the synaptic current, s; `None`: the input acts in its own time-step only.
    - `sampler`: as for `ClockedNeuron`; it integrates the device at the current that the law sees.

    >>> import jax.numpy as jnp
    >>> import mtjax as mtj
    >>> neuron = mtj.nn.IntegratingNeuron(mtj.nn.sengupta2016_law(), bias=50e-6, scale=10e-6)
    >>> u, rise = jnp.ones(1), neuron.init((1,))
    >>> for _ in range(3):
    ...     fired, rise = neuron(jnp.zeros(1), rise, uniforms=u, estimator=mtj.nn.StraightThrough())
    ...     print(f"P = {1 / (1 + jnp.exp(-fired.logit[0])):.3f}, then {rise[0]:.1f} K warmer")
    P = 0.109, then 9.6 K warmer
    P = 0.130, then 15.0 K warmer
    P = 0.144, then 18.2 K warmer
    >>> neuron = mtj.nn.IntegratingNeuron(mtj.nn.sengupta2016_law(), bias=50e-6, scale=1e-6, synaptic_time=20e-9)
    >>> state = neuron.init((1,))
    >>> for _ in range(3):
    ...     fired, state = neuron(jnp.ones(1), state, uniforms=u, estimator=mtj.nn.StraightThrough())
    ...     print(f"{1e6 * fired.current[0]:.2f} uA")
    51.00 uA
    51.78 uA
    52.39 uA
    """

    law: AbstractLaw
    bias: Array = quantity("A")
    scale: Array = quantity("A", positive=True)
    resistance: Scalar = quantity("ohm", positive=True, default=400.0)
    width: Scalar = quantity("s", positive=True, default=0.5e-9)
    interval: Scalar = quantity("s", positive=True, default=5e-9)
    heat_capacity: Scalar = quantity("J/K", positive=True, default=3e-17)
    cooling_time: Scalar = quantity("s", positive=True, default=9e-9)
    softening: Scalar = quantity("K", positive=True, default=300.0)
    sampler: TrajectorySampler | None = None
    synaptic_time: Scalar | None = quantity("s", positive=True, default=None)

    def init(self, shape: tuple[int, ...]) -> Values | tuple[Values, Values]:
        """Temperature above the surroundings, K: none; with a synaptic current, of none."""
        return jnp.zeros(shape) if self.synaptic_time is None else (jnp.zeros(shape), jnp.zeros(shape))

    def __call__(self, x: Values, state: Any, *, uniforms: Values, estimator: AbstractEstimator) -> tuple[Fired, Any]:
        """Write while warm, read, reset; `state` is the rise in temperature, K, and the synaptic current where there is one."""
        if self.synaptic_time is None:
            return self._written(x, state, uniforms, estimator)
        rise, before = state
        flowing = (x + before * jnp.exp(-self.interval / self.synaptic_time)).astype(before.dtype)
        fired, rise = self._written(flowing, rise, uniforms, estimator)
        return fired, (rise, flowing)

    def _written(self, x: Values, state: Values, uniforms: Values, estimator: AbstractEstimator) -> tuple[Fired, Values]:
        low, high = self.law.domain
        current = jnp.clip(self.bias + self.scale * x, low, high)
        seen = jnp.clip(current * (1 + state / self.softening), low, high)
        logit = self.law.logit(seen)
        spikes = estimator.spike(logit, uniforms)
        if self.sampler is not None:
            spikes = self.sampler.over(spikes, seen, uniforms)
        heated = state + self.resistance * current**2 * self.width / self.heat_capacity
        rise = heated * jnp.exp(-self.interval / self.cooling_time) * (1 - jax.lax.stop_gradient(spikes))
        return Fired(spikes, logit, current), rise.astype(state.dtype)


class FreeRunningNeuron(AbstractNeuron):
    """A superparamagnetic junction that hops by itself (telegraph noise): a p-bit. Its input tilts the odds.

    It remembers its last side.

    In equilibrium P(up) = sigmoid(2 I / `unit`); over one `interval` the side is forgotten by exp(-interval/lifetime),
    with lifetime 1/(rate up + rate down) = `correlation_time` / cosh(I / `unit`), the two-state (Neel-Brown) model.
    Camsari, Faria, Sutton and Datta, Phys. Rev. X 7, 031014 (2017), recalled.

    - `unit`: current that changes the barrier by kT, A; `scale`: current per unit of input, A.
    - `correlation_time`: at zero current, s; `interval`: between time-steps, s.
    - `sampler`: as for `ClockedNeuron`; its `width` should be the interval and its `relax` 0. It carries the side over, not
      the direction: the interval has to be long against the relaxation time.

    >>> import jax.numpy as jnp
    >>> import mtjax as mtj
    >>> neuron = mtj.nn.FreeRunningNeuron(correlation_time=5e-9, interval=5e-9)
    >>> x, up, u = jnp.array([-2.0, 0.0, 2.0]), jnp.ones(3), jnp.full(3, 0.5)
    >>> fired, up = neuron(x, up, uniforms=u, estimator=mtj.nn.StraightThrough())
    >>> print("P(up) = " + ", ".join(f"{p:.3f}" for p in 1 / (1 + jnp.exp(-fired.logit))))
    P(up) = 0.307, 0.684, 0.906
    """

    unit: Scalar = quantity("A", positive=True, default=5e-6)
    scale: Scalar = quantity("A", positive=True, default=2.5e-6)
    correlation_time: Scalar = quantity("s", positive=True, default=1e-9)
    interval: Scalar = quantity("s", positive=True, default=5e-9)
    sampler: TrajectorySampler | None = None

    def init(self, shape: tuple[int, ...]) -> Values:
        """Half up: the equilibrium without input. A sampler starts on side 0."""
        return jnp.full(shape, 0.5 if self.sampler is None else 0.0)

    def __call__(self, x: Values, state: Values, *, uniforms: Values, estimator: AbstractEstimator) -> tuple[Fired, Values]:
        """Hop for one interval; `state` is the side, 0 or 1."""
        current = self.scale * x
        up = jax.nn.sigmoid(2 * current / self.unit)
        memory = jnp.exp(-(self.interval / self.correlation_time) * jnp.cosh(jnp.clip(current / self.unit, -30, 30)))
        p = jnp.clip(up + (jax.lax.stop_gradient(state) - up) * memory, 1e-7, 1 - 1e-7)
        logit = jnp.log(p) - jnp.log1p(-p)
        spikes = estimator.spike(logit, uniforms)
        if self.sampler is not None:
            spikes = self.sampler.over(spikes, current, uniforms, jax.lax.stop_gradient(state))
        return Fired(spikes, logit, current), jax.lax.stop_gradient(spikes).astype(state.dtype)
