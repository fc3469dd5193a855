"""Solvers that keep |m| = 1, for diffrax. Time is counted in steps: step n goes from n to n + 1.

A solver is a small diffrax solver (`step`) with three questions of its own: how long a step may be, and how its internal
state is entered from, and left for, the magnetisation.
"""

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

import diffrax as dfx
import equinox as eqx
import jax
import jax.numpy as jnp

from mtjax.checks import Positive, check_fields
from mtjax.dynamics.llg import Dynamics, Instant, StackDynamics, rate, widened
from mtjax.dynamics.noise import gaussian
from mtjax.printing import Shown
from mtjax.quantities import Scalar
from mtjax.vector import Vector

Spins = Any
"""The magnetisation: a `Vector`, or the `Layered` ones of a stack."""
Motion = Dynamics | StackDynamics
"""What a solver integrates."""
_DAMPED = 0.08
"""Damping from which on the default step is limited by the precession alone."""


class AbstractSpinSolver(dfx.AbstractStratonovichSolver):
    """A fixed-step solver of the stochastic LLG equation: diffrax's face of it, and four questions that a scheme answers.

    >>> import jax.numpy as jnp
    >>> import mtjax as mtj
    >>> solvers = (mtj.SplitStep(), mtj.Heun())
    >>> [f"{type(s).__name__}: steps up to {s.longest(jnp.array(0.01)):.2f} / (gamma' B)" for s in solvers]
    ["SplitStep: steps up to 0.52 / (gamma' B)", "Heun: steps up to 0.05 / (gamma' B)"]
    """

    max_angle: eqx.AbstractVar[float]
    normal: eqx.AbstractVar[Callable[[Any], Any]]
    term_structure: ClassVar = dfx.AbstractTerm
    interpolation_cls: ClassVar[Callable[..., Any]] = dfx.LocalLinearInterpolation

    def __check_init__(self) -> None:
        """Refuse options that do not fit."""
        check_fields(self)

    def order(self, terms: Any) -> int:
        """2, of the drift (weak order; the strong one is 0.5)."""
        return 2

    def strong_order(self, terms: Any) -> float:
        """0.5."""
        return 0.5

    def init(self, terms: Any, t0: Any, t1: Any, y0: Any, args: Any) -> None:
        """No state is carried."""

    def func(self, terms: Any, t0: Any, y0: Any, args: Any) -> Any:
        """The noise, which diffrax does not ask for with steps of one size."""
        return terms.vf(t0, y0, args)

    def step(self, terms: Any, t0: Any, t1: Any, y0: Any, args: Any, solver_state: Any, made_jump: Any) -> Any:
        """One step for diffrax."""
        del solver_state, made_jump
        y1 = self.advance(args, jnp.round(t0), y0, terms.contr(t0, t1))
        return y1, None, {"y0": y0, "y1": y1}, None, dfx.RESULTS.successful

    @abstractmethod
    def longest(self, alpha: Scalar) -> Scalar:
        """Largest step for a damping `alpha`, in units of 1/(gamma' B)."""

    @abstractmethod
    def enter(self, dynamics: Motion, m: Spins) -> Spins:
        """The internal state at step 0 for the magnetisation `m`."""

    @abstractmethod
    def leave(self, dynamics: Motion, step: Any, y: Spins) -> Spins:
        """The magnetisation at `step` for the internal state `y`."""

    @abstractmethod
    def advance(self, dynamics: Motion, step: Any, y: Spins, normals: Spins) -> Spins:
        """The internal state one step later; `normals`: three standard normals."""


