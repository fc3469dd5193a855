"""Gradients through sampled spikes, as interchangeable objects that see the same uniform numbers.

A spike is b = 1 where u < P, with P = sigmoid(logit) and u uniform. What differs is what a derivative of b means.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from mtjax.checks import Positive
from mtjax.printing import Shown
from mtjax.quantities import Scalar

Values = Float[Array, "*shape"]
Others = Float[Array, "..."]
Program = Callable[[Any, Any, "AbstractEstimator"], tuple[Scalar, Any]]
"""(parameters, uniforms, estimator) -> (loss, logits): the loss of one pass, and the logits of all its spikes, a PyTree of
the same structure and shapes as the uniforms."""


class AbstractEstimator(Shown):
    """How to differentiate through spikes.

    `spike` and `final` are what networks call; `value_and_grad` is what training calls.

    >>> import jax
    >>> import mtjax as mtj
    >>> u = jax.numpy.array(0.3)
    >>> for estimator in (mtj.nn.StraightThrough(), mtj.nn.Concrete(temperature=0.5), mtj.nn.Reinforce()):
    ...     spike, slope = jax.value_and_grad(lambda logit: estimator.spike(logit, u))(0.0)
    ...     print(f"{type(estimator).__name__}: {spike:.2f}, slope {slope:.2f}")
    StraightThrough: 1.00, slope 0.25
    Concrete: 0.84, slope 0.26
    Reinforce: 1.00, slope 0.00
    """

    @abstractmethod
    def spike(self, logit: Values, uniforms: Values) -> Values:
        """The spikes, 0 or 1 (for deterministic estimators: what stands for them)."""

    @abstractmethod
    def final(self, loss: Callable[[Others], Scalar], x: Others) -> Scalar:
        """The loss as a function of the last layer's spikes `x`."""

    @abstractmethod
    def value_and_grad(self, program: Program, parameters: Any, uniforms: Any) -> tuple[Scalar, Any]:
        """Loss and estimated gradient of `program` in the arrays of `parameters`, for one draw of `uniforms`."""


class AbstractLookahead(AbstractEstimator):
    """An estimator that looks at a layer as a whole, the synapse before it included; for memoryless neurons.

    >>> import jax
    >>> import jax.numpy as jnp
    >>> import mtjax as mtj
    >>> synapse = mtj.nn.Dense(weight=jnp.array([[2.0, 1.0, -1.0]]), bias=jnp.zeros(1))
    >>> x, u = jnp.array([1.0, 0.0, 0.0]), jnp.full(1, 0.3)
    >>> slope = jax.grad(lambda x: mtj.nn.PSA().layer(synapse, lambda y: y - 1, x, u)[0])(x)
    >>> print("a spike of each input changes P by " + ", ".join(f"{x:.3f}" for x in slope))
    a spike of each input changes P by 0.462, 0.150, -0.231
    """

    @abstractmethod
    def layer(self, synapse: Any, logit: Callable[[Others], Others], x: Others, uniforms: Values) -> Values:
        """The spikes of a memoryless layer: `synapse` takes the spikes `x` to inputs, `logit` takes inputs to logits."""


class AbstractSurrogate(AbstractEstimator):
    """An estimator whose spikes have the slope of something that the uniform numbers do not enter.

    Where the logits are the same at all time-steps so is that, and networks pass derivatives through it once, not once for
    every time-step: the same gradient for less work.

    >>> import jax.numpy as jnp
    >>> import mtjax as mtj
    >>> estimator, logit = mtj.nn.StraightThrough(), jnp.array(1.0)
    >>> print(f"spike {estimator.spike(logit, jnp.array(0.9)):.0f}, with the slope of P = {estimator.surrogate(logit):.3f}")
    spike 0, with the slope of P = 0.731
    """

    @abstractmethod
    def surrogate(self, logit: Values) -> Values:
        """What has the slope of the spikes."""


