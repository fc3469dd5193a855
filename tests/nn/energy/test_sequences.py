"""Joules of a sequence against sums by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import mtjax as mtj
from mtjax import nn


def test_a_sequence_costs_what_its_pulses_cost():
    cell = mtj.presets.kurenkov2019_neuron().cell
    neuron = nn.HeatedNeuron.of(cell, nn.kurenkov2019_law(), interval=10e-9, p=0.3)
    network = nn.recurrent((2, 3, 2), neuron, key=jax.random.key(0))
    hardware = nn.Hardware(5e-9, 0.0, 250.0, 0.0, 5e-9, R_start=1e3, R_switched=2e3, R_reference=1e3)
    activity = network(jnp.ones((12, 2)), key=jax.random.key(1), length=9)
    spikes, current = (np.asarray(x) for x in (activity.fired[0].spikes, activity.fired[0].current))
    assert spikes.sum() > 2
    cost = nn.sequence_energy(network, activity, hardware)
    heat = 250.0 * 5e-9 * np.sum(current**2)
    assert float(cost.write) == pytest.approx(heat, rel=1e-5)
    assert float(cost.reset) == pytest.approx(250.0 * 5e-9 * 0.25e-6 * spikes.sum(), rel=1e-5)
    drawn = 0.9 * 5e-9 * (current.sum() + 0.5e-3 * spikes.sum())
    assert float(cost.drivers + cost.write + cost.reset) == pytest.approx(drawn, rel=1e-5)
    read = 0.01 * 1e-9 * ((27 - spikes.sum()) / 2e3 + spikes.sum() / 3e3)
    assert float(cost.read) == pytest.approx(read, rel=1e-5)
    (layer,), late = network.layers, np.vstack([np.zeros(3), spikes[:-1]])
    power = 9 * layer.synapse.read_power(jnp.ones(2)) + sum(layer.back.read_power(jnp.asarray(s)) for s in late)
    power += sum(network.readout.synapse.read_power(jnp.asarray(s)) for s in spikes)
    assert float(cost.crossbar) == pytest.approx(float(power) * 0.01 * 5e-9, rel=1e-5)
    assert float(cost.latency) == pytest.approx(90e-9)
    assert float(cost.comparators / hardware.comparator) == pytest.approx(27)
    assert float(cost.converters / hardware.converter) == pytest.approx(18)


def test_other_neurons_are_refused():
    network = nn.recurrent((2, 3, 2), nn.ClockedNeuron.of(nn.sengupta2016_law()), key=jax.random.key(0))
    hardware = nn.Hardware(5e-9, 0.0, 250.0, 0.0, 5e-9, R_start=1e3, R_switched=2e3, R_reference=1e3)
    activity = network(jnp.ones((2, 2)), key=jax.random.key(1))
    with pytest.raises(ValueError, match="HeatedNeuron, but a layer has ClockedNeuron"):
        nn.sequence_energy(network, activity, hardware)
