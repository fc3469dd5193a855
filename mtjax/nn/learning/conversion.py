"""From an analog network to spikes: train on the device's own transfer curve, or take weights trained elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from mtjax.checks import Count, checked
from mtjax.nn.elements import ClockedNeuron, Dense
from mtjax.nn.estimators import AbstractEstimator
from mtjax.nn.laws import AbstractLaw
from mtjax.nn.network import Layer, Network
from mtjax.quantities import Numbers, Scalar

Values = Float[Array, "*shape"]


class Analog(AbstractEstimator):
    """The analog network: every neuron hands on its probability, the device's transfer curve, instead of a spike.

    Train with it and one time-step, then run the same network on spikes: a conversion without any copying, since the
    activation function was the device's own. The mean of spikes over time-steps tends to the analog values in the first
    layer; deeper ones average a curve over the spikes' noise, which is what conversion loses.

    >>> import jax
    >>> import mtjax as mtj
    >>> p, slope = jax.value_and_grad(lambda logit: mtj.nn.Analog().spike(logit, jax.numpy.array(0.9)))(1.0)
    >>> print(f"{p:.3f} in place of a spike, slope P (1 - P) = {slope:.3f}")
    0.731 in place of a spike, slope P (1 - P) = 0.197
    """

    def spike(self, logit: Values, uniforms: Values) -> Values:
        """P."""
        del uniforms
        return jax.nn.sigmoid(logit)

    def final(self, loss: Callable[[Array], Scalar], x: Array) -> Scalar:
        """The loss at the probabilities."""
        return loss(x)

    def value_and_grad(self, program: Any, parameters: Any, uniforms: Any) -> tuple[Scalar, Any]:
        """By reverse mode; the uniforms make no difference."""
        return eqx.filter_value_and_grad(lambda p: program(p, uniforms, self)[0])(parameters)


@checked
def from_sigmoid(
    weights: Sequence[Numbers], biases: Sequence[Numbers], law: AbstractLaw, *, shape: tuple[Count, ...] | None = None
) -> Network:
    """A spiking network with the weights of a sigmoid network trained elsewhere, as Sengupta et al. (2016) made theirs.

    Every sigmoid unit becomes a clocked neuron whose transfer curve has the sigmoid's mid-point and slope there.

    - `weights`: matrices (out, in) from the input on, the last one to the classes; `biases`: (out,) each. Of
      scikit-learn's `MLPClassifier(activation="logistic")`: `[w.T for w in c.coefs_]` and `c.intercepts_`.
    - `law`: of the neurons; `shape`: of the input, by default a vector.

    Raises `ValueError` where shapes do not follow each other.

    >>> import numpy as np
    >>> import mtjax as mtj
    >>> weights, biases = [np.ones((3, 4)), np.eye(2, 3)], [np.zeros(3), np.zeros(2)]
    >>> network = mtj.nn.from_sigmoid(weights, biases, mtj.nn.sengupta2016_law())
    >>> print(network)
    Network 4 -> 3 -> readout, direct coding, 23 weights and biases
    >>> print(network.layers[0].neuron)
    ClockedNeuron: bias 70.78 uA, 12.61 uA per unit of input
    """
    matrices = [np.asarray(w, np.float32) for w in weights]
    vectors = [np.asarray(b, np.float32) for b in biases]
    _follow([w.shape for w in matrices], [b.shape for b in vectors])
    synapses = [Dense(jnp.asarray(w), jnp.asarray(b)) for w, b in zip(matrices, vectors, strict=True)]
    layers = tuple(Layer(s, ClockedNeuron.of(law)) for s in synapses[:-1])
    return Network(layers, synapses[-1], (matrices[0].shape[1],) if shape is None else shape)


def _follow(weights: list[tuple[int, ...]], biases: list[tuple[int, ...]]) -> None:
    fits = len(weights) == len(biases) > 0 and all(len(w) == 2 and b == w[:1] for w, b in zip(weights, biases, strict=True))
    if not fits or any(a[0] != b[1] for a, b in zip(weights[:-1], weights[1:], strict=True)):
        raise ValueError(
            f"`weights` must be matrices (out, in) that follow each other, with one bias per output, but have shapes {weights} "
            f"and biases {biases}."
        )
