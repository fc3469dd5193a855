"""From the spikes of the last layer to scores of classes: counted, summed by a leaky integrator, or its largest value."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from mtjax.checks import Within
from mtjax.nn.elements import AbstractSynapse
from mtjax.printing import Shown

TAKEN = ("mean", "last", "max")


class Reading(NamedTuple):
    """A readout on its way: its `level` and what is `taken` of it so far, shape (classes,); `slots` read.

    >>> import jax.numpy as jnp
    >>> import mtjax as mtj
    >>> readout = mtj.nn.SequenceReadout(mtj.nn.Dense(jnp.eye(2), jnp.zeros(2)))
    >>> print(readout.start(jnp.zeros(2)).taken)
    [0. 0.]
    """

    level: Float[Array, " classes"]
    taken: Float[Array, " classes"]
    slots: Array


class SequenceReadout(Shown):
    """One column current per class, integrated.

    With a `memory` of 0 the mean counts spikes; with one of 1 the level is their sum.

    - `synapse`: from the last layer's spikes to the classes.
    - `memory`: what is left of the integrator's level from slot to slot.
    - `take`: "mean" of the level over the sequence, its "last", or its "max".

    Raises `ValueError` for another way to take it.

    >>> import jax.numpy as jnp
    >>> import mtjax as mtj
    >>> spikes = jnp.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    >>> for take in ("mean", "last", "max"):
    ...     readout = mtj.nn.SequenceReadout(mtj.nn.Dense(jnp.eye(2), jnp.zeros(2)), memory=0.5, take=take)
    ...     print(take, [round(float(x), 2) for x in readout.scores(spikes)])
    mean [1.08, 0.33]
    last [0.75, 1.0]
    max [1.5, 1.0]
    """

    synapse: AbstractSynapse
    memory: Annotated[float, Within(least=0.0, most=1.0)] = eqx.field(static=True, default=0.0)
    take: str = eqx.field(static=True, default="mean")

    def __check_init__(self):
        if self.take not in TAKEN:
            raise ValueError(f"`take` must be one of {', '.join(TAKEN)}, but is {self.take!r}.")

    def start(self, spikes: Array) -> Reading:
        """Nothing read yet, of spikes of this shape."""
        zero = jnp.zeros(eqx.filter_eval_shape(self.synapse, spikes).shape, spikes.dtype)
        return Reading(zero, zero - jnp.inf if self.take == "max" else zero, jnp.zeros(()))

    def onward(self, reading: Reading, spikes: Array) -> Reading:
        """After one more slot."""
        level = self.memory * reading.level + self.synapse(spikes).astype(reading.level.dtype)
        taken = {"mean": reading.taken + level, "last": level, "max": jnp.maximum(reading.taken, level)}[self.take]
        return Reading(level, taken, reading.slots + 1)

    def found(self, reading: Reading) -> Float[Array, " classes"]:
        """The scores."""
        return reading.taken / jnp.maximum(reading.slots, 1) if self.take == "mean" else reading.taken

    def scores(self, spikes: Float[Array, "slots ..."]) -> Float[Array, " classes"]:
        """Of a whole train of spikes."""
        start = self.start(spikes[0])
        return self.found(jax.lax.scan(lambda r, s: (self.onward(r, s), None), start, spikes)[0])
