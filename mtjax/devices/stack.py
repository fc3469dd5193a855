"""Several macrospins, coupled: synthetic antiferromagnets, free and reference layers that both move, antiferromagnets."""

from __future__ import annotations

from functools import reduce
from operator import add
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Bool, Float

from mtjax.devices.couplings import AbstractCoupling, AbstractCouplingEnergy, interface, moment_over
from mtjax.devices.device import Device
from mtjax.devices.energies import total_energy, total_field
from mtjax.printing import Shown, describe
from mtjax.pulses import Applied
from mtjax.quantities import Scalar
from mtjax.vector import Layered, Vector

_MOST = 8


class Stack(Shown):
    """2 to 8 coupled layers, each a macrospin of its own: a `Device` with its terms, temperature and starting direction.

    The same current flows through all of them, with each device's own voltage, torques and heating; a field of an `Excitation`
    acts on all.

    - `layers`: the devices, in order.
    - `couplings`: what acts between two of them, each naming its `layers` by their numbers.

    Raises `ValueError` where there are not 2 to 8 layers, or a coupling is between layers that are not there.

    >>> import mtjax as mtj
    >>> film = mtj.FreeLayer(mtj.EllipticCylinder(60e-9, 60e-9, 2e-9), Ms=1.2e6, alpha=0.01)
    >>> up, down = (mtj.Device(film, (mtj.Demagnetisation((0, 0, 1)),), start=(x, 0, 0)) for x in (1, -1))
    >>> stack = mtj.Stack((up, down), (mtj.InterlayerExchange(-3e-4),))  # a synthetic antiferromagnet
    >>> [f"{B.x * 1e3:+.0f} mT" for B in stack.field(stack.start, stack.drive(0.0)).each]
    ['+125 mT', '-125 mT']
    """

    layers: tuple[Device, ...]
    couplings: tuple[AbstractCoupling, ...] = ()

    def __check_init__(self):
        if not 2 <= len(self.layers) <= _MOST:
            raise ValueError(f"A Stack must have 2 to {_MOST} layers, but has {len(self.layers)}.")
        for coupling in self.couplings:
            _require_there(coupling, len(self.layers))

    def __str__(self) -> str:
        """Every layer and every coupling, each quantity with its unit."""
        parts = [f"  layer {i}\n{describe(layer, '    ')}" for i, layer in enumerate(self.layers)]
        parts += [f"  layers {c.layers[0]} and {c.layers[1]}\n{describe(c, '    ')}" for c in self.couplings]
        return "\n".join(["Stack", *parts])

    @property
    def start(self) -> Layered:
        """The directions in which the layers start."""
        return Layered(tuple(Vector.of(device.start) for device in self.layers))

    @property
    def temperature(self) -> Float[Array, " layers"]:
        """Of every layer's surroundings, K."""
        return jnp.stack([device.temperature for device in self.layers])

    @property
    def magnets(self) -> Layered:
        """Every layer's numbers at the temperature of its surroundings."""
        return Layered(tuple(device.magnet for device in self.layers))

    @property
    def moment(self) -> Scalar:
        """Sum of the layers' moments, A m^2: what the energy is stated per."""
        return jnp.sum(jnp.stack([device.moment for device in self.layers]))

    @property
    def is_axisymmetric(self) -> Bool[Array, ""]:
        """Never taken for symmetric about an axis."""
        return jnp.zeros((), bool)

    def drive(self, current: ArrayLike | Applied, temperature: Any = None) -> Layered:
        """The drive of every layer at a `current` (A) or at `Applied`; `temperature`: of every layer, K, or `None`."""
        several = (None,) * len(self.layers) if temperature is None else temperature.each
        return Layered(tuple(device.drive(current, T) for device, T in zip(self.layers, several, strict=True)))

    def field(self, ms: Layered, drives: Layered, magnets: Layered | None = None) -> Layered:
        """Effective field on every layer at `ms`: of its own terms and of the couplings, T."""
        magnets = self.magnets if magnets is None else magnets
        rows = zip(self.layers, ms.each, magnets.each, drives.each, strict=True)
        fields = [total_field(device.terms, m, magnet, drive) for device, m, magnet, drive in rows]
        for coupling in self.couplings:
            pair = coupling.layers
            added = coupling.fields(_of(ms, pair), _of(magnets, pair), drives.each[pair[0]])
            for layer, B in zip(pair, added, strict=True):
                fields[layer] = fields[layer] + B
        return Layered(tuple(fields))

    def energy(self, ms: Layered, drives: Layered) -> Scalar:
        """Energy of the conservative terms and couplings over the sum of the moments, T."""
        magnets, total = self.magnets, self.moment
        rows = zip(self.layers, ms.each, magnets.each, drives.each, strict=True)
        parts: list[Any] = [total_energy(d.terms, m, magnet, drive) * (magnet.moment / total) for d, m, magnet, drive in rows]
        for coupling in self.couplings:
            if isinstance(coupling, AbstractCouplingEnergy):
                both = _of(magnets, coupling.layers)
                per_moment = (both[0].moment / total) / moment_over(interface(both), both[0])
                parts.append(coupling.energy(_of(ms, coupling.layers), both) * per_moment)
        return reduce(add, parts)


def _of(values: Layered, pair: tuple[int, int]) -> tuple[Any, Any]:
    """Those of two layers."""
    return values.each[pair[0]], values.each[pair[1]]


def _require_there(coupling: AbstractCoupling, number: int) -> None:
    """Raise `ValueError` unless a coupling is between two different ones of `number` layers."""
    first, second = coupling.layers
    if first == second or not (0 <= first < number and 0 <= second < number):
        raise ValueError(
            f"`layers` of {type(coupling).__name__} must be two different ones of the layers 0 to {number - 1} of the Stack, "
            f"but are {first} and {second}."
        )
