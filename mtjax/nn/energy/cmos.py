"""The baseline: the same network on digital 45 nm CMOS, counted operation by operation."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array

from mtjax.checks import Count
from mtjax.nn.elements import AbstractSynapse, Conv, Dense, Pooled, convolve
from mtjax.nn.energy.cost import AbstractCost
from mtjax.nn.network import Activity, Network
from mtjax.printing import Shown
from mtjax.quantities import Scalar, quantity


class CmosEnergy(AbstractCost):
    """What one inference costs in CMOS, or an average over several.

    - `weights`: words read from SRAM, J; `arithmetic`: additions and multiplications of synapses, J.
    - `random`, `table`, `compare`: random number, sigmoid table and comparison of every neuron, J.
    - `registers`: accumulators written, J; `leak`: J.
    - `latency`: s.

    >>> import jax
    >>> import numpy as np
    >>> import mtjax as mtj
    >>> network = mtj.nn.from_sigmoid([np.ones((3, 4)), np.eye(2, 3)], [np.zeros(3), np.zeros(2)], mtj.nn.perpendicular_law())
    >>> activity = network(jax.numpy.ones(4), uniforms=network.draw(jax.random.key(0), 8))
    >>> print(mtj.nn.Cmos().energy(network, activity))
    CmosEnergy: 86.14 pJ in 14 ns
      weights           70 pJ   81.3 %
      arithmetic         8 pJ    9.3 %
      random          1.92 pJ    2.2 %
      table            1.5 pJ    1.7 %
      compare          720 fJ    0.8 %
      registers          4 pJ    4.6 %
      leak           307.6 aJ    0.0 %
    """

    weights: Scalar = quantity("J")
    arithmetic: Scalar = quantity("J")
    random: Scalar = quantity("J")
    table: Scalar = quantity("J")
    compare: Scalar = quantity("J")
    registers: Scalar = quantity("J")
    leak: Scalar = quantity("J")
    latency: Scalar = quantity("s")

    @property
    def neurons(self) -> Scalar:
        """What the neurons alone cost, J."""
        return self.random + self.table + self.compare


class Cmos(Shown):
    """A digital 45 nm design of the network, event by event: costs and counts, each with its source.

    Where in doubt in favour of CMOS: nothing is done for inputs without a spike, kernels of convolutions are read once per
    time-step, a first layer that sees constant inputs is worked out once per inference; clock tree, control and wires cost
    nothing.

    - `add8` 0.03 pJ, `add32` 0.1 pJ, `multiply8` 0.2 pJ: integer arithmetic at 0.9 V, J. Horowitz, ISSCC 2014, as recalled.
    - `sram_word`: a 64-bit word from 8 KB of SRAM, 10 pJ. Horowitz, ISSCC 2014, as recalled.
    - `random`: a 16-bit number from a linear-feedback shift register, J; assumed: 16 flip-flops of 5 fJ.
    - `table`: a look-up in a sigmoid table of 256 bytes, J; assumed: a twentieth of `sram_word`.
    - `compare`: of the random number with the table's value, J; assumed: as an 8-bit addition.
    - `register`: a 32-bit accumulator read and written, J; assumed: 32 flip-flops of 3 fJ.
    - `leak`: power of 8 KB of SRAM at rest, W; assumed.
    - `clock`: Hz; assumed. One word of weights is read and added per cycle and layer.
    - `weight_bits`: of a weight; assumed. `word_bits`: of a word.

    >>> import jax
    >>> import numpy as np
    >>> import mtjax as mtj
    >>> network = mtj.nn.from_sigmoid([np.ones((3, 4)), np.eye(2, 3)], [np.zeros(3), np.zeros(2)], mtj.nn.perpendicular_law())
    >>> for design in (mtj.nn.Cmos(), mtj.nn.Cmos(weight_bits=4)):
    ...     cost = mtj.nn.mean_over(network, np.eye(4), design, steps=8, key=jax.random.key(0))
    ...     print(f"{1e12 * cost.total:.0f} pJ with weights of {design.weight_bits} bits")
    65 pJ with weights of 8 bits
    39 pJ with weights of 4 bits
    """

    add8: Scalar = quantity("J", least=0.0, default=0.03e-12)
    add32: Scalar = quantity("J", least=0.0, default=0.1e-12)
    multiply8: Scalar = quantity("J", least=0.0, default=0.2e-12)
    sram_word: Scalar = quantity("J", least=0.0, default=10e-12)
    random: Scalar = quantity("J", least=0.0, default=80e-15)
    table: Scalar = quantity("J", least=0.0, default=0.5e-12)
    compare: Scalar = quantity("J", least=0.0, default=0.03e-12)
    register: Scalar = quantity("J", least=0.0, default=0.1e-12)
    leak: Scalar = quantity("W", least=0.0, default=10e-6)
    clock: Scalar = quantity("Hz", positive=True, default=5e8)
    weight_bits: Count = eqx.field(static=True, default=8)
    word_bits: Count = eqx.field(static=True, default=64)

    def __check_init__(self):
        if not self.weight_bits <= self.word_bits:
            raise ValueError(f"`weight_bits` must lie between 1 and `word_bits`, {self.word_bits}, but is {self.weight_bits}.")

    def energy(self, network: Network, activity: Activity) -> CmosEnergy:
        """What the sample of `activity` costs: synaptic operations that took place, neurons at every time-step."""
        steps, still = activity.inputs.shape[0], network.coding == "direct"
        synapses = [layer.synapse for layer in network.layers] + ([] if network.readout is None else [network.readout])
        trains = [activity.inputs, *(f.spikes for f in activity.fired)]
        runs = [1 if still and i == 0 else steps for i in range(len(synapses))]
        given = enumerate(zip(synapses, trains, runs, strict=False))
        counts = [_counts(s, x[:n], binary=not (i == 0 and still)) for i, (s, x, n) in given]
        adds, products, reads = (sum(c[k] for c in counts) for k in range(3))
        neurons = sum(f.spikes[0].size for f in activity.fired)
        first = activity.fired[0].spikes[0].size
        tables = neurons * steps - (first * (steps - 1) if still else 0)
        per_word = self.word_bits // self.weight_bits
        latency = sum(jnp.maximum(c[0] / per_word, 1.0) for c in counts) / self.clock
        stored = sum(_weights(s) for s in synapses) * self.weight_bits / (8 * 8192)
        outputs = neurons + (0 if network.readout is None else network.classes)
        return CmosEnergy(
            weights=reads / per_word * self.sram_word,
            arithmetic=adds * self.add32 + products * self.multiply8,
            random=neurons * steps * self.random,
            table=tables * self.table,
            compare=neurons * steps * self.compare,
            registers=outputs * steps * self.register,
            leak=stored * self.leak * latency,
            latency=latency,
        )


def _counts(synapse: AbstractSynapse, x: Array, *, binary: bool) -> tuple[Array, Array, Array]:
    """Additions, multiplications and weights read by `synapse` for inputs over time, (steps, ...)."""
    binary = binary and not isinstance(synapse, Pooled)
    added, read = (jnp.sum(y) for y in jax.vmap(lambda one: _events(synapse, jax.lax.stop_gradient(one)))(x))
    return added, jnp.zeros(()) if binary else added, read


def _events(synapse: AbstractSynapse, x: Array) -> tuple[Array, Array]:
    """Pairs of an active input and a neuron that it reaches, and the weights that have to be read for them."""
    if isinstance(synapse, Pooled):
        pairs, read = _events(synapse.synapse, synapse.means(x))
        return pairs + jnp.sum(x != 0), read
    if isinstance(synapse, Dense):
        pairs = jnp.sum(x != 0) * synapse.weight.shape[0]
        return pairs, pairs
    if isinstance(synapse, Conv):
        active = (x != 0).astype(synapse.weight.dtype)
        return jnp.sum(convolve(active, jnp.ones_like(synapse.weight))), jnp.asarray(synapse.weight.size)
    raise ValueError(f"The CMOS baseline knows Dense, Conv and Pooled synapses, but not {type(synapse).__name__}.")


def _weights(synapse: AbstractSynapse) -> int:
    return synapse.synapse.weight.size if isinstance(synapse, Pooled) else synapse.weight.size  # pyright: ignore[reportAttributeAccessIssue]
