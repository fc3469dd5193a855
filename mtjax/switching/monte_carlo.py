"""Switching probability by sampling, with an unbiased gradient."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int, Key

from mtjax.checks import Count, Seconds, Wait, Within, checked
from mtjax.devices import Device
from mtjax.dynamics import BLOCK, Ensemble, in_single, measured_step, prepare, settling_time
from mtjax.parallel import over_rows
from mtjax.printing import Shown
from mtjax.progress import LOG
from mtjax.pulses import AbstractPulse
from mtjax.quantities import Scalar, require
from mtjax.switching.fokker_planck import known
from mtjax.switching.method import AbstractMethod, Probability
from mtjax.switching.score import path_score

_BATCHES = 16
"""Of which a standard error is taken."""
_TOGETHER = 4096
"""Samples whose gradients are worked out together, at least: fewer would wait for the loop more than they compute."""
_LEAST_STEPS = 128
"""Of a run with a gradient, which leaves out the last half step of drift."""


class MonteCarlo(AbstractMethod):
    """Switching probability from an ensemble of trajectories (`SplitStep`).

    Its derivative, by `jax.grad` or `jax.jvp`, is the score estimator (`mtjax.switching.score`): unbiased, with common random
    numbers between value and gradient. Its noise is moderate for parameters of the drift (anisotropy, fields, torques,
    pulse); for the temperature and the volume, and in part for Ms and alpha, it grows with the number of steps. Where a
    difference between two devices is wanted, call twice with the same key: common random numbers make it far more precise
    than the two values.

    - `samples`: number of trajectories.
    - `key`: a `jax.random` key.
    - `dt`: longest step, s; `None` for `default_step`.
    - `chunk`: trajectories in a block, of which those that still move are kept together.

    >>> import jax
    >>> import mtjax as mtj
    >>> device = mtj.presets.perpendicular_stt(40.0)
    >>> pulse = mtj.Pulse(2.0 * device.critical_current, 5e-9)
    >>> method = mtj.MonteCarlo(samples=64, key=jax.random.key(0), dt=2e-11)
    >>> found = mtj.switching_probability(device, pulse, method=method)
    >>> exact = mtj.switching_probability(device, pulse).value
    >>> bool(abs(found.value - exact) < 4 * found.stderr)
    True
    """

    samples: Annotated[int, Within(least=2)] = eqx.field(static=True)
    key: Key[Array, ""]
    dt: Seconds | None = None
    chunk: Count = eqx.field(static=True, default=BLOCK)

    @property
    def name(self) -> str:
        """Monte Carlo and the number of samples."""
        return f"Monte Carlo with {self.samples} samples"

    def probability(self, device: Device, pulse: AbstractPulse, relax: Scalar) -> Probability:
        """The switched fraction; its standard error is that of (k + 1/2) / (n + 1), never zero."""
        LOG.info("%s", self.name)
        value, complement = _fractions((device, pulse), relax=relax, method=self)
        guess = (jax.lax.stop_gradient(value) * self.samples + 0.5) / (self.samples + 1)
        return Probability(value, complement, jnp.sqrt(guess * (1 - guess) / self.samples), self)

    def planned(self, device: Device, pulse: AbstractPulse, relax: Scalar) -> MonteCarlo:
        """This method with the step that suits a device and a pulse, if it has none yet."""
        if self.dt is not None:
            return self
        steps = [measured_step(*sample) for sample in known((device, pulse, relax))]
        return dataclasses.replace(self, dt=float(min(steps))) if steps else self


class ScoreGradient(Shown):
    """A sampled switching probability with its gradient, each with its standard error.

    - `value`, `stderr`: the probability.
    - `gradient`, `gradient_stderr`: like the pair (device, pulse), `None` where there is nothing to differentiate.
    """

    value: Scalar
    stderr: Scalar
    gradient: tuple[Device, AbstractPulse]
    gradient_stderr: tuple[Device, AbstractPulse]


@checked
def score_gradient(device: Device, pulse: AbstractPulse, method: MonteCarlo, *, relax: Wait | None = None) -> ScoreGradient:
    """The gradient that `jax.grad` gives of a `MonteCarlo` switching probability, together with its standard error.

    The error is that of the mean of 16 independent batches. `device`, `pulse`, `method`, `relax` (s): as for
    `switching_probability`. Raises `ValueError` where `relax` is negative.

    >>> import jax
    >>> import mtjax as mtj
    >>> device = mtj.presets.perpendicular_stt(40.0)
    >>> pulse = mtj.Pulse(2.0 * device.critical_current, 5e-9)
    >>> found = mtj.score_gradient(device, pulse, mtj.MonteCarlo(samples=64, key=jax.random.key(0), dt=2e-11))
    >>> bool(found.gradient[1].amplitude > 0)  # a stronger pulse switches more often
    True
    """
    require({"relax": relax}, "relax", least=0.0, unit="s")
    relax = settling_time(device) if relax is None else jnp.asarray(relax)
    theta = (device, pulse)
    ensemble = _ensemble(theta, relax, method, least=_LEAST_STEPS)
    switched = _switched(ensemble, method)
    batches = _batch_gradients(theta, switched, ensemble, method, least=min(_BATCHES, method.samples))
    total = jax.tree.map(lambda g: jnp.sum(g, axis=0), batches)
    spread = jax.tree.map(lambda g: jnp.std(g, axis=0, ddof=1) * g.shape[0] ** 0.5, batches)
    p = jnp.mean(switched)
    return ScoreGradient(p, jnp.sqrt(p * (1 - p) / method.samples), total, spread)


@eqx.filter_custom_jvp
def _fractions(theta, *, relax: Scalar, method: MonteCarlo) -> tuple[Scalar, Scalar]:
    switched = _switched(_ensemble(theta, relax, method), method)
    return jnp.mean(switched), jnp.mean(~switched)


@_fractions.def_jvp
def _fractions_jvp(primals, tangents, *, relax: Scalar, method: MonteCarlo):
    (theta,), (dtheta,) = primals, tangents
    ensemble = _ensemble(theta, relax, method, least=_LEAST_STEPS)
    switched = _switched(ensemble, method)
    batches = _batch_gradients(theta, switched, ensemble, method)
    terms = jax.tree.map(
        lambda g, d: jnp.zeros(()) if d is None else jnp.sum(jnp.sum(g, axis=0) * d),
        batches, dtheta, is_leaf=lambda x: x is None,
    )  # fmt: skip
    slope = sum(jax.tree.leaves(terms), jnp.zeros(()))
    value = jnp.mean(switched)
    return (value, jnp.mean(~switched)), (slope.astype(value.dtype), -slope.astype(value.dtype))


def _ensemble(theta, relax: Scalar, method: MonteCarlo, least: int = 1) -> Ensemble:
    device, pulse = theta
    return Ensemble.of(device, pulse, relax, method.dt, method.key, least=least)


def _switched(ensemble: Ensemble, method: MonteCarlo) -> Bool[Array, " samples"]:
    return ensemble.sampled(method.samples, method.chunk).switched


def _batch_gradients(theta, switched: Bool[Array, " samples"], ensemble: Ensemble, method: MonteCarlo, least: int = 1) -> Any:
    """Contributions of `least` batches of samples or more to the gradient, along a new first axis; they add up to it."""
    n = method.samples
    batches = max(least, -(-n // max(method.chunk, _TOGETHER)))
    size = -(-n // batches)
    numbers = np.arange(batches * size).reshape(batches, size)
    return over_rows(_some_gradients, (theta, switched, ensemble), numbers)


def _some_gradients(shared: Any, batches: Int[Array, "batches size"]) -> Any:
    """Contributions of batches of samples with these numbers; those from the end of the ensemble on count nothing."""
    theta, switched, ensemble = shared
    n = len(switched)
    all_weights = (switched - jnp.mean(switched)) / (n - 1)
    dt = ensemble.dynamics.dt
    dynamics, pull_back = eqx.filter_vjp(lambda theta: in_single(prepare(theta[0], theta[1], dt)), theta)

    def one(samples):
        weights = jnp.where(samples < n, all_weights[jnp.minimum(samples, n - 1)], 0.0).astype(jnp.float32)
        starts = jax.vmap(ensemble.start)(samples)
        score = path_score(dynamics, starts, samples, weights, ensemble.normals, ensemble.number)
        return pull_back(score)[0]

    return jax.lax.map(one, batches)
