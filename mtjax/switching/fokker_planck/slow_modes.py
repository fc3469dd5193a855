"""The slow end of the spectrum of the Fokker-Planck generator: how two wells exchange population at constant drive."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy import sparse
from scipy.sparse import linalg

from mtjax.switching.fokker_planck.density import half_weights
from mtjax.switching.fokker_planck.generator import Flow, Stencil
from mtjax.switching.fokker_planck.harmonics import legendre

_SHIFT = 1e-4
"""Shift of the spectrum before it is inverted, in units of the diffusion constant, far below the second mode."""

_SWING = 1e-6
"""Imaginary part of an eigenvalue, relative, that does not pass for rounding."""


class Exchange(NamedTuple):
    """How two wells exchange population at constant drive.

    - `out`, `back`: rates of leaving the side m.start > 0 and of coming back, in the units of the flow (1/ns).
    - `onset`: what is lost at once of a given start, as an integral of the rates: -log of its share in the slow mode.
    """

    out: float
    back: float
    onset: float


def exchange(shape: Stencil, flow: Flow, start: np.ndarray) -> Exchange:
    """The slowest mode under `flow`; `start`: coefficients on the side m.start > 0, real then imaginary parts, flat.

    The slowest eigenvalue is out + back, and the stationary density parts them: out P_up = back P_down. In double precision
    down to about 1e-12 of the fastest rate. The polar axis of the harmonics must be the start direction.
    """
    matrix = generator_matrix(shape, flow)
    inner, into = matrix[1:, 1:].tocsc(), matrix[1:, 0].toarray().ravel()
    factors = linalg.splu(inner)
    constant = 1 / np.sqrt(4 * np.pi)
    stationary = np.append(constant, -factors.solve(into * constant))
    rate, right = _slowest(inner.shape, factors.solve)
    _, left = _slowest(inner.shape, lambda v: factors.solve(v, "T"))
    begun = start[_kept(shape)]
    share = (left @ into / -rate * begun[0] + left @ begun[1:]) / (left @ right)
    up = half_weights(shape.lmax)[1] * legendre(shape.lmax, 0, (1.0,))[0][:, 0]
    still = float(np.clip(up @ stationary[: shape.lmax + 1], 0.0, 1.0))
    whole = (1 - still) / (up[1:] @ right[: shape.lmax])
    onset = -np.log(max(share / whole, 1e-12))
    return Exchange(rate * (1 - still), rate * still, float(onset))


class Modes(NamedTuple):
    """The slow mode of a generator, all vectors in the flat layout, real then imaginary parts, shape (2 size,).

    - `right`, `left`: of the slow mode; `still`: the stationary density; `back`: the transposed inverse of the generator
      times the functional that was given, to first order what a change of the generator does to it in `still`.
    - `rates`: decay rates of the two slowest modes, ascending, shape (2,), 1/ns.
    """

    right: np.ndarray
    left: np.ndarray
    still: np.ndarray
    back: np.ndarray
    rates: np.ndarray


def slow_modes(shape: Stencil, flow: Flow, functional: np.ndarray) -> Modes:
    """The stationary density, and the slowest mode beside it, under a constant `flow`."""
    matrix = generator_matrix(shape, flow)
    inner, into = matrix[1:, 1:].tocsc(), matrix[1:, 0].toarray().ravel()
    factors = linalg.splu(inner)
    _, right = _slowest(inner.shape, factors.solve)
    values, left = _slowest_two(inner.shape, lambda v: factors.solve(v, "T"))
    still = np.append(1.0, -factors.solve(into)) / np.sqrt(4 * np.pi)
    back = factors.solve(functional[_kept(shape)][1:], "T")
    rate = -(left @ (inner @ right)) / (left @ right)
    vectors = (_spread(shape, np.append(0.0, v)) for v in (right, left, back))
    right, left, back = vectors
    return Modes(right, left, _spread(shape, still), back, np.array([rate, values[1]]))


def left_mode(shape: Stencil, flow: Flow) -> tuple[np.ndarray, np.ndarray]:
    """The slowest mode of the backward equation as a function on the sphere, coefficients (m, l), and two decay rates.

    A small shift keeps the matrix from being singular however slow the mode is.
    """
    inner = generator_matrix(shape, flow)[1:, 1:].tocsc()
    shift = _SHIFT * float(flow.D)
    factors = linalg.splu(inner - shift * sparse.identity(inner.shape[0], format="csc"))
    values, left = _slowest_two(inner.shape, lambda v: factors.solve(v, "T"))
    flat = _spread(shape, np.append(0.0, left)) / np.tile(shape.weights, 2)
    re, im = (np.asarray(shape.square(part)) for part in np.split(flat, 2))
    return re + 1j * im, values - shift


def _spread(shape: Stencil, kept: np.ndarray) -> np.ndarray:
    """The kept numbers in the flat layout."""
    flat = np.zeros(2 * shape.size)
    flat[_kept(shape)] = kept
    return flat


def _slowest_two(shape: tuple[int, int], solve: Any) -> tuple[np.ndarray, np.ndarray]:
    """Decay rates of the two slowest modes of the matrix that `solve` inverts, ascending, and the vector of the first.

    The second is `nan` where the first is not real: a damped swing.
    """
    operator = linalg.LinearOperator(matvec=solve, shape=shape, dtype=np.dtype(float))  # pyright: ignore[reportCallIssue]
    found: Any = linalg.eigs(operator, k=2, which="LM", tol=1e-12, v0=np.ones(shape[0]))
    values, vectors = found
    order = np.argsort(-np.abs(values))
    decay = np.real(-1 / values[order])
    if abs(np.imag(values[order[0]])) > _SWING * abs(values[order[0]]):
        decay[1] = np.nan
    return decay, np.real(vectors[:, order[0]])


def _slowest(shape: tuple[int, int], solve: Any) -> tuple[float, np.ndarray]:
    """Decay rate and vector of the slowest mode of the matrix that `solve` inverts."""
    operator = linalg.LinearOperator(matvec=solve, shape=shape, dtype=np.dtype(float))  # pyright: ignore[reportCallIssue]
    found: Any = linalg.eigs(operator, k=1, which="LM", tol=1e-9, v0=np.ones(shape[0]))
    values, vectors = found
    return float(np.real(-1 / values[0])), np.real(vectors[:, 0])


def generator_matrix(shape: Stencil, flow: Flow) -> Any:
    """The generator as a sparse real matrix: first the real parts of P_l0, l = 0, 1, ..., then all other numbers."""
    size, pitch = shape.size, shape.pitch
    place = np.arange(size)
    rows, columns, values = [], [], []

    def add(row, column, value):
        rows.append(row)
        columns.append(column)
        values.append(value)

    diagonal = -float(flow.D) * shape.eigenvalues
    add(np.arange(2 * size), np.arange(2 * size), np.tile(diagonal, 2))
    for term in shape.terms(adjoint=False):
        re, im = _complex_factor(flow, term)
        source = place - term.mu * pitch - term.dl
        m = source // pitch
        phase = np.where(m < 0, (-1.0) ** m, 1.0)
        source = np.abs(m) * pitch + source % pitch
        used = (term.weights != 0) & (source < size)
        k, j, w = place[used], source[used], term.weights[used]
        s, t = phase[used], (phase * np.where(m < 0, -1.0, 1.0))[used]
        add(k, j, w * re * s)
        add(k, size + j, -w * im * t)
        add(size + k, size + j, w * re * t)
        add(size + k, j, w * im * s)
    entries = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
    matrix = sparse.csr_matrix(entries, shape=(2 * size, 2 * size))
    kept = _kept(shape)
    return matrix[kept][:, kept]


def _complex_factor(flow: Flow, term: Any) -> tuple[float, float]:
    values = np.asarray(getattr(flow, term.kind))
    re, im = values[0, term.index], (-1.0 if term.mu < 0 else 1.0) * values[1, term.index]
    return (-im, re) if term.kind == "psi" else (re, im)


def _kept(shape: Stencil) -> np.ndarray:
    """Places of l >= m, and without the imaginary parts of m = 0, which vanish."""
    m, l = np.divmod(np.arange(shape.size), shape.pitch)
    there = (l >= m) & (l <= shape.lmax)
    return np.concatenate([np.flatnonzero(there), shape.size + np.flatnonzero(there & (m > 0))])
