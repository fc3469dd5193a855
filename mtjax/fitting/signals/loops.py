"""Loops of resistance against current, voltage or field: between which two points they switch, and their cycles."""

from __future__ import annotations

from typing import NamedTuple

import equinox as eqx
import numpy as np
from jaxtyping import Float

from mtjax.printing import Shown
from mtjax.quantities import as_numpy, require

CLEAR = 6.0
"""How many standard deviations of the noise a change of resistance must have to count as switching."""
_END = 3
_SHARP = 0.6
"""Share of the whole change that one step must make to count as the event, in a loop that is read under bias."""
_TURN, _REACH = 0.1, 0.5
UNITS = {"A": "current", "V": "voltage", "T": "field"}
"""What can be swept, by its SI unit."""


class Way(NamedTuple):
    """One way out: the amplitudes without sign between which it switches, and the resistance before and after."""

    lower: float
    upper: float
    before: float
    after: float


class Loop(Shown):
    """One loop: resistance after each step of a current (A), a voltage (V) or a field (T).

    - `swept`, `resistance` (ohm): shape (n,), in the order of the measurement.
    - `width`: of the pulses, s, where the resistance is read after each; 0 where it is read while the sweep goes on.
    - `current`: that flows, A; `field`: in the plane, T; 0 where not stated.
    - `name`: for messages; `unit`: of what is swept; `sweep_rate`: in that unit per second, 0 where not known.

    >>> import numpy as np
    >>> import mtjax as mtj
    >>> loop = mtj.Loop(1e-4 * np.arange(7), np.array([1e3, 1e3, 1e3, 1e3, 2e3, 2e3, 2e3]), width=1e-6)
    >>> [f"{1e6 * amplitude:.0f} uA" for amplitude in loop.bracket(1)]  # between these pulses it switched
    ['300 uA', '400 uA']
    """

    swept: Float[np.ndarray, " n"] = eqx.field(converter=as_numpy)
    resistance: Float[np.ndarray, " n"] = eqx.field(converter=as_numpy)
    width: float = 0.0
    current: float = 0.0
    field: float = 0.0
    name: str = "the loop"
    unit: str = "A"
    sweep_rate: float = 0.0

    def __check_init__(self):
        if len(self.swept) < 5 or len(self.swept) != len(self.resistance):
            raise ValueError(
                f"A loop needs at least five points, a resistance for each, but {self.name} has {len(self.swept)} and "
                f"{len(self.resistance)}."
            )
        require(self, "swept resistance current field")
        require(self, "width sweep_rate", least=0.0)
        if self.unit not in UNITS:
            raise ValueError(f"The `unit` of what is swept must be one of {', '.join(UNITS)}, but is {self.unit!r}.")
        if np.ptp(self.swept) == 0:
            raise ValueError(f"A loop must sweep, but that of {self.name} stays at {self.swept[0]:g} {self.unit}.")

    @property
    def noise(self) -> float:
        """Standard deviation of the resistance, from the median of successive differences, ohm."""
        return float(1.4826 * np.median(np.abs(np.diff(self.resistance))) / np.sqrt(2))

    def bracket(self, polarity: int) -> tuple[float, float] | None:
        """The two amplitudes (T, V or A), without sign, between which it switches on the way to `polarity` (+1 or -1).

        The first step that makes most of the change; where none does, or with pulses, the first that leaves the resistance
        beyond the middle between before and after. `(largest, inf)` if it does not switch; `None` if the loop does not go
        there, or had the state already to which that way leads.
        """
        way = self.way(polarity)
        if way is None:
            return None
        other = None if np.isfinite(way.upper) else self.way(-polarity)
        if other is not None and np.isfinite(other.upper):
            there = abs(way.before - other.before) < abs(way.before - other.after)
            return None if there else (way.lower, way.upper)
        return way.lower, way.upper

    def way(self, polarity: int) -> Way | None:
        """The longest way out to a polarity; `None` if there is none."""
        branch = self.branch(polarity)
        if branch is None:
            return None
        out, back = branch
        x, resistance = polarity * self.swept[out], self.resistance[out]
        rest = _rest(x) if self.width > 0 else np.arange(min(_END, len(x) - 1))
        before = float(np.mean(resistance[rest]))
        after = float(np.mean(self.resistance[back[-_END:]]) if self.width > 0 else np.mean(resistance[-_END:]))
        change = after - before
        if abs(change) <= CLEAR * self.noise or change == 0:
            return Way(float(x.max()), np.inf, before, after)
        first = self._first(resistance, before, after, int(rest[-1]))
        low, high = sorted((float(x[first - 1]), float(x[first])))
        if low == high:  # read twice at one amplitude
            low -= float(np.median(np.abs(np.diff(x))[np.diff(x) != 0]))
        return Way(low, high, before, after)

    def _first(self, resistance: np.ndarray, before: float, after: float, rest: int) -> int:
        """The point by which it has switched."""
        sign, later = np.sign(after - before), np.arange(len(resistance)) > rest
        if self.width == 0:
            jumps = np.append(0.0, np.diff(resistance)) * sign > _SHARP * abs(after - before)
            if jumps.any():
                return int(np.argmax(jumps))
        beyond = (resistance - (before + after) / 2) * sign > 0
        return int(np.argmax(beyond & later)) if np.any(beyond & later) else len(resistance) - 1

    def branch(self, polarity: int) -> tuple[np.ndarray, np.ndarray] | None:
        """Indices of the longest way out to the extreme of a polarity, and of the way back as far as zero."""
        x = polarity * self.swept
        if x.max() <= 0:
            return None
        at = turns(x)
        rises = [(i, j) for i, j in zip(at[:-1], at[1:], strict=True) if x[j] > x[i] and x[j] > _REACH * x.max()]
        if not rises:
            return None
        begin, top = max(rises, key=lambda ends: ends[1] - ends[0])
        end = top
        while end + 1 < len(x) and 0 <= x[end + 1] <= x[end]:
            end += 1
        return np.arange(begin, top + 1), np.arange(top, end + 1)