@jax.custom_jvp
def with_slope(value: Others, carrier: Others) -> Others:
    """`value`, with the derivative of `carrier` on top of its own; the shape of `carrier` may be broadcast to that of `value`.

    `value` is exact, and where `carrier` is needed for nothing else it is not computed.
    """
    del carrier
    return value


@with_slope.defjvp
def _with_slope(primals, tangents):
    (value, _), (change, carried) = primals, tangents
    return value, change + carried.astype(value.dtype)


def fired(logit: Values, uniforms: Values) -> Values:
    """1 where the uniform number is below the probability, else 0; no derivative."""
    return jax.lax.stop_gradient((uniforms < jax.nn.sigmoid(logit)).astype(logit.dtype))


def _plain_gradient(estimator, program, parameters, uniforms):
    def loss(parameters):
        return program(parameters, uniforms, estimator)[0]

    return eqx.filter_value_and_grad(loss)(parameters)


class StraightThrough(AbstractSurrogate):
    """Physics straight-through: forward the spike itself, backward the slope of the device's own probability, dP/dI.

    No free parameter: the device's noise is the surrogate. Exact where the loss is linear in each spike; biased
    otherwise, by about 0.2 of the gradient's size in small networks (`tests/nn/test_estimators.py` states it).

    >>> import jax
    >>> import mtjax as mtj
    >>> u = jax.numpy.array(0.9)
    >>> spike, slope = jax.value_and_grad(lambda logit: mtj.nn.StraightThrough().spike(logit, u))(1.0)
    >>> print(f"spike {spike:.0f}, slope P (1 - P) = {slope:.3f}")
    spike 0, slope P (1 - P) = 0.197
    """

    def spike(self, logit: Values, uniforms: Values) -> Values:
        """b in value, P in slope."""
        return with_slope(fired(logit, uniforms), self.surrogate(logit))

    def surrogate(self, logit: Values) -> Values:
        """P."""
        return jax.nn.sigmoid(logit)

    def final(self, loss: Callable[[Others], Scalar], x: Others) -> Scalar:
        """The loss."""
        return loss(x)

    def value_and_grad(self, program: Program, parameters: Any, uniforms: Any) -> tuple[Scalar, Any]:
        """By reverse mode."""
        return _plain_gradient(self, program, parameters, uniforms)


class Concrete(AbstractEstimator):
    """The concrete (Gumbel) relaxation: sigmoid((logit + ln(u'/(1 - u'))) / temperature), u' = 1 - u, in place of b.

    The same uniforms give the same side of 1/2. Biased: less with a lower `temperature`, with more variance. Maddison,
    Mnih and Teh (2017), Jang, Gu and Poole (2017), recalled.

    - `temperature`: of the relaxation, no unit.
    - `hard`: forward the spike itself and only differentiate the relaxation.

    >>> import jax.numpy as jnp
    >>> import mtjax as mtj
    >>> for temperature in (2.0, 0.5, 0.1):
    ...     print(f"{mtj.nn.Concrete(temperature).spike(jnp.array(0.0), jnp.array(0.3)):.3f} at temperature {temperature}")
    0.604 at temperature 2.0
    0.845 at temperature 0.5
    1.000 at temperature 0.1
    """

    temperature: Positive = 0.5
    hard: bool = eqx.field(static=True, default=False)

    def spike(self, logit: Values, uniforms: Values) -> Values:
        """The relaxed spike."""
        u = jnp.clip(uniforms, 1e-6, 1 - 1e-6)
        soft = jax.nn.sigmoid((logit - jnp.log(u) + jnp.log1p(-u)) / self.temperature)
        return with_slope(fired(logit, uniforms), soft) if self.hard else soft

    def final(self, loss: Callable[[Others], Scalar], x: Others) -> Scalar:
        """The loss at the relaxed spikes."""
        return loss(x)

    def value_and_grad(self, program: Program, parameters: Any, uniforms: Any) -> tuple[Scalar, Any]:
        """By reverse mode."""
        return _plain_gradient(self, program, parameters, uniforms)
