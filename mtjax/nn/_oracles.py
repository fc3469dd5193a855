"""Estimators of gradients through spikes that serve as references: unbiased, enumerating or by moments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from mtjax.checks import Count, Within
from mtjax.nn.estimators import (
    AbstractEstimator,
    AbstractLookahead,
    Others,
    Program,
    StraightThrough,
    Values,
    _plain_gradient,
    fired,
    with_slope,
)
from mtjax.quantities import Scalar


class MomentPropagation(AbstractLookahead):
    """No sampling: probabilities in place of spikes, and the variance of a layer's input taken into account.

    The input of a unit is taken as Gaussian with the mean and variance that independent spikes give it, and P is averaged
    over it by Gauss-Hermite quadrature. Deterministic; biased by correlations and by a loss that is not linear.

    - `points`: of the quadrature.

    >>> import jax.numpy as jnp
    >>> import mtjax as mtj
    >>> synapse = mtj.nn.Dense(weight=jnp.full((1, 4), 2.0), bias=jnp.zeros(1))
    >>> seen = mtj.nn.MomentPropagation(points=5).layer(synapse, lambda y: y - 2, jnp.full(4, 0.5), jnp.full(1, 0.5))
    >>> print(f"P = {seen[0]:.3f}; all 16 patterns of spikes give 0.771, the mean input alone 0.881")
    P = 0.775; all 16 patterns of spikes give 0.771, the mean input alone 0.881
    """

    points: Count = eqx.field(static=True, default=5)

    def spike(self, logit: Values, uniforms: Values) -> Values:
        """P."""
        del uniforms
        return jax.nn.sigmoid(logit)

    def layer(self, synapse: Any, logit: Callable[[Others], Others], x: Others, uniforms: Values) -> Values:
        """The mean of P over the input's distribution."""
        del uniforms
        mean, variance = synapse(x), synapse.variance(x * (1 - x))
        spread = jnp.sqrt(jnp.maximum(variance, 1e-12))
        nodes, weights = _gauss_hermite(self.points)
        return sum(w * jax.nn.sigmoid(logit(mean + n * spread)) for n, w in zip(nodes, weights, strict=True))  # pyright: ignore[reportReturnType]

    def final(self, loss: Callable[[Others], Scalar], x: Others) -> Scalar:
        """The loss at the probabilities."""
        return loss(x)

    def value_and_grad(self, program: Program, parameters: Any, uniforms: Any) -> tuple[Scalar, Any]:
        """By reverse mode; the uniforms make no difference."""
        return _plain_gradient(self, program, parameters, uniforms)


class PSA(AbstractLookahead):
    """Path sample-analytic: the derivative in a spike is the difference that flipping it makes to the next probabilities.

    Nearly unbiased, and costs as many evaluations of a layer as it has inputs: for small networks and as a yardstick.
    Shekhovtsov, Yanush and Flach, NeurIPS 2020, recalled.

    >>> import jax
    >>> import mtjax as mtj
    >>> spikes = jax.numpy.array([1.0, 0.0])
    >>> slope = jax.grad(lambda b: mtj.nn.PSA().final(lambda b: b[0] ** 3 + b[1], b))(spikes)
    >>> print(f"flipping the first spike changes the loss by {slope[0]:.0f}, where its derivative is 3")
    flipping the first spike changes the loss by 1, where its derivative is 3
    """

    def spike(self, logit: Values, uniforms: Values) -> Values:
        """As straight-through."""
        return StraightThrough().spike(logit, uniforms)

    def layer(self, synapse: Any, logit: Callable[[Others], Others], x: Others, uniforms: Values) -> Values:
        """Spikes whose slope in `x` is the flipping difference of their probabilities."""

        def probability(x):
            return jax.nn.sigmoid(logit(synapse(x)))

        p = _with_flips(probability, x)
        return with_slope(jax.lax.stop_gradient((uniforms < p).astype(p.dtype)), p)

    def final(self, loss: Callable[[Others], Scalar], x: Others) -> Scalar:
        """The loss, its slope in every spike the difference that flipping makes."""
        return _with_flips(loss, x)

    def value_and_grad(self, program: Program, parameters: Any, uniforms: Any) -> tuple[Scalar, Any]:
        """By reverse mode."""
        return _plain_gradient(self, program, parameters, uniforms)