class SplitStep(AbstractSpinSolver):
    """Half a step of drift, a random rotation, half a step of drift (Strang splitting).

    The noise alone is Brownian motion on the sphere: a Cayley rotation by sqrt(2 D dt) times three normals, which keeps |m|
    exactly, a little `widened` so that it diffuses as far. The drift alone is an ordinary equation: Merson's Runge-Kutta
    method of fourth order, then normalisation.

    Neighbouring half steps of drift are taken as one, so that the internal state runs half a step of drift ahead of m.

    Merson's five stages rather than the classical four: a step of angle h damps a precession by h^7/3456 a radian by itself
    (the classical method: h^5/144), which must stay small against alpha.

    - `max_angle`: largest step, in units of 1/(gamma' B), B twice the largest effective field across m. Below a damping of
      0.08 it shrinks by the seventh root of alpha, so that the numerical damping stays below 0.03 % of alpha.
      `scripts/convergence.py` measures the bias of a switching probability against it.
    - `normal`: `gaussian`, or `three_point` for cheaper random numbers of the same first five moments.

    >>> import jax.numpy as jnp
    >>> import mtjax as mtj
    >>> solver = mtj.SplitStep(normal=mtj.three_point)
    >>> [f"{solver.longest(jnp.array(alpha)):.2f} / (gamma' B) at a damping of {alpha:g}" for alpha in (0.1, 0.01)]
    ["0.70 / (gamma' B) at a damping of 0.1", "0.52 / (gamma' B) at a damping of 0.01"]
    """

    max_angle: Positive = 0.7
    normal: Callable[[Any], Any] = eqx.field(static=True, default=gaussian)

    def longest(self, alpha: Scalar) -> Scalar:
        """`max_angle`, times the seventh root of alpha / 0.08 where that is less than 1 (alpha not taken below 1e-4)."""
        return self.max_angle * jnp.minimum(1.0, jnp.maximum(alpha, 1e-4) / _DAMPED) ** (1 / 7)

    def enter(self, dynamics: Motion, m: Spins) -> Spins:
        """Half a step of drift ahead."""
        drive = dynamics.drive(0.0, 0.5)
        return merson(lambda m, _: dynamics.rate(m, drive), m, dynamics.angle(0.5))

    def leave(self, dynamics: Motion, step: Any, y: Spins) -> Spins:
        """Half a step of drift back."""
        drive = dynamics.drive(step, 0.5)
        return merson(lambda m, _: dynamics.rate(m, drive), y, -dynamics.angle(0.5))

    def advance(self, dynamics: Motion, step: Any, y: Spins, normals: Spins) -> Spins:
        """A random rotation, then a whole step of drift, from the middle of this step to the middle of the next."""
        return split_step(dynamics, dynamics.at(step), y, normals)


class Heun(AbstractSpinSolver):
    """Stochastic Heun with projection: the reference scheme of the field, strong order 0.5, for comparison.

    The thermal field is added to the effective field (Garcia-Palacios and Lazaro, Phys. Rev. B 58, 14937, 1998); m is
    normalised after each step.

    - `max_angle`: largest step, in units of 1/(gamma' B), B twice the largest effective field across m.
    - `normal`: `gaussian`, or `three_point` for cheaper random numbers of the same first five moments.

    >>> import mtjax as mtj
    >>> device = mtj.presets.perpendicular_stt(40.0)
    >>> steps = [mtj.dynamics.make_grid(device, mtj.off(), 1e-9, None, 1, s).number for s in (mtj.Heun(), mtj.SplitStep())]
    >>> f"{steps[0]:.0f} steps in a nanosecond, {steps[1]:.0f} of SplitStep"
    '774 steps in a nanosecond, 75 of SplitStep'
    """

    max_angle: Positive = 0.05
    normal: Callable[[Any], Any] = eqx.field(static=True, default=gaussian)

    def longest(self, alpha: Scalar) -> Scalar:
        """`max_angle`, whatever `alpha` is."""
        return jnp.full_like(alpha, self.max_angle)

    def enter(self, dynamics: Motion, m: Spins) -> Spins:
        """The magnetisation itself."""
        return m

    def leave(self, dynamics: Motion, step: Any, y: Spins) -> Spins:
        """The magnetisation itself."""
        return y

    def advance(self, dynamics: Motion, step: Any, y: Spins, normals: Spins) -> Spins:
        """Predictor and corrector with the same thermal field."""
        now, alpha = dynamics.at(step, ahead=0.0), dynamics.alpha
        kick = normals * (now.spread / (1 + alpha**2) ** 0.5)

        def increment(m):
            return dynamics.angle() * dynamics.rate(m, now.drive, now.magnet) + rate(m, kick, alpha)

        first = increment(y)
        second = increment(y + first)
        return (y + 0.5 * (first + second)).normalised()


class Adaptive(Shown):
    """Adaptive high-order integration at temperature 0 by one of diffrax's own solvers.

    - `solver`: a diffrax solver for ordinary equations.
    - `rtol`, `atol`: tolerances of the step size control; `None` means 1e-9 in float64 and 1e-5 in float32.

    >>> import dataclasses
    >>> import mtjax as mtj
    >>> cold = dataclasses.replace(mtj.presets.perpendicular_stt(40.0), temperature=0.0)
    >>> found = mtj.simulate(cold, duration=5e-9, start=[0.6, 0.0, 0.8], solver=mtj.Adaptive(), save=2)
    >>> [f"{m:.3f}" for m in found.ms[0, :, 2]]  # relaxes towards the easy axis
    ['0.800', '0.994']
    """

    solver: dfx.AbstractAdaptiveSolver = dfx.Dopri8()
    rtol: Positive | None = None
    atol: Positive | None = None


