"""What an inference costs, part by part, whatever counts it."""

from __future__ import annotations

import dataclasses
from abc import abstractmethod

import equinox as eqx
import jax.numpy as jnp

from mtjax.printing import Shown, with_unit
from mtjax.quantities import Scalar


class AbstractCost(Shown):
    """Parts in joules, each a field of its own.

    - `latency`: s.
    """

    latency: eqx.AbstractVar[Scalar]

    @property
    @abstractmethod
    def neurons(self) -> Scalar:
        """What the neurons alone cost, J."""

    @property
    def parts(self) -> dict[str, Scalar]:
        """Every field that is an energy, J."""
        return {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.metadata.get("unit") == "J"}

    @property
    def total(self) -> Scalar:
        """J."""
        return sum(self.parts.values(), jnp.zeros(()))

    def __str__(self) -> str:
        """Total and latency, then one line for every part with its share."""
        total = float(self.total)
        lines = [f"{type(self).__name__}: {with_unit(total, 'J')} in {with_unit(self.latency, 's')}"]
        for name, part in self.parts.items():
            value = float(part)
            lines.append(f"  {name:12} {with_unit(value, 'J'):>10}  {100 * value / total if total else 0:5.1f} %")
        return "\n".join(lines)
