"""A crossbar of conductance pairs: what becomes of a weight matrix when devices hold it."""

from __future__ import annotations

from typing import Annotated

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float, Key

from mtjax.checks import Within, checked
from mtjax.devices import TunnelMagnetoresistance
from mtjax.printing import Shown
from mtjax.quantities import Scalar, quantity, require

Matrix = Float[Array, "*shape"]


def _largest(weight: Matrix) -> Array:
    """The weight that the whole range of conductance stands for; a constant to gradients."""
    return jax.lax.stop_gradient(jnp.max(jnp.abs(weight))) + 1e-30


class Crossbar(Shown):
    """Pairs of conductances G+ and G-: w = (G+ - G-) w_max / (G_on - G_off), the idle one of a pair at G_off.

    - `on_off`: G_on / G_off; `G_on`: S.
    - `levels`: conductances that a device can hold, from G_off to G_on; 0 for a continuum.
    - `write_noise`: standard deviation of a programmed conductance over G_on - G_off, drawn once per chip.
    - `read_noise`: standard deviation of every read conductance over itself, drawn at every read.
    - `asymmetry`: by how much the range of the negative devices is larger than that of the positive ones.
    - `wire`: resistance of the wires between neighbouring cells (IR drop), ohm; 0 for ideal wires.
    - `bit_wire`: that along the columns (bit lines), ohm, where it differs from that along the rows; `None`: as `wire`.

    Raises `ValueError` where a number is out of its range: `on_off` below 1, noise below 0, one level.

    >>> import jax.numpy as jnp
    >>> import mtjax as mtj
    >>> crossbar = mtj.nn.Crossbar(on_off=3.0, G_on=90e-6, levels=4)
    >>> weight = jnp.array([1.0, 0.6, -0.2])
    >>> plus, minus = crossbar.conductances(weight)
    >>> print(", ".join(f"{1e6 * a:.0f} - {1e6 * b:.0f} uS" for a, b in zip(plus, minus)))
    90 - 30 uS, 70 - 30 uS, 30 - 50 uS
    >>> print(", ".join(f"{w:.3f}" for w in crossbar.effective(weight)))
    1.000, 0.667, -0.333
    """

    on_off: Scalar = quantity("", least=1.0, default=10.0)
    G_on: Scalar = quantity("S", positive=True, default=1e-5)
    levels: int = eqx.field(static=True, default=0)
    write_noise: Scalar = quantity("", least=0.0, default=0.0)
    read_noise: Scalar = quantity("", least=0.0, default=0.0)
    asymmetry: Scalar = quantity("", least=-1.0, default=0.0)
    wire: Annotated[float, Within(least=0.0, unit="ohm")] = eqx.field(static=True, default=0.0)
    bit_wire: Annotated[float, Within(least=0.0, unit="ohm")] | None = eqx.field(static=True, default=None)

    def __check_init__(self):
        if self.levels < 0 or self.levels == 1:
            raise ValueError(f"`levels` of Crossbar must be 0 or at least 2, but is {self.levels}.")

    @staticmethod
    def of(readout: TunnelMagnetoresistance, **kwargs: ArrayLike) -> Crossbar:
        """The crossbar of binary junctions with this read-out: on/off ratio 1 + TMR."""
        return Crossbar(on_off=1 + readout.tmr, G_on=1 / readout.R_P, levels=2, **kwargs)

    @property
    def G_off(self) -> Scalar:
        """Lowest conductance, S."""
        return self.G_on / self.on_off

    def conductances(self, weight: Matrix) -> tuple[Matrix, Matrix]:
        """G+ and G- (S) that hold `weight`, on the levels there are; rounding passes gradients through."""
        size = _largest(weight)
        share = jnp.clip(jnp.abs(weight) / size, 0, 1)
        if self.levels:
            rounded = jnp.round(share * (self.levels - 1)) / (self.levels - 1)
            share = jax.lax.stop_gradient(rounded - share) + share
        span = self.G_on - self.G_off
        plus = self.G_off + span * jnp.where(weight > 0, share, 0.0)
        minus = self.G_off + span * jnp.where(weight < 0, share, 0.0) * (1 + self.asymmetry)
        return plus, minus

    def weight(self, plus: Matrix, minus: Matrix, like: Matrix) -> Matrix:
        """The weight that conductances stand for, in the units of `like`, the matrix that they were made from."""
        size = _largest(like)
        return (plus - minus) * size / (self.G_on - self.G_off)

    def effective(self, weight: Matrix) -> Matrix:
        """`weight` as the crossbar has it, without noise (wires included for matrices)."""
        plus, minus = self.conductances(weight)
        if (self.wire > 0 or (self.bit_wire or 0.0) > 0) and weight.ndim == 2:
            plus, minus = (through_wires(G, self.wire, self.bit_wire) for G in (plus, minus))
        return self.weight(plus, minus, weight)

    def programmed(self, weight: Matrix, *, key: Key[Array, ""], stuck: float = 0.0) -> Matrix:
        """`weight` after one programming: with write noise, and a share `stuck` of cells stuck at G_off or G_on."""
        plus, minus = self.conductances(weight)
        span = self.G_on - self.G_off

        def written(G, key):
            k1, k2, k3 = jax.random.split(key, 3)
            noisy = jnp.clip(G + self.write_noise * span * jax.random.normal(k1, G.shape), 0.0, None)
            end = jnp.where(jax.random.bernoulli(k2, 0.5, G.shape), self.G_on, self.G_off)
            return jnp.where(jax.random.uniform(k3, G.shape) < stuck, end, noisy)

        for_plus, for_minus = jax.random.split(key)
        return self.weight(written(plus, for_plus), written(minus, for_minus), weight)

    def read_variance(self, weight: Matrix) -> Matrix:
        """Variance of every weight from read noise."""
        plus, minus = self.conductances(weight)
        size = _largest(weight)
        return (plus**2 + minus**2) * (self.read_noise * size / (self.G_on - self.G_off)) ** 2

    def mean_conductance(self, weight: Matrix) -> Matrix:
        """G+ + G- of every pair, S: what a read pulse flows through."""
        plus, minus = self.conductances(weight)
        return plus + minus