def _rest(x: np.ndarray) -> np.ndarray:
    """Where the state before pulses that switch is read: the last points up to zero."""
    last = max(int(np.sum(x <= 0)), 1)
    return np.arange(max(last - _END, 0), last)


def turns(x: Float[np.ndarray, " n"]) -> list[int]:
    """The points where a sweep turns round, its ends included; reversals by less than a tenth of its span are noise.

    >>> import numpy as np
    >>> from mtjax.fitting.signals.loops import turns
    >>> turns(np.array([0.0, 1.0, 2.0, 1.9, 3.0, 1.0, -3.0, 0.0]))
    [0, 4, 6, 7]
    """
    least, found, best, rising = _TURN * float(np.ptp(x)), [0], 0, 0
    for i, value in enumerate(x.tolist()):
        if rising == 0 and abs(value - x[0]) > least:
            rising, best = (1 if value > x[0] else -1), i
        elif rising and (value - x[best]) * rising >= 0:
            best = i
        elif rising and (x[best] - value) * rising > least:
            found.append(best)
            rising, best = -rising, i
    return [*found, best] if best != found[-1] else found


def cycles(loop: Loop) -> tuple[Loop, ...]:
    """The cycles of a sweep that goes to and fro many times; the loop itself where it is one.

    Each begins where the sweep turns round as at its start. A last piece that goes nowhere joins the one before.

    >>> import numpy as np
    >>> import mtjax as mtj
    >>> swept = 1e-4 * np.tile([-3, -1, 1, 3, 1, -1], 3)
    >>> [one.name for one in mtj.fitting.cycles(mtj.Loop(swept, 1e3 + swept, name="R-I"))]
    ['R-I, cycle 1', 'R-I, cycle 2', 'R-I, cycle 3']
    """
    at = turns(loop.swept)
    cuts, x = at[::2], loop.swept
    if len(at) <= 4 or len(cuts) < 2:
        return (loop,)
    ends = [*cuts[1:], len(x) - 1] if cuts[-1] != len(x) - 1 else [*cuts[1:]]
    pieces = list(zip(cuts, ends, strict=False))
    side = np.sign(x[at[1]] - x[at[0]])
    top = np.max(side * x)
    if len(pieces) > 1 and side * x[pieces[-1][1]] < _REACH * top and len(at) % 2 == 0:
        pieces[-2:] = [(pieces[-2][0], pieces[-1][1])]
    return tuple(
        eqx.tree_at(
            lambda l: (l.swept, l.resistance, l.name),
            loop,
            (x[i : j + 1], loop.resistance[i : j + 1], f"{loop.name}, cycle {k + 1}"),
        )
        for k, (i, j) in enumerate(pieces)
        if j - i >= 4
    )