_MERSON = (
    (0, 0, 0, 0, 0),
    (1 / 3, 0, 0, 0, 0),
    (1 / 6, 1 / 6, 0, 0, 0),
    (1 / 8, 0, 3 / 8, 0, 0),
    (1 / 2, 0, -3 / 2, 2, 0),
    (1 / 6, 0, 0, 2 / 3, 1 / 6),
)
"""Of Merson's stages, and in the last row of the whole step: how much of each stage's drift is taken."""


def split_step(dynamics: Motion, now: Instant, y: Spins, normals: Spins) -> Spins:
    """One step of `SplitStep` from its internal state, with what `now` says of the step; `normals`: three standard normals.

    >>> import mtjax as mtj
    >>> dynamics = mtj.dynamics.prepare(mtj.presets.perpendicular_stt(40.0), mtj.off(), 1e-12)
    >>> y = mtj.Vector.of([0.6, 0.0, 0.8])
    >>> later = mtj.dynamics.split_step(dynamics, dynamics.at(0), y, mtj.Vector(0.0, 0.0, 0.0))
    >>> [f"{x:.3f}" for x in later.array()]  # turned about the easy axis by 0.031 rad
    ['0.600', '0.019', '0.800']
    """
    m = cayley(y, normals * jax.tree.map(widened, now.spread))
    return merson(lambda m, share: dynamics.rate(m, now.during(share), now.magnet), m, dynamics.angle())


def merson(drift: Callable[[Any, Any], Any], m: Spins, angle: Any) -> Spins:
    """Merson's Runge-Kutta step over `angle` (rad/T), normalised (R. H. Merson, 1957, as recalled).

    `drift`: T, of m and of how much of the step is over.

    >>> import mtjax as mtj
    >>> dynamics = mtj.dynamics.prepare(mtj.presets.perpendicular_stt(40.0), mtj.off(), 1e-12)
    >>> drive = dynamics.drive(0)
    >>> later = mtj.dynamics.merson(lambda m, _: dynamics.rate(m, drive), mtj.Vector.of([0.6, 0.0, 0.8]), dynamics.angle())
    >>> [f"{x:.3f}" for x in later.array()]  # turned about the easy axis by 0.031 rad
    ['0.600', '0.019', '0.800']
    """
    k1 = drift(m, 0.0)
    k2 = drift(m + (angle / 3) * k1, 1 / 3)
    k3 = drift(m + (angle / 6) * (k1 + k2), 1 / 3)
    k4 = drift(m + (angle / 8) * (k1 + 3 * k3), 1 / 2)
    k5 = drift(m + angle * (0.5 * k1 - 1.5 * k3 + 2 * k4), 1.0)
    return (m + (angle / 6) * (k1 + 4 * k4 + k5)).normalised()


def merson_in_turn(drift: Callable[[Any, Any], Any], m: Spins, angle: Any) -> Spins:
    """The same step as `merson`, for reverse-mode derivatives: one stage after the other in a loop of the compiled program.

    XLA joins the stages of `merson` into one kernel, and backwards works each of them out anew for everything that needs it:
    a thousand times slower.

    >>> import mtjax as mtj
    >>> dynamics = mtj.dynamics.prepare(mtj.presets.perpendicular_stt(40.0), mtj.off(), 1e-12)
    >>> drive, m = dynamics.drive(0), mtj.Vector.of([0.6, 0.0, 0.8])
    >>> later = mtj.dynamics.merson_in_turn(lambda m, _: dynamics.rate(m, drive), m, dynamics.angle())
    >>> [f"{x:.3f}" for x in later.array()]
    ['0.600', '0.019', '0.800']
    """
    tableau = jnp.asarray(_MERSON, m.x.dtype)

    def stage(ks, row):
        before, number = row
        return ks.at[number].set(drift(m + angle * Vector.of(before @ ks), jnp.sum(before)).array()), None

    ks, _ = jax.lax.scan(stage, jnp.zeros((5, 3), m.x.dtype), (tableau[:5], jnp.arange(5)))
    return (m + angle * Vector.of(tableau[5] @ ks)).normalised()


def cayley(m: Any, w: Any) -> Any:
    """`m` turned about the axis `w` by 2 arctan(|w| / 2): the Cayley rotation, which needs no trigonometry.

    >>> import mtjax as mtj
    >>> turned = mtj.dynamics.cayley(mtj.Vector.of([1.0, 0.0, 0.0]), mtj.Vector.of([0.0, 0.0, 2.0]))
    >>> [f"{x:.2f}" for x in turned.array()]  # a quarter of a turn about z
    ['0.00', '1.00', '0.00']
    """
    half = 0.5 * w
    turned = half.cross(m)
    return m + (2 / (1 + half @ half)) * (turned + half.cross(turned))
