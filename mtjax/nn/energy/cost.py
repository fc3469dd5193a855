"""What an inference costs, part by part, whatever counts it."""

from __future__ import annotations

import dataclasses
from abc import abstractmethod

import equinox as eqx
import jax.numpy as jnp

from mtjax.printing import Shown, with_unit
from mtjax.quantities import Scalar


class AbstractCost(Shown):
    """What an inference costs, in parts: every field whose unit is J counts. Prints as a table with shares.

    - `latency`: s.

    >>> import mtjax as mtj
    >>> from mtjax.quantities import Scalar, quantity
    >>> class Digital(mtj.nn.AbstractCost):
    ...     table: Scalar = quantity("J", default=5e-15)
    ...     random: Scalar = quantity("J", default=15e-15)
    ...     latency: Scalar = quantity("s", default=2e-9)
    ...     neurons = property(lambda self: self.total)
    >>> print(Digital())
    Digital: 20 fJ in 2 ns
      table              5 fJ   25.0 %
      random            15 fJ   75.0 %
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
