"""Joules of a sequence: what heated neurons, their crossbars and their periphery take, slot by slot."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from mtjax.checks import checked
from mtjax.nn.elements import HeatedNeuron
from mtjax.nn.energy.junctions import Energy, Hardware
from mtjax.nn.sequences import SequenceActivity, SequenceNetwork


@checked
def sequence_energy(network: SequenceNetwork, activity: SequenceActivity, hardware: Hardware) -> Energy:
    """What the sequence of `activity` (one, without an axis of samples) costs on `network`, part by part.

    Write and reset pulses are those of the neurons themselves (their resistance, current and width); of `hardware` count the
    read-out, the supply of the drivers, crossbar voltage and periphery. Rows of a recurrent crossbar are driven by the spikes
    of the slot before. The latency is that of the slots; layers share them.

    Raises `ValueError` where a layer is not of `HeatedNeuron`.

    >>> import jax
    >>> import jax.numpy as jnp
    >>> import mtjax as mtj
    >>> cell = mtj.presets.kurenkov2019_neuron().cell
    >>> neuron = mtj.nn.HeatedNeuron.of(cell, mtj.nn.kurenkov2019_law(), interval=10e-9)
    >>> network = mtj.nn.recurrent((3, 8, 2), neuron, key=jax.random.key(0))
    >>> hall = {"R_start": 250.0, "R_switched": 250.0, "R_reference": 250.0}
    >>> hardware = mtj.nn.Hardware(5e-9, 0.0, cell.write_resistance, -0.5e-3, 5e-9, **hall)
    >>> cost = mtj.nn.sequence_energy(network, network(jnp.zeros((20, 3)), key=jax.random.key(1)), hardware)
    >>> print(f"{1e9 * cost.latency:.0f} ns; {'drivers' if cost.drivers > cost.write else 'write pulses'} cost most")
    200 ns; drivers cost most
    """
    totals: dict[str, Any] = dict.fromkeys(("write", "reset", "read", "crossbar", "drivers", "comparators", "leak"), 0.0)
    alive = (jnp.arange(activity.inputs.shape[0]) < activity.slots)[:, None]
    below, latency = jnp.where(alive, activity.inputs, 0.0), activity.slots * activity.interval
    for layer, fired in zip(network.layers, activity.fired, strict=True):
        neuron = layer.neuron
        if not isinstance(neuron, HeatedNeuron):
            raise ValueError(f"The neurons must be HeatedNeuron, but a layer has {type(neuron).__name__}.")
        width, spikes, size = neuron.law.width, fired.spikes, fired.spikes.shape[1]
        write, more = hardware.drawn(fired.current, width, neuron.resistance)
        reset, more_reset = hardware.drawn(neuron.reset_current, width, neuron.resistance)
        late = jnp.pad(spikes, [(1, 0), (0, 0)])[:-1]
        power = jnp.sum(jax.vmap(layer.synapse.read_power)(below))
        power += 0.0 if layer.back is None else jnp.sum(jax.vmap(layer.back.read_power)(late))
        resistance = hardware.R_start + (hardware.R_switched - hardware.R_start) * spikes + hardware.R_reference
        reading = jnp.where(alive, hardware.read_voltage**2 * hardware.read_time / resistance, 0.0)
        found = {
            "write": jnp.sum(write),
            "reset": jnp.sum(spikes) * reset,
            "read": jnp.sum(reading),
            "crossbar": power * hardware.crossbar_voltage**2 * width,
            "drivers": jnp.sum(more) + jnp.sum(spikes) * more_reset,
            "comparators": activity.slots * size * hardware.comparator,
            "leak": size * hardware.leak * latency,
        }
        totals = {name: value + found[name] for name, value in totals.items()}
        below = spikes
    out = jnp.sum(jax.vmap(network.readout.synapse.read_power)(below)) * hardware.crossbar_voltage**2 * hardware.width
    totals["crossbar"] += out
    totals["leak"] += network.classes * hardware.leak * latency
    converters = activity.slots * network.channels * hardware.converter
    return Energy(
        **totals, converters=converters, readout=activity.slots * network.classes * hardware.integrator, latency=latency
    )
