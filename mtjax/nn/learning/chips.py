"""Chips: copies of a network whose devices differ, fluctuate, drift and fail; training and accuracy over them."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key
from tqdm import tqdm

from mtjax.checks import Count, Within, checked
from mtjax.nn.datasets import Dataset
from mtjax.nn.elements import AbstractNeuron, AbstractSynapse, ClockedNeuron, Conv, Crossbar, Dense, Fired, Pooled, Values
from mtjax.nn.estimators import AbstractEstimator
from mtjax.nn.laws import PerpendicularLaw
from mtjax.nn.learning.training import Training, evaluate
from mtjax.nn.network import Layer, Network
from mtjax.printing import Shown
from mtjax.quantities import Scalar, quantity

_NODES = 5
_ALWAYS = 20.0
"""Logit of a neuron that always fires."""


class VariedNeuron(AbstractNeuron):
    """A layer of clocked neurons on one chip, each with numbers of its own.

    The drive of every pulse fluctuates by `cycle`: since a neuron only fires or not, the probability averaged over that
    (Gauss-Hermite) is all there is to it.

    - `neuron`: as designed, with the drivers' range.
    - `law`: of the devices as they are, numbers of the shape of the layer.
    - `gain`: current over the designed one; `forced`: +1 always fires, -1 never does, 0 works; both of that shape.
    - `cycle`: standard deviation of the drive from pulse to pulse over itself.
    """

    neuron: ClockedNeuron
    law: PerpendicularLaw
    gain: Values
    forced: Values
    cycle: Scalar = quantity("", least=0.0, default=0.0)

    def init(self, shape: tuple[int, ...]) -> None:
        """No state."""

    def logit(self, current: Values) -> Values:
        """Logit of the probability averaged over fluctuations, at write `current` (A)."""
        x, w = np.polynomial.hermite_e.hermegauss(_NODES)
        share = jnp.asarray(np.log(w / w.sum()), current.dtype)
        logits = jnp.stack([self.law.logit(current * (1 + self.cycle * float(n))) for n in x], axis=-1)
        up, down = (jax.nn.logsumexp(jax.nn.log_sigmoid(sign * logits) + share, axis=-1) for sign in (1, -1))
        return jnp.where(self.forced == 0, up - down, _ALWAYS * self.forced).astype(current.dtype)

    def __call__(self, x: Values, state: Any, *, uniforms: Values, estimator: AbstractEstimator) -> tuple[Fired, Any]:
        """Write, read, reset."""
        current = self.neuron.current(x) * self.gain.astype(x.dtype)
        logit = self.logit(current)
        return Fired(estimator.spike(logit, uniforms), logit, current), state


class Variation(Shown):
    """How the devices of a chip differ from the design. Devices differ lognormally, cut off at three standard deviations.

    Neurons are written by a voltage, so that a current goes with 1/resistance; cells of crossbars are read by one.

    - `Bk`, `Ms`, `thickness`: of the neurons' free layers, relative standard deviations from device to device.
    - `resistance`: likewise, of neurons and of cells of crossbars.
    - `cycle`: relative standard deviation of a write current from pulse to pulse.
    - `drift`: relative standard deviation of resistances after `decades` decades of time: `drift` sqrt(`decades`).
    - `stuck_neurons`: share of neurons that always or never fire; `stuck_cells`: of cells at the lowest or highest
      conductance; half each.

    Raises `ValueError` where one is negative.

    >>> import jax
    >>> import numpy as np
    >>> import mtjax as mtj
    >>> weights, biases = [np.ones((3000, 4)), np.ones((2, 3000))], [np.zeros(3000), np.zeros(2)]
    >>> network = mtj.nn.from_sigmoid(weights, biases, mtj.nn.perpendicular_law())
    >>> delta = mtj.nn.Variation.of(0.1).sample(network, key=jax.random.key(0)).layers[0].neuron.law.delta
    >>> print(f"barriers of 3000 neurons: {delta.mean():.0f} kT, spread by {100 * delta.std() / delta.mean():.0f} %")
    barriers of 3000 neurons: 20 kT, spread by 17 %
    """

    Bk: Scalar = quantity("", least=0.0, default=0.0)
    Ms: Scalar = quantity("", least=0.0, default=0.0)
    thickness: Scalar = quantity("", least=0.0, default=0.0)
    resistance: Scalar = quantity("", least=0.0, default=0.0)
    cycle: Scalar = quantity("", least=0.0, default=0.0)
    drift: Scalar = quantity("", least=0.0, default=0.0)
    decades: Scalar = quantity("", least=0.0, default=0.0)
    stuck_neurons: Scalar = quantity("", least=0.0, most=1.0, default=0.0)
    stuck_cells: Scalar = quantity("", least=0.0, most=1.0, default=0.0)

    @staticmethod
    def of(spread: float, **others: float) -> Variation:
        """The same `spread` of Bk, Ms, thickness and resistance; `others` are fields by name."""
        return Variation(**{"Bk": spread, "Ms": spread, "thickness": spread, "resistance": spread, **others})

    def sample(self, network: Network, *, key: Key[Array, ""]) -> Network:
        """`network` on a chip drawn by `key`.

        Raises `ValueError` where neurons are not clocked ones on a `PerpendicularLaw`, which knows what a device's numbers do.
        """
        layers = []
        for i, (layer, shape) in enumerate(zip(network.layers, network.neuron_shapes(), strict=True)):
            k1, k2 = jax.random.split(jax.random.fold_in(key, i))
            layers.append(Layer(self._synapse(layer.synapse, k1), self._neuron(layer.neuron, shape, k2)))
        readout = None if network.readout is None else self._synapse(network.readout, jax.random.fold_in(key, len(layers)))
        return Network(tuple(layers), readout, network.shape, network.coding)

    @property
    def _all_resistance(self) -> Scalar:
        return jnp.sqrt(self.resistance**2 + self.drift**2 * self.decades)

    def _neuron(self, neuron: AbstractNeuron, shape: tuple[int, ...], key: Key[Array, ""]) -> VariedNeuron:
        if not (isinstance(neuron, ClockedNeuron) and isinstance(neuron.law, PerpendicularLaw)):
            law = f" on {type(neuron.law).__name__}" if isinstance(neuron, ClockedNeuron) else ""
            raise ValueError(
                f"Chips are of clocked neurons on a PerpendicularLaw, but a layer has {type(neuron).__name__}{law}."
            )
        keys = jax.random.split(key, 5)
        spreads = (self.Bk, self.Ms, self.thickness, self._all_resistance)
        Bk, Ms, thickness, resistance = (_factors(k, s, shape) for k, s in zip(keys[:4], spreads, strict=True))
        law = neuron.law.varied(Bk=Bk, Ms=Ms, thickness=thickness)
        u = jax.random.uniform(keys[4], shape)
        forced = jnp.where(u < self.stuck_neurons / 2, 1.0, jnp.where(u < self.stuck_neurons, -1.0, 0.0))
        return VariedNeuron(neuron, law, 1 / resistance, forced, self.cycle)

    def _synapse(self, synapse: AbstractSynapse, key: Key[Array, ""]) -> AbstractSynapse:
        if isinstance(synapse, Pooled):
            return eqx.tree_at(lambda s: s.synapse, synapse, self._synapse(synapse.synapse, key))
        if not isinstance(synapse, Dense | Conv):
            raise ValueError(f"Chips know Dense, Conv and Pooled synapses, but not {type(synapse).__name__}.")
        crossbar = Crossbar() if synapse.crossbar is None else synapse.crossbar
        keys = jax.random.split(key)
        pairs = crossbar.conductances(synapse.weight)
        plus, minus = (self._cells(G, crossbar, k) for G, k in zip(pairs, keys, strict=True))
        weight = crossbar.weight(plus, minus, synapse.weight).astype(synapse.weight.dtype)
        held = Crossbar(crossbar.on_off, crossbar.G_on, read_noise=crossbar.read_noise)
        return dataclasses.replace(synapse, weight=weight, crossbar=held)

    def _cells(self, G: Values, crossbar: Crossbar, key: Key[Array, ""]) -> Values:
        k1, k2, k3 = jax.random.split(key, 3)
        G = G / _factors(k1, self._all_resistance, G.shape)
        G = G + crossbar.write_noise * (crossbar.G_on - crossbar.G_off) * jax.random.normal(k3, G.shape)
        u = jax.random.uniform(k2, G.shape)
        ends = jnp.where(u < self.stuck_cells / 2, crossbar.G_on, crossbar.G_off)
        return jnp.where(u < self.stuck_cells, ends, G)


def _factors(key: Key[Array, ""], spread: Scalar, shape: tuple[int, ...]) -> Values:
    return jnp.exp(spread * jax.random.truncated_normal(key, -3.0, 3.0, shape))


@checked
def over_chips(training: Training, variation: Variation) -> Training:
    """`training` in which every batch runs on another chip, drawn from `variation` (variation-aware training).

    >>> import jax
    >>> import numpy as np
    >>> import mtjax as mtj
    >>> network = mtj.nn.from_sigmoid([np.ones((3, 4)), np.eye(2, 3)], [np.zeros(3), np.zeros(2)], mtj.nn.perpendicular_law())
    >>> training = mtj.nn.over_chips(mtj.nn.Training(epochs=5), mtj.nn.Variation(stuck_neurons=1.0))
    >>> chip = training.perturb(network, jax.random.key(0))
    >>> print(f"{np.abs(chip.layers[0].neuron.forced).sum():.0f} of 3 neurons are stuck on this chip")
    3 of 3 neurons are stuck on this chip
    """
    return dataclasses.replace(training, perturb=lambda network, key: variation.sample(network, key=key))


class ChipAccuracy(Shown):
    """Accuracy of chips against time-steps.

    - `values`: share of right answers, shape (chips, steps).

    >>> import numpy as np
    >>> import mtjax as mtj
    >>> print(mtj.nn.ChipAccuracy(np.array([[0.90, 0.96], [0.86, 0.94], [0.88, 0.98]])))
    3 chips: mean 96.00 +- 1.15 %, worst 94.00 %
    """

    values: Float[np.ndarray, "chips steps"]

    @property
    def mean(self) -> Float[np.ndarray, " steps"]:
        """Mean over chips."""
        return self.values.mean(axis=0)

    @property
    def stderr(self) -> Float[np.ndarray, " steps"]:
        """Standard error of `mean` from the scatter of chips."""
        return self.values.std(axis=0, ddof=1) / len(self.values) ** 0.5

    @property
    def worst(self) -> Float[np.ndarray, " steps"]:
        """Of the worst chip."""
        return self.values.min(axis=0)

    def __str__(self) -> str:
        """After the last time-step."""
        mean, error, worst = (100 * float(x[-1]) for x in (self.mean, self.stderr, self.worst))
        return f"{len(self.values)} chips: mean {mean:.2f} +- {error:.2f} %, worst {worst:.2f} %"


@checked
def evaluate_chips(
    network: Network,
    data: Dataset,
    variation: Variation,
    *,
    chips: Annotated[int, Within(least=2)],
    steps: Count,
    key: Key[Array, ""],
    progress: bool = True,
) -> ChipAccuracy:
    """Accuracy of `network` on `data` on each of several chips.

    - `variation`: that chips are drawn from; `chips`: how many, at least 2.
    - `steps`: time-steps; `key`: of chips and spikes: one that training has not seen; `progress`: whether a bar is shown.

    Raises `ValueError` for fewer than two chips, or where the network's neurons cannot be varied (`Variation.sample`).

    >>> import jax
    >>> import numpy as np
    >>> import mtjax as mtj
    >>> weights, biases = [np.ones((3, 4)), np.ones((1, 3))], [np.zeros(3), np.zeros(1)]
    >>> network = mtj.nn.from_sigmoid(weights, biases, mtj.nn.perpendicular_law())
    >>> data, spread = mtj.nn.Dataset(np.eye(4), np.zeros(4, int)), mtj.nn.Variation.of(0.05)
    >>> print(mtj.nn.evaluate_chips(network, data, spread, chips=2, steps=1, key=jax.random.key(0), progress=False))
    2 chips: mean 100.00 +- 0.00 %, worst 100.00 %
    """
    if chips < 2:
        raise ValueError(f"`chips` must be at least 2, but is {chips}.")
    found = []
    for k in tqdm(jax.random.split(key, chips), desc="chips", disable=not progress, leave=False):
        for_chip, for_spikes = jax.random.split(k)
        found.append(evaluate(_sampled(variation, network, for_chip), data, steps=steps, key=for_spikes, noisy=True).value)
    return ChipAccuracy(np.stack(found))


@eqx.filter_jit
def _sampled(variation: Variation, network: Network, key: Key[Array, ""]) -> Network:
    return variation.sample(network, key=key)
