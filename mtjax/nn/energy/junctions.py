"""Joules and seconds of an inference, counted from the pulses that were fired."""

from __future__ import annotations

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Key

from mtjax.checks import Count, checked
from mtjax.devices import Device, TunnelMagnetoresistance
from mtjax.dynamics import settling_time
from mtjax.nn.energy.cmos import Cmos, CmosEnergy
from mtjax.nn.energy.cost import AbstractCost
from mtjax.nn.network import Activity, Network
from mtjax.printing import Shown
from mtjax.quantities import Numbers, Scalar, as_scalar, quantity


class Energy(AbstractCost):
    """What one inference costs, or an average over several.

    - `write`: heat of the write pulses in the devices, I^2 R t, J; `read`: of reading every device, J.
    - `reset`: of pulses that set back those which fired, J; `crossbar`: heat of all conductances, J.
    - `drivers`: what the write and reset drivers take from their supply beyond that, J.
    - `comparators`, `converters`, `readout`: periphery of neurons, inputs and classes, J; `leak`: J.
    - `latency`: s.

    >>> import jax
    >>> import numpy as np
    >>> import mtjax as mtj
    >>> network = mtj.nn.from_sigmoid([np.ones((3, 4)), np.eye(2, 3)], [np.zeros(3), np.zeros(2)], mtj.nn.perpendicular_law())
    >>> hardware = mtj.nn.Hardware.of(mtj.presets.perpendicular_stt(20.0), 10e-9, reset_current=30e-6)
    >>> activity = network(jax.numpy.ones(4), uniforms=network.draw(jax.random.key(0), 8))
    >>> cost = hardware.energy(network, activity)
    >>> print(f"{1e12 * cost.total:.2f} pJ in {1e9 * cost.latency:.0f} ns, write pulses {1e15 * cost.write:.0f} fJ")
    20.45 pJ in 258 ns, write pulses 667 fJ
    """

    write: Scalar = quantity("J")
    read: Scalar = quantity("J")
    reset: Scalar = quantity("J")
    crossbar: Scalar = quantity("J")
    drivers: Scalar = quantity("J")
    comparators: Scalar = quantity("J")
    converters: Scalar = quantity("J")
    readout: Scalar = quantity("J")
    leak: Scalar = quantity("J")
    latency: Scalar = quantity("s")

    @property
    def neurons(self) -> Scalar:
        """What the neurons alone cost: write, read, reset, their drivers and comparators, J."""
        return self.write + self.read + self.reset + self.drivers + self.comparators