class Reinforce(AbstractEstimator):
    """The score-function estimator with the other samples' mean loss as baseline (leave one out). Unbiased.

    Uniforms need a leading axis of `samples` independent draws. Kool, van Hoof and Welling (2019), recalled.

    - `samples`: at least 2.

    >>> import jax.numpy as jnp
    >>> import mtjax as mtj
    >>> u = jnp.array([0.1, 0.2, 0.6, 0.9])
    >>> program = lambda logit, u, estimator: (estimator.spike(logit, u), logit)
    >>> loss, slope = mtj.nn.Reinforce(samples=4).value_and_grad(program, jnp.array(0.0), u)
    >>> print(f"mean loss {loss:.2f}, slope {slope:.2f} from four draws, where P (1 - P) = 0.25 is exact")
    mean loss 0.50, slope 0.33 from four draws, where P (1 - P) = 0.25 is exact
    """

    samples: Annotated[int, Within(least=2)] = eqx.field(static=True, default=4)

    def spike(self, logit: Values, uniforms: Values) -> Values:
        """The spike, without a slope."""
        return fired(logit, uniforms)

    def final(self, loss: Callable[[Others], Scalar], x: Others) -> Scalar:
        """The loss."""
        return loss(x)

    def value_and_grad(self, program: Program, parameters: Any, uniforms: Any) -> tuple[Scalar, Any]:
        """Mean loss; the loss's own slope plus (loss - baseline) times the slope of ln P(spikes)."""
        n = jax.tree.leaves(uniforms)[0].shape[0]
        if n != self.samples:
            raise ValueError(f"Reinforce needs {self.samples} draws along the first axis of the uniforms, but there are {n}.")

        def surrogate(parameters):
            losses, logits = jax.vmap(lambda u: program(parameters, u, self))(uniforms)
            pairs = zip(jax.tree.leaves(logits), jax.tree.leaves(uniforms), strict=True)
            logp = sum(jnp.sum(_log_likelihood(z, u).reshape(n, -1), axis=1) for z, u in pairs)
            fixed = jax.lax.stop_gradient(losses)
            advantage = (fixed - jnp.mean(fixed)) * (n / (n - 1))
            return jnp.mean(losses + advantage * (logp - jax.lax.stop_gradient(logp)))

        return eqx.filter_value_and_grad(surrogate)(parameters)


class DisARM(AbstractEstimator):
    """Antithetic uniforms, layer by layer: u against 1 - u in one layer, the rest as it was. Unbiased, for binary units.

    One forward pass more for every array of uniforms (layer and time-step): an oracle rather than a way to train. Dong,
    Mnih and Tucker, NeurIPS 2020, recalled.

    >>> import jax.numpy as jnp
    >>> import mtjax as mtj
    >>> program = lambda logit, u, estimator: (estimator.spike(logit, u), logit)
    >>> loss, slope = mtj.nn.DisARM().value_and_grad(program, jnp.array(0.0), jnp.array(0.3))
    >>> print(f"loss {loss:.0f}, slope {slope:.2f}, where P (1 - P) = 0.25 is exact")
    loss 1, slope 0.25, where P (1 - P) = 0.25 is exact
    """

    def spike(self, logit: Values, uniforms: Values) -> Values:
        """The spike, without a slope."""
        return fired(logit, uniforms)

    def final(self, loss: Callable[[Others], Scalar], x: Others) -> Scalar:
        """The loss."""
        return loss(x)

    def value_and_grad(self, program: Program, parameters: Any, uniforms: Any) -> tuple[Scalar, Any]:
        """Loss of the first pass; gradient from the differences to the passes with one array of uniforms mirrored."""
        leaves, structure = jax.tree.flatten(uniforms)

        def mirrored_loss(i):
            flipped = [1 - u if j == i else u for j, u in enumerate(leaves)]
            return program(parameters, jax.tree.unflatten(structure, flipped), self)[0]

        def surrogate(parameters):
            loss, logits = program(parameters, uniforms, self)
            total = loss
            for i, z in enumerate(jax.tree.leaves(logits)):
                difference = jax.lax.stop_gradient(loss - mirrored_loss(i)) / 2
                slope = jax.lax.stop_gradient(_antithetic_weight(z, leaves[i]))
                total += difference * jnp.sum(slope * (z - jax.lax.stop_gradient(z)))
            return total

        return eqx.filter_value_and_grad(surrogate)(parameters)


def _antithetic_weight(logit: Values, u: Values) -> Values:
    """+-sigmoid(|logit|) where b(u) and b(1 - u) differ, with the sign of 2 b(u) - 1; else 0."""
    b, mirror = fired(logit, u), fired(logit, 1 - u)
    return (b - mirror) * jax.nn.sigmoid(jnp.abs(logit))


def _log_likelihood(logit: Values, u: Values) -> Values:
    b = fired(logit, u)
    return b * jax.nn.log_sigmoid(logit) + (1 - b) * jax.nn.log_sigmoid(-logit)


def _with_flips(function: Callable[[Others], Others], x: Others) -> Others:
    """`function(x)`, its slope in every binary entry of `x` replaced by the difference between the entry 1 and 0."""
    fixed = jax.lax.stop_gradient(x)
    flat = fixed.ravel()

    def difference(i):
        up, down = flat.at[i].set(1.0), flat.at[i].set(0.0)
        return function(up.reshape(x.shape)) - function(down.reshape(x.shape))

    slopes = jax.lax.stop_gradient(jax.vmap(difference)(jnp.arange(flat.size)))
    return function(fixed) + jnp.tensordot((x - fixed).ravel(), slopes, axes=1)


def _gauss_hermite(points: int) -> tuple[list[float], list[float]]:
    """Nodes and weights for the mean over a standard normal number."""
    x, w = np.polynomial.hermite_e.hermegauss(points)
    return list(x), list(w / w.sum())
