"""Loops of resistance against current pulses or field, and between which two points they switch."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from os import PathLike
from pathlib import Path

import equinox as eqx
import numpy as np
from jaxtyping import Float

from mtjax.files import Headings, read_columns, read_rows
from mtjax.printing import Shown, with_unit
from mtjax.quantities import as_numpy

PULSED: Headings = {
    "swept": {"current": 1.0, "current_A": 1.0, "I": 1.0, "Current(A)": 1.0, "Current(mA)": 1e-3, "current_mA": 1e-3},
    "resistance": {"resistance": 1.0, "R": 1.0, "Resistance(Ohm)": 1.0},
    "width": {"width": 1.0, "pulse_width": 1.0, "t_p": 1.0, "Pulse width s": 1.0},
    "field": {"field": 1.0, "field_T": 1.0, "Applied in-plane field (Oe)": 1e-4},
}
"""Headings of loops against current pulses."""
FIELD_SWEPT: Headings = {
    "swept": {"field_z": 1.0, "field_z_T": 1.0, "Field(T)": 1.0, "Field(Oe)": 1e-4},
    "resistance": {"resistance": 1.0, "R": 1.0, "Resistance(Ohm)": 1.0},
    "current": {"current": 1.0, "current_A": 1.0, "Applied current (mA)": 1e-3},
    "field": {"field": 1.0, "field_T": 1.0, "Applied in-plane field (Oe)": 1e-4},
}
"""Headings of loops against an out-of-plane field under a current."""
_CLEAR = 6.0
"""How many standard deviations of the noise a change of resistance must have to count as switching."""
_END = 3


class Loop(Shown):
    """One loop: resistance after each step of a current (A) or a field (T).

    - `swept`, `resistance` (ohm): shape (n,), in the order of the measurement.
    - `width`: of the pulses, s; `current`: that flows, A; `field`: in the plane, T; 0 where not stated.
    - `name`: for messages.

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

    def __check_init__(self):
        if len(self.swept) < 5 or len(self.swept) != len(self.resistance):
            raise ValueError(
                f"A loop needs at least five points, a resistance for each, but {self.name} has {len(self.swept)} and "
                f"{len(self.resistance)}."
            )

    @property
    def noise(self) -> float:
        """Standard deviation of the resistance, from the median of successive differences, ohm."""
        return float(1.4826 * np.median(np.abs(np.diff(self.resistance))) / np.sqrt(2))

    def bracket(self, polarity: int) -> tuple[float, float] | None:
        """The two amplitudes, T or A without sign, between which it switches on the way to `polarity` (+1 or -1).

        The first step that leaves the resistance beyond the middle between before and after. `(largest, inf)` if it does
        not switch; `None` if the loop does not go there.
        """
        branch = self._branch(polarity)
        if branch is None:
            return None
        out, back = branch
        x, resistance = polarity * self.swept[out], self.resistance[out]
        rest = _rest(x) if self.width > 0 else np.arange(_END)
        before = np.mean(resistance[rest])
        after = np.mean(self.resistance[back[-_END:]]) if self.width > 0 else np.mean(resistance[-_END:])
        if abs(after - before) <= _CLEAR * self.noise:
            return float(x[-1]), np.inf
        beyond = (resistance - (before + after) / 2) * np.sign(after - before) > 0
        first = int(np.flatnonzero(beyond & (np.arange(len(x)) > rest[-1]))[0])
        return float(x[first - 1]), float(x[first])

    def _branch(self, polarity: int) -> tuple[np.ndarray, np.ndarray] | None:
        """Indices of the longest way out to the extreme of a polarity, and of the way back as far as zero."""
        x = polarity * self.swept
        if x.max() <= 0:
            return None
        ways = [_climb(x, int(top)) for top in np.flatnonzero(x >= x.max() * (1 - 1e-9))]
        out = max(ways, key=len)
        end = int(out[-1])
        while end + 1 < len(x) and 0 <= x[end + 1] <= x[end]:
            end += 1
        return (out, np.arange(out[-1], end + 1)) if len(out) > 1 else None


def _climb(x: np.ndarray, top: int) -> np.ndarray:
    """Indices of the rise that ends at `top`."""
    begin = top
    while begin > 0 and x[begin - 1] < x[begin]:
        begin -= 1
    return np.arange(begin, top + 1)


def _rest(x: np.ndarray) -> np.ndarray:
    """Where the state before pulses that switch is read: the last points up to zero."""
    last = max(int(np.sum(x <= 0)), 1)
    return np.arange(max(last - _END, 0), last)


