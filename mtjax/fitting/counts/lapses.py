"""What a macrospin does not know of: parts of a switching curve with a name and quantities of their own."""

from __future__ import annotations

import dataclasses
from abc import abstractmethod
from typing import Any

import equinox as eqx
import jax

from mtjax.fitting.binomial import Rows
from mtjax.printing import Shown
from mtjax.quantities import Scalar, as_scalar, quantity


class AbstractLapse(Shown):
    """Turns the probability of a model into that of an observation; all its quantities are fitted.

    One of your own needs `observed` and fields for its quantities.

    >>> import mtjax as mtj
    >>> class Stuck(mtj.AbstractLapse):
    ...     share: float = 0.1
    ...     def observed(self, p, q, amplitude):
    ...         return p * (1 - self.share), q + p * self.share
    >>> p, q = Stuck().observed(0.8, 0.2, 1e-5)
    >>> print(f"seen switched with {p:.2f} instead of 0.80")
    seen switched with 0.72 instead of 0.80
    """

    @abstractmethod
    def observed(self, p: Rows, q: Rows, amplitude: Rows) -> tuple[Rows, Rows]:
        """Probability of being seen switched, and not, from those of switching, at pulse amplitudes (A or V)."""

    @property
    def quantities(self) -> tuple[tuple[str, str, float], ...]:
        """Name, unit, value of each quantity."""
        kind = type(self).__name__
        return tuple(
            (f"{kind}.{f.name}", f.metadata.get("unit", ""), float(getattr(self, f.name))) for f in dataclasses.fields(self)
        )

    @property
    def bounds(self) -> dict[str, tuple[float, float]]:
        """Bounds of those that have natural ones."""
        kind = type(self).__name__
        return {f"{kind}.{f.name}": f.metadata["bounds"] for f in dataclasses.fields(self) if "bounds" in f.metadata}


def _share(default: float) -> Any:
    return eqx.field(
        converter=as_scalar,
        metadata={"unit": "", "bounds": (1e-6, 0.999999), "range": {"least": 0.0, "most": 1.0}},
        default=default,
    )


class Misread(AbstractLapse):
    """A share of the outcomes is read wrong, whatever the pulse.

    - `missed`: probability that a switched device is seen as not switched; `false`: the opposite (read errors).

    >>> import jax.numpy as jnp
    >>> import mtjax as mtj
    >>> p = jnp.array([0.0, 0.5, 1.0])
    >>> seen, _ = mtj.Misread(missed=0.01, false=0.02).observed(p, 1 - p, jnp.ones(3))
    >>> print(", ".join(f"{p:.3f}" for p in seen))
    0.020, 0.505, 0.990
    """

    missed: Scalar = _share(0.02)
    false: Scalar = _share(0.02)

    def observed(self, p: Rows, q: Rows, amplitude: Rows) -> tuple[Rows, Rows]:
        """p (1 - missed) + q false."""
        return p * (1 - self.missed) + q * self.false, p * self.missed + q * (1 - self.false)


class BackHopping(AbstractLapse):
    """A switched device hops back with some probability, until a stronger pulse holds it.

    P = p [1 - probability / (1 + exp((amplitude - end) / spread))]. A description, not a theory: it gives the plateau that
    back-hopping leaves above the switching threshold a height and an end.

    - `probability`: of hopping back, below `end`.
    - `end`: amplitude (A or V, as in the data) where it has fallen to half; `spread`: over which it falls.

    >>> import jax.numpy as jnp
    >>> import mtjax as mtj
    >>> lapse = mtj.BackHopping(probability=0.1, end=1.0, spread=0.03)  # amplitudes in V
    >>> seen, _ = lapse.observed(jnp.ones(3), jnp.zeros(3), jnp.array([0.8, 1.0, 1.2]))
    >>> print(", ".join(f"{p:.3f}" for p in seen))
    0.900, 0.950, 1.000
    """

    probability: Scalar = _share(0.2)
    end: Scalar = quantity("", positive=True, default=1.0)
    spread: Scalar = quantity("", positive=True, default=0.03)

    def observed(self, p: Rows, q: Rows, amplitude: Rows) -> tuple[Rows, Rows]:
        """p (1 - back), q + p back."""
        back = self.probability * jax.nn.sigmoid(-(amplitude - self.end) / self.spread)
        return p * (1 - back), q + p * back
