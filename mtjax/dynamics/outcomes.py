"""On which side the samples of an ensemble end, without keeping their trajectories: the loop behind `MonteCarlo`.

States are float32, whatever the session's precision. Samples move in groups of lanes, 64 steps at a time; what depends on time
only (current, temperature, noise) is worked out once for all of them. When the pulse is over and the device is cool again, a
sample that lies 9 kT below the lowest point between the two sides is done, and the others are packed together.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Bool, Float, Int, Key

from mtjax.devices import Device, total_field
from mtjax.dynamics.llg import Dynamics, Instant, prepare
from mtjax.dynamics.noise import StepPath, three_point
from mtjax.dynamics.solvers import SplitStep, split_step
from mtjax.dynamics.start import StartWell, inverse_temperature
from mtjax.dynamics.steps import default_step, make_grid, read_time
from mtjax.numerics import bisected
from mtjax.parallel import over_blocks
from mtjax.printing import Shown
from mtjax.pulses import AbstractPulse
from mtjax.quantities import Scalar
from mtjax.vector import Vector, frame, points

Tree = TypeVar("Tree")

SAMPLING = SplitStep(max_angle=0.5, normal=three_point)
"""How outcomes are sampled; its longest step is that of the pilot run of `measured_step`."""

BLOCK = 1024
"""Samples whose stragglers are packed together."""
_LANES = 256
"""Samples side by side."""
_STRIDE = 64
"""Steps between two looks at who is done."""
_SAFE = 9.0
"""kT below the lowest point between the two sides at which a sample counts as settled."""
_BIAS = 0.0015
"""Relative change of an amplitude, by the solver's own damping, that is allowed over a run."""
_ANGLE = 0.9
"""Largest typical turn in one step, rad."""
_LONGER = 5.0
"""How many times longer than the default a measured step may be."""
_SPREAD = 0.3
"""Largest random rotation in one step, rad."""


class Outcomes(NamedTuple):
    """How samples ended, each of shape (n,).

    - `switched`: whether at m.start < 0.
    - `strain`: the relative change of an amplitude by the solver's own damping; it grows with the seventh power of the step.
    - `turned`: by how much in all, rad; `steps`: how many were taken.

    >>> import jax
    >>> import mtjax as mtj
    >>> device = mtj.presets.perpendicular_stt(40.0)
    >>> pulse = mtj.Pulse(2.0 * device.critical_current, 5e-9)
    >>> ensemble = mtj.dynamics.Ensemble.of(device, pulse, 0.0, 2e-11, jax.random.key(0))
    >>> found = ensemble.outcomes(jax.numpy.arange(64))
    >>> int(found.switched.sum()), int(found.steps.max())
    (35, 250)
    """

    switched: Bool[Array, " n"]
    strain: Float[Array, " n"]
    turned: Float[Array, " n"]
    steps: Float[Array, " n"]


def measured_step(device: Device, pulse: AbstractPulse, relax: ArrayLike) -> Scalar:
    """The longest step (s) with which a switching probability read `relax` (s) after `pulse` is right to about 0.001.

    A pilot run of 1024 samples tells how fast the moment turns where it really is (a film in the plane of its easy axis hardly
    ever meets the large field across it), and with it how much the solver's own damping would add up to.

    >>> import mtjax as mtj
    >>> device = mtj.presets.perpendicular_stt(40.0)
    >>> dt = mtj.dynamics.measured_step(device, mtj.Pulse(2.0 * device.critical_current, 5e-9), 0.0)
    >>> f"{dt * 1e12:.1f} ps"
    '17.5 ps'
    """
    pilot = Ensemble.of(device, pulse, relax, default_step(device, pulse, SAMPLING), jax.random.key(0))
    return _longer(pilot, pilot.sampled(BLOCK))


