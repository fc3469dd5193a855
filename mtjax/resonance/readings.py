"""What is read of a small motion: a resistance as a function of the coordinates around rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

from mtjax.devices import Device, Stack
from mtjax.quantities import Scalar
from mtjax.resonance.linear import AtRest, layers_of

Readout = Callable[[Any], Any] | None
"""A resistance (ohm) of the unit vectors of all layers, shape (layers, 3); `None`: that of the device."""


def resistance_at(rest: AtRest, readout: Readout, x: Float[Array, " n"]) -> Scalar:
    """Resistance at coordinates `x` around rest, ohm: by `readout`, or the read-outs of the layers one after the other."""
    ms = rest.at(x)
    if readout is not None:
        return jnp.asarray(readout(ms))
    layers = layers_of(rest.device)
    return sum((layer.readout(m) for layer, m in zip(layers, ms, strict=True) if layer.readout is not None), jnp.zeros(()))


def require_readout(device: Device | Stack, readout: Readout) -> None:
    """Raise `ValueError` where nothing says what the resistance is."""
    if readout is None and all(layer.readout is None for layer in layers_of(device)):
        raise ValueError("The device must have a read-out, or `readout` must be given, a function of m, but there is neither.")
