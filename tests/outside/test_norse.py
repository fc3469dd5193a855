"""The leaky integrate-and-fire neuron of norse under a constant input of 1.

norse/norse, norse/torch/functional/test/test_lif.py, `test_lif_feed_forward_step`, and test_encode.py (constant current):
a step is a tenth of the membrane's time, a fifth of the synapse's, by Euler's method: factors 0.9 and 0.8.

The membrane of `IntegratingNeuron` is a temperature, heated by the square of the current: an input that is small beside the bias
is integrated linearly, so the trace is the difference to that without input. When norse's neuron fires, so is this one
made to; here it is the switching law that decides.
"""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mtjax import nn

LAW = nn.sengupta2016_law()
STEP = 5e-9
NEURON = nn.IntegratingNeuron(LAW, bias=50e-6, scale=50e-12, interval=STEP, cooling_time=-STEP / np.log(0.9))


def trace(neuron, steps, fires=()):
    """The membrane after every step, in units of ten times what an input of 1 adds in one step."""

    def rises(x):
        state, found = neuron.init((1,)), []
        for step in range(steps):
            uniforms = jnp.full(1, 0.0 if step in fires else 1.0 - 1e-7)
            _, state = neuron(jnp.full(1, x), state, uniforms=uniforms, estimator=nn.StraightThrough())
            found.append(float((state if neuron.synaptic_time is None else state[0])[0]))
        return np.array(found)

    heat = float(neuron.resistance * neuron.width / neuron.heat_capacity)
    return (rises(1.0) - rises(0.0)) / (heat * 2 * 50e-6 * 50e-12 * 0.9 * 10)


def test_the_encoder():
    assert trace(NEURON, 3) == pytest.approx([0.1, 0.19, 0.2710], abs=1e-5)


def test_a_synaptic_current_and_resets():
    neuron = dataclasses.replace(NEURON, synaptic_time=-STEP / np.log(0.8))
    printed = [0.1, 0.27, 0.487, 0.7335, 0.9963, 0.0, 0.3951, 0.7717, 0.0]
    assert trace(neuron, 9, fires=(5, 8)) == pytest.approx(printed, abs=1e-4)


def test_gradients_pass_through_the_synapse():

    neuron = dataclasses.replace(NEURON, scale=5e-6, synaptic_time=10e-9)

    def logit(x, time):
        now = dataclasses.replace(neuron, synaptic_time=time)
        _, state = now(jnp.full(1, x), now.init((1,)), uniforms=jnp.ones(1), estimator=nn.StraightThrough())
        return now(jnp.zeros(1), state, uniforms=jnp.ones(1), estimator=nn.StraightThrough())[0].logit[0]

    for place, (at, step) in enumerate(((1.0, 1e-4), (10e-9, 1e-12))):
        up, down = ((1.0 + step, 10e-9), (1.0 - step, 10e-9)) if place == 0 else ((1.0, at + step), (1.0, at - step))
        slope = (logit(*up) - logit(*down)) / (2 * step)
        assert float(jax.grad(logit, place)(1.0, 10e-9)) == pytest.approx(float(slope), rel=1e-4)