class Hardware(Shown):
    """Pulses and periphery around the devices of a network; `of` takes from a device what it says.

    A time-step of a layer: write for `width` while the crossbar before it is driven, `settle`, read, reset. Layers work as
    a pipeline. Programming the weights is not counted.

    - `width`: of the write pulse, s; `settle`: until the read-out, s; `read_time`, `reset_time`: s.
    - `resistance`: of the write path, ohm; `reset_current`: A.
    - `R_start`, `R_switched`: of the junction when read, ohm; `R_reference`: of the reference in series, ohm.
    - `read_voltage`: over junction and reference, V; assumed 0.1. `crossbar_voltage`: of a spike or an input of 1, V; assumed
      0.1.
    - `supply`: of the drivers, V, from which the write current is drawn; assumed 0.9, that of 45 nm logic.
    - `comparator`: a neuron's latch that senses the divider, J; assumed 5 fJ.
    - `converter`: one input value put on a row for one time-step, J; assumed 50 fJ.
    - `integrator`: a class's column current added up for one time-step, J; assumed 100 fF at 0.9 V, about 100 fJ.
    - `leak`: power of a neuron's periphery at rest, W; assumed 10 nW.

    Raises `ValueError` where a number is out of its range.

    >>> import mtjax as mtj
    >>> hardware = mtj.nn.Hardware.of(mtj.presets.perpendicular_stt(20.0), 10e-9, reset_current=30e-6)
    >>> print(f"one time-step takes {1e9 * hardware.cycle:.0f} ns")
    one time-step takes 31 ns
    >>> write = hardware.resistance * 14e-6**2 * hardware.width
    >>> print(f"a write pulse of 14 uA heats the junction by {1e15 * write:.1f} fJ")
    a write pulse of 14 uA heats the junction by 9.8 fJ
    """

    width: Scalar = quantity("s", positive=True)
    settle: Scalar = quantity("s", least=0.0)
    resistance: Scalar = quantity("ohm", positive=True)
    reset_current: Scalar = quantity("A")
    reset_time: Scalar = quantity("s", least=0.0)
    R_start: Scalar = quantity("ohm", positive=True)
    R_switched: Scalar = quantity("ohm", positive=True)
    R_reference: Scalar = quantity("ohm", positive=True)
    read_time: Scalar = quantity("s", positive=True, default=1e-9)
    read_voltage: Scalar = quantity("V", default=0.1)
    crossbar_voltage: Scalar = quantity("V", default=0.1)
    supply: Scalar = quantity("V", least=0.0, default=0.9)
    comparator: Scalar = quantity("J", least=0.0, default=5e-15)
    converter: Scalar = quantity("J", least=0.0, default=50e-15)
    integrator: Scalar = quantity("J", least=0.0, default=100e-15)
    leak: Scalar = quantity("W", least=0.0, default=10e-9)

    @staticmethod
    def of(device: Device, width: ArrayLike, *, reset_current: ArrayLike, **others: ArrayLike) -> Hardware:
        """For pulses of `width` (s) on `device`; the reference is the geometric mean of its two resistances.

        - `reset_current`: A, for twice `width` unless `others`, fields by name, say `reset_time`.

        Raises `ValueError` where the read-out of the device is not a `TunnelMagnetoresistance`.
        """
        if not isinstance(device.readout, TunnelMagnetoresistance):
            raise ValueError(
                f"The device must be read by a TunnelMagnetoresistance, but its read-out is {type(device.readout).__name__}."
            )
        low, high = device.readout(device.start), device.readout(-device.start)
        fields = {
            "settle": settling_time(device), "resistance": device.write_resistance, "reset_time": 2 * as_scalar(width),
            "R_start": low, "R_switched": high, "R_reference": jnp.sqrt(low * high),
        }  # fmt: skip
        return Hardware(width=width, reset_current=reset_current, **{**fields, **others})

    @property
    def cycle(self) -> Scalar:
        """Time of one time-step of one layer, s."""
        return self.width + self.settle + self.read_time + self.reset_time

    def energy(self, network: Network, activity: Activity) -> Energy:
        """What the sample of `activity` costs: from every write current, and resets of those that fired.

        Differentiable in the numbers of devices, pulses and network; through spikes as their estimator says.
        """
        steps = activity.inputs.shape[0]
        current = jnp.concatenate([jnp.broadcast_to(f.current, f.spikes.shape).ravel() for f in activity.fired])
        fired = jnp.concatenate([f.spikes.ravel() for f in activity.fired])
        resets = jnp.sum(fired)
        resistances = self.R_start + (self.R_switched - self.R_start) * fired
        reading = self.read_voltage**2 * self.read_time
        latency = (steps + len(activity.fired) - 1) * self.cycle + self.width
        write, from_write = self.drawn(current, self.width, self.resistance)
        reset, from_reset = self.drawn(self.reset_current, self.reset_time, self.resistance)
        classes = network.classes
        return Energy(
            write=jnp.sum(write),
            read=jnp.sum(reading / (resistances + self.R_reference)),
            reset=resets * reset,
            crossbar=_conductance(network, activity) * self.crossbar_voltage**2 * self.width,
            drivers=jnp.sum(from_write) + resets * from_reset,
            comparators=fired.size * self.comparator,
            converters=activity.inputs.size * self.converter,
            readout=steps * classes * self.integrator,
            leak=(fired.size // steps + classes) * self.leak * latency,
            latency=latency,
        )

    def drawn(self, current: Array, time: Scalar, resistance: Scalar) -> tuple[Array, Array]:
        """Heat of pulses in a write path of `resistance` (ohm), and what their drivers take beside it, J."""
        heat = current**2 * resistance * time
        return heat, jnp.maximum(self.supply * jnp.abs(current) * time - heat, 0.0)


def _conductance(network: Network, activity: Activity) -> Scalar:
    """Conductance times squared input, summed over all cells and time-steps, S."""
    synapses = [layer.synapse for layer in network.layers] + ([] if network.readout is None else [network.readout])
    trains = [activity.inputs, *(f.spikes for f in activity.fired)]
    return sum((jnp.sum(jax.vmap(s.read_power)(x)) for s, x in zip(synapses, trains, strict=False)), jnp.zeros(()))


@checked
def mean_over(
    network: Network,
    images: Numbers,
    counter: Hardware | Cmos,
    *,
    steps: Count,
    key: Key[Array, ""],
    batch: Count = 100,
) -> Energy | CmosEnergy:
    """Mean cost of an inference over `images`.

    - `network`: that runs; `images`: shape (samples, *input of the network).
    - `counter`: `Hardware` or `Cmos`; `steps`: time-steps.
    - `key`: of spikes, coding included; `batch`: samples side by side.

    >>> import jax
    >>> import numpy as np
    >>> import mtjax as mtj
    >>> network = mtj.nn.from_sigmoid([np.ones((3, 4)), np.eye(2, 3)], [np.zeros(3), np.zeros(2)], mtj.nn.perpendicular_law())
    >>> hardware = mtj.nn.Hardware.of(mtj.presets.perpendicular_stt(20.0), 10e-9, reset_current=30e-6)
    >>> cost = mtj.nn.mean_over(network, np.eye(4), hardware, steps=8, key=jax.random.key(0))
    >>> print(f"{1e12 * cost.total:.1f} pJ per image")
    17.4 pJ per image
    """
    xs = jnp.asarray(images, jnp.float32)
    return _mean_over(network, xs, counter, steps, jax.random.split(key, len(xs)), min(batch, len(xs)))


@eqx.filter_jit
def _mean_over(network, xs, counter, steps, keys, batch):
    def one(row):
        x, key = row
        activity = network(x, uniforms=network.draw(key, steps), key=jax.random.fold_in(key, 1), noisy=False)
        return counter.energy(network, activity)

    return jax.tree.map(lambda e: jnp.mean(e, axis=0), jax.lax.map(one, (xs, keys), batch_size=batch))


def penalty(hardware: Hardware, price: float) -> Callable[[Network, Activity], Array]:
    """For `Training(penalty=...)`: joules of a sample on `hardware`, times `price` per joule.

    >>> import jax
    >>> import numpy as np
    >>> import mtjax as mtj
    >>> network = mtj.nn.from_sigmoid([np.ones((3, 4)), np.eye(2, 3)], [np.zeros(3), np.zeros(2)], mtj.nn.perpendicular_law())
    >>> hardware = mtj.nn.Hardware.of(mtj.presets.perpendicular_stt(20.0), 10e-9, reset_current=30e-6)
    >>> priced = mtj.nn.penalty(hardware, price=1e10)
    >>> activity = network(jax.numpy.ones(4), uniforms=network.draw(jax.random.key(0), 8))
    >>> print(f"the joules of one image add {priced(network, activity):.2f} to its loss")
    the joules of one image add 0.20 to its loss
    """
    return lambda network, activity: price * hardware.energy(network, activity).total
