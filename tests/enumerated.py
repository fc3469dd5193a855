"""Three layers of eight neurons, small enough that the expected loss and its gradient are known exactly."""

import itertools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax

from mtjax import nn
from mtjax.nn.learning.training import sample_loss

STATES = jnp.asarray(list(itertools.product((0.0, 1.0), repeat=8)))  # all 256 patterns of a layer's spikes
LABEL = jnp.asarray(1)


def network(seed=0):
    """Weights large enough that losses are far from linear in a spike."""
    net = nn.mlp((4, 8, 8, 8, 3), nn.sengupta2016_law(), key=jax.random.key(seed), gain=3.0)
    net = jax.tree.map(lambda x: x.astype(float) if eqx.is_inexact_array(x) else x, net)
    return net, jnp.asarray(np.random.default_rng(seed).random(4))


def pattern_probabilities(logits):
    """Probability of each of the 256 patterns, for logits of shape (..., 8)."""
    p = jax.nn.sigmoid(logits)[..., None, :]
    return jnp.prod(jnp.where(STATES > 0, p, 1 - p), axis=-1)


def expected_loss(net, x):
    """The loss at one time-step, summed over all 2^24 ways to fire: layer after layer, each depends on the last only."""
    reached = pattern_probabilities(net.layers[0].neuron.logit(net.layers[0].synapse(x)))
    for layer in net.layers[1:]:
        logits = jax.vmap(lambda s, layer=layer: layer.neuron.logit(layer.synapse(s)))(STATES)
        reached = reached @ pattern_probabilities(logits)
    losses = jax.vmap(lambda s: optax.losses.softmax_cross_entropy_with_integer_labels(net.readout(s), LABEL))(STATES)
    return reached @ losses


def weights_of(net):
    synapses = [layer.synapse for layer in net.layers]
    return jnp.concatenate([a.ravel() for s in synapses for a in (s.weight, s.bias)])


def exact(net, x):
    value, gradient = eqx.filter_value_and_grad(expected_loss)(net, x)
    return value, weights_of(gradient)


@eqx.filter_jit
def _some(net, x, estimator, keys):
    def one(key):
        if isinstance(estimator, nn.Reinforce):
            us = jax.vmap(lambda k: net.draw(k, 1))(jax.random.split(key, estimator.samples))
        else:
            us = net.draw(key, 1)
        loss, gradient = estimator.value_and_grad(lambda n, u, e: sample_loss(n, x, LABEL, u, e), net, us)
        return loss, weights_of(gradient)

    losses, gradients = jax.vmap(one)(keys)
    return jnp.mean(losses), jnp.mean(gradients, 0), jnp.mean(gradients**2, 0)


def estimated(net, x, estimator, *, draws, seed=1, chunk=2000):
    """Mean loss, mean gradient and its standard error per weight."""
    keys = jax.random.split(jax.random.key(seed), draws).reshape(-1, chunk)
    parts = [_some(net, x, estimator, k) for k in keys]
    loss, mean, square = (np.mean([np.asarray(part[i]) for part in parts], axis=0) for i in range(3))
    return loss, mean, np.sqrt(np.maximum(square - mean**2, 0) / draws)


def relative_bias(mean, stderr, truth):
    """|E g - g| / |g|, with the part that sampling noise adds on average taken off."""
    square = np.sum((mean - truth) ** 2) - np.sum(stderr**2)
    return np.sqrt(max(square, 0.0)) / np.linalg.norm(truth)
