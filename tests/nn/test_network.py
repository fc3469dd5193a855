"""Networks against numpy, shapes, coding; conversion of a network trained elsewhere."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mtjax import nn
from mtjax.nn.learning.training import batch_gradient

LAW = nn.sengupta2016_law()
IMAGE = jax.random.uniform(jax.random.key(9), (10, 8, 2))


@eqx.filter_jit
def run(net, x, us, **kwargs):
    return net(x, uniforms=us, **kwargs)


@eqx.filter_jit
def draw(net, steps):
    return net.draw(jax.random.key(1), steps)


def spikes_by_hand(net, x, us):
    """The layers of a dense network written out in numpy; returns spikes of every layer and the readout's scores."""
    x = np.broadcast_to(np.asarray(x), (us[0].shape[0], x.size))
    everything = []
    for layer, u in zip(net.layers, us, strict=True):
        y = x @ np.asarray(layer.synapse.weight).T + np.asarray(layer.synapse.bias)
        current = np.clip(float(layer.neuron.bias) + float(layer.neuron.scale) * y, 0, 150e-6)
        x = (np.asarray(u) < np.asarray(LAW.psw(current))).astype(float)
        everything.append(x)
    return everything, x @ np.asarray(net.readout.weight).T + np.asarray(net.readout.bias)


