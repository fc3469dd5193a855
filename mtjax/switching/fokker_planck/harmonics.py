"""Spherical harmonics as operators: products with a harmonic and flows along its gradients, as constant diagonals.

A real function on the sphere, P = sum P_lm Y_lm, is held by its coefficients with m >= 0, since
P_{l,-m} = (-1)^m conj(P_lm). Multiplication by Y_{lambda,mu} and the bracket m . (grad Y_{lambda,mu} x grad P) connect
(l, m) only with (l - dl, m - mu), |dl| <= lambda: every operator is a few diagonals, each a constant array.
"""

from __future__ import annotations

from functools import cache, lru_cache

import numpy as np

Shift = tuple[int, int]
Diagonals = dict[Shift, np.ndarray]


class Rows:
    """Rows l = 0 ... `top`, columns m = -`margin` ... `right`, on which the algebra of diagonals is done."""

    def __init__(self, top: int, right: int, margin: int):
        """Make the arrays of l and m."""
        self.l = np.arange(top + 1)[:, None]
        self.m = np.arange(-margin, right + 1)[None, :]
        self.margin = margin

    def root(self, x: np.ndarray) -> np.ndarray:
        """Square root of x where both (l, m) and x are allowed, else 0."""
        return np.sqrt(np.where((np.abs(self.m) <= self.l) & (x > 0), x, 0.0))

    def position(self) -> dict[str, Diagonals]:
        """Multiplication by z, x + iy and x - iy (Condon-Shortley phases)."""
        l, m = self.l, self.m
        below, above = 4.0 * l * l - 1, (2.0 * l + 1) * (2 * l + 3)
        down = self.root((l * l - m * m) / below)
        up = self.root(((l + 1) ** 2 - m * m) / above)
        return {
            "z": {(1, 0): down, (-1, 0): up},
            "+": {
                (1, 1): -self.root((l + m) * (l + m - 1) / below),
                (-1, 1): self.root((l - m + 2) * (l - m + 1) / above),
            },
            "-": {
                (1, -1): self.root((l - m) * (l - m - 1) / below),
                (-1, -1): -self.root((l + m + 2) * (l + m + 1) / above),
            },
        }

    def rotation(self) -> dict[str, Diagonals]:
        """i times the brackets of z, x + iy and x - iy: the generators J_z, J_+ and J_-."""
        l, m = self.l, self.m
        return {
            "z": {(0, 0): np.where(np.abs(m) <= l, 1.0 * m, 0.0)},
            "+": {(0, 1): self.root(1.0 * l * (l + 1) - m * (m - 1))},
            "-": {(0, -1): self.root(1.0 * l * (l + 1) - m * (m + 1))},
        }


def compose(a: Diagonals, b: Diagonals) -> Diagonals:
    """The operator a b (first b, then a)."""
    out: Diagonals = {}
    for (dl, dm), u in a.items():
        for (el, em), v in b.items():
            key = (dl + el, dm + em)
            out[key] = out.get(key, 0.0) + u * _moved(v, dl, dm)
    return out


def combine(*terms: tuple[float, Diagonals]) -> Diagonals:
    """Sum of factor times operator."""
    out: Diagonals = {}
    for factor, operator in terms:
        for key, u in operator.items():
            out[key] = out.get(key, 0.0) + factor * u
    return out


@lru_cache(maxsize=8)
def couplings(lmax: int, mmax: int, degree: int) -> tuple[dict, dict]:
    """Products and brackets of all harmonics up to `degree`, on targets l <= lmax, 0 <= m <= mmax.

    Returns `(products, brackets)`: {(lambda, mu): {(dl, mu): array (lmax + 1, mmax + 1)}} with, as operators on
    coefficients, Y P = products P and m . (grad Y x grad P) = -i brackets P. Built by recursion from degree 1 by the
    product rule, so that every number is exact to a few roundings.
    """
    grid = Rows(lmax + 2 * degree, mmax + 2 * degree, 3 * degree)
    by, turn = grid.position(), grid.rotation()
    unit = {(0, 0): np.where(np.abs(grid.m) <= grid.l, 1.0, 0.0)}
    products = {(0, 0): combine((1 / np.sqrt(4 * np.pi), unit))}
    brackets: dict = {(0, 0): {}}

    def multiplied(how, key):
        product = compose(by[how], products[key])
        bracket = combine((1.0, compose(by[how], brackets[key])), (1.0, compose(products[key], turn[how])))
        return product, bracket

    for l in range(1, degree + 1):
        step = np.sqrt((2 * l + 1) / (2 * l))
        for how, sign in (("+", 1), ("-", -1)):
            product, bracket = multiplied(how, (l - 1, sign * (l - 1)))
            products[l, sign * l] = combine((-sign * step, product))
            brackets[l, sign * l] = combine((-sign * step, bracket))
        for m in range(-l + 1, l):
            a, b = _ladder(l, m), _ladder(l - 1, m)
            product, bracket = multiplied("z", (l - 1, m))
            below = (products.get((l - 2, m), {}), brackets.get((l - 2, m), {}))
            products[l, m] = combine((1 / a, product), (-b / a, below[0]))
            brackets[l, m] = combine((1 / a, bracket), (-b / a, below[1]))
    return tuple(_cut(ops, grid, lmax, mmax) for ops in (products, brackets))  # type: ignore[return-value]


@cache
def legendre(lmax: int, mmax: int, nodes: tuple[float, ...]) -> np.ndarray:
    """Normalised associated Legendre functions, shape (m, l, nodes): Y_lm = legendre e^{i m phi}.

    Zero for l < m. By the recursion in l, stable for all orders used here.
    """
    u = np.asarray(nodes)
    out = np.zeros((mmax + 1, lmax + 1, u.size))
    diagonal = np.full(u.shape, 1 / np.sqrt(4 * np.pi))
    for m in range(min(mmax, lmax) + 1):
        if m:
            diagonal = -np.sqrt((2 * m + 1) / (2 * m)) * np.sqrt(1 - u * u) * diagonal
        out[m, m] = diagonal
        for l in range(m + 1, lmax + 1):
            before = out[m, l - 2] if l >= m + 2 else 0.0
            out[m, l] = (u * out[m, l - 1] - _ladder(l - 1, m) * before) / _ladder(l, m)
    return out


def _ladder(l: int, m: int) -> float:
    """sqrt((l^2 - m^2) / (4 l^2 - 1)): the part of z Y_{l-1,m} along Y_lm."""
    return float(np.sqrt(max(l * l - m * m, 0) / (4.0 * l * l - 1))) if l >= 1 else 0.0


def _moved(v: np.ndarray, dl: int, dm: int) -> np.ndarray:
    """v at (l - dl, m - dm), zero outside."""
    out = np.zeros_like(v)
    rows, columns = v.shape
    target = (slice(max(dl, 0), rows + min(dl, 0)), slice(max(dm, 0), columns + min(dm, 0)))
    source = (slice(max(-dl, 0), rows + min(-dl, 0)), slice(max(-dm, 0), columns + min(-dm, 0)))
    out[target] = v[source]
    return out


def _cut(operators: dict, grid: Rows, lmax: int, mmax: int) -> dict:
    window = (slice(0, lmax + 1), slice(grid.margin, grid.margin + mmax + 1))
    return {key: {shift: u[window] for shift, u in op.items() if np.any(u[window])} for key, op in operators.items()}
