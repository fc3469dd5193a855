"""The Brownian path: independent Gaussian increments, one triple a step, a pure function of (key, sample, step).

Nothing is stored, steps may be taken in any order, in any chunk of samples and on any machine, and the generator is written
out in `jnp` so that XLA fuses it into the solver's step (drawn through `jax.random`, the noise costs more than the physics).
"""

import math
from collections.abc import Callable
from typing import Any

import diffrax as dfx
import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Float32, Key, UInt32

from mtjax.vector import Layered, Vector

_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
Words = UInt32[Array, "*#batch"]


def threefry(k0: Words, k1: Words, x0: Words, x1: Words) -> tuple[Words, Words]:
    """Threefry-2x32 with 20 rounds: two random words for the counter (x0, x1) (Salmon et al., SC 2011).

    >>> import jax.numpy as jnp
    >>> from mtjax.dynamics import threefry
    >>> zero = jnp.uint32(0)
    >>> [f"{int(word):08x}" for word in threefry(zero, zero, zero, zero)]  # the published answer
    ['6b200159', '99ba4efe']
    """
    keys = (k0, k1, k0 ^ k1 ^ jnp.uint32(0x1BD11BDA))
    x0, x1 = x0 + keys[0], x1 + keys[1]
    for i in range(5):
        for r in _ROTATIONS[i % 2]:
            x0 = x0 + x1
            x1 = ((x1 << jnp.uint32(r)) | (x1 >> jnp.uint32(32 - r))) ^ x0
        x0, x1 = x0 + keys[(i + 1) % 3], x1 + keys[(i + 2) % 3] + jnp.uint32(i + 1)
    return x0, x1


def gaussian(bits: UInt32[Array, "*shape"]) -> Float32[Array, "*shape"]:
    """A standard normal number from 21 random `bits`, by the inverse distribution function; at most 5.0 in size.

    >>> import jax.numpy as jnp
    >>> import mtjax as mtj
    >>> bits = jnp.array([0, 2**20, 2**21 - 1], jnp.uint32)
    >>> [f"{x:+.2f}" for x in mtj.gaussian(bits)]
    ['-5.04', '+0.00', '+5.04']
    """
    uniform = (bits.astype(jnp.float32) + 0.5) * jnp.float32(2.0**-20) - 1
    return jnp.float32(2**0.5) * jax.lax.erf_inv(uniform)


def three_point(bits: UInt32[Array, "*shape"]) -> Float32[Array, "*shape"]:
    """-sqrt 3, 0 or sqrt 3 with probabilities 1/6, 2/3, 1/6 from 21 random `bits`.

    Its moments up to the fifth are those of a standard normal, which is all that a solver of weak order 2 sees of it
    (Kloeden and Platen, Numerical Solution of Stochastic Differential Equations, section 14.2, as recalled); the sixth
    is 9 instead of 15, an error of order (2 D dt)^3 a step. It takes a third of the time of an exact one.

    >>> import jax.numpy as jnp
    >>> import mtjax as mtj
    >>> x = mtj.three_point(jnp.arange(2**21, dtype=jnp.uint32))  # every pattern of 21 bits once
    >>> f"variance {(x**2).mean():.3f}, fourth moment {(x**4).mean():.3f}"
    'variance 1.000, fourth moment 3.000'
    """
    size = jnp.float32(3**0.5)
    return jnp.where(bits < 349525, -size, jnp.where(bits < 1747627, jnp.float32(0), size))


class _EndlessPath(dfx.AbstractBrownianPath):
    """A path whose steps have their noise at any time."""

    @property
    def t0(self):
        """Minus infinity: defined at every step."""
        return -jnp.inf

    @property
    def t1(self):
        """Infinity: defined at every step."""
        return jnp.inf