@checked
def through_wires(
    G: Float[Array, "out in"],
    wire: Annotated[ArrayLike, Within(least=0.0, unit="ohm")],
    bit_wire: Annotated[ArrayLike, Within(least=0.0, unit="ohm")] | None = None,
) -> Float[Array, "out in"]:
    """Conductances (S) from input to output terminals of a crossbar whose lines have a resistance between cells.

    Inputs are driven at the left ends of the rows (word lines, one for each input), outputs held at 0 V at the lower ends of
    the columns (bit lines); the segments at these ends count. Kirchhoff's equations are solved directly, row by row: with
    the row's admittance Y = (1/G + wire K)^-1, K_jk = min(j, k), and that of everything above a segment of the columns, Z,
    the latter becomes (1 + bit_wire Z)^-1 Z + Y. There are no iterations: the error is that of rounding, 1e-12 of every
    conductance at 128 x 128 and 1 ohm in double precision, 1e-5 in single (0.3 CPU seconds). Differentiable in all arguments.

    - `G`: conductances of the devices, S; 0 for a missing one.
    - `wire`: resistance of a row between neighbouring cells, ohm; 0 for ideal lines.
    - `bit_wire`: that of a column, ohm; `None`: as `wire`.

    Raises `ValueError` where a resistance is negative.
    Joksas and Mehonic, SoftwareX 12, 100617 (2020) solve the same circuit in `badcrossbar`, which `scripts/crossbar_wires.py`
    compares with this.

    >>> import jax.numpy as jnp
    >>> import mtjax as mtj
    >>> G = jnp.full((2, 3), 1e-4)
    >>> for bit_wire in (0.0, 100.0):
    ...     seen = mtj.nn.through_wires(G, 100.0, bit_wire)
    ...     print([[f"{1e6 * g:.1f}" for g in row] for row in seen], "uS")
    ...
    [['98.0', '98.0', '98.0'], ['97.1', '97.1', '97.1']] uS
    [['92.6', '93.5', '95.3'], ['91.7', '92.6', '94.4']] uS
    """
    bit_wire = wire if bit_wire is None else bit_wire
    require({"wire": wire, "bit_wire": bit_wire}, "wire bit_wire", least=0.0, unit="ohm")
    rows, columns = jnp.asarray(wire, G.dtype), jnp.asarray(bit_wire, G.dtype)
    if G.shape[0] <= G.shape[1]:
        return _solved(G, rows, columns)
    # by reciprocity the columns may be driven, at their lower ends, and the rows held at 0 V: dense work for the shorter side
    return _solved(G[::-1, ::-1].T, columns, rows).T[::-1, ::-1]


@jax.jit
def _solved(G: Float[Array, "out in"], wire: Scalar, bit_wire: Scalar) -> Float[Array, "out in"]:
    """`through_wires` by n_in solutions of n_out x n_out equations, down the columns and up again."""
    place = jnp.arange(1, G.shape[0] + 1, dtype=G.dtype)
    shared, one = jnp.minimum(place[:, None], place), jnp.eye(G.shape[0], dtype=G.dtype)

    def down(above, g):
        passed = _inverse(one + bit_wire * above)
        row = _inverse(one + wire * g[:, None] * shared) * g
        return passed @ above + row, (passed, jnp.sum(row, axis=1))

    def up(to_end, here):
        passed, current = here
        return to_end @ passed, to_end @ current

    last, (passed, current) = jax.lax.scan(down, jnp.zeros_like(one), G.T)
    _, found = jax.lax.scan(up, _inverse(one + bit_wire * last), (passed, current), reverse=True)
    return found.T


@jax.custom_jvp
def _inverse(A: Float[Array, "n n"]) -> Float[Array, "n n"]:
    """Inverse of a matrix that is symmetric and positive up to a scaling of its rows: elimination needs no pivots.

    LAPACK's answer, without the threads of its triangular solver, which make small matrices 50 times slower on busy cores.
    """

    def eliminate(k, A):
        row, column, pivot = A[k], A[:, k], A[k, k]
        rest = A - column[:, None] * (row / pivot)
        return rest.at[k].set(row / pivot).at[:, k].set(-column / pivot).at[k, k].set(1 / pivot)

    return jax.lax.fori_loop(0, A.shape[0], eliminate, A)


@_inverse.defjvp
def _inverse_jvp(primals, tangents):
    found = _inverse(*primals)
    return found, -found @ tangents[0] @ found
