"""Weights and devices trained together: bias, gain, pulse width and barrier against loss and joules."""

from __future__ import annotations

import dataclasses
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Key

from mtjax.devices import Device
from mtjax.nn.elements import AbstractNeuron, ClockedNeuron, Fired, Values
from mtjax.nn.energy import Hardware
from mtjax.nn.estimators import AbstractEstimator
from mtjax.nn.laws import PerpendicularLaw
from mtjax.nn.learning.training import Training, synapses_only
from mtjax.nn.network import Activity, Layer, Network
from mtjax.printing import Shown, with_unit
from mtjax.quantities import Scalar, as_scalar, is_known

DELTA, WIDTH = (8.0, 60.0), (0.6, 9.0)
"""Ranges of a design: barrier over kT, pulse width in relaxation times; inside those of the law."""


class FreeDevice(Shown):
    """Numbers of a junction and its pulse as a search sees them: logits of their places in their ranges.

    - `bias`: of the current at input 0 between 0 and the highest of the law.
    - `gain`: logarithm of the current per unit of input, over the highest.
    - `delta`, `width`: of the logarithms of barrier and pulse width (in relaxation times).

    >>> import numpy as np
    >>> import mtjax as mtj
    >>> network = mtj.nn.from_sigmoid([np.ones((3, 4)), np.eye(2, 3)], [np.zeros(3), np.zeros(2)], mtj.nn.perpendicular_law())
    >>> design = mtj.nn.joint.free(network).layers[0].neuron.design
    >>> print(f"bias {design.bias:.3f}, gain {design.gain:.3f}, delta {design.delta:.3f}, width {design.width:.3f}")
    bias -0.301, gain -2.734, delta -0.181, width -0.273
    """

    bias: Array = eqx.field(converter=as_scalar)
    gain: Array = eqx.field(converter=as_scalar)
    delta: Array = eqx.field(converter=as_scalar)
    width: Array = eqx.field(converter=as_scalar)


class DesignedNeuron(AbstractNeuron):
    """The clocked neuron on a perpendicular junction whose numbers are free.

    All else of the junction stays: with the barrier go Bk, the critical current and the relaxation rate.

    - `design`: what is trained; `law`: of the junction at the outset.
    """

    design: FreeDevice
    law: PerpendicularLaw

    @staticmethod
    def of(neuron: ClockedNeuron) -> DesignedNeuron:
        """Starts at `neuron`. Raises `ValueError` where it is on another law or outside the ranges of a design."""
        law = neuron.law
        if not isinstance(law, PerpendicularLaw):
            raise ValueError(f"A design needs neurons on a PerpendicularLaw, but they are on {type(law).__name__}.")
        top = law.domain[1]
        design = FreeDevice(
            bias=_logit("bias", neuron.bias / top, 0.0, 1.0),
            gain=jnp.log(neuron.scale / top),
            delta=_logit("delta", jnp.log(law.delta), *map(jnp.log, DELTA)),
            width=_logit("width / relaxation time", jnp.log(law.width / law.relaxation_time), *map(jnp.log, WIDTH)),
        )
        return DesignedNeuron(design, law)

    @property
    def neuron(self) -> ClockedNeuron:
        """With the numbers as they are now."""
        law, top = self._law, self._law.domain[1]
        return ClockedNeuron(law, jax.nn.sigmoid(self.design.bias) * top, jnp.exp(self.design.gain) * top)

    @property
    def _law(self) -> PerpendicularLaw:
        d, old = self.design, self.law
        delta, times = (jnp.exp(_inside(x, *map(jnp.log, ends))) for x, ends in ((d.delta, DELTA), (d.width, WIDTH)))
        more = delta / old.delta
        relaxation = old.relaxation_time / more
        return old.at(delta, old.critical_current * more, relaxation, times * relaxation)

    def init(self, shape: tuple[int, ...]) -> None:
        """No state."""

    def __call__(self, x: Values, state: Any, *, uniforms: Values, estimator: AbstractEstimator) -> tuple[Fired, Any]:
        """Write, read, reset."""
        return self.neuron(x, state, uniforms=uniforms, estimator=estimator)

    def __str__(self) -> str:
        """The numbers."""
        neuron = self.neuron
        law = self._law
        return (
            f"delta {float(law.delta):.1f}, pulses of {with_unit(law.width, 's')}, bias {with_unit(neuron.bias, 'A')}, "
            f"{with_unit(neuron.scale, 'A')} per unit of input, fires at input 0 with {float(law.psw(neuron.bias)):.3f}"
        )


def _inside(x: Array | float, low: Array | float, high: Array | float) -> Array:
    return low + (high - low) * jax.nn.sigmoid(x)


def _logit(name: str, x: Array, low: Array | float, high: Array | float) -> Array:
    place = (x - low) / (high - low)
    if is_known(place) and not 0 < float(place) < 1:
        raise ValueError(f"`{name}` must lie inside the range of a design, but its place in it is {float(place):.3g}.")
    return jnp.log(place) - jnp.log1p(-place)


def free(network: Network) -> Network:
    """`network` with its neurons' devices free to be trained, one design for all layers; all like those of the first.

    >>> import numpy as np
    >>> import mtjax as mtj
    >>> network = mtj.nn.from_sigmoid([np.ones((3, 4)), np.eye(2, 3)], [np.zeros(3), np.zeros(2)], mtj.nn.perpendicular_law())
    >>> print(mtj.nn.joint.free(network).layers[0].neuron)
    delta 20.0, pulses of 10 ns, bias 14.63 uA, 2.236 uA per unit of input, fires at input 0 with 0.500
    """
    neuron = network.layers[0].neuron
    if not isinstance(neuron, ClockedNeuron):
        raise ValueError(f"A design needs clocked neurons, but the first layer has {type(neuron).__name__}.")
    designed = DesignedNeuron.of(neuron)
    return dataclasses.replace(network, layers=tuple(Layer(layer.synapse, designed) for layer in network.layers))