class Ensemble(Shown):
    """A device under a pulse, ready for its outcomes to be sampled.

    - `dynamics`, `well`: in single precision; `number`: of steps.
    - `quiet`: the step from which on nothing drives or heats the device; `level`: energy below which it then stays, T.
    - `memory`: how many times its relaxation a disturbance of the damping is felt; `for_start`, `for_path`: keys.

    >>> import jax
    >>> import mtjax as mtj
    >>> device = mtj.presets.perpendicular_stt(40.0)
    >>> pulse = mtj.Pulse(2.0 * device.critical_current, 5e-9)
    >>> ensemble = mtj.dynamics.Ensemble.of(device, pulse, 0.0, 2e-11, jax.random.key(0))
    >>> switched = ensemble.outcomes(jax.numpy.arange(64)).switched
    >>> f"{int(ensemble.number)} steps, {int(switched.sum())} of 64 switched"
    '250 steps, 35 of 64 switched'
    """

    dynamics: Dynamics
    well: StartWell
    number: Int[Array, ""]
    quiet: Int[Array, ""]
    level: Scalar
    memory: Scalar
    for_start: Key[Array, ""]
    for_path: Key[Array, ""]

    @staticmethod
    def of(device: Device, pulse: AbstractPulse, relax: ArrayLike, dt: Any, key: Key[Array, ""], *, least: int = 1) -> Ensemble:
        """From the start of `pulse` to `relax` (s) after its end, in steps of at most `dt` (s); `None` for `measured_step`.

        In no fewer than `least` steps.

        No gradient passes through it.
        """
        dt = measured_step(device, pulse, relax) if dt is None else dt
        relax, dt = (jnp.asarray(x, jnp.result_type(float)) for x in (relax, dt))  # of one type: one program
        return _ready(device, pulse, relax, dt, key, jnp.asarray(least, dt.dtype))

    def sampled(self, samples: int, block: int = BLOCK) -> Outcomes:
        """How the first `samples` samples end, in blocks of `block`: one program for any number of them, on all devices."""
        return over_blocks(Ensemble.outcomes, self, np.arange(samples), block)

    def outcomes(self, numbers: Int[Array, " n"]) -> Outcomes:
        """How the samples with these `numbers` end."""
        lanes = min(_LANES, numbers.size)
        number = numbers.size + -numbers.size % lanes
        samples = jnp.minimum(jnp.arange(number), numbers.size - 1)
        y = in_single(self._in_lanes(lambda n: SAMPLING.enter(self.dynamics, self.start(n)), numbers[samples], lanes))
        none, all_of_them = jnp.zeros(number, jnp.float32), jnp.ones(number, bool)
        state = _State(jnp.int32(0), y, jnp.arange(number), numbers[samples], all_of_them, none, none, none)
        ended = jax.lax.while_loop(lambda s: jnp.any(s.moving), lambda s: self._later(s, lanes), state)
        left = jax.vmap(lambda y: SAMPLING.leave(self.dynamics, self.number, y))(ended.y)
        switched = left @ Vector.of(self.dynamics.device.start) < 0
        back = jnp.argsort(ended.place)[: numbers.size]
        return jax.tree.map(lambda x: x[back], Outcomes(switched, ended.strain, ended.turned, ended.steps))

    def start(self, sample: Int[Array, ""]) -> Vector:
        """The magnetisation at time 0."""
        return in_single(self.well.draw(StepPath(self.for_start, sample)))

    def normals(self, step: ArrayLike, sample: Int[Array, ""]) -> Vector:
        """The random numbers of a step, three-point ones."""
        return StepPath(self.for_path, sample, SAMPLING.normal).evaluate(step)

    def _in_lanes(self, one, rows, lanes: int):
        found = jax.lax.map(jax.vmap(one), jax.tree.map(lambda x: x.reshape(-1, lanes), rows))
        return jax.tree.map(lambda x: x.reshape(-1), found)

    def _later(self, state: _State, lanes: int) -> _State:
        """Up to 64 steps for all that still move, which come first then."""
        state = state.packed()
        todo = jnp.minimum(_STRIDE, self.number - state.step)
        instants = in_single(jax.vmap(self.dynamics.at)((state.step + jnp.arange(_STRIDE)).astype(jnp.float32)))
        moving = jnp.sum(state.moving)

        def group(i, y):
            some, samples = jax.tree.map(lambda x: jax.lax.dynamic_slice_in_dim(x, i * lanes, lanes), (y, state.sample))
            y1 = self._advanced(some, samples, instants, state.step, todo)
            return jax.tree.map(lambda x, part: jax.lax.dynamic_update_slice_in_dim(x, part, i * lanes, 0), y, y1)

        y = jax.lax.fori_loop(0, (moving + lanes - 1) // lanes, group, state.y)
        step = state.step + todo
        strongest = self._strongest(instants, todo)
        turn = in_single(self.dynamics.angle() * jax.vmap(lambda m: _local_field(self.dynamics, strongest, m))(y))
        steps = jnp.where(state.moving, todo, 0).astype(jnp.float32)
        still = (step >= self.quiet) & (jax.vmap(self._energy)(y) < self.level)
        return _State(
            step, y, state.place, state.sample, state.moving & ~still & (step < self.number),
            state.strain + steps * turn**8 / 3456, state.turned + steps * turn, state.steps + steps,
        )  # fmt: skip

    def _strongest(self, instants: Instant, todo: Any) -> Instant:
        """That of the first `todo` instants whose field is strongest: a pulse may end before the next look."""
        device = self.dynamics.device

        def squared(now):
            fields = jax.vmap(lambda m: total_field(device.terms, Vector.of(m), now.magnet, now.drive))(points(6))
            return jnp.sum(fields @ fields)

        sizes = jnp.where(jnp.arange(_STRIDE) < todo, jax.vmap(squared)(instants), -1.0)
        return _row(instants, jnp.argmax(sizes))

    def _advanced(self, y: Vector, samples, instants: Instant, first, todo) -> Vector:
        def one(k, y):
            now = _row(instants, k)
            move = jax.vmap(lambda m, n: split_step(self.dynamics, now, m, self.normals(first + k, n)))
            return in_single(move(y, samples))

        return jax.lax.fori_loop(0, todo, one, y)

    def _energy(self, m: Vector) -> Scalar:
        device = self.dynamics.device
        return device.energy(m, in_single(device.drive(0.0)))


class _State(eqx.Module):
    """Samples on their way: their states, places in the answer and numbers, which of them move, and how the solver fared."""

    step: Array
    y: Vector
    place: Array
    sample: Array
    moving: Array
    strain: Array
    turned: Array
    steps: Array

    def packed(self) -> _State:
        """Those that move come first."""
        order = jnp.argsort(~self.moving)
        return jax.tree.map(lambda x: x if x.ndim == 0 else x[order], self)


@eqx.filter_jit
def _ready(device: Device, pulse: AbstractPulse, relax: Array, dt: Array, key: Key[Array, ""], least: Array) -> Ensemble:
    duration = read_time(device, pulse, relax)
    grid = make_grid(device, pulse, duration, jnp.minimum(dt, duration / least), 1, SAMPLING)
    well, beta = StartWell.of(device), inverse_temperature(device)
    between, bottom = _least_between(device), device.energy(Vector.of(well.axes[:, 2]), device.drive(0.0))
    cool = pulse.end + (0.0 if device.heating is None else device.heating.settling)
    dynamics, well, level = in_single((prepare(device, pulse, grid.dt), well, between - _SAFE / beta))
    for_start, for_path = jax.random.split(key)
    ready = Ensemble(
        dynamics, well, grid.number.astype(jnp.int32), jnp.ceil(cool / grid.dt).astype(jnp.int32), level,
        jnp.maximum(5.0, beta * (between - bottom)), for_start, for_path,
    )  # fmt: skip
    return jax.tree.map(lambda x: jax.lax.stop_gradient(x) if eqx.is_inexact_array(x) else x, ready)


@eqx.filter_jit
def _longer(ensemble: Ensemble, found: Outcomes) -> Scalar:
    """The longest step that keeps the bias of probabilities small, s; on a ladder, so that rounding does not change it."""
    dynamics = ensemble.dynamics
    strain = found.strain * jnp.minimum(1.0, ensemble.memory / (dynamics.magnet.alpha * jnp.maximum(found.turned, 1e-9)))
    typical = jnp.sum(found.turned) / jnp.maximum(jnp.sum(found.steps), 1)
    spread = jnp.max(jax.vmap(dynamics.at)(jnp.linspace(0.0, 1.0, _STRIDE) * ensemble.number).spread)

    def is_fine(f):
        bias = jnp.mean(jnp.minimum(1.0, f**7 * strain))
        return (bias < _BIAS) & (f * typical < _ANGLE) & (f**0.5 * spread < _SPREAD)

    f = bisected(is_fine, jnp.float32(0.5), jnp.float32(_LONGER), 12)
    return dynamics.dt * 2 ** (jnp.floor(8 * jnp.log2(f)) / 8)


def _least_between(device: Device) -> Scalar:
    """The least energy, without a current, on the circle between the two sides, T."""
    e1, e2 = frame(device.start)
    angles = jnp.arange(256)[:, None] * (2 * jnp.pi / 256)
    circle = jnp.cos(angles) * e1 + jnp.sin(angles) * e2
    return jnp.min(jax.vmap(lambda m: device.energy(Vector.of(m), device.drive(0.0)))(circle))


def _local_field(dynamics: Dynamics, now: Instant, m: Vector) -> Scalar:
    """How fast the drift turns m, or neighbouring directions about each other, whichever is faster, as a field, T."""

    def torque(m):
        return m.cross(total_field(dynamics.device.terms, m, now.magnet, now.drive))

    e1, e2 = (Vector.of(e) for e in frame(m.array()))
    (here, along), (_, across) = (jax.jvp(torque, (m,), (e,)) for e in (e1, e2))
    turning = jnp.abs((along @ e1) * (across @ e2) - (along @ e2) * (across @ e1))
    return jnp.sqrt(jnp.maximum(turning, here @ here))


def _row(instants: Instant, k: Any) -> Instant:
    return jax.tree.map(lambda x: x[k], instants)


def in_single(tree: Tree) -> Tree:
    """The same with all its numbers in single precision.

    >>> import jax.numpy as jnp
    >>> from mtjax.dynamics import in_single
    >>> in_single({"dt": jnp.arange(2.0), "number": 3})["dt"].dtype.name
    'float32'
    """
    return jax.tree.map(lambda x: jnp.asarray(x, jnp.float32) if eqx.is_inexact_array(x) else x, tree)
