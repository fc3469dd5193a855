"""Invertible logic: gates as energies that are least where their truth table holds, run forwards or backwards by clamping."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from mtjax.pbits.network import PbitNetwork


class Wires(NamedTuple):
    """A network of gates of which some bits are clamped.

    - `network`: of the bits that are free; `free`: their numbers; `clamped`: numbers and values of the others.

    >>> import mtjax as mtj
    >>> gates = mtj.pbits.Gates()
    >>> a, b, c = gates.bits(3)
    >>> gates.both(a, b, c)  # c = a and b
    >>> gates.clamped({c: 1}, mtj.pbits.TanhLaw(1e-9), strength=4.0).network.boltzmann().argmax().item()  # both must be 1
    3
    """

    network: PbitNetwork
    free: np.ndarray
    clamped: Mapping[int, int]

    def all_bits(self, found: Any) -> np.ndarray:
        """Values 0 and 1 of all bits, shape (..., bits), from those `found` of the free ones."""
        found = np.asarray(found, bool)
        every = np.zeros((*found.shape[:-1], len(self.free) + len(self.clamped)), int)
        every[..., self.free] = found
        for bit, value in self.clamped.items():
            every[..., bit] = value
        return every


class Gates:
    """Collects gates; every one adds an energy that is 0 where it holds and at least 1 where it does not.

    >>> import mtjax as mtj
    >>> gates = mtj.pbits.Gates()
    >>> a, b, carry, total, over = gates.bits(5)
    >>> gates.balance({a: 1, b: 1, carry: 1, total: -1, over: -2})  # a full adder: a + b + carry = total + 2 over
    >>> adder = gates.clamped({}, mtj.pbits.TanhLaw(1e-9), strength=3.0)
    >>> print(f"{(adder.network.boltzmann() > 0.05).sum()} likely states: the lines of its table")
    8 likely states: the lines of its table
    """

    def __init__(self) -> None:
        """No gates, no bits."""
        self._number = 0
        self._pairs: dict[tuple[int, int], float] = {}
        self._biases: dict[int, float] = {}

    def bits(self, number: int) -> list[int]:
        """That many new bits."""
        self._number += number
        return list(range(self._number - number, self._number))

    def balance(self, weights: Mapping[int, float], total: float = 0.0) -> None:
        """The sum of weight times bit (0 or 1) is `total`: energy (sum - total)^2."""
        half = {bit: weight / 2 for bit, weight in weights.items()}
        rest = sum(half.values()) - total
        for bit, weight in half.items():
            self._add(bit, -2 * rest * weight)
            for other, second in half.items():
                if other > bit:
                    self._pair(bit, other, -2 * weight * second)

    def both(self, a: int, b: int, c: int) -> None:
        """c = a and b: energy a b - 2 a c - 2 b c + 3 c (Rosenberg, Cahiers du CERO 17, 71, 1975, as recalled)."""
        for bit, bias in ((a, 0.25), (b, 0.25), (c, -0.5)):
            self._add(bit, bias)
        for one, other, weight in ((a, b, -0.25), (a, c, 0.5), (b, c, 0.5)):
            self._pair(one, other, weight)

    def _add(self, bit: int, bias: float) -> None:
        self._biases[bit] = self._biases.get(bit, 0.0) + bias

    def _pair(self, a: int, b: int, weight: float) -> None:
        place = (min(a, b), max(a, b))
        self._pairs[place] = self._pairs.get(place, 0.0) + weight

    def arrays(self) -> tuple[Float[np.ndarray, "n n"], Float[np.ndarray, " n"]]:
        """Couplings and biases of all bits."""
        J, h = np.zeros((self._number, self._number)), np.zeros(self._number)
        for (a, b), weight in self._pairs.items():
            J[a, b] = J[b, a] = weight
        for bit, bias in self._biases.items():
            h[bit] = bias
        return J, h

    def clamped(self, values: Mapping[int, int], law: Any, *, strength: float = 1.0, **options: Any) -> Wires:
        """The network of the bits that are not clamped to 0 or 1 by `values`, all energies times `strength`.

        `law`, `options`: of `Network`. Raises `ValueError` where a value is neither 0 nor 1, or a bit is not there.
        """
        for bit, value in values.items():
            if value not in (0, 1) or not 0 <= bit < self._number:
                raise ValueError(f"A clamped bit must be one of {self._number} and be 0 or 1, but bit {bit} is to be {value}.")
        J, h = self.arrays()
        free = np.array([bit for bit in range(self._number) if bit not in values])
        fixed = np.array(list(values), int)
        h = h[free] + J[np.ix_(free, fixed)] @ (2.0 * np.array(list(values.values()), float) - 1)
        return Wires(PbitNetwork(strength * J[np.ix_(free, free)], strength * h, law, **options), free, dict(values))


def multiplier(left: int, right: int) -> tuple[Gates, list[int], list[int], list[int]]:
    """Gates that multiply two numbers of `left` and `right` bits, and the bits of both and of the product, lowest first.

    With the product clamped it runs backwards: it factorises (Camsari et al., Phys. Rev. X 7, 031014, 2017).

    >>> import mtjax as mtj
    >>> gates, x, y, product = mtj.pbits.multiplier(3, 3)
    >>> len(x), len(y), len(product), len(gates.arrays()[1])
    (3, 3, 6, 27)
    """
    gates = Gates()
    x, y = gates.bits(left), gates.bits(right)
    columns: list[list[int]] = [[] for _ in range(left + right + 1)]
    for i, a in enumerate(x):
        for j, b in enumerate(y):
            (part,) = gates.bits(1)
            gates.both(a, b, part)
            columns[i + j].append(part)
    for place, column in enumerate(columns[:-1]):
        while len(column) > 1:
            taken = [column.pop() for _ in range(min(3, len(column)))]
            total, carry = gates.bits(2)
            gates.balance({**dict.fromkeys(taken, 1), total: -1, carry: -2})
            column.insert(0, total)
            columns[place + 1].append(carry)
    return gates, x, y, [column[0] for column in columns[: left + right] if column]
