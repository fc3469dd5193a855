"""What loops say: switching amplitudes as intervals, shift, coercivity and the resistance of both states."""

from __future__ import annotations

from collections.abc import Iterable

import equinox as eqx
import numpy as np
from jaxtyping import Float

from mtjax.checks import checked
from mtjax.fitting.signals.loops import CLEAR, Loop
from mtjax.printing import Shown, with_unit

_SAID = 6
"""How many loops are told one by one."""


def _or_zeros(x):
    return None if x is None else np.asarray(x, float)


class Thresholds(Shown):
    """Switching amplitudes known to intervals, one per loop and polarity; n rows.

    - `lower`, `upper`: amplitudes without sign between which it switched, shape (n,), A, V or T; `upper` infinite: it did not.
    - `polarity`: +1 or -1; `width`: of the pulses, s; `current`, A; `field`, T; shape (n,).
    - `warnings`: about the loops, one sentence each.
    - `sweep_rate`: per second, shape (n,), or `None`: not known; `unit`: of what is swept.

    >>> import numpy as np
    >>> import mtjax as mtj
    >>> loop = mtj.Loop(1e-4 * np.arange(7), np.array([1e3, 1e3, 1e3, 1e3, 2e3, 2e3, 2e3]), width=1e-6)
    >>> found = mtj.thresholds([loop])
    >>> print(f"{1e6 * found.lower[0]:.0f} to {1e6 * found.upper[0]:.0f} uA at {1e6 * found.width[0]:.0f} us")
    300 to 400 uA at 1 us
    >>> found.warnings
    ('the loop has no negative half: one threshold only.',)
    """

    lower: Float[np.ndarray, " n"]
    upper: Float[np.ndarray, " n"]
    polarity: Float[np.ndarray, " n"]
    width: Float[np.ndarray, " n"]
    current: Float[np.ndarray, " n"]
    field: Float[np.ndarray, " n"]
    warnings: tuple[str, ...] = ()
    sweep_rate: Float[np.ndarray, " n"] | None = eqx.field(default=None, converter=_or_zeros)
    unit: str = "A"

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.lower)

    def __str__(self) -> str:
        """Number and range."""
        closed = np.isfinite(self.upper)
        top = with_unit(self.upper[closed].max(), self.unit)
        return f"Thresholds: {closed.sum()} intervals up to {top}, and {(~closed).sum()} loops beyond the sweep"


@checked
def thresholds(loops: Iterable[Loop]) -> Thresholds:
    """The intervals in which `loops` switch; raises `ValueError` where none of them does, or they sweep different things.

    >>> import numpy as np
    >>> import mtjax as mtj
    >>> swept = 1e-4 * np.append(np.arange(7), -np.arange(7))
    >>> resistance = np.array([1e3, 1e3, 1e3, 1e3, 2e3, 2e3, 2e3, 2e3, 2e3, 2e3, 1e3, 1e3, 1e3, 1e3])
    >>> found = mtj.thresholds([mtj.Loop(swept, resistance, width=1e-6)])
    >>> [f"{p:+.0f}: {1e6 * low:.0f} to {1e6 * high:.0f} uA" for p, low, high in zip(found.polarity, found.lower, found.upper)]
    ['+1: 300 to 400 uA', '-1: 200 to 300 uA']
    """
    loops, rows, said = list(loops), [], {}
    units = sorted({loop.unit for loop in loops})
    if len(units) > 1:
        raise ValueError(f"Loops must all sweep the same quantity, but these sweep in {' and '.join(units)}.")
    for loop in loops:
        brackets = {sign: loop.bracket(sign) for sign in (1, -1)}
        for kind, sentence in _remarks(loop, brackets):
            said.setdefault(kind, []).append((loop.name, sentence))
        for sign, found in brackets.items():
            if found is not None:
                rows.append((*found, sign, loop.width, loop.current, loop.field, loop.sweep_rate))
    if not any(np.isfinite(row[1]) for row in rows):
        raise ValueError(
            f"At least one loop must hold a switching event, but none does: no change of the resistance is more than "
            f"{CLEAR:g} times its noise."
        )
    *columns, rate = np.array(rows, float).T
    return Thresholds(*columns, warnings=_told(said), sweep_rate=rate, unit=units[0])


def _remarks(loop: Loop, brackets: dict[int, tuple[float, float] | None]) -> list[tuple[str, str]]:
    """Sentences, each behind its kind."""
    names = {1: "positive", -1: "negative"}
    absent = [sign for sign, b in brackets.items() if b is None]
    said = []
    for sign in absent:
        if loop.way(sign) is None:
            said.append((f"no {sign}", f"{loop.name} has no {names[sign]} half: one threshold only."))
        else:
            said.append(
                (f"there {sign}", f"{loop.name} was already in the state to which its {names[sign]} half leads: left out.")
            )
    still = [names[sign] for sign, b in brackets.items() if b is not None and not np.isfinite(b[1])]
    if still:
        halves = " and its ".join(still)
        said.append((
            f"still {halves}",
            f"{loop.name} does not switch on its {halves} half: all that is known is that the threshold lies beyond the sweep.",
        ))  # fmt: skip
    return said


