"""What was known of a quantity before the measurement."""

from __future__ import annotations

from abc import abstractmethod

import equinox as eqx
import jax.numpy as jnp

from mtjax.types import Scalar, quantity, require


class AbstractPrior(eqx.Module):
    """A distribution of one quantity."""

    @abstractmethod
    def residual(self, value: Scalar) -> Scalar:
        """How many standard deviations `value` lies from the middle."""

    @abstractmethod
    def log_density(self, value: Scalar) -> Scalar:
        """Logarithm of the density of `value`, up to a constant."""


class Normal(AbstractPrior):
    """Normal distribution.

    - `mean`, `deviation`: in the unit of the quantity.
    """

    mean: Scalar = quantity("")
    deviation: Scalar = quantity("")

    def __check_init__(self):
        require(self, "mean")
        require(self, "deviation", positive=True)

    def residual(self, value: Scalar) -> Scalar:
        """(value - mean) / deviation."""
        return (value - self.mean) / self.deviation

    def log_density(self, value: Scalar) -> Scalar:
        """Minus half the squared residual."""
        return -(self.residual(value) ** 2) / 2


class LogNormal(AbstractPrior):
    """Normal distribution of the logarithm: the quantity lies within `factor` of `median` with probability 68 %.

    - `median`: in the unit of the quantity, with its sign; `factor`: above 1.
    """

    median: Scalar = quantity("")
    factor: Scalar = quantity("")

    def __check_init__(self):
        require(self, "median factor")
        if not (self.factor > 1 and self.median != 0):
            raise ValueError(
                f"LogNormal needs a factor above 1 and a median that is not 0, but has {self.factor} and {self.median}."
            )

    def residual(self, value: Scalar) -> Scalar:
        """log(value / median) / log(factor)."""
        ratio = value / self.median
        positive = ratio > 0
        return jnp.where(positive, jnp.log(jnp.where(positive, ratio, 1.0)) / jnp.log(self.factor), jnp.inf)

    def log_density(self, value: Scalar) -> Scalar:
        """Minus half the squared residual, minus log |value|."""
        return -(self.residual(value) ** 2) / 2 - jnp.log(jnp.abs(value))
