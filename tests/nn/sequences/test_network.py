"""Recurrent networks: the scan against a plain loop, masks, memory, learning of what only time tells apart."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import mtjax as mtj
from mtjax import nn
from mtjax.dynamics import uniforms
from mtjax.nn.learning.sequences import mean_loss

CELL = mtj.presets.kurenkov2019_neuron().cell


@pytest.fixture(scope="module")
def neuron():
    return nn.HeatedNeuron.of(CELL, nn.kurenkov2019_law(), interval=10e-9, p=0.1)


@pytest.fixture(scope="module")
def network(neuron):
    return nn.recurrent((2, 6, 5, 3), neuron, key=jax.random.key(0), gain=2.0)


def as_loop(network, x, key, chunk):
    """Spikes and scores by a loop over slots and layers."""
    states, before = [layer.neuron.init((n,)) for layer, n in zip(network.layers, network.sizes, strict=True)], None
    trains = [[] for _ in network.layers]
    before = [jnp.zeros(n) for n in network.sizes]
    for t, frame in enumerate(x):
        keys = jax.random.split(jax.random.fold_in(key, t // chunk), len(network.layers))
        now = frame
        for i, layer in enumerate(network.layers):
            u = uniforms(keys[i], (chunk, network.sizes[i]))[t % chunk]
            y = layer.synapse(now) + layer.back(before[i])
            fired, states[i] = layer.neuron(y, states[i], uniforms=u, estimator=nn.StraightThrough())
            before[i] = now = fired.spikes
            trains[i].append(np.asarray(now))
    return [np.stack(t) for t in trains], np.mean([network.readout.synapse(jnp.asarray(s)) for s in trains[-1]], axis=0)


def test_the_scan_is_the_loop(network):
    x, key = jax.random.normal(jax.random.key(1), (11, 2)), jax.random.key(2)
    activity = eqx.filter_jit(network)(x, key=key)
    trains, scores = as_loop(network, x, key, 4)
    for fired, train in zip(activity.fired, trains, strict=True):
        np.testing.assert_array_equal(np.asarray(fired.spikes), train)
        assert train.sum() > 2
    np.testing.assert_allclose(activity.scores, scores, rtol=1e-6, atol=1e-9)
    slots, neurons = np.nonzero(trains[1])
    assert activity.events(1) == [(pytest.approx(10e-9 * (t + 1)), n) for t, n in zip(slots, neurons, strict=True)]


def test_what_comes_after_the_end_of_a_sequence_counts_for_nothing(network):
    x, key = jax.random.normal(jax.random.key(1), (11, 2)), jax.random.key(2)
    run = eqx.filter_jit(lambda x: network(x, key=key, length=jnp.asarray(7)))
    short, other = run(x), run(x.at[7:].add(100.0))
    np.testing.assert_array_equal(short.scores, other.scores)
    assert float(sum(jnp.sum(jnp.abs(f.spikes[7:])) + jnp.sum(jnp.abs(f.current[7:])) for f in short.fired)) == 0
    _, scores = as_loop(network, x[:7], key, 4)
    np.testing.assert_allclose(short.scores, scores, rtol=1e-6, atol=1e-9)


def test_the_gradient_does_not_depend_on_the_chunks(neuron):
    """Chunks decide which random numbers are drawn too: with neurons that never fire the logits alone are compared."""
    network = nn.recurrent((2, 4, 2), neuron, key=jax.random.key(0))

    def total(network, chunk):
        quiet = eqx.tree_at(lambda n: [layer.neuron.bias for layer in n.layers], network, [jnp.asarray(0.2e-3)])
        activity = dataclasses.replace(quiet, chunk=chunk)(jnp.ones((6, 2)), key=jax.random.key(0))
        return sum(jnp.sum(f.logit) for f in activity.fired)

    one, other = (eqx.filter_jit(eqx.filter_grad(total))(network, chunk) for chunk in (2, 6))
    for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-9)
    assert float(jnp.abs(one.layers[0].synapse.weight).max()) > 0


def test_a_network_learns_what_only_the_order_tells_apart(neuron):
    """Two frames in either order: each by itself says nothing, a network without memory would be right half of the time."""
    up, down = np.array([3.0, -3.0]), np.array([-3.0, 3.0])
    rng, labels = np.random.default_rng(0), np.arange(200) % 2
    frames = [np.array([up, down] if label else [down, up]) + rng.normal(0, 0.3, (2, 2)) for label in labels]
    data = nn.Sequences.of([np.repeat(f, 3, axis=0) for f in frames], labels)
    network = nn.recurrent((2, 16, 2), neuron, key=jax.random.key(0), gain=2.0)
    how = nn.Training(epochs=60, batch=100, rate=5e-2)
    trained = nn.train_sequences(network, data, how, key=jax.random.key(1), progress=False)
    assert trained.history[-1][0] < 0.5 * trained.history[0][0]
    assert nn.evaluate_sequences(trained.network, data, key=jax.random.key(2)).value[0] > 0.85


def test_training_goes_on_where_it_was_killed(neuron, tmp_path):
    data = nn.Sequences.of([np.ones((3, 2)), -np.ones((3, 2))], [0, 1])
    network = nn.recurrent((2, 4, 2), neuron, key=jax.random.key(0))
    how = {"key": jax.random.key(1), "progress": False}
    whole = nn.train_sequences(network, data, nn.Training(epochs=3, batch=2), **how, checkpoint=tmp_path / "kept")
    again = nn.train_sequences(network, data, nn.Training(epochs=3, batch=2), **how, checkpoint=tmp_path / "kept")
    assert len(again.history) == 3
    np.testing.assert_array_equal(again.network.layers[0].back.weight, whole.network.layers[0].back.weight)


@pytest.mark.slow
def test_memory_grows_with_the_root_of_the_slots(network):
    def bytes_for(slots):
        x = jnp.zeros((8, slots, 2))
        args = (x, jnp.full(8, slots), jnp.zeros(8, int), jax.random.key(0))
        arrays, fixed = eqx.partition(network, eqx.is_array)

        def loss(arrays, *args):
            return mean_loss(eqx.combine(arrays, fixed), *args, nn.StraightThrough())

        return jax.jit(jax.grad(loss)).lower(arrays, *args).compile().memory_analysis().temp_size_in_bytes

    short, long = bytes_for(64), bytes_for(1024)
    assert long < 16 * short / 2.5