def _told(said: dict[str, list[tuple[str, str]]]) -> tuple[str, ...]:
    """One by one where there are few, else the first and how many there are like it."""
    found = []
    for items in said.values():
        found += [s for _, s in items] if len(items) <= _SAID else [f"{items[0][1]} So it is with {len(items) - 1} others."]
    return tuple(found)


class LoopFigures(Shown):
    """The figures of one loop.

    - `up`, `down`: the values between which it switches on the way up and on the way down, with their sign, T, V or A.
    - `low`, `high`: resistance of both states (of a junction: R_P and R_AP), ohm; `noise`: of one reading, ohm.
    - `unit`: of what is swept; `name`: of the loop.

    >>> import mtjax as mtj
    >>> found = mtj.fitting.LoopFigures(up=(0.047, 0.049), down=(-0.075, -0.073), low=5e3, high=8.5e3, noise=20.0, unit="T")
    >>> print(f"shift {1e3 * found.shift[0]:.1f} mT, coercivity {1e3 * found.coercivity[0]:.1f} mT, TMR {found.tmr:.0%}")
    shift -13.0 mT, coercivity 61.0 mT, TMR 70%
    """

    up: tuple[float, float]
    down: tuple[float, float]
    low: float
    high: float
    noise: float
    unit: str
    name: str = "the loop"

    @property
    def shift(self) -> tuple[float, float]:
        """The middle between both switching values, and by how much it can be off."""
        return float(np.mean([*self.up, *self.down])), self._half

    @property
    def coercivity(self) -> tuple[float, float]:
        """Half the distance of both switching values, and by how much it can be off."""
        return float((np.mean(self.up) - np.mean(self.down)) / 2), self._half

    @property
    def _half(self) -> float:
        return float((np.ptp(self.up) + np.ptp(self.down)) / 4)

    @property
    def tmr(self) -> float:
        """(R_AP - R_P) / R_P; not a number where a resistance is not positive, as a Hall resistance can be."""
        return (self.high - self.low) / self.low if self.low > 0 else np.nan

    def __str__(self) -> str:
        """A line for each figure."""
        pairs = [
            (f"switches on the way {n}", f"{self._in(a)} ... {self._in(b)}")
            for n, (a, b) in (("up", self.up), ("down", self.down))
        ]
        pairs += [
            (n, f"{self._in(m)} +- {self._in(h)}") for n, (m, h) in (("shift", self.shift), ("coercivity", self.coercivity))
        ]
        names = ("R_P", "R_AP") if self.low > 0 else ("R low", "R high")
        pairs += [(n, with_unit(r, "ohm")) for n, r in zip(names, (self.low, self.high), strict=True)]
        pairs += [("TMR", f"{100 * self.tmr:.4g} %")] if self.low > 0 else []
        return "\n".join([self.name, *(f"  {name:<26}{text}" for name, text in pairs)])

    def _in(self, x: float) -> str:
        return with_unit(x, self.unit)


def characterise(loop: Loop) -> LoopFigures:
    """Switching values, shift, coercivity and resistances of one loop; raises `ValueError` where it does not switch both ways.

    - `loop`: one cycle. The resistances are medians between both switching values, where either state can be; where there are
      too few points, those before and after switching.

    >>> import numpy as np
    >>> import mtjax as mtj
    >>> field = 1e-3 * np.append(np.arange(-10, 11), np.arange(9, -11, -1))  # up and down again
    >>> up = np.append(np.arange(-10, 11) > 5.5, np.arange(9, -11, -1) > -2.5)
    >>> print(mtj.fitting.characterise(mtj.Loop(field, np.where(up, 7e3, 5e3), unit="T", name="R-H")))
    R-H
      switches on the way up    5 mT ... 6 mT
      switches on the way down  -3 mT ... -2 mT
      shift                     1.5 mT +- 500 uT
      coercivity                4 mT +- 500 uT
      R_P                       5 kohm
      R_AP                      7 kohm
      TMR                       40 %
    """
    ways = {sign: loop.way(sign) for sign in (1, -1)}
    for sign, name in ((1, "up"), (-1, "down")):
        way = ways[sign]
        if way is None or not np.isfinite(way.upper):
            why = "does not go there" if way is None else f"the resistance stays at {with_unit(way.before, 'ohm')}"
            raise ValueError(
                f"A loop must switch on the way up and on the way down, but {loop.name} does not on the way {name}: {why}."
            )
    up, down = ways[1], ways[-1]
    assert up is not None
    assert down is not None
    inside = sorted((up.lower, -down.lower))
    states = []
    for sign, way in ((1, up), (-1, down)):
        out = loop.branch(sign)[0]  # pyright: ignore[reportOptionalSubscript]
        x = loop.swept[out]
        between = (x > inside[0]) & (x < inside[1])
        rows = loop.resistance[out[between]]
        states.append(float(np.median(rows)) if len(rows) >= 3 and inside[0] == -down.lower else way.before)
    return LoopFigures(
        (up.lower, up.upper), (-down.upper, -down.lower), min(states), max(states), loop.noise, loop.unit, loop.name
    )
