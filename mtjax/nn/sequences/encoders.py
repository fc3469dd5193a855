"""From values to spikes: by rate, by latency, by change."""

from __future__ import annotations

from typing import Annotated

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from mtjax.checks import Count, Positive, Within, checked
from mtjax.dynamics import uniforms
from mtjax.quantities import Numbers, as_scalar

Unit = Annotated[Numbers, Within(least=0.0, most=1.0)]


@checked
def rate_spikes(x: Unit, slots: Count, *, key: Key[Array, ""]) -> Float[Array, "slots ..."]:
    """Each value of `x` (0 to 1) as the probability of a spike in every one of `slots`; `key` draws them.

    >>> import jax
    >>> import mtjax as mtj
    >>> spikes = mtj.nn.rate_spikes([0.0, 0.5, 1.0], 1000, key=jax.random.key(0))
    >>> print([round(float(p), 1) for p in spikes.mean(axis=0)])
    [0.0, 0.5, 1.0]
    """
    x = as_scalar(x)
    return (uniforms(key, (slots, *x.shape)) < x).astype(x.dtype)


@checked
def latency_spikes(x: Unit, slots: Count, *, least: Annotated[float, Within(least=0.0, most=1.0)] = 0.0) -> Array:
    """One spike for each value of `x` (0 to 1): in the first of `slots` for 1, in the last for 0; none at or below `least`.

    >>> import mtjax as mtj
    >>> spikes = mtj.nn.latency_spikes([1.0, 0.5, 0.1], 5, least=0.2)
    >>> print(spikes.T.astype(int))
    [[1 0 0 0 0]
     [0 0 1 0 0]
     [0 0 0 0 0]]
    """
    x = as_scalar(x)
    slot = jnp.round((1 - x) * (slots - 1))
    at = jnp.arange(slots).reshape(-1, *(1,) * x.ndim)
    return ((at == slot) & (x > least)).astype(x.dtype)


@checked
def delta_spikes(x: Numbers, threshold: Positive) -> Float[Array, "frames channels2"]:
    """Spikes where `x`, shape (frames, channels), has risen or fallen by `threshold` since the last spike of its channel.

    Twice as many channels: rising first, then falling. The first frame is the reference.

    >>> import mtjax as mtj
    >>> print(mtj.nn.delta_spikes([[0.0], [0.3], [0.6], [0.6], [0.0]], 0.5).astype(int).T)
    [[0 0 1 0 0]
     [0 0 0 0 1]]
    """
    x = as_scalar(x)

    def frame(last, now):
        change = now - last
        up, down = change >= threshold, change <= -threshold
        return jnp.where(up | down, now, last), jnp.concatenate([up, down]).astype(x.dtype)

    return jax.lax.scan(frame, x[0], x)[1]
