"""The generator of the Fokker-Planck equation on the sphere as shifted, scaled slices of a flat array.

The drift v (tangential, 1/ns) is split into potentials, v = grad phi + m x grad psi, and

    dP/dt = -div(P v) + D lap P,   div(P grad phi) = (lap(P phi) + P lap phi - phi lap P) / 2,
    div(P m x grad psi) = m . (grad psi x grad P),

so that every harmonic of phi and psi is a constant operator times one complex number.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from mtjax.printing import Shown
from mtjax.switching.fokker_planck.harmonics import couplings

Numeric = TypeVar("Numeric", Array, np.ndarray)
State = tuple[Array, Array]
"""Real and imaginary parts of the coefficients, each flat, shape (size,)."""
_PIECE = 20_000
"""Numbers of diagonals read at a time: beyond some 25,000 XLA hands a loop out to several threads, which costs five times what
the loop does."""


class Flow(Shown):
    """Drift and diffusion of one moment.

    - `phi`, `psi`: harmonic coefficients (m >= 0, in the order of `harmonics_of(degree)`) of the drift's potentials,
      real and imaginary parts, shape (2, n), 1/ns.
    - `D`: diffusion constant, 1/ns.
    """

    phi: Float[Array, "2 n"]
    psi: Float[Array, "2 n"]
    D: Float[Array, ""]


class Diagonal(NamedTuple):
    """One diagonal: harmonic number `index` of `kind`, conjugated or not, moved by (dl, dm), times `weights`."""

    kind: str
    index: int
    mu: int
    dl: int
    weights: np.ndarray


def harmonics_of(degree: int) -> list[tuple[int, int]]:
    """(lambda, mu) with 1 <= lambda <= degree, 0 <= mu <= lambda."""
    return [(l, m) for l in range(1, degree + 1) for m in range(l + 1)]


class Stencil:
    """The shape of a problem: truncation l <= lmax, 0 <= m <= mmax, and which couplings are kept.

    - `degree`: of the drift's potentials.
    - `pattern`: which real numbers of the potentials may differ from zero: a tuple of (kind, index, part) with kind
      "phi" or "psi" and part 0 (real) or 1 (imaginary); `None` keeps all.

    Rows are m, l runs fastest; each row has `degree` spare places, always zero. Make one with `stencil(...)`: equal
    arguments give the same object, so that it can be a static argument.
    """

    def __init__(self, lmax: int, mmax: int, degree: int, pattern: tuple | None):
        """Work out sizes; the diagonals follow on first use."""
        self.lmax, self.mmax, self.degree = lmax, mmax, degree
        self.harmonics = harmonics_of(degree)
        every = [(kind, i, part) for kind in ("phi", "psi") for i in range(len(self.harmonics)) for part in (0, 1)]
        real = {i for i, (_, m) in enumerate(self.harmonics) if m == 0}
        kept = every if pattern is None else pattern
        self.kept = frozenset((k, i, part) for k, i, part in kept if not (part == 1 and i in real))
        self.pitch = lmax + 1 + degree
        self.size = (mmax + 1) * self.pitch
        self._terms: dict[bool, list[Diagonal]] = {}

    def terms(self, *, adjoint: bool) -> list[Diagonal]:
        """The diagonals of the generator, or of its adjoint, the backward equation."""
        if adjoint not in self._terms:
            self._terms[adjoint] = list(self._make(adjoint=adjoint))
        return self._terms[adjoint]

    def _make(self, *, adjoint: bool):
        products, brackets = couplings(self.lmax, self.mmax, self.degree)
        l = np.arange(self.lmax + 1.0)[:, None]
        for kind, source in (("phi", products), ("psi", brackets)):
            for i, (lam, mu) in enumerate(self.harmonics):
                if not any((kind, i, part) in self.kept for part in (0, 1)):
                    continue
                for sign in {mu, -mu}:
                    phase = (-1.0) ** mu if sign < 0 else 1.0
                    for (dl, _), array in source[lam, sign].items():
                        factor = _factor(kind, l, l - dl, lam, adjoint=adjoint)
                        yield Diagonal(kind, i, sign, dl, self.flat(phase * factor * array))

    def flat(self, array: np.ndarray) -> np.ndarray:
        """(l, m) to the flat layout."""
        out = np.zeros((self.mmax + 1, self.pitch))
        out[:, : self.lmax + 1] = array.T
        return out.ravel()

    def square(self, flat: Numeric) -> Numeric:
        """Flat layout to (m, l)."""
        return flat.reshape(self.mmax + 1, self.pitch)[:, : self.lmax + 1]

    def pack(self, coefficients: Complex[Array, "m l"]) -> State:
        """Coefficients as (m, l) to the state."""
        wide = jnp.pad(coefficients, ((0, 0), (0, self.degree)))
        return jnp.real(wide).ravel(), jnp.imag(wide).ravel()

    def diagonals(self, dtype: Any, *, adjoint: bool) -> np.ndarray:
        """l (l + 1), then the weights of every term, shape (1 + terms, size)."""
        return np.stack([self.eigenvalues, *(term.weights for term in self.terms(adjoint=adjoint))]).astype(dtype)

    @property
    def eigenvalues(self) -> np.ndarray:
        """l (l + 1) in the flat layout, shape (size,)."""
        l = np.arange(self.lmax + 1.0)[:, None]
        return self.flat(np.broadcast_to(l * (l + 1), (self.lmax + 1, self.mmax + 1)))

    @property
    def weights(self) -> np.ndarray:
        """1 for m = 0 and 2 for m > 0: the scalar product of two real functions, shape (size,)."""
        return np.repeat(np.where(np.arange(self.mmax + 1) == 0, 1.0, 2.0), self.pitch)


@lru_cache(maxsize=32)
def stencil(lmax: int, mmax: int, degree: int, pattern: tuple | None = None) -> Stencil:
    """The stencil of these arguments, made once."""
    return Stencil(lmax, mmax, degree, pattern)


def apply(
    shape: Stencil, flow: Flow, x: State, diagonals: Float[Array, "n size"] | None = None, *, adjoint: bool = False
) -> State:
    """The generator (or its adjoint) times x, 1/ns; `diagonals`: `shape.diagonals(...)`, if they are at hand."""
    rows: Any = shape.diagonals(x[0].dtype, adjoint=adjoint) if diagonals is None else diagonals
    terms, moved = shape.terms(adjoint=adjoint), _padded(shape, x)
    return _places(shape, flow, terms, rows, x, moved, 0, shape.size)


def apply_in_pieces(shape: Stencil, flow: Flow, x: State, diagonals: Float[Array, "n size"], *, adjoint: bool = False) -> State:
    """The same, a piece after the other, for use in long loops; not to be differentiated."""
    number = -(-diagonals.size // _PIECE)
    if number == 1:
        return apply(shape, flow, x, diagonals, adjoint=adjoint)
    terms, moved, length = shape.terms(adjoint=adjoint), _padded(shape, x), -(-shape.size // number)

    def piece(i, whole):
        begin = jnp.minimum(i * length, shape.size - length)
        parts = _places(shape, flow, terms, diagonals, x, moved, begin, length)
        return tuple(jax.lax.dynamic_update_slice(a, part, (begin,)) for a, part in zip(whole, parts, strict=True))

    return jax.lax.fori_loop(0, number, piece, (jnp.zeros_like(x[0]), jnp.zeros_like(x[1])))


def _places(
    shape: Stencil, flow: Flow, terms: list[Diagonal], rows: Any, x: State, moved: State, begin: Any, length: int
) -> State:
    """The product at `length` places from `begin` on."""

    def cut(a, start):
        if isinstance(begin, int):  # `vmap` would turn a dynamic slice into a gather
            return jax.lax.slice(a, (start + begin,), (start + begin + length,))
        return jax.lax.dynamic_slice(a, (start + begin,), (length,))

    margin = shape.degree
    re, im = (-flow.D * cut(rows[0], 0) * cut(part, 0) for part in x)
    for term, weights in zip(terms, rows[1:], strict=True):
        start = margin + (margin - term.mu) * shape.pitch - term.dl
        u, v = _scaled(shape, flow, term, *(cut(part, start) for part in moved))
        weight = cut(weights, 0)
        re, im = re + weight * u, im + weight * v
    return re, im


def _complex(dtype: Any) -> Any:
    return np.complex128 if np.dtype(dtype) == np.float64 else np.complex64


def _factor(kind: str, target: np.ndarray, source: np.ndarray, lam: int, *, adjoint: bool) -> Any:
    if kind == "psi":
        return -1.0 if adjoint else 1.0
    step = source * (source + 1) - target * (target + 1)
    return (lam * (lam + 1) + (step if adjoint else -step)) / 2


def _padded(shape: Stencil, x: State) -> State:
    """Both parts with the columns m < 0 in front, from P_{l,-m} = (-1)^m conj(P_lm), and zeros behind."""
    pitch, margin = shape.pitch, shape.degree
    behind = jnp.zeros(margin * pitch + margin, x[0].dtype)
    front = jnp.zeros(margin, x[0].dtype)
    rows = [
        [part_sign * (-1.0) ** m * part[m * pitch : (m + 1) * pitch] for m in range(margin, 0, -1)]
        for part, part_sign in zip(x, (1.0, -1.0), strict=True)
    ]
    padded = tuple(jnp.concatenate([front, *row, part, behind]) for row, part in zip(rows, x, strict=True))
    # Kept from being fused into every slice: 2 to 3 times faster on CPU.
    return jax.lax.optimization_barrier(padded)


def _scaled(shape: Stencil, flow: Flow, term: Diagonal, a: Array, b: Array) -> State:
    """The complex number of a diagonal (times i for psi, conjugated for mu < 0) times a + i b."""
    values = getattr(flow, term.kind)
    flip = -1.0 if term.mu < 0 else 1.0
    re = values[0, term.index] if (term.kind, term.index, 0) in shape.kept else None
    im = flip * values[1, term.index] if (term.kind, term.index, 1) in shape.kept else None
    if term.kind == "psi":
        re, im = (None if im is None else -im), re
    zero = jnp.zeros_like(a)
    u = (zero if re is None else re * a) - (zero if im is None else im * b)
    v = (zero if re is None else re * b) + (zero if im is None else im * a)
    return u, v
