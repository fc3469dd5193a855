"""The unbiased gradient of a sampled expectation: the score (likelihood ratio, Girsanov) method.

Before step n of the splitting solver the drift has brought m to y; then a random rotation by s w follows, w three standard
normals and s = sqrt(2 D dt). A change of the drift moves y by dy, and the same place is reached by another w: s dw = -y x dy.
The logarithm of a path's density therefore changes by

    sum over steps of  (y x dy) . w / s  +  d(log s) (|w across y|^2 - 2)   +   d(-E(m_0) / kT) at the start,

and d E[f] = E[(f - mean f) d log density], whatever f is: a step function of the final state does no harm. It holds for steps
of any length, since y does not depend on w; only the drift after the last rotation is left out. The first sum has a variance
that stays bounded as dt -> 0; the second, of parameters that change the strength of the noise (temperature, volume, and in part
Ms and alpha), grows with the number of steps: prefer Fokker-Planck for those.
"""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from mtjax.constants import KB
from mtjax.devices import total_energy
from mtjax.dynamics import Dynamics, cayley, merson_in_turn, widened
from mtjax.quantities import Scalar
from mtjax.vector import Vector


def path_score(
    dynamics: Dynamics,
    starts: Vector,
    samples: Array,
    weights: Float[Array, " samples"],
    noise: Callable[[Any, Any], Vector],
    number: Any,
) -> Dynamics:
    """Gradient of sum_n weights_n log density(path n) in every number of `dynamics`.

    - `starts`: magnetisations at step 0, components of shape (samples,).
    - `samples`: numbers of the samples, shape (samples,); `number`: of steps.
    - `noise`: three random numbers of a step and a sample.
    - `weights`: must add up to 0 over the whole ensemble (normalising constants are left out).
    """
    score = _gradient(_start_score, dynamics, starts, weights)

    def step(drift, i, carry):
        m, score = carry
        normals = jax.vmap(lambda n: noise(i, n))(samples)
        y, pull_back = eqx.filter_vjp(lambda dynamics: jax.vmap(lambda m: drift(dynamics, i, m))(m), dynamics)
        spread, across = widened(dynamics.at(i).spread), normals - y * (normals @ y)
        (by_drift,) = pull_back(across.cross(y) * (weights / spread))
        by_noise = _gradient(_noise_score, dynamics, i, jnp.sum(weights * (across @ across)))
        score = jax.tree.map(lambda *parts: sum(parts), score, by_drift, by_noise)
        return cayley(y, normals * spread), score

    def later(i, carry):
        return step(_later, jnp.asarray(i, dynamics.dt.dtype), carry)

    first = step(_entered, jnp.zeros((), dynamics.dt.dtype), (starts, score))
    return jax.lax.fori_loop(1, jnp.asarray(number, jnp.int32), later, first)[1]


def _entered(dynamics: Dynamics, step: Any, m: Vector) -> Vector:
    """The drift before the first random rotation."""
    drive = dynamics.drive(step, 0.5)
    return merson_in_turn(lambda m, _: dynamics.rate(m, drive), m, dynamics.angle(0.5))


def _later(dynamics: Dynamics, step: Any, m: Vector) -> Vector:
    """The drift before the random rotation of a later step."""
    now = dynamics.at(step - 1)
    return merson_in_turn(lambda m, share: dynamics.rate(m, now.during(share), now.magnet), m, dynamics.angle())


def _gradient(function, dynamics: Dynamics, *args: Any) -> Any:
    return eqx.filter_grad(function)(dynamics, *args)


def _start_score(dynamics: Dynamics, starts: Vector, weights: Array) -> Scalar:
    device = dynamics.device
    drive = device.drive(0.0)
    energies = jax.vmap(lambda m: total_energy(device.terms, m, dynamics.magnet, drive))(starts)
    return jnp.sum(weights * -energies) * (dynamics.magnet.moment / KB) / device.temperature


def _noise_score(dynamics: Dynamics, step: Any, across: Scalar) -> Scalar:
    """Of the strength of the noise of a step; `across`: weighted sum of |w across y|^2."""
    return jnp.log(widened(dynamics.at(step).spread)) * across