class StepPath(_EndlessPath):
    """Brownian motion in three dimensions for solvers that count time in steps: `t0` is the number of the step.

    - `key`: a `jax.random` key.
    - `sample`: number of the trajectory; paths of different samples are independent.
    - `normal`: what makes normal numbers of random bits: `gaussian` or `three_point`.
    - `levy_area`: what diffrax may ask for: increments, nothing more.

    Increments are float32 whatever the solver's precision: 21 random bits each, which is what a 64-bit hash gives three
    of. Steps are numbered up to 2^32.

    >>> import jax
    >>> import mtjax as mtj
    >>> path = mtj.dynamics.StepPath(jax.random.key(0), sample=7)
    >>> first = path.evaluate(0).array()
    >>> first.shape, bool((path.evaluate(0).array() == first).all())  # a step has the same noise whenever it is asked for
    ((3,), True)
    """

    key: UInt32[Array, "2"]
    sample: UInt32[Array, ""]
    normal: Callable[[Any], Any] = eqx.field(static=True, default=gaussian)
    levy_area: Any = eqx.field(static=True, default=dfx.BrownianIncrement)

    def __init__(self, key: Key[Array, ""], sample: Any, normal: Callable[[Any], Any] = gaussian):
        self.key = jax.random.key_data(key)
        self.sample = jnp.asarray(sample).astype(jnp.uint32)
        self.normal = normal
        self.levy_area = dfx.BrownianIncrement

    def bits(self, step: Any) -> tuple[UInt32[Array, ""], UInt32[Array, ""], UInt32[Array, ""]]:
        """Three times 21 random bits for `step`."""
        step = jnp.round(step).astype(jnp.uint32)  # diffrax gives 102.99999 for step 103: cut off, it would repeat 102
        a, b = threefry(self.key[0], self.key[1], step, self.sample)
        return a >> 11, b >> 11, ((a & jnp.uint32(0x7FF)) << 10) | (b & jnp.uint32(0x3FF))

    def evaluate(self, t0: Any, t1: Any = None, left: bool = True, use_levy: bool = False) -> Vector:  # noqa: FBT001, FBT002
        """The increment of step number `t0`: three independent standard normals, a `Vector`; `t1` must be `t0` + 1."""
        del t1, left, use_levy
        return Vector(*map(self.normal, self.bits(t0)))

    def uniform(self, step: Any) -> Float32[Array, ""]:
        """A number in (0, 1) for `step`, made of the same bits as its increment: use one or the other."""
        a, _ = threefry(self.key[0], self.key[1], jnp.round(step).astype(jnp.uint32), self.sample)
        return ((a >> 9).astype(jnp.float32) + 0.5) * jnp.float32(2.0**-23)


class LayeredPath(_EndlessPath):
    """Brownian motion of several spins.

    - `each`: the paths, one for each spin.
    - `levy_area`: what diffrax may ask for: increments, nothing more.

    >>> import jax
    >>> import mtjax as mtj
    >>> from mtjax.dynamics import LayeredPath, StepPath
    >>> path = LayeredPath(tuple(StepPath(jax.random.key(layer), sample=7) for layer in range(2)))
    >>> path.evaluate(0).array().shape
    (2, 3)
    """

    each: tuple[StepPath, ...]
    levy_area: Any = eqx.field(static=True, default=dfx.BrownianIncrement)

    def __init__(self, each: tuple[StepPath, ...]):
        self.each, self.levy_area = each, dfx.BrownianIncrement

    def evaluate(self, t0: Any, t1: Any = None, left: bool = True, use_levy: bool = False) -> Layered:  # noqa: FBT001, FBT002
        """The increments of step number `t0`: three independent standard normals for each spin; `t1` must be `t0` + 1."""
        del t1, left, use_levy
        return Layered(tuple(path.evaluate(t0) for path in self.each))


def uniforms(key: Key[Array, ""], shape: tuple[int, ...]) -> Float[Array, "..."]:
    """Uniform numbers strictly between 0 and 1, multiples of 2^-23 plus half of it, of shape `shape`.

    The number of an element is mixed twice, with a word of the hashed `key` before each time. A Threefry hash of every number
    takes as long as the rest of a convolutional network; what is mixed so passes `tests/dynamics/test_noise.py`.

    >>> import jax
    >>> from mtjax.dynamics import uniforms
    >>> u = uniforms(jax.random.key(0), (1000, 100))
    >>> u.shape, f"{u.mean():.2f} on average, {u.var():.3f} = 1/12 of variance"
    ((1000, 100), '0.50 on average, 0.083 = 1/12 of variance')
    """
    k0, k1 = jax.random.bits(key, 2, jnp.uint32)  # a loop of its own: XLA does not work it out again for every element
    words = _mixed(_mixed(jnp.arange(math.prod(shape), dtype=jnp.uint32) ^ k0) + k1)
    return ((words >> 9).astype(jnp.float32) + 0.5).reshape(shape) * jnp.float32(2.0**-23)


def _mixed(x: UInt32[Array, " n"]) -> UInt32[Array, " n"]:
    """A permutation of 32-bit words in which every bit of x flips every bit of the result for half of all x.

    The finaliser of MurmurHash3 (A. Appleby, 2011) with the constants that C. Wellons found in 2018 ("lowbias32"), as recalled.
    """
    x = (x ^ (x >> 16)) * jnp.uint32(0x7FEB352D)
    x = (x ^ (x >> 15)) * jnp.uint32(0x846CA68B)
    return x ^ (x >> 16)
