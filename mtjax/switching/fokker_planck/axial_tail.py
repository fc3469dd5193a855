"""Devices with an axis of symmetry: probabilities of any size, by arithmetic of positive numbers only.

The angle to the start direction is cut into cells, the equator being a wall between two. What passes from a cell to the next is
that of a straight piece of drift solved exactly (Scharfetter and Gummel, IEEE Trans. Electron Devices 16, 64, 1969): a walk
whose rates are positive whatever the drift. Its transition matrix is a sum of products of positive numbers, squared as often as
the time needs, so that every entry has full relative accuracy; its blocks have an exponent each, so that none is too small for
the arithmetic. The error falls with the square of the cells' number, and is extrapolated from three grids.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from mtjax.constants import NS
from mtjax.devices import Device
from mtjax.printing import Shown
from mtjax.pulses import AbstractPulse, extremes
from mtjax.quantities import Scalar, as_scalar, require
from mtjax.switching.fokker_planck.axial_mode import slope_down
from mtjax.switching.fokker_planck.concrete import known
from mtjax.switching.fokker_planck.density import excess_energy
from mtjax.switching.fokker_planck.resolution import edges_of, pieces_of, symmetric_at
from mtjax.vector import frame

_BLOCK = 15
"""Cells that share an exponent."""
_CELLS = (240, 360, 480, 720)
_GRIDS = (0.5, 0.75, 1.0)
"""Cells of the finest grid, and the sizes of the three grids relative to it."""
_TILT = 2.5
"""Largest drift over diffusion, times the width of a cell, where there are cells enough."""
_HOP, _TERMS = 0.25, 12
"""Jumps on average in the shortest time that has a matrix, and terms of its Taylor series: what is left out is 1e-15 of it."""
_LEAST, _MOST = 6, 80
"""How often a matrix is squared: at least so often that every cell is reached from every other."""
_JUMPS, _SERIES = 32.0, 96
"""Jumps on average in one step, and terms of its series: what is left out is 1e-17 of it."""
_STEPS = 1024
"""Steps up to which a stretch of constant current is stepped through; beyond, its transition matrix takes less time."""
_COARSE = 20.0
"""A change of logarithms from which on the size of the error is not told apart; beyond 1 nothing is extrapolated."""
_CAUTION = 4.0
"""Estimated error over the change with the grid: measured 0.3 to 3."""
_EMPTY = -1e30
"""The exponent of a block of zeros, and the logarithm of nothing."""
_ASYMMETRIC = "`tail` needs a device with an axis of symmetry, and fields along it."


class Tail(Shown):
    """A switching probability of any size.

    - `log_value`, `log_complement`: natural logarithms of the probabilities of m.start < 0 and > 0, neither from the other.
    - `error`: relative error of the worse of the two, estimated from the change with the grid.

    >>> import mtjax as mtj
    >>> from mtjax.switching.fokker_planck.axial_tail import tail
    >>> device = mtj.presets.perpendicular_stt(40.0)
    >>> found = tail(device, mtj.Pulse(2.0 * device.critical_current, 200e-9))
    >>> f"write error rate 1e{found.log_complement / 2.302585:.1f}, to {found.error:.0e} of it"
    'write error rate 1e-66.5, to 2e-05 of it'
    """

    log_value: Scalar
    log_complement: Scalar
    error: Scalar


class Blocks(NamedTuple):
    """A matrix of positive numbers, or a column of it: blocks `m`, shape (I, J, a, b), times exp(`e`), shape (I, J)."""

    m: Float[Array, "I J a b"]
    e: Float[Array, "I J"]


class Walk(NamedTuple):
    """Rates of jumping from a cell to the next, `down`, and to the one before, `up`, shape (cells - 1,), 1/ns."""

    down: Float[Array, " walls"]
    up: Float[Array, " walls"]

    @property
    def leaving(self) -> Float[Array, " cells"]:
        """Rate of leaving each cell, 1/ns."""
        return jnp.append(self.down, 0.0) + jnp.append(0.0, self.up)

    @property
    def fastest(self) -> Scalar:
        """The largest of them, 1/ns; no gradient passes."""
        return jax.lax.stop_gradient(jnp.max(self.leaving))


def tail(
    device: Device, pulse: AbstractPulse, relax: ArrayLike = 0.0, *, cells: int | None = None, pieces: int | None = None
) -> Tail:
    """Probability that `pulse` takes `device`, which has an axis of symmetry, to m.start < 0, however small or near to 1.

    The device starts in thermal equilibrium in its well, m.start > 0, and is read `relax` seconds after the end of the pulse.
    Differentiable, forward and reverse, in every number of device and pulse.

    - `cells`: of the finest grid, a multiple of 120; `None` chooses between 240 and 720 by the drift.
    - `pieces`: steps per smooth stretch of the pulse; 1 for transition matrices, which take current and temperature to be
      constant in it, however long it is; `None` chooses.

    Raises `ValueError` where a number is out of range, or is missing under `jit`, where device and pulse are not known; and an
    error where the device has no axis of symmetry, or `pieces` are too few.
    """
    require({"relax": relax}, "relax", least=0.0, unit="s")
    time = pulse.end + as_scalar(relax)
    if cells is None or pieces is None:
        found = [resolution(*sample) for sample in known((device, pulse, time))]
        if not found:
            raise ValueError("`tail` must be given `cells` and `pieces` under `jit`, but is not.")
        most = np.max(found, axis=0).tolist()
        cells, pieces = int(most[0]) if cells is None else cells, int(most[1]) if pieces is None else pieces
    if cells <= 0 or cells % (8 * _BLOCK):
        raise ValueError(f"`cells` must be a positive multiple of {8 * _BLOCK}, but is {cells}.")
    most = 1 if pieces == 1 else _STEPS * 2 ** max(0, math.ceil(math.log2(pieces / _STEPS)))
    return _tail(device, pulse, time, jnp.asarray(pieces, time.dtype), cells, most)


def resolution(device: Device, pulse: AbstractPulse, time: Array) -> tuple[int, int]:
    """The `cells` and `pieces` that suit a problem, read at `time` (s)."""
    peaks, edges = extremes(pulse.peak), np.asarray(edges_of(pulse, time)[0])
    steepest = float(jnp.max(jax.vmap(lambda current: _steepest(device, current))(peaks)))
    cells = next((n for n in _CELLS if steepest * np.pi / n <= _TILT), _CELLS[-1])
    curved = pieces_of(device, pulse, edges)
    history = device.history(pulse)
    hottest = device.temperature if history is None else history.hottest
    jumps = float(jnp.max(jax.vmap(lambda current: _fastest(device, current, hottest, cells))(peaks)))
    steps = 1.1 * jumps * np.max(np.diff(edges)) / NS / _JUMPS
    if curved == 1 and steps > _STEPS:
        return cells, 1
    return cells, 4 * math.ceil(max(curved, steps) / 4)


@eqx.filter_jit
def _tail(device: Device, pulse: AbstractPulse, time: Array, pieces: Array, cells: int, most: int) -> Tail:
    sizes = jnp.asarray(_GRIDS, device.start.dtype)
    logs, jumps = jax.lax.map(lambda size: _logs(device, pulse, time, size, pieces, cells, most), sizes)
    without_second, without_fourth = (jnp.asarray(_extrapolation(_GRIDS[-n:]), logs.dtype) @ logs[-n:] for n in (2, 3))
    held = logs[-1] > _EMPTY / 2
    change = jax.lax.stop_gradient(jnp.where(held, without_fourth - without_second, 0.0))
    error = jnp.max(jnp.expm1(jnp.minimum(jnp.abs(change), _COARSE)))
    found = jnp.where(jnp.abs(change) < 1, without_fourth, logs[-1])
    found = eqx.error_if(found, ~symmetric_at(device, pulse.peak), _ASYMMETRIC)
    found = eqx.error_if(found, jnp.max(jumps) > 1.2 * _JUMPS, "`tail` needs more `pieces`.")
    found = jnp.where(held, jnp.minimum(found, 0.0), -jnp.inf)
    return Tail(found[0], found[1], _CAUTION * (error + cells * jnp.finfo(logs.dtype).eps))


def _extrapolation(grids: tuple[float, ...]) -> np.ndarray:
    """The weights of the results of several grids in what a polynomial of 1 / cells^2 through them is at 0."""
    squares = np.array(grids) ** -2.0
    return np.array([np.prod([b / (b - a) for b in squares if b != a]) for a in squares])


def _logs(
    device: Device, pulse: AbstractPulse, time: Array, size: Array, pieces: Array, cells: int, most: int
) -> tuple[Array, Array]:
    """Logarithms of what the cells behind the equator hold at `time` (s), and of what those before it do; jumps in a step.

    With `cells` and `pieces` times `size`; the cells that are left are never reached.
    """
    number = cells * size
    warmth = device.history(pulse) or (lambda t: device.temperature)
    edges, _ = edges_of(pulse, time)

    def walk(t):
        return _walk(device, pulse(t), warmth(t), number, cells)

    def onward(held, ends):
        span = ends[1] - ends[0]

        def stirred():
            if most == 1:
                return _product(_transition(walk((ends[0] + ends[1]) / 2), span / NS), held), jnp.zeros_like(span)
            return _stepped(lambda place: walk(ends[0] + place * span), held, span / NS, pieces * size, most)

        return jax.lax.cond(span > 0, stirred, lambda: (held, jnp.zeros_like(span)))

    held, jumps = jax.lax.scan(onward, _start(device, number, cells), (edges[:-1], edges[1:]))
    behind = (np.arange(cells) >= number / 2).reshape(held.m.shape)
    logs = jnp.stack([_log_sum(jnp.where(behind == side, held.m, 0.0), held.e) for side in (True, False)])
    return logs, jnp.max(jumps)


def _log_sum(m: Array, e: Array) -> Scalar:
    top = jnp.max(jnp.where(jnp.any(m > 0, axis=(2, 3)), e, _EMPTY))
    total = jnp.sum(jnp.exp(jnp.minimum(e - top, 0.0))[..., None, None] * m)
    return jnp.where(total > 0, top + jnp.log(jnp.where(total > 0, total, 1.0)), _EMPTY)


def _walls(number: Array, cells: int) -> tuple[Array, Array]:
    """Angles of the walls of `number` cells, the last repeated, shape (`cells` + 1,), and the solid angles over 2 pi (or 1)."""
    walls = np.pi * jnp.minimum(jnp.arange(cells + 1, dtype=number.dtype) / number, 1.0)
    solid = jnp.cos(walls[:-1]) - jnp.cos(walls[1:])
    return walls, jnp.where(solid > 0, solid, 1.0)


def _walk(device: Device, current: Any, temperature: Array, number: Array, cells: int) -> Walk:
    """The walk over `number` cells at a `current` (A) and a `temperature` (K)."""
    slope, D = slope_down(device, current, temperature)
    walls, solid = _walls(number, cells)
    inner, step = walls[1:-1], np.pi / number
    tilt = jax.vmap(slope)(inner) * step
    conductance = jnp.where(np.arange(1, cells) < number, D / step * jnp.sin(inner), 0.0)
    return Walk(conductance * _bernoulli(-tilt) / solid[:-1], conductance * _bernoulli(tilt) / solid[1:])


def _bernoulli(x: Array) -> Array:
    """x / (e^x - 1), without overflow on the way."""
    size = jnp.abs(x)
    near = size < 1e-4
    safe = jnp.where(near, 1.0, size)
    falling = jnp.where(near, 1 - size / 2 + x * x / 12, safe * jnp.exp(-safe) / -jnp.expm1(-safe))
    return falling + jnp.maximum(-x, 0.0)


@eqx.filter_jit
def _steepest(device: Device, current: Any) -> Scalar:
    slope, _ = slope_down(device, current, device.temperature)
    return jnp.max(jnp.abs(jax.vmap(slope)(jnp.linspace(0.0, np.pi, 181, dtype=device.start.dtype))))


@eqx.filter_jit
def _fastest(device: Device, current: Any, temperature: Array, cells: int) -> Scalar:
    return _walk(device, current, temperature, jnp.asarray(float(cells)), cells).fastest


def _start(device: Device, number: Array, cells: int) -> Blocks:
    """Thermal equilibrium in the starting hemisphere."""
    walls, solid = _walls(number, cells)
    angles = (walls[1:] + walls[:-1]) / 2
    sideways, _ = frame(device.start)
    m = jnp.outer(jnp.cos(angles), device.start) + jnp.outer(jnp.sin(angles), sideways)
    logs = jnp.where(np.arange(cells) < number / 2, jnp.log(solid) - excess_energy(device, m), _EMPTY)
    return _column(jnp.where(logs > _EMPTY / 2, logs - jax.nn.logsumexp(logs), _EMPTY))


def _column(logs: Float[Array, " cells"]) -> Blocks:
    """A column from the logarithms of its numbers."""
    logs = logs.reshape(-1, 1, _BLOCK, 1)
    e = jax.lax.stop_gradient(jnp.max(logs, axis=(2, 3)))
    return Blocks(jnp.where(logs > _EMPTY / 2, jnp.exp(logs - e[..., None, None]), 0.0), e)


def _scaled(m: Array, e: Array) -> Blocks:
    """The same with the largest number of each block made 1."""
    size = jax.lax.stop_gradient(jnp.max(m, axis=(2, 3)))
    full = size > 0
    size = jnp.where(full, size, 1.0)
    return Blocks(m / size[..., None, None], jnp.where(full, e + jnp.log(size), _EMPTY))


def _product(a: Blocks, b: Blocks) -> Blocks:
    """The matrix `a` times the matrix or column `b`."""
    together = a.e[:, None, :] + b.e.T[None]
    e = jnp.max(together, axis=2)
    weighted = jnp.exp(together - e[..., None])[..., None, None] * a.m[:, None]
    return _scaled(jnp.einsum("ijkab,kjbc->ijac", weighted, b.m), e)


def _transition(walk: Walk, time: Scalar) -> Blocks:
    """Probabilities of being in a cell a `time` (ns) after being in another, by a Taylor series and repeated squaring."""
    jumps = jax.lax.stop_gradient(walk.fastest * time)
    times = jnp.clip(jnp.ceil(jnp.log2(jnp.maximum(jumps, 1e-30) / _HOP)), _LEAST, _MOST)
    short = time * 2.0**-times
    rates = jnp.diag(walk.down, -1) + jnp.diag(walk.up, 1) + jnp.diag(walk.fastest - walk.leaving)
    unit = jnp.eye(rates.shape[0], dtype=rates.dtype)

    def term(series, k):
        return unit + rates @ series * (short / k), None

    series, _ = jax.lax.scan(term, unit, jnp.arange(_TERMS, 0.0, -1.0, dtype=rates.dtype))
    series = series / jnp.sum(series, axis=0)
    number = series.shape[0] // _BLOCK
    first = _scaled(series.reshape(number, _BLOCK, number, _BLOCK).swapaxes(1, 2), jnp.zeros((number, number), rates.dtype))

    @jax.checkpoint
    def squared(matrix):
        return _conserving(_product(matrix, matrix))

    def square(matrix, n):
        return jax.lax.cond(n < times, squared, lambda matrix: matrix, matrix), None

    return jax.lax.scan(square, first, jnp.arange(_MOST))[0]


def _conserving(matrix: Blocks) -> Blocks:
    """Columns with the sum 1, which rounding would take from them."""
    total = jax.lax.stop_gradient(jnp.sum(jnp.exp(matrix.e)[..., None, None] * matrix.m, axis=(0, 2)))
    return Blocks(matrix.m / total[None, :, None, :], matrix.e)


def _stepped(walk: Callable[[Array], Walk], held: Blocks, time: Scalar, number: Array, most: int) -> tuple[Blocks, Array]:
    """What the cells hold a `time` (ns) later, by `number` (up to `most`) equal steps; the most jumps on average in a step.

    The rates are those at the middle of a step. In it, numbers are counted in units of what a cell holds at its begin; those of
    cells that hold nothing yet, in falling ones.
    """

    def piece(logs, n):
        now = walk((n + 0.5) / number)
        units = jax.lax.stop_gradient(_falling(logs))
        down = now.down * jnp.exp(units[:-1] - units[1:])
        up = now.up * jnp.exp(units[1:] - units[:-1])
        staying, span = now.fastest - now.leaving, time / number
        first = jnp.where(logs > _EMPTY / 2, jnp.exp(logs - units), 0.0)

        def term(series, k):
            moved = staying * series + jnp.append(0.0, down * series[:-1]) + jnp.append(up * series[1:], 0.0)
            return first + moved * (span / k), None

        series, _ = jax.lax.scan(term, first, jnp.arange(_SERIES, 0.0, -1.0, dtype=logs.dtype))
        full = series > 0
        grown = units + jnp.log(jnp.where(full, series, 1.0)) - now.fastest * span
        return jnp.where(full, grown, _EMPTY), now.fastest * span

    def onward(logs, n):
        return jax.lax.cond(n < number, jax.checkpoint(piece), lambda logs, _: (logs, jnp.zeros_like(number)), logs, n)

    logs = jnp.where(held.m > 0, jnp.log(jnp.where(held.m > 0, held.m, 1.0)) + held.e[..., None, None], _EMPTY)
    logs, jumps = jax.lax.scan(onward, logs.ravel(), jnp.arange(most, dtype=logs.dtype))
    return _column(logs), jnp.max(jumps)


def _falling(logs: Float[Array, " cells"]) -> Float[Array, " cells"]:
    """The logarithms, those of nothing replaced by what falls by 1 a cell from the nearest that hold something."""
    place, held = jnp.arange(logs.size), logs > _EMPTY / 2
    before = jax.lax.cummax(jnp.where(held, place, -1))
    after = jax.lax.cummin(jnp.where(held, place, logs.size), reverse=True)
    from_left = jnp.where(before >= 0, logs[jnp.maximum(before, 0)] - (place - before), _EMPTY)
    from_right = jnp.where(after < logs.size, logs[jnp.minimum(after, logs.size - 1)] - (after - place), _EMPTY)
    return jnp.where(held, logs, jnp.maximum(from_left, from_right))
