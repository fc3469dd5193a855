"""Networks of p-bits: who drives whom, how fast, and how far devices differ."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float, Key

from mtjax.checks import checked
from mtjax.pbits.laws import AbstractFlipLaw, law_of
from mtjax.printing import Shown
from mtjax.quantities import Numbers, Scalar, as_scalar, is_known, quantity

_MOST = 20
"""Bits of which all states can be listed."""
_ROUNDING = 1e-6
"""By how much of the largest coupling the two directions may differ."""


class Spreads(Shown):
    """How the p-bits of an array differ: what reaches the law of bit i is gain_i x_i + offset_i, its rates are over time_i.

    - `gain`: factors of the inputs, shape (n,); `offset`: added to them, shape (n,); `time`: factors of the dwell times, (n,).

    >>> import jax
    >>> import mtjax as mtj
    >>> spread = mtj.pbits.Spreads.draw(4, 0.1, key=jax.random.key(0))
    >>> spread.gain.shape
    (4,)
    """

    gain: Float[Array, " n"] = quantity("", positive=True)
    offset: Float[Array, " n"] = quantity("")
    time: Float[Array, " n"] = quantity("", positive=True)

    @staticmethod
    @checked
    def draw(number: int, size: float, *, key: Key[Array, ""]) -> Spreads:
        """Of `number` bits: gains and times log-normal, offsets normal, each of the relative (or absolute) `size`."""
        draws = size * jax.random.normal(key, (3, number))
        return Spreads(jnp.exp(draws[0]), draws[1], jnp.exp(draws[2]))

    @staticmethod
    def none(number: int) -> Spreads:
        """Of `number` equal bits."""
        return Spreads(jnp.ones(number), jnp.zeros(number), jnp.ones(number))


class PbitNetwork(Shown):
    """P-bits m_i = -1 or 1 with inputs x_i = sum_j J_ij m_j + h_i: at rest P(m) ~ exp(m.J m / 2 + h.m).

    Each flips at the rates of its law; what it does reaches the others after the `delay`. Fast synapses (a delay far below the
    dwell time) give Boltzmann's distribution, slow ones do not.

    - `couplings`: J, symmetric with nothing on its diagonal, shape (n, n); `biases`: h, shape (n,).
    - `law`: rates against input, or a `Device` with two wells, from which they are taken (`JunctionLaw.of`).
    - `delay`: of every synapse, s.
    - `spread`: of the devices, or `None`; `correction`: the spread that the couplings are corrected for, or `None`.

    Raises `ValueError` where shapes do not fit, J is not symmetric or has a diagonal, or the device has no rates.

    >>> import jax
    >>> import mtjax as mtj
    >>> pair = mtj.pbits.Network([[0.0, 1.0], [1.0, 0.0]], [0.0, 0.0], mtj.pbits.TanhLaw(1e-9))
    >>> [f"{p:.3f}" for p in pair.boltzmann()]  # of -- +- -+ ++
    ['0.440', '0.060', '0.060', '0.440']
    >>> record = mtj.pbits.sample(pair, events=20_000, key=jax.random.key(0))
    >>> print(f"{mtj.pbits.total_variation(record.distribution(), pair.boltzmann()):.2f}")
    0.00
    """

    couplings: Float[Array, "n n"] = quantity("")
    biases: Float[Array, " n"] = quantity("")
    law: AbstractFlipLaw = eqx.field(converter=law_of)  # pyright: ignore[reportGeneralTypeIssues]
    delay: Scalar = quantity("s", least=0.0, default=0.0)
    spread: Spreads | None = None
    correction: Spreads | None = None

    def __check_init__(self):
        J = self.couplings
        if J.shape != (len(self.biases),) * 2:
            raise ValueError(f"`couplings` must have shape ({self.number}, {self.number}) as `biases` has, but has {J.shape}.")
        if is_known(J):
            apart = np.abs(np.asarray(J) - np.asarray(J).T)
            if np.max(apart, initial=0.0) > _ROUNDING * np.max(np.abs(J), initial=0.0):
                i, j = np.unravel_index(np.argmax(apart), apart.shape)
                raise ValueError(f"`couplings` must be symmetric, but from {j} to {i} it is {J[i, j]:g} and back {J[j, i]:g}.")
            if np.any(np.diag(np.asarray(J))):
                raise ValueError(f"`couplings` must have a diagonal of zeros, but it holds {np.max(np.abs(np.diag(J))):g}.")
        for name in ("spread", "correction"):
            given = getattr(self, name)
            if given is not None and given.gain.shape != self.biases.shape:
                raise ValueError(f"`{name}` must be of {self.number} bits, but is of {len(given.gain)}.")

    @property
    def number(self) -> int:
        """Of bits."""
        return len(self.biases)

    @property
    def wires(self) -> tuple[Float[Array, "n n"], Float[Array, " n"]]:
        """Couplings and biases as the laws see them: corrected, then with the spread of the devices."""
        J, h = self.couplings, self.biases
        if self.correction is not None:
            J, h = J / self.correction.gain[:, None], (h - self.correction.offset) / self.correction.gain
        if self.spread is not None:
            J, h = J * self.spread.gain[:, None], h * self.spread.gain + self.spread.offset
        return J, h

    @property
    def times(self) -> Float[Array, " n"]:
        """Factors of the dwell times."""
        return jnp.ones(self.number) if self.spread is None else self.spread.time

    def compensated(self, fitted: Spreads) -> PbitNetwork:
        """The network corrected for a `fitted` spread: couplings J_ij / gain_i and biases (h_i - offset_i) / gain_i."""
        return eqx.tree_at(lambda n: n.correction, self, fitted, is_leaf=lambda x: x is None)

    def at(self, beta: ArrayLike) -> PbitNetwork:
        """The network with all couplings and biases times the inverse temperature `beta`."""
        scale = as_scalar(beta)
        return eqx.tree_at(lambda n: (n.couplings, n.biases), self, (self.couplings * scale, self.biases * scale))

    def energy(self, m: Numbers) -> Array:
        """-m.J m / 2 - h.m of states `m` of -1 and 1, shape (..., n)."""
        m = as_scalar(m)
        return -jnp.einsum("...i,ij,...j", m, self.couplings, m) / 2 - m @ self.biases

    def boltzmann(self) -> Float[Array, " states"]:
        """Probabilities of all 2^n states by listing them; bit i of the number of a state says whether m_i = 1.

        Raises `ValueError` for more than 20 bits.
        """
        if self.number > _MOST:
            raise ValueError(f"A network must have at most {_MOST} bits for its states to be listed, but has {self.number}.")
        return jax.nn.softmax(-self.energy(states(self.number)))


def states(number: int) -> Float[Array, "states n"]:
    """All states of `number` bits in order, -1 and 1.

    >>> import mtjax as mtj
    >>> mtj.pbits.states(2).astype(int).tolist()
    [[-1, -1], [1, -1], [-1, 1], [1, 1]]
    """
    return 2.0 * ((jnp.arange(2**number)[:, None] >> jnp.arange(number)) & 1) - 1


def total_variation(p: Any, q: Any) -> float:
    """Half the sum of |p - q|: how far two distributions are apart, from 0 to 1.

    - `p`, `q`: probabilities, shape (states,).

    >>> import mtjax as mtj
    >>> mtj.pbits.total_variation([0.5, 0.5], [1.0, 0.0])
    0.5
    """
    return float(np.sum(np.abs(np.asarray(p) - np.asarray(q))) / 2)
