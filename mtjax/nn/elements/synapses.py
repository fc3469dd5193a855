"""Synapses: affine maps from spikes to the inputs of neurons, ideal or held by a crossbar."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from mtjax.checks import Count, Within
from mtjax.nn.elements.convolution import _added, _by_squares, _same_size, convolve
from mtjax.nn.elements.crossbar import Crossbar
from mtjax.nn.estimators import with_slope
from mtjax.printing import Shown
from mtjax.quantities import require

Values = Float[Array, "..."]


class AbstractSynapse(Shown):
    """An affine map of one sample's spikes: weights, ideal or as conductances of a crossbar, and a bias.

    >>> import jax.numpy as jnp
    >>> import mtjax as mtj
    >>> crossbar, x = mtj.nn.Crossbar(read_noise=0.05), jnp.array([1.0, 1.0])
    >>> synapse = mtj.nn.Dense(weight=jnp.array([[1.0, -0.5]]), bias=jnp.zeros(1), crossbar=crossbar)
    >>> print(f"{synapse(x)[0]:.2f} +- {synapse.noise(x)[0] ** 0.5:.3f}")
    0.50 +- 0.064
    >>> print(f"{1e9 * synapse.read_power(x) * 0.1**2:.0f} nW at 0.1 V")
    175 nW at 0.1 V
    """

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
    """A fully connected layer, y = W x + b.

    - `weight`: shape (out, in); `bias`: shape (out,).
    - `crossbar`: what holds the weights; `None` for ideal ones. The bias is a current source of the neuron.

    >>> import jax.numpy as jnp
    >>> import mtjax as mtj
    >>> weight, bias = jnp.array([[1.0, 0.6, -0.2, 0.0]]), jnp.zeros(1)
    >>> for crossbar in (None, mtj.nn.Crossbar(levels=2)):
    ...     synapse = mtj.nn.Dense(weight, bias, crossbar)
    ...     print(f"{synapse(jnp.ones(4))[0]:.1f} from weights {[round(float(w), 1) for w in synapse.held()[0]]}")
    1.4 from weights [1.0, 0.6, -0.2, 0.0]
    2.0 from weights [1.0, 1.0, 0.0, 0.0]
    """

    weight: Annotated[Float[Array, "out in"], Within()]
    bias: Annotated[Float[Array, " out"], Within()]
    crossbar: Crossbar | None = None

    @staticmethod
    def make(inputs: int, outputs: int, *, key: Key[Array, ""], gain: float = 1.0, crossbar: Crossbar | None = None) -> Dense:
        """Random weights of standard deviation `gain` / sqrt(inputs); raises `ValueError` where a number is not positive."""
        require({"inputs": inputs, "outputs": outputs, "gain": gain}, "inputs outputs gain", positive=True)
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
    - `squares`: where `Pooled` comes next its size, for outputs in the order in which means are taken fastest: shape (row in
      a square, column in a square, row of squares, column of squares x channel). 1 for an image.

    >>> import jax.numpy as jnp
    >>> import mtjax as mtj
    >>> synapse = mtj.nn.Conv(weight=jnp.ones((3, 3, 1, 2)), bias=jnp.array([0.0, 1.0]))
    >>> y = synapse(jnp.ones((4, 4, 1)))
    >>> print(y.shape, f"{y[0, 0, 0]:.0f} and {y[0, 0, 1]:.0f}")
    (2, 2, 2) 9 and 10
    """

    weight: Annotated[Float[Array, "size size channels_in channels_out"], Within()]
    bias: Annotated[Float[Array, " channels_out"], Within()]
    crossbar: Crossbar | None = None
    squares: Count = eqx.field(static=True, default=1)

    @staticmethod
    def make(size: int, inputs: int, outputs: int, *, key: Key[Array, ""], gain: float = 1.0, squares: int = 1) -> Conv:
        """Random weights of standard deviation `gain` / sqrt(size^2 inputs); raises `ValueError` if one is not positive."""
        sizes = {"size": size, "inputs": inputs, "outputs": outputs, "gain": gain}
        require(sizes, "size inputs outputs gain", positive=True)
        weight = jax.random.normal(key, (size, size, inputs, outputs)) * (gain / (size**2 * inputs) ** 0.5)
        return Conv(weight, jnp.zeros(outputs), squares=squares)

    def _ordered(self, image: Values) -> Values:
        return image if self.squares == 1 else _by_squares(image, self.squares)

    def held(self) -> Values:
        """The weights as the crossbar has them."""
        return self.weight if self.crossbar is None else self.crossbar.effective(self.weight)

    def __call__(self, x: Values) -> Values:
        """Shape (height - size + 1, width - size + 1, channels out), or by `squares`."""
        if x.ndim != 3 or x.shape[2] != self.weight.shape[2]:
            raise ValueError(f"The input of Conv must have shape (height, width, {self.weight.shape[2]}), but has {x.shape}.")
        return self._ordered(convolve(x, self.held()) + self.bias)

    def variance(self, variance: Values) -> Values:
        """The convolution with squared weights."""
        return self._ordered(convolve(variance, self.held() ** 2))

    def read_power(self, x: Values) -> Array:
        """Sum of (G+ + G-) x^2, S, over all positions of the filters."""
        crossbar = Crossbar() if self.crossbar is None else self.crossbar
        return jnp.sum(convolve(x**2, crossbar.mean_conductance(self.weight)))

    def noise(self, x: Values) -> Values | None:
        """Read noise of a column."""
        if self.crossbar is None:
            return None
        return self._ordered(convolve(x**2, self.crossbar.read_variance(self.weight)))


