"""The stochastic Landau-Lifshitz-Gilbert equation of one macrospin, in nanoseconds and tesla.

dm/dt = -gamma m x B + alpha m x dm/dt, where every effect is an effective field; explicitly
dm/dt = -gamma/(1 + alpha^2) [m x B + alpha m x (m x B)], with Brown's thermal field in B (Stratonovich).
"""

from typing import Any

import jax
import jax.numpy as jnp
import lineax as lx
from jaxtyping import ArrayLike

from mtjax.constants import NS
from mtjax.devices import Device, Drive, Magnet, ThermalHistory, total_field
from mtjax.printing import Shown
from mtjax.pulses import AbstractPulse
from mtjax.quantities import Scalar
from mtjax.vector import Vector


def rate(m: Vector, B: Vector, alpha: Any) -> Vector:
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
    """What a step needs to know of its middle: `spread` of the random rotation (rad), `drive`, and the layer's `magnet` then.

    >>> import mtjax as mtj
    >>> device = mtj.presets.perpendicular_stt(40.0)
    >>> dynamics = mtj.dynamics.prepare(device, mtj.Pulse(20e-6, 5e-9), 1e-12)
    >>> print(f"{dynamics.at(100).drive.current * 1e6:.0f} uA")
    20 uA
    """

    spread: Scalar
    drive: Drive
    magnet: Magnet


class Dynamics(Shown):
    """A device under a pulse, ready for a solver: its drift and noise, with time counted in steps of `dt` seconds.

    Between steps the current is averaged exactly (`AbstractPulse.mean`), so that edges may fall inside a step. The
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

    def at(self, step: Any) -> Instant:
        """The random rotation of `step`, and what drives the drift after it, from its middle to that of the next."""
        drive = self.drive(step + 0.5)
        return Instant(self.spread(self.temperature(step + 0.5)), drive, self.magnet_at(drive.temperature))

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

    def precession(self, t: Any, m: Vector, args: Any) -> Vector:
        """dm per step at time `t` (in steps) without noise: the vector field for ordinary solvers."""
        del args
        drive = self.device.drive(self.pulse(t * self.dt), self.temperature(t))
        return self.angle() * self.rate(m, drive)


def prepare(device: Device, pulse: AbstractPulse, dt: Any) -> Dynamics:
    """The dynamics of `device` under `pulse` with steps of `dt` seconds, everything constant worked out once.

    >>> import mtjax as mtj
    >>> device = mtj.presets.perpendicular_stt(40.0)
    >>> dynamics = mtj.dynamics.prepare(device, mtj.off(), 1e-12)
    >>> f"{dynamics.angle():.3f} rad/T"  # the precession in a field of 1 T in one step of 1 ps
    '0.176 rad/T'
    """
    return Dynamics(device, device.magnet, pulse, jnp.asarray(dt), device.history(pulse))


def thermal(t: Any, m: Vector, dynamics: Dynamics) -> lx.AbstractLinearOperator:
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
    spread = dynamics.spread(dynamics.temperature(t + 0.5))
    normals = jax.tree.map(lambda x: jax.ShapeDtypeStruct(jnp.shape(x), jnp.float32), m)
    return lx.FunctionLinearOperator(lambda w: spread * w.cross(m), normals)