def read_loops(
    paths: str | PathLike[str] | Iterable[str | PathLike[str]], *, headings: Headings | None = None
) -> tuple[Loop, ...]:
    r"""The loops in CSV files, one each, or in all CSV files of a folder.

    - `paths`: a file, several, or a folder.
    - `headings`: `PULSED` or `FIELD_SWEPT`, or your own; `None` finds out which of the two the first file has.

    Warns of repeated rows (which are dropped) and of unlikely units. Raises `ValueError` where a file is missing, holds no
    such columns, or no file is there at all.

    >>> import pathlib, tempfile
    >>> import mtjax as mtj
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "loop.csv"
    >>> rows = "".join(f"{i / 10},{1000 + 1000 * (i > 3)},1e-6\n" for i in range(7))
    >>> size = path.write_text("current_mA,resistance,width\n" + rows)
    >>> mtj.read_loops(path)[0].swept.tolist()
    [0.0, 0.0001, 0.0002, 0.0003, 0.0004, 0.0005, 0.0006]
    """
    files = _files(paths)
    found = tuple(_read(file, headings or _guess(file)) for file in files)
    for loop in found:
        size = np.abs(loop.swept).max()
        if size > 20 or abs(loop.current) > 1:
            raise_to = "a current" if loop.width else "a field or current"
            warnings.warn(
                f"{loop.name} holds {raise_to} of {max(size, abs(loop.current)):g} in SI units, which is unusual: are the "
                "numbers in ampere and tesla, or in milliampere, microampere or oersted?",
                stacklevel=2,
            )
    return found


def _files(paths: str | PathLike[str] | Iterable[str | PathLike[str]]) -> list[Path]:
    single = isinstance(paths, str | PathLike)
    given = [Path(paths)] if single else [Path(p) for p in paths]
    files = [file for p in given for file in (sorted(p.glob("*.csv")) if p.is_dir() else [p])]
    if not files:
        inside = [f"'{folder}'" for p in given if p.is_dir() for folder in sorted(p.iterdir()) if folder.is_dir()]
        advice = f": give one of its folders, {', '.join(inside)}" if inside else ""
        raise ValueError(
            f"There must be at least one CSV file, but {str(given[0]) if given else 'the list'!r} holds none{advice}."
        )
    return files


def _guess(file: Path) -> Headings:
    return FIELD_SWEPT if set(read_rows(file)[0]) & set(FIELD_SWEPT["swept"]) else PULSED


def _read(path: Path, headings: Headings) -> Loop:
    optional = tuple({"field", "current"} & set(headings))
    columns = read_columns(path, headings, optional=optional)
    swept, resistance = columns.pop("swept"), columns.pop("resistance")
    for name, column in columns.items():
        if not np.allclose(column, column[0], rtol=1e-6, atol=0):
            raise ValueError(f"{path.name} must have one {name}, but has {column.min():g} to {column.max():g}.")
    again = np.append(False, (np.diff(swept) == 0) & (np.diff(resistance) == 0))
    if again.any():
        warnings.warn(
            f"{path.name} has {again.sum()} rows that repeat the one before (first in row {np.argmax(again) + 1}): dropped.",
            stacklevel=3,
        )
    scalars = {name: float(column[0]) for name, column in columns.items()}
    return Loop(swept[~again], resistance[~again], **scalars, name=path.name)


class Thresholds(Shown):
    """Switching amplitudes known to intervals, one per loop and polarity; n rows.

    - `lower`, `upper`: amplitudes without sign between which it switched, shape (n,), A or T; `upper` infinite: it did not.
    - `polarity`: +1 or -1; `width`: of the pulses, s; `current`, A; `field`, T; shape (n,).
    - `warnings`: about the loops, one sentence each.

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

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.lower)

    def __str__(self) -> str:
        """Number and range."""
        closed = np.isfinite(self.upper)
        top = with_unit(self.upper[closed].max(), "")
        return f"Thresholds: {closed.sum()} intervals up to {top} (SI), and {(~closed).sum()} loops beyond the sweep"


def thresholds(loops: Iterable[Loop]) -> Thresholds:
    """The intervals in which `loops` switch; raises `ValueError` where none of them does.

    >>> import numpy as np
    >>> import mtjax as mtj
    >>> swept = 1e-4 * np.append(np.arange(7), -np.arange(7))
    >>> resistance = np.array([1e3, 1e3, 1e3, 1e3, 2e3, 2e3, 2e3, 2e3, 2e3, 2e3, 1e3, 1e3, 1e3, 1e3])
    >>> found = mtj.thresholds([mtj.Loop(swept, resistance, width=1e-6)])
    >>> [f"{p:+.0f}: {1e6 * low:.0f} to {1e6 * high:.0f} uA" for p, low, high in zip(found.polarity, found.lower, found.upper)]
    ['+1: 300 to 400 uA', '-1: 200 to 300 uA']
    """
    rows, said = [], []
    for loop in loops:
        brackets = {sign: loop.bracket(sign) for sign in (1, -1)}
        said += _remarks(loop, brackets)
        for sign, found in brackets.items():
            if found is not None:
                rows.append((*found, sign, loop.width, loop.current, loop.field))
    if not any(np.isfinite(row[1]) for row in rows):
        raise ValueError("At least one loop must hold a switching event, but none does.")
    return Thresholds(*np.array(rows, float).T, warnings=tuple(said))


def _remarks(loop: Loop, brackets: dict[int, tuple[float, float] | None]) -> list[str]:
    names = {1: "positive", -1: "negative"}
    said = [f"{loop.name} has no {names[sign]} half: one threshold only." for sign, b in brackets.items() if b is None]
    still = [names[sign] for sign, b in brackets.items() if b is not None and not np.isfinite(b[1])]
    if still:
        said.append(
            f"{loop.name} does not switch on its {' and its '.join(still)} half: all that is known is that the threshold lies "
            "beyond the sweep."
        )
    return said
