"""Synapses: affine maps from spikes to the inputs of neurons, ideal or held by a crossbar."""

from __future__ import annotations

import functools
import operator
from abc import abstractmethod

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from mtjax.nn.crossbar import Crossbar

Values = Float[Array, "..."]


class AbstractSynapse(eqx.Module):
    """An affine map of one sample's spikes."""

    @abstractmethod
    def __call__(self, x: Values) -> Values:
        """The input of the next neurons."""

    @abstractmethod
    def variance(self, variance: Values) -> Values:
        """Variance of the output for independent inputs of this variance."""

    @abstractmethod
    def read_power(self, x: Values) -> Array:
        """Sum over cells of conductance times input squared, S: times V_read^2, the power of one read."""

    @abstractmethod
    def noise(self, x: Values) -> Values | None:
        """Variance of the output from read noise; `None` where there is none."""


class Dense(AbstractSynapse):
    """y = W x + b.

    - `weight`: shape (out, in); `bias`: shape (out,).
    - `crossbar`: what holds the weights; `None` for ideal ones. The bias is a current source of the neuron.
    """

    weight: Float[Array, "out in"]
    bias: Float[Array, " out"]
    crossbar: Crossbar | None = None

    @staticmethod
    def make(inputs: int, outputs: int, *, key: Key[Array, ""], gain: float = 1.0, crossbar: Crossbar | None = None) -> Dense:
        """Random weights of standard deviation `gain` / sqrt(inputs)."""
        weight = jax.random.normal(key, (outputs, inputs)) * (gain / inputs**0.5)
        return Dense(weight, jnp.zeros(outputs), crossbar)

    def held(self) -> Values:
        """The weights as the crossbar has them."""
        return self.weight if self.crossbar is None else self.crossbar.effective(self.weight)

    def __call__(self, x: Values) -> Values:
        """Shape (out,). Raises `ValueError` for an input of another size than the weights'."""
        _same_size("Dense", x.shape, (self.weight.shape[1],), size=x.size)
        return self.held() @ x.ravel() + self.bias

    def variance(self, variance: Values) -> Values:
        """W^2 v."""
        return self.held() ** 2 @ variance.ravel()

    def read_power(self, x: Values) -> Array:
        """Sum of (G+ + G-) x^2, S."""
        crossbar = Crossbar() if self.crossbar is None else self.crossbar
        return jnp.sum(crossbar.mean_conductance(self.weight) @ x.ravel() ** 2)

    def noise(self, x: Values) -> Values | None:
        """Read noise of a column."""
        return None if self.crossbar is None else self.crossbar.read_variance(self.weight) @ x.ravel() ** 2


class Conv(AbstractSynapse):
    """A convolution without padding, stride 1, of an image (height, width, channels).

    - `weight`: shape (size, size, channels in, channels out); `bias`: shape (channels out,).
    - `crossbar`: as for `Dense`; wires are taken as ideal.
    """

    weight: Float[Array, "size size channels_in channels_out"]
    bias: Float[Array, " channels_out"]
    crossbar: Crossbar | None = None

    @staticmethod
    def make(size: int, inputs: int, outputs: int, *, key: Key[Array, ""], gain: float = 1.0) -> Conv:
        """Random weights of standard deviation `gain` / sqrt(size^2 inputs)."""
        weight = jax.random.normal(key, (size, size, inputs, outputs)) * (gain / (size**2 * inputs) ** 0.5)
        return Conv(weight, jnp.zeros(outputs))

    def held(self) -> Values:
        """The weights as the crossbar has them."""
        return self.weight if self.crossbar is None else self.crossbar.effective(self.weight)

    def __call__(self, x: Values) -> Values:
        """Shape (height - size + 1, width - size + 1, channels out)."""
        if x.ndim != 3 or x.shape[2] != self.weight.shape[2]:
            raise ValueError(f"The input of Conv must have shape (height, width, {self.weight.shape[2]}), but has {x.shape}.")
        return convolve(x, self.held()) + self.bias

    def variance(self, variance: Values) -> Values:
        """The convolution with squared weights."""
        return convolve(variance, self.held() ** 2)

    def read_power(self, x: Values) -> Array:
        """Sum of (G+ + G-) x^2, S, over all positions of the filters."""
        crossbar = Crossbar() if self.crossbar is None else self.crossbar
        return jnp.sum(convolve(x**2, crossbar.mean_conductance(self.weight)))

    def noise(self, x: Values) -> Values | None:
        """Read noise of a column."""
        return None if self.crossbar is None else convolve(x**2, self.crossbar.read_variance(self.weight))


class Pooled(AbstractSynapse):
    """Means over squares of `size` neurons (the "2s" of a convolutional network), then another synapse.

    - `synapse`: after it.
    """

    synapse: Dense | Conv
    size: int = eqx.field(static=True, default=2)

    def __call__(self, x: Values) -> Values:
        """The synapse at the means."""
        return self.synapse(_means(x, self.size))

    def variance(self, variance: Values) -> Values:
        """The synapse's, at the means' variance."""
        return self.synapse.variance(_means(variance, self.size) / self.size**2)

    def read_power(self, x: Values) -> Array:
        """The synapse's, at the means."""
        return self.synapse.read_power(_means(x, self.size))

    def noise(self, x: Values) -> Values | None:
        """The synapse's, at the means."""
        return self.synapse.noise(_means(x, self.size))


def convolve(x: Float[Array, "h w i"], kernel: Float[Array, "s s i o"]) -> Float[Array, "hh ww o"]:
    """The convolution without padding, as one product with a banded matrix: on a processor 2-3 times faster to train."""
    height, width, channels = x.shape
    size, _, _, outputs = kernel.shape
    rows, columns = height - size + 1, width - size + 1
    shifts = jnp.stack([jnp.eye(columns, width, j, dtype=kernel.dtype) for j in range(size)])
    band = jnp.einsum("jow,ijab->iwaob", shifts, kernel).reshape(size * width * channels, columns * outputs)
    flat = x.reshape(height, width * channels)
    stacked = jnp.concatenate([flat[i : i + rows] for i in range(size)], axis=1)
    return (stacked @ band).reshape(rows, columns, outputs)


def _means(x: Values, size: int) -> Values:
    if x.ndim != 3 or x.shape[0] % size or x.shape[1] % size:
        raise ValueError(f"The input of Pooled must be an image whose sides are multiples of {size}, but has shape {x.shape}.")
    h, w, c = x.shape
    x = jax.lax.optimization_barrier(x)  # else XLA computes x anew for every place that it is added at
    rows = _added([x.reshape(h // size, size, w, c)[:, i] for i in range(size)])
    return _added([rows.reshape(h // size, w // size, size, c)[:, :, j] for j in range(size)]) / size**2


def _added(parts: list[Array]) -> Array:
    return functools.reduce(operator.add, parts)


def _same_size(name: str, shape: tuple[int, ...], wanted: tuple[int, ...], *, size: int) -> None:
    if size != wanted[0]:
        raise ValueError(f"The input of {name} must have {wanted[0]} values, but has shape {shape}.")