def test_a_dense_network_is_what_numpy_makes_of_it():
    net = nn.mlp((6, 9, 7, 3), LAW, key=jax.random.key(0))
    x, us = jnp.linspace(0, 1, 6), draw(net, 5)
    activity = run(net, x, us)
    spikes, scores = spikes_by_hand(net, x, us)
    for fired, by_hand in zip(activity.fired, spikes, strict=True):
        np.testing.assert_array_equal(fired.spikes, by_hand)
    np.testing.assert_allclose(net.read(activity.fired[-1].spikes), scores, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(net.scores(activity.fired[-1].spikes), np.mean(scores, axis=0), rtol=1e-12, atol=1e-12)
    assert all(len(np.unique(s)) == 2 for s in spikes)


def test_the_convolutional_network_has_the_sizes_of_its_name():
    net = nn.convnet(LAW, key=jax.random.key(0))
    assert net.neuron_shapes() == ((2, 2, 12, 12 * 6), (2, 2, 4, 4 * 12))
    activity = run(net, jnp.zeros((28, 28, 1)), draw(net, 2))
    assert activity.fired[1].spikes.shape == (2, 2, 2, 4, 48)
    assert net.read(activity.fired[1].spikes).shape == (2, 10)
    weights = [net.layers[0].synapse.weight, net.layers[1].synapse.synapse.weight, net.readout.synapse.weight]
    assert [w.size for w in weights] == [5 * 5 * 6, 5 * 5 * 6 * 12, 4 * 4 * 12 * 10]
    numbers = 5 * 5 * 6 + 6 + 5 * 5 * 6 * 12 + 12 + 4 * 4 * 12 * 10 + 10
    assert str(net) == f"Network 28x28x1 -> 2x2x12x72 -> 2x2x4x48 -> readout, direct coding, {numbers} weights and biases"
    small = nn.mlp((4, 3, 2), LAW, key=jax.random.key(0))
    assert str(small).endswith(f"{4 * 3 + 3 + 3 * 2 + 2} weights and biases")
    assert str(nn.Network(small.layers, None, (4,))).endswith(f"{4 * 3 + 3} weights and biases")


@pytest.mark.parametrize("outputs", [3, 7, 50, 100])  # tiles of 4 x 6, 4 x 3, 1 x 1 and 1 x 1
def test_a_convolution_is_that_of_lax_and_pooling_takes_means(outputs):
    conv = nn.Conv.make(5, 2, outputs, key=jax.random.key(0))
    x = jax.random.uniform(jax.random.key(1), (12, 10, 2))
    wanted = jax.lax.conv_general_dilated(x[None], conv.weight, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC"))[0]
    np.testing.assert_allclose(conv(x), wanted, rtol=1e-6, atol=1e-6)
    means = np.asarray(x).reshape(6, 2, 5, 2, 2).mean(axis=(1, 3))
    np.testing.assert_allclose(
        nn.Pooled(nn.Conv.make(3, 2, 1, key=jax.random.key(2)))(x),
        nn.Conv.make(3, 2, 1, key=jax.random.key(2))(jnp.asarray(means)),
        rtol=1e-6,
        atol=1e-6,
    )


def test_squares_are_the_image_in_another_order_and_have_the_same_means():
    ordered = nn.Conv.make(3, 2, 5, key=jax.random.key(0), squares=2)
    image, squares = (dataclasses.replace(ordered, squares=n)(IMAGE) for n in (1, 2))
    assert squares.shape == (2, 2, 4, 3 * 5)
    for row, column in [(0, 0), (0, 1), (1, 0), (1, 1)]:
        np.testing.assert_array_equal(squares[row, column].reshape(4, 3, 5), image[row::2, column::2])
    for following in (nn.Conv.make(3, 5, 2, key=jax.random.key(1)), nn.Dense.make(60, 2, key=jax.random.key(1))):
        np.testing.assert_allclose(nn.Pooled(following)(squares), nn.Pooled(following)(image), rtol=1e-12)
    np.testing.assert_array_equal(
        ordered.variance(IMAGE)[1, 0].reshape(4, 3, 5), dataclasses.replace(ordered, squares=1).variance(IMAGE)[1::2, 0::2]
    )


def test_moments_of_a_synapse_are_those_of_independent_spikes():
    dense = nn.Dense.make(5, 3, key=jax.random.key(0))
    p = np.array([0.1, 0.3, 0.5, 0.7, 0.9])
    states = (np.arange(32)[:, None] >> np.arange(5)) & 1
    weight = np.prod(np.where(states, p, 1 - p), axis=1)
    y = np.asarray(jax.vmap(dense)(jnp.asarray(states, float)))
    mean = weight @ y
    np.testing.assert_allclose(dense(jnp.asarray(p)), mean, rtol=1e-6)
    np.testing.assert_allclose(dense.variance(jnp.asarray(p * (1 - p))), weight @ (y - mean) ** 2, rtol=1e-6)


def test_bernoulli_coding_shows_the_input_as_spikes():
    net = nn.Network((nn.Layer(nn.Dense.make(4, 2, key=jax.random.key(0)), nn.ClockedNeuron.of(LAW)),), None, (4,), "bernoulli")
    x, steps = jnp.array([0.0, 0.2, 0.7, 1.0]), 4000
    inputs = run(net, x, draw(net, steps), key=jax.random.key(2)).inputs
    assert set(np.unique(inputs)) == {0.0, 1.0}
    np.testing.assert_allclose(inputs.mean(axis=0), x, atol=4 * 0.5 / steps**0.5)
    assert np.all(inputs[:, 0] == 0)
    assert np.all(inputs[:, 3] == 1)
    with pytest.raises(ValueError, match="`key` must be given where inputs are coded as Bernoulli spikes"):
        run(net, x, draw(net, 2))


def test_time_steps_are_independent_draws_and_the_readout_adds_them():
    net = nn.mlp((3, 40, 2), LAW, key=jax.random.key(0))
    spikes = run(net, jnp.ones(3), draw(net, 3000)).fired[0].spikes
    p = np.asarray(jax.nn.sigmoid(net.layers[0].neuron.logit(net.layers[0].synapse(jnp.ones(3)))))
    z = (np.asarray(spikes).mean(axis=0) - p) / np.sqrt(p * (1 - p) / 3000)
    assert np.max(np.abs(z)) < 4
    later = np.mean((np.asarray(spikes)[1:] - p) * (np.asarray(spikes)[:-1] - p)) / np.mean(p * (1 - p))
    assert abs(later) < 4 / (3000 * 40) ** 0.5


def test_neurons_with_memory_run_over_time_like_a_loop():
    neuron = nn.IntegratingNeuron(LAW, LAW.drive_at(0.1), 5e-6)
    net = nn.Network((nn.Layer(nn.Dense.make(4, 30, key=jax.random.key(0)), neuron),), None, (4,))
    x, us = jnp.ones(4), draw(net, 6)
    found, state = run(net, x, us).fired[0], neuron.init((30,))
    for t in range(6):
        fired, state = neuron(net.layers[0].synapse(x), state, uniforms=us[0][t], estimator=nn.StraightThrough())
        np.testing.assert_array_equal(found.spikes[t], fired.spikes)
        np.testing.assert_allclose(found.logit[t], fired.logit, rtol=1e-9)


def test_a_converted_network_tends_to_the_sigmoid_network():
    """One hidden layer: the mean of its spikes is the device's curve, which is a sigmoid near its middle."""
    rng = np.random.default_rng(0)
    weights, biases = [rng.normal(size=(12, 5)) / 2, rng.normal(size=(3, 12))], [rng.normal(size=12) / 2, rng.normal(size=3)]
    net = nn.from_sigmoid(weights, biases, LAW)
    x, steps = rng.random(5), 4000
    spikes = np.asarray(run(net, jnp.asarray(x), draw(net, steps)).fired[0].spikes)
    sigmoid = 1 / (1 + np.exp(-(weights[0] @ x + biases[0])))
    device = np.asarray(jax.nn.sigmoid(net.layers[0].neuron.logit(jnp.asarray(weights[0] @ x + biases[0]))))
    assert np.max(np.abs(device - sigmoid)) < 0.05  # the curve of the device is close to, and not, a sigmoid
    assert np.all(np.abs(spikes.mean(axis=0) - device) < 4 * np.sqrt(device * (1 - device) / steps))
    np.testing.assert_allclose(net.read(jnp.asarray(device)[None])[0], weights[1] @ device + biases[1], rtol=1e-5)


def test_the_analog_network_is_the_transfer_curve():
    net = nn.mlp((4, 6, 3), LAW, key=jax.random.key(0))
    x, us = jnp.linspace(0, 1, 4), draw(net, 1)
    found = run(net, x, us, estimator=nn.Analog()).fired[0].spikes[0]
    np.testing.assert_allclose(found, LAW.psw(net.layers[0].neuron.current(net.layers[0].synapse(x))), rtol=1e-6)


class EveryStep(nn.AbstractEstimator):
    """Straight-through, without saying that its slope is the same at all time-steps."""

    def spike(self, logit, uniforms):
        return nn.StraightThrough().spike(logit, uniforms)

    def final(self, loss, x):
        return loss(x)

    def value_and_grad(self, program, parameters, uniforms):
        return eqx.filter_value_and_grad(lambda p: program(p, uniforms, self)[0])(parameters)


@pytest.mark.parametrize("penalty", [None, lambda net, activity: sum(jnp.sum(f.spikes**2) for f in activity.fired)])
def test_slopes_that_pass_once_for_all_time_steps_give_the_gradient_of_those_that_pass_at_each(penalty):
    keys = jax.random.split(jax.random.key(0), 3)
    neuron = nn.ClockedNeuron.of(LAW)
    layers = (
        nn.Layer(nn.Conv.make(3, 2, 3, key=keys[0], gain=2.0, squares=2), neuron),
        nn.Layer(nn.Pooled(nn.Conv.make(2, 3, 4, key=keys[1], gain=2.0)), neuron),
    )
    net = nn.Network(layers, nn.Dense.make(24, 3, key=keys[2]), IMAGE.shape)
    xs, labels = jnp.stack([IMAGE, 1 - IMAGE]), jnp.array([0, 2])
    found = [
        batch_gradient(net, xs, labels, jax.random.key(1), steps=4, estimator=e, penalty=penalty)
        for e in (nn.StraightThrough(), EveryStep())
    ]
    for fast, general in zip(*map(jax.tree.leaves, found), strict=True):
        np.testing.assert_allclose(fast, general, rtol=1e-9, atol=1e-12)
    first = found[0][1].layers[0].synapse
    assert np.all(np.abs(np.asarray(first.weight)) > 1e-6)


def test_shapes_that_do_not_fit_are_named():
    net = nn.mlp((4, 6, 3), LAW, key=jax.random.key(0))
    with pytest.raises(ValueError, match=r"The input must have shape \(4,\), but has \(5,\)"):
        net(jnp.ones(5), uniforms=net.draw(jax.random.key(1), 1))
    wrong = eqx.tree_at(lambda n: n.readout, net, nn.Dense.make(7, 3, key=jax.random.key(0)))
    with pytest.raises(ValueError, match=r"The input of Dense must have 7 values, but has shape \(6,\)"):
        wrong.classes  # noqa: B018
    with pytest.raises(ValueError, match="sides are multiples of 2"):
        nn.Pooled(nn.Dense.make(4, 2, key=jax.random.key(0)))(jnp.ones((5, 4, 1)))
    with pytest.raises(ValueError, match=r"must have shape \(height, width, 2\), but has \(8, 8, 1\)"):
        nn.Conv.make(5, 2, 3, key=jax.random.key(0))(jnp.ones((8, 8, 1)))
    with pytest.raises(ValueError, match="must be matrices .* that follow each other"):
        nn.from_sigmoid([np.ones((3, 2)), np.ones((2, 4))], [np.ones(3), np.ones(2)], LAW)
    with pytest.raises(ValueError, match="must be 'direct' or 'bernoulli', but is 'rate'"):
        nn.Network(net.layers, net.readout, (4,), "rate")


def test_estimators_that_look_ahead_need_neurons_without_memory():
    layers = (
        nn.Layer(nn.Dense.make(4, 5, key=jax.random.key(0)), nn.ClockedNeuron.of(LAW)),
        nn.Layer(nn.Dense.make(5, 5, key=jax.random.key(0)), nn.FreeRunningNeuron()),
    )
    net = nn.Network(layers, None, (4,))
    with pytest.raises(ValueError, match="PSA needs neurons without memory, but a layer has FreeRunningNeuron"):
        net(jnp.ones(4), uniforms=net.draw(jax.random.key(0), 2), estimator=nn.PSA())
