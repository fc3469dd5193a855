"""The stochastic Landau-Lifshitz-Gilbert equation of one macrospin or several coupled ones, in nanoseconds and tesla.

dm/dt = -gamma m x B + alpha m x dm/dt, where every effect is an effective field; explicitly
dm/dt = -gamma/(1 + alpha^2) [m x B + alpha m x (m x B)], with Brown's thermal field in B (Stratonovich).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, overload

import jax
import jax.numpy as jnp
import lineax as lx
from jaxtyping import Array, ArrayLike

from mtjax.constants import NS
from mtjax.devices import Device, Drive, Magnet, Stack, ThermalHistory, total_field
from mtjax.dynamics.noise import LayeredPath, StepPath
from mtjax.printing import Shown
from mtjax.pulses import AbstractPulse
from mtjax.quantities import Scalar
from mtjax.vector import Layered, Vector


def rate(m: Any, B: Any, alpha: Any) -> Any:
    """-(m x B + alpha m x (m x B)): times gamma / (1 + alpha^2), the LLG equation.

    >>> from mtjax import Vector
    >>> from mtjax.dynamics import rate
    >>> m, B = Vector(1.0, 0.0, 0.0), Vector(0.0, 0.0, 0.5)  # along x, in a field of 0.5 T along z
    >>> [f"{x:.2f}" for x in rate(m, B, 0.1).array() + 0.0]  # T: precession from x to y, damping towards the field
    ['0.00', '0.50', '0.05']
    """
    torque = m.cross(B)
    return -(torque + alpha * m.cross(torque))


class Instant(Shown):
    """What a step needs to know.

    - `spread`: of the random rotation, rad.
    - `drive`: its mean; `change`: how much it grows from the step's begin to its end.
    - `magnet`: the layer's numbers at the middle.

    >>> import mtjax as mtj
    >>> device = mtj.presets.perpendicular_stt(40.0)
    >>> dynamics = mtj.dynamics.prepare(device, mtj.Pulse(20e-6, 5e-9), 1e-12)
    >>> print(f"{dynamics.at(100).drive.current * 1e6:.0f} uA")
    20 uA
    """

    spread: Scalar | Layered
    drive: Drive | Layered
    change: Drive | Layered
    magnet: Magnet | Layered

    def during(self, share: Any) -> Drive | Layered:
        """The drive when a `share` of the step is over: the straight line with the step's mean and first moment.

        (With the mean alone the scheme would be of second order in the time that the drive takes to change.)
        """
        return jax.tree.map(lambda mean, change: mean + (share - 0.5) * change, self.drive, self.change)


def widened(spread: Any) -> Any:
    """The standard deviation of the numbers in a Cayley rotation that diffuses by `spread` (rad) about each axis.

    The rotation by tan(angle / 2) = |w| / 2 falls short of |w|: with this width E[m.m'] = exp(-spread^2) holds to the order
    spread^4, as for Brownian motion, and a step of weak order 2 is one. Without it the temperature would be too low by
    3/4 spread^2.

    >>> from mtjax.dynamics import widened
    >>> f"{widened(0.1):.5f}"
    '0.10037'
    """
    return spread * (1 + 0.75 * spread**2) ** 0.5


class Dynamics(Shown):
    """A device under a pulse, ready for a solver: its drift and noise, with time counted in steps of `dt` seconds.

    Over half steps the current is averaged exactly (`AbstractPulse.mean`), so that edges may fall inside a step. The
    temperature, and with it Ms, Bk and the noise, is that at the middle of the step.

    - `device`, `pulse`: what moves, and under what.
    - `magnet`: at the temperature of the surroundings; `history`: the temperature, where the device is heated.

    >>> import mtjax as mtj
    >>> device = mtj.presets.perpendicular_stt(40.0)
    >>> dynamics = mtj.dynamics.prepare(device, mtj.off(), 1e-12)
    >>> f"{1e3 * dynamics.spread(device.temperature):.2f} mrad"  # the random rotation about each axis in 1 ps
    '3.11 mrad'
    """

    device: Device
    magnet: Magnet
    pulse: AbstractPulse
    dt: Scalar
    history: ThermalHistory | None

    def temperature(self, step: Any) -> Scalar:
        """Temperature at `step`, K."""
        return self.device.temperature if self.history is None else self.history(step * self.dt)

    def drive(self, step: Any, span: ArrayLike = 1.0) -> Drive:
        """The drive averaged over `span` steps from `step` on."""
        return self.device.drive(self.pulse.mean(step * self.dt, span * self.dt), self.temperature(step + span / 2))

    def angle(self, span: ArrayLike = 1.0) -> Scalar:
        """Gamma / (1 + alpha^2) times the duration of `span` steps, rad/T: turns a rate into an increment."""
        return self.magnet.gamma * (self.dt / NS) * span

    def at(self, step: Any, ahead: float = 0.5) -> Instant:
        """The random rotation of `step`, and what drives the drift over one step from `ahead` steps later on."""
        begin = step + ahead
        drive, early, late = self.drive(begin), self.drive(begin, 0.5), self.drive(begin + 0.5, 0.5)
        change = jax.tree.map(lambda a, b: 2 * (b - a), early, late)
        return Instant(self.spread(self.temperature(step + 0.5)), drive, change, self.magnet_at(drive.temperature))

    def rate(self, m: Vector, drive: Drive, magnet: Magnet | None = None) -> Vector:
        """-(m x B + alpha m x (m x B)) with all effective fields but the thermal one, T; `magnet`: at their temperature."""
        magnet = self.magnet_at(drive.temperature) if magnet is None else magnet
        return rate(m, total_field(self.device.terms, m, magnet, drive), magnet.alpha)

    def magnet_at(self, temperature: Scalar) -> Magnet:
        """The layer's numbers at a `temperature` (K) that the device takes under the pulse."""
        return self.magnet if self.history is None else self.device.layer.warmed(self.magnet, temperature)

    def spread(self, temperature: Scalar) -> Scalar:
        """Root of 2 D dt: the standard deviation of the random rotation about each axis in one step, rad."""
        variance = 2 * self.magnet_at(temperature).diffusion(temperature) * (self.dt / NS)
        return jnp.where(variance > 0, jnp.sqrt(jnp.where(variance > 0, variance, 1.0)), 0.0)

    @property
    def alpha(self) -> Scalar:
        """Gilbert damping."""
        return self.magnet.alpha

    def drive_at(self, t: Any) -> Drive:
        """The drive at time `t` (in steps)."""
        return self.device.drive(self.pulse(t * self.dt), self.temperature(t))

    def precession(self, t: Any, m: Vector, args: Any) -> Vector:
        """dm per step at time `t` (in steps) without noise: the vector field for ordinary solvers."""
        del args
        return self.angle() * self.rate(m, self.drive_at(t))

    def path(self, key: Any, sample: Any, normal: Callable[[Any], Any]) -> StepPath:
        """The noise of a sample."""
        return StepPath(key, sample, normal)

    def state(self, directions: Array) -> Vector:
        """The magnetisation of unit vectors, shape (3,)."""
        return Vector.of(directions)


class StackDynamics(Shown):
    """A stack under a pulse, ready for a solver: every layer's drift in the field of all others, at every stage of a step.

    What `Dynamics` says of one spin is `Layered` here.

    - `device`, `pulse`: what moves, and under what; `dt`: the step, s.
    - `layers`: the dynamics of every layer by itself.

    >>> import mtjax as mtj
    >>> layer = mtj.presets.perpendicular_stt(40.0)
    >>> stack = mtj.Stack((layer, layer), (mtj.InterlayerExchange(-1e-4),))
    >>> dynamics = mtj.dynamics.prepare(stack, mtj.off(), 1e-12)
    >>> [f"{1e3 * spread:.2f} mrad" for spread in dynamics.at(0).spread.each]
    ['3.11 mrad', '3.11 mrad']
    """

    device: Stack
    pulse: AbstractPulse
    dt: Scalar
    layers: tuple[Dynamics, ...]

    def _each(self, of: Callable[[Dynamics], Any]) -> Layered:
        return Layered(tuple(of(layer) for layer in self.layers))

    def drive(self, step: Any, span: ArrayLike = 1.0) -> Layered:
        """The drives averaged over `span` steps from `step` on."""
        return self._each(lambda layer: layer.drive(step, span))

    def drive_at(self, t: Any) -> Layered:
        """The drives at time `t` (in steps)."""
        return self._each(lambda layer: layer.drive_at(t))

    def angle(self, span: ArrayLike = 1.0) -> Layered:
        """Gamma / (1 + alpha^2) times the duration of `span` steps, rad/T."""
        return self._each(lambda layer: layer.angle(span))

    def at(self, step: Any, ahead: float = 0.5) -> Instant:
        """The random rotations of `step`, and what drives the drift over one step from `ahead` steps later on."""
        each = [layer.at(step, ahead) for layer in self.layers]
        parts = zip(*((now.spread, now.drive, now.change, now.magnet) for now in each), strict=True)
        spreads, *rest = map(Layered, parts)
        return Instant(spreads, *rest)

    def rate(self, m: Layered, drive: Layered, magnet: Layered | None = None) -> Layered:
        """-(m x B + alpha m x (m x B)) with all effective fields but the thermal ones, T."""
        if magnet is None:
            pairs = zip(self.layers, drive.each, strict=True)
            magnet = Layered(tuple(layer.magnet_at(now.temperature) for layer, now in pairs))
        return rate(m, self.device.field(m, drive, magnet), self.alpha)

    @property
    def alpha(self) -> Layered:
        """Gilbert damping."""
        return self._each(lambda layer: layer.alpha)

    def precession(self, t: Any, m: Layered, args: Any) -> Layered:
        """dm per step at time `t` (in steps) without noise: the vector field for ordinary solvers."""
        del args
        return self.angle() * self.rate(m, self.drive_at(t))

    def path(self, key: Any, sample: Any, normal: Callable[[Any], Any]) -> LayeredPath:
        """The noise of a sample: every layer's under a key of its own."""
        keys = [jax.random.fold_in(key, number) for number in range(len(self.layers))]
        return LayeredPath(tuple(StepPath(key, sample, normal) for key in keys))

    def state(self, directions: Array) -> Layered:
        """The magnetisation of unit vectors, shape (layers, 3)."""
        return Layered.of(directions)


@overload
def prepare(device: Device, pulse: AbstractPulse, dt: Any) -> Dynamics: ...
@overload
def prepare(device: Stack, pulse: AbstractPulse, dt: Any) -> StackDynamics: ...
def prepare(device: Device | Stack, pulse: AbstractPulse, dt: Any) -> Dynamics | StackDynamics:
    """The dynamics of `device` under `pulse` with steps of `dt` seconds, everything constant worked out once.

    >>> import mtjax as mtj
    >>> device = mtj.presets.perpendicular_stt(40.0)
    >>> dynamics = mtj.dynamics.prepare(device, mtj.off(), 1e-12)
    >>> f"{dynamics.angle():.3f} rad/T"  # the precession in a field of 1 T in one step of 1 ps
    '0.176 rad/T'
    """
    if isinstance(device, Stack):
        return StackDynamics(device, pulse, jnp.asarray(dt), tuple(prepare(layer, pulse, dt) for layer in device.layers))
    return Dynamics(device, device.magnet, pulse, jnp.asarray(dt), device.history(pulse))


def thermal(t: Any, m: Any, dynamics: Any) -> lx.AbstractLinearOperator:
    """The noise of step `t`, a linear map of three standard normals w (float32): sqrt(2 D dt) w x `m` (Stratonovich).

    The vector field of a `diffrax.ControlTerm` whose control is a `StepPath`; `dynamics` are the term's `args`.

    >>> import jax.numpy as jnp
    >>> import mtjax as mtj
    >>> dynamics = mtj.dynamics.prepare(mtj.presets.perpendicular_stt(40.0), mtj.off(), 1e-12)
    >>> z, x = (mtj.Vector.of(jnp.array(m, jnp.float32)) for m in ([0, 0, 1], [1, 0, 0]))
    >>> dm = mtj.dynamics.thermal(0.0, z, dynamics).mv(x)  # w along x turns m from z towards -y
    >>> print(f"{1e3 * dm.y:.2f} mrad in 1 ps")
    -3.11 mrad in 1 ps
    """
    spread = dynamics.at(t).spread
    normals = jax.tree.map(lambda x: jax.ShapeDtypeStruct(jnp.shape(x), jnp.float32), m)
    return lx.FunctionLinearOperator(lambda w: w.cross(m) * spread, normals)
