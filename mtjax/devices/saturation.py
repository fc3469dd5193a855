"""How magnetisation and anisotropy fade with temperature."""

from __future__ import annotations

from abc import abstractmethod

import jax.numpy as jnp
import numpy as np
from jaxtyping import ArrayLike

from mtjax.printing import Shown
from mtjax.quantities import Scalar, as_scalar, is_known, quantity


class AbstractSaturation(Shown):
    """Ms and Bk at a temperature, relative to those that the layer and its terms are given with.

    >>> import mtjax as mtj
    >>> class Linear(mtj.AbstractSaturation):
    ...     def magnetisation(self, temperature):
    ...         return 1 - (temperature - 300.0) / 400.0
    ...     def anisotropy(self, temperature):
    ...         return self.magnetisation(temperature) ** 2
    ...
    >>> print(f"Ms {Linear().magnetisation(400.0):.2f}, Bk {Linear().anisotropy(400.0):.2f} of those at 300 K")
    Ms 0.75, Bk 0.56 of those at 300 K
    """

    @property
    def highest(self) -> Scalar:
        """Temperature below which a layer is magnetic, K; infinite where the law has none."""
        return jnp.asarray(jnp.inf)

    @abstractmethod
    def magnetisation(self, temperature: ArrayLike) -> Scalar:
        """Ms(T) over the stated Ms."""

    @abstractmethod
    def anisotropy(self, temperature: ArrayLike) -> Scalar:
        """Bk(T) over the stated Bk."""


def require_below(name: str, temperature: Scalar, limit: Scalar) -> None:
    """Raise `ValueError` where a known `temperature` (K) called `name` is not below a known Curie temperature `limit` (K)."""
    if is_known(temperature) and is_known(limit) and not np.all(np.asarray(temperature) < np.asarray(limit)):
        raise ValueError(f"`{name}` must lie below the Curie temperature of {limit} K, but is {temperature} K.")


class BlochLaw(AbstractSaturation):
    """Ms(T) ~ (1 - (T / Tc)^exponent)^outer_exponent and Bk(T) ~ Ms(T)^anisotropy_exponent, both 1 at the `reference`.

    Bloch's law stretched up to the Curie point; with an outer exponent a superellipse (Evans et al., Phys. Rev. B 91, 144425,
    2015: about 1/3, beside exponents of 1.3 for Gd to 2.9 for Fe; recalled). Anisotropy by a power law of the kind of Callen
    and Callen (J. Phys. Chem. Solids 27, 1271, 1966: K ~ Ms^3, hence Bk ~ Ms^2 for single ions; less in thin films). Usual
    assumptions, not derivations.

    - `Tc`: Curie temperature, K.
    - `exponent`, `anisotropy_exponent`: no unit.
    - `reference`: temperature of the stated Ms and Bk, K; below Tc.
    - `least`: lower bound of 1 - (T / Tc)^exponent, so that a macrospin remains defined at and beyond Tc.
    - `outer_exponent`: no unit; `None`: 1.

    Raises `ValueError` where a number is out of range, or `reference` is not below `Tc`.

    >>> import mtjax as mtj
    >>> law = mtj.BlochLaw(Tc=650.0)
    >>> print(f"Ms {law.magnetisation(450.0):.3f}, Bk {law.anisotropy(450.0):.3f} of those at 300 K")
    Ms 0.618, Bk 0.561 of those at 300 K
    >>> steeper = mtj.BlochLaw(Tc=650.0, exponent=1.0, outer_exponent=0.34, reference=0.0)
    >>> print(f"{steeper.magnetisation(300.0):.3f} and {steeper.magnetisation(600.0):.3f} of Ms at 0 K")
    0.810 and 0.418 of Ms at 0 K
    """

    Tc: Scalar = quantity("K", positive=True)
    exponent: Scalar = quantity("", positive=True, default=1.5)
    anisotropy_exponent: Scalar = quantity("", least=0.0, default=1.2)
    reference: Scalar = quantity("K", least=0.0, default=300.0)
    least: Scalar = quantity("", positive=True, most=1.0, default=0.05)
    outer_exponent: Scalar | None = quantity("", positive=True, default=None)

    def __check_init__(self):
        require_below("reference", self.reference, self.Tc)

    @property
    def highest(self) -> Scalar:
        """`Tc`, K."""
        return self.Tc

    def magnetisation(self, temperature: ArrayLike) -> Scalar:
        """max(1 - (T/Tc)^exponent, least) / (1 - (reference/Tc)^exponent), to the power `outer_exponent`."""
        there = jnp.maximum(1 - (as_scalar(temperature) / self.Tc) ** self.exponent, self.least)
        share = there / (1 - (self.reference / self.Tc) ** self.exponent)
        return share if self.outer_exponent is None else share**self.outer_exponent

    def anisotropy(self, temperature: ArrayLike) -> Scalar:
        """The magnetisation's ratio to the power `anisotropy_exponent`."""
        return self.magnetisation(temperature) ** self.anisotropy_exponent