def shared(network: Network, key: Key[Array, ""] | None = None) -> Network:
    """The first layer's design in all layers; `key` is not used: it lets this be the `perturb` of a `Training`.

    >>> import numpy as np
    >>> import mtjax as mtj
    >>> network = mtj.nn.from_sigmoid([np.ones((3, 4)), np.eye(2, 3)], [np.zeros(3), np.zeros(2)], mtj.nn.perpendicular_law())
    >>> free = mtj.nn.joint.shared(mtj.nn.joint.free(network))
    >>> print(f"one design, barrier {free.layers[-1].neuron.neuron.law.delta:.1f} kT in all layers")
    one design, barrier 20.0 kT in all layers
    """
    del key
    first = _designed(network.layers[0])
    return dataclasses.replace(network, layers=tuple(Layer(layer.synapse, first) for layer in network.layers))


def fixed(network: Network) -> Network:
    """A trained design as a network of plain clocked neurons.

    >>> import numpy as np
    >>> import mtjax as mtj
    >>> network = mtj.nn.from_sigmoid([np.ones((3, 4)), np.eye(2, 3)], [np.zeros(3), np.zeros(2)], mtj.nn.perpendicular_law())
    >>> print(mtj.nn.joint.fixed(mtj.nn.joint.free(network)).layers[0].neuron)
    ClockedNeuron: bias 14.63 uA, 2.236 uA per unit of input
    """
    neuron = _designed(network.layers[0]).neuron
    return dataclasses.replace(network, layers=tuple(Layer(layer.synapse, neuron) for layer in network.layers))


def _designed(layer: Layer) -> DesignedNeuron:
    if not isinstance(layer.neuron, DesignedNeuron):
        raise ValueError(f"The devices must be free (`joint.free`), but a layer has {type(layer.neuron).__name__}.")
    return layer.neuron


def hardware(network: Network, device: Device, **others: Any) -> Hardware:
    """Pulses for the design of `network`, free or fixed: reset at the highest current of the law for twice the width.

    - `device`: what else the junction is, resistances say; `others`: fields of `Hardware` by name.

    >>> import numpy as np
    >>> import mtjax as mtj
    >>> network = mtj.nn.from_sigmoid([np.ones((3, 4)), np.eye(2, 3)], [np.zeros(3), np.zeros(2)], mtj.nn.perpendicular_law())
    >>> hardware = mtj.nn.joint.hardware(mtj.nn.joint.free(network), mtj.presets.perpendicular_stt(20.0))
    >>> print(f"reset by {1e6 * hardware.reset_current:.1f} uA for {1e9 * hardware.reset_time:.0f} ns")
    reset by 34.4 uA for 20 ns
    """
    neuron = network.layers[0].neuron
    law = neuron.neuron.law if isinstance(neuron, DesignedNeuron) else getattr(neuron, "law", None)
    if not isinstance(law, PerpendicularLaw):
        raise ValueError(f"The neurons must be on a PerpendicularLaw, but the first layer has {type(neuron).__name__}.")
    return Hardware.of(device, law.width, reset_current=law.domain[1], **others)


def joint(training: Training, device: Device, *, price: float, **others: Any) -> Training:
    """`training` of weights and design together, against loss + `price` (per joule) times joules.

    - `device`, `others`: as for `hardware`.

    >>> import jax
    >>> import numpy as np
    >>> import mtjax as mtj
    >>> network = mtj.nn.from_sigmoid([np.ones((3, 4)), np.eye(2, 3)], [np.zeros(3), np.zeros(2)], mtj.nn.perpendicular_law())
    >>> training = mtj.nn.joint.joint(mtj.nn.Training(epochs=5), mtj.presets.perpendicular_stt(20.0), price=1e10)
    >>> network = mtj.nn.joint.free(network)
    >>> activity = network(jax.numpy.ones(4), uniforms=network.draw(jax.random.key(0), 8))
    >>> print(f"the joules of one image add {training.penalty(network, activity):.2f} to its loss")
    the joules of one image add 0.22 to its loss
    """

    def joules(network: Network, activity: Activity) -> Scalar:
        return price * hardware(network, device, **others).energy(network, activity).total

    return dataclasses.replace(training, penalty=joules, perturb=shared, trainable=everything)


def everything(network: Network) -> Any:
    """`True` at synapses and designs.

    >>> import numpy as np
    >>> import mtjax as mtj
    >>> network = mtj.nn.from_sigmoid([np.ones((3, 4)), np.eye(2, 3)], [np.zeros(3), np.zeros(2)], mtj.nn.perpendicular_law())
    >>> chosen = mtj.nn.joint.everything(mtj.nn.joint.free(network))
    >>> print(chosen.layers[0].synapse.weight, chosen.layers[0].neuron.design.delta, chosen.layers[0].neuron.law.delta)
    True True False
    """
    chosen = synapses_only(network)
    designs = [jax.tree.map(lambda _: True, _designed(layer).design) for layer in network.layers]
    return eqx.tree_at(lambda n: [layer.neuron.design for layer in n.layers], chosen, designs)