class Pooled(AbstractSynapse):
    """Means over squares of `size` neurons (the "2s" of a convolutional network), then another synapse.

    - `synapse`: after it.

    >>> import jax.numpy as jnp
    >>> import mtjax as mtj
    >>> image = jnp.arange(16.0).reshape(4, 4, 1)
    >>> first = mtj.nn.Dense(weight=jnp.array([[1.0, 0.0, 0.0, 0.0]]), bias=jnp.zeros(1))
    >>> print(f"{mtj.nn.Pooled(first, size=2)(image)[0]:.2f}, the mean of 0, 1, 4 and 5")
    2.50, the mean of 0, 1, 4 and 5
    """

    synapse: Dense | Conv
    size: Count = eqx.field(static=True, default=2)

    def __call__(self, x: Values) -> Values:
        """The synapse at the means."""
        return self.synapse(self.means(x))

    def variance(self, variance: Values) -> Values:
        """The synapse's, at the means' variance."""
        return self.synapse.variance(self.means(variance) / self.size**2)

    def read_power(self, x: Values) -> Array:
        """The synapse's, at the means."""
        return self.synapse.read_power(self.means(x))

    def noise(self, x: Values) -> Values | None:
        """The synapse's, at the means."""
        return self.synapse.noise(self.means(x))

    def means(self, x: Values) -> Values:
        """Over the squares of an image, or of what a `Conv` with the same `squares` gives; itself an image."""
        size = self.size
        if x.ndim == 3 and x.shape[0] % size == x.shape[1] % size == 0:
            channels, x = x.shape[2], _by_squares(x, size)
        else:
            channels = self.synapse.weight.shape[2] if isinstance(self.synapse, Conv) else 1
        if x.ndim != 4 or x.shape[:2] != (size, size) or x.shape[3] % channels:
            raise ValueError(
                f"The input of Pooled must be an image whose sides are multiples of {size}, or squares of {size} from a Conv, "
                f"but has shape {x.shape}."
            )
        means = _added([x[i, j] for i in range(size) for j in range(size)]) / size**2  # in one loop with what makes x
        means = with_slope(jax.lax.stop_gradient(means), jnp.mean(x, axis=(0, 1)))  # whose transpose adds no zeros
        return means.reshape(x.shape[2], -1, channels)
