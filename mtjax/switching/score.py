"""The unbiased gradient of a sampled expectation: the score (likelihood ratio, Girsanov) method.

A step of the splitting solver turns m by a random vector s w, w three standard normals and s = sqrt(2 D dt), between two
half steps of drift. To the order of the solver a change of the drift is a shift a(theta) of that vector, a = gamma' dt
(B + alpha m x B) across m. The logarithm of a path's density therefore changes by

    sum over steps of  da . w / s  +  d(log s) (|w across m|^2 - 2)   +   d(-E(m_0) / kT) at the start,

and d E[f] = E[(f - mean f) d log density], whatever f is: a step function of the final state does no harm. The first sum
has a variance that stays bounded as dt -> 0; the second, of parameters that change the strength of the noise
(temperature, volume, and in part Ms and alpha), grows with the number of steps: prefer Fokker-Planck for those.
"""

from typing import Any, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from mtjax.constants import KB
from mtjax.devices import total_energy, total_field
from mtjax.dynamics import Dynamics, SplitStep, StepPath
from mtjax.quantities import Scalar
from mtjax.vector import Vector

Differentiable = TypeVar("Differentiable")


def path_score(
    dynamics: Dynamics,
    starts: Vector,
    samples: Array,
    weights: Float[Array, " samples"],
    key: Key[Array, ""],
    number: Any,
) -> Dynamics:
    """Gradient of sum_n weights_n log density(path n) in every number of `dynamics`.

    - `starts`: magnetisations at step 0, components of shape (samples,).
    - `samples`: numbers of the samples, shape (samples,); `key`: of their noise; `number`: of steps.
    - `weights`: must add up to 0 over the whole ensemble (normalising constants are left out).
    """
    solver = SplitStep()
    y = jax.vmap(lambda m: solver.enter(dynamics, m))(starts)
    score = _gradient(_start_score, dynamics, starts, weights)

    def step(i, carry):
        y, score = carry
        count = jnp.asarray(i, dynamics.dt.dtype)
        normals = jax.vmap(lambda n: StepPath(key, n).evaluate(count))(samples)
        gained = _gradient(_step_score, dynamics, count, y, normals, weights)
        y = jax.vmap(lambda y, w: solver.advance(dynamics, count, y, w))(y, normals)
        return y, jax.tree.map(jnp.add, score, gained)

    return jax.lax.fori_loop(0, jnp.asarray(number, int), step, (y, score))[1]


def _gradient(function, dynamics: Dynamics, *args: Any) -> Any:
    return eqx.filter_grad(function)(dynamics, *args)


def _start_score(dynamics: Dynamics, starts: Vector, weights: Array) -> Scalar:
    device = dynamics.device
    drive = device.drive(0.0)
    energies = jax.vmap(lambda m: total_energy(device.terms, m, dynamics.magnet, drive))(starts)
    return jnp.sum(weights * -energies) * (dynamics.magnet.moment / KB) / device.temperature


def _step_score(dynamics: Dynamics, step: Any, y: Vector, normals: Vector, weights: Array) -> Scalar:
    drive = dynamics.drive(step)
    spread, magnet = dynamics.spread(drive.temperature), dynamics.magnet_at(drive.temperature)
    fixed = jax.lax.stop_gradient(spread)

    def one(m, w):
        across = w - (w @ m) * m
        B = total_field(dynamics.device.terms, m, magnet, drive)
        turn = dynamics.angle() * (B + magnet.alpha * m.cross(B))
        return (turn @ across) / fixed + jnp.log(spread) * (across @ across)

    return jnp.sum(weights * jax.vmap(one)(y, normals))
