"""Designs trained with the weights: they start where the device is, follow its scaling, and have right slopes."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import mtjax as mtj
from mtjax import nn
from mtjax.nn import joint

FAMILY, DEVICE = nn.perpendicular_law(), mtj.presets.perpendicular_stt(20.0)


def small():
    return nn.mlp((4, 6, 5, 2), FAMILY, key=jax.random.key(0))


def test_a_design_starts_at_the_device_and_scales_as_one_does():
    network = joint.free(small())
    start, back = small().layers[0].neuron, joint.fixed(network).layers[1].neuron
    for a, b in zip(jax.tree.leaves(start), jax.tree.leaves(back), strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-9)
    design = eqx.tree_at(lambda d: (d.delta, d.width), network.layers[0].neuron.design, (0.7, -0.4))
    law = joint.DesignedNeuron(design, FAMILY).neuron.law
    anew = FAMILY.of(mtj.presets.perpendicular_stt(float(law.delta)), float(law.width))
    assert abs(float(law.delta) - 20) > 3
    np.testing.assert_allclose(law.critical_current, anew.critical_current, rtol=1e-9)
    np.testing.assert_allclose(law.relaxation_time, anew.relaxation_time, rtol=1e-9)


@pytest.mark.slow
def test_joules_follow_the_design_with_right_slopes():
    network = joint.free(small())
    x, us = jnp.array([0.1, 0.9, 0.4, 0.0]), network.draw(jax.random.key(1), 2)

    @jax.jit
    def joules(values):
        design = joint.Design(*values)
        neuron = joint.DesignedNeuron(design, FAMILY)
        changed = nn.Network(tuple(nn.Layer(l.synapse, neuron) for l in network.layers), network.readout, network.shape)
        activity = changed(x, uniforms=us, estimator=nn.Analog())  # smooth: probabilities in place of spikes
        return joint.hardware(changed, DEVICE).energy(changed, activity).total * 1e12

    at = jnp.stack(jax.tree.leaves(network.layers[0].neuron.design))
    slope, h = jax.grad(joules)(at), 1e-4
    for i in range(4):
        step = h * jnp.eye(4)[i]
        np.testing.assert_allclose(slope[i], (joules(at + step) - joules(at - step)) / (2 * h), rtol=1e-5, err_msg=str(i))
    assert np.all(np.abs(slope) > 1e-3)


@pytest.mark.slow
def test_a_price_shortens_pulses_in_all_layers_alike():
    x = np.random.default_rng(0).random((64, 4)).astype(np.float32)
    data, found = nn.Dataset(x, (x[:, 0] > x[:, 2]).astype(int)), []
    for price in (0.0, 1e12):
        how = joint.joint(nn.Training(epochs=15, batch=16, rate=0.03, steps=2), DEVICE, price=price)
        trained = nn.train(joint.free(small()), data, how, key=jax.random.key(1), progress=False).network
        end = joint.fixed(trained)
        assert float(end.layers[0].neuron.bias) == float(end.layers[1].neuron.bias)
        found.append(float(nn.mean_over(end, x, joint.hardware(end, DEVICE), steps=2, key=jax.random.key(2)).total))
    assert found[1] < 0.8 * found[0]


def test_what_is_refused():
    with pytest.raises(ValueError, match="on a PerpendicularLaw, but they are on ChebyshevLaw"):
        joint.free(nn.mlp((4, 3, 2), nn.sengupta2016_law(), key=jax.random.key(0)))
    with pytest.raises(ValueError, match="The devices must be free .*, but a layer has ClockedNeuron"):
        joint.fixed(small())
    with pytest.raises(ValueError, match="`delta` must lie inside the range of a design"):
        joint.DesignedNeuron.of(nn.ClockedNeuron.of(FAMILY.at(70.0, 3e-5, 2e-9, 5e-9)))
