"""Loops from the files of a laboratory: what is swept is found out from headings, units and how the numbers run."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping
from os import PathLike
from pathlib import Path

import numpy as np

from mtjax.files import Headings, read_columns, read_table
from mtjax.fitting.signals.columns import Place, files_in, given, places, unit_of, values
from mtjax.fitting.signals.loops import UNITS, Loop, cycles
from mtjax.printing import with_unit

PULSED: Headings = {
    "swept": {"current": 1.0, "current_A": 1.0, "I": 1.0, "Current(A)": 1.0, "Current(mA)": 1e-3, "current_mA": 1e-3},
    "resistance": {"resistance": 1.0, "R": 1.0, "Resistance(Ohm)": 1.0},
    "width": {"width": 1.0, "pulse_width": 1.0, "t_p": 1.0, "Pulse width s": 1.0},
    "field": {"field": 1.0, "field_T": 1.0, "Applied in-plane field (Oe)": 1e-4},
}
"""Headings of loops against current pulses, as a pattern for `read_loops`."""
FIELD_SWEPT: Headings = {
    "swept": {"field_z": 1.0, "field_z_T": 1.0, "Field(T)": 1.0, "Field(Oe)": 1e-4},
    "resistance": {"resistance": 1.0, "R": 1.0, "Resistance(Ohm)": 1.0},
    "current": {"current": 1.0, "current_A": 1.0, "Applied current (mA)": 1e-3},
    "field": {"field": 1.0, "field_T": 1.0, "Applied in-plane field (Oe)": 1e-4},
}
"""Headings of loops against an out-of-plane field under a current, as a pattern for `read_loops`."""
_NAMES = ("swept", "resistance", "width", "current", "field", "voltage", "time", "cycle", "signal", "sweep_rate")
_FIXED = {"width": ("s",), "current": ("A",), "field": ("T",), "sweep_rate": ("T", "A", "V")}
_STEADY = 0.02
Paths = str | PathLike[str] | Iterable[str | PathLike[str]]


def read_loops(
    paths: Paths,
    *,
    headings: Headings | None = None,
    columns: Mapping[str, str] | None = None,
    fixed: Mapping[str, str | float] | None = None,
    tell: Callable[[str], object] | None = None,
) -> tuple[Loop, ...]:
    r"""The loops in files or folders: each cycle of a sweep, each pulse width and each setting apart.

    What is swept (a field, current or voltage) and what is read (a resistance, a voltage or a signal) is found by the headings,
    their units, and which of the columns goes to and fro; columns that keep still are settings.

    - `paths`: a file, several, or a folder.
    - `columns`: the heading or number of a column, either with a unit, where it is not found out: `{"swept": "H (mT)"}`; also
      `resistance`, `width`, `current`, `field` (in the plane), `time`, `cycle`; "" leaves a kind out.
    - `fixed`: settings that stand in no column: `{"width": "1 us", "field": "20 mT", "sweep_rate": "5 mT"}` (per second).
    - `headings`: `PULSED`, `FIELD_SWEPT` or your own instead: exact headings with the SI value of their unit.
    - `tell`: called with a sentence on every file that says what was understood.

    Warns of repeated rows (which are dropped) and of unlikely units. Raises `ValueError` where a file is missing, it is not
    clear what its columns are, or nothing is swept.

    >>> import pathlib, tempfile
    >>> import mtjax as mtj
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "loop.csv"
    >>> rows = "".join(f"{i / 10},{1000 + 1000 * (i > 3)},1e-6\n" for i in range(7))
    >>> size = path.write_text("current_mA,resistance,width\n" + rows)
    >>> mtj.read_loops(path)[0].swept.tolist()
    [0.0, 0.0001, 0.0002, 0.0003, 0.0004, 0.0005, 0.0006]
    """
    unknown = sorted({*(columns or {})} - set(_NAMES)) + sorted({*(fixed or {})} - set(_FIXED))
    if unknown:
        raise ValueError(f"Columns can be {', '.join(_NAMES)}, and fixed values {', '.join(_FIXED)}, but not {unknown[0]!r}.")
    settings = {name: given(name, str(value), kinds=_FIXED[name]) for name, value in (fixed or {}).items()}
    found: list[Loop] = []
    for path in files_in(paths):
        own = _by_headings(path, headings) if headings else _by_content(path, columns or {}, settings, tell)
        found += [one for loop in own for one in cycles(loop)]
    _doubt(found)
    return tuple(found)


def _by_headings(path: Path, headings: Headings) -> list[Loop]:
    read = read_columns(path, headings, optional=tuple({"field", "current"} & set(headings)))
    swept, resistance = read.pop("swept"), read.pop("resistance")
    for name, column in read.items():
        if not np.allclose(column, column[0], rtol=1e-6, atol=0):
            raise ValueError(f"{path.name} must have one {name}, but has {column.min():g} to {column.max():g}.")
    unit = "T" if headings is FIELD_SWEPT else "A"
    scalars = {name: float(column[0]) for name, column in read.items()}
    return [Loop(*_distinct(swept, resistance, path.name), **scalars, name=path.name, unit=unit)]


def _by_content(
    path: Path, columns: Mapping[str, str], fixed: Mapping[str, float], tell: Callable[[str], object] | None
) -> list[Loop]:
    table = read_table(path)
    chosen, others = places(table, columns)
    if not chosen and not others:
        raise ValueError(
            f"{str(path)!r} must have headings that tell what is swept and what is read, but has {table.described}: choose "
            "by `columns`, as swept='1 (mT)' resistance=2."
        )
    data = {p.column: values(table, p) for p in (*chosen.values(), *others)}
    if len(table.rows) < 5:
        raise ValueError(f"A loop needs at least five points, but {str(path)!r} has {len(table.rows)}.")
    swept = chosen.get("swept") or _swept(others, data, str(path), table.described)
    rest = [p for p in others if p.column != swept.column]
    read, signal = _signal(chosen, rest, data, swept, str(path), table.described)
    rest = [p for p in rest if p not in read] + [p for n, p in chosen.items() if n not in ("swept", "resistance", "signal")]
    by_kind = {p.kind: p for p in rest if _is_setting(data[p.column]) or p.kind in ("time", "cycle")}
    if swept.kind not in {*UNITS.values()}:
        raise ValueError(
            f"{str(path)!r} must sweep a field, current or voltage, but the swept column gives no unit: add it, swept='H (mT)'."
        )
    if tell:
        x, unit = data[swept.column], unit_of(swept.kind)
        what = table.label(read[0].column) if len(read) == 1 else " over ".join(table.label(p.column) for p in read)
        kept = [
            f"{p.kind} {with_unit(np.median(data[p.column]), unit_of(p.kind))}" for p in by_kind.values() if unit_of(p.kind)
        ]
        span = f"{with_unit(x.min(), unit)} ... {with_unit(x.max(), unit)}"
        told = f"{table}; swept: {swept.kind} {table.label(swept.column)}, {span}"
        tell("; ".join([told, f"read: {what}", *kept]))
    return [_loop(path, swept, data, signal, rows, by_kind, fixed) for rows in _runs(by_kind, data, len(signal))]


def _changes(x: np.ndarray) -> int:
    """How often the numbers change, noise about one value apart."""
    return 0 if np.ptp(x) <= _STEADY * np.max(np.abs(x)) else int(np.sum(np.diff(x) != 0))


def _is_setting(x: np.ndarray) -> bool:
    return _changes(x) <= len(x) / 5


def _swept(others: list[Place], data: Mapping[int, np.ndarray], path: str, described: str) -> Place:
    """The column of a field, current or voltage that changes."""
    kinds = set(UNITS.values())
    able = [p for p in others if p.kind in kinds and not _is_setting(data[p.column])]
    has_resistance = any(p.kind == "resistance" and np.ptp(data[p.column]) > 0 for p in others)
    if len(able) == 2 and not has_resistance:  # the voltage that a swept current or field gives is what is read
        able = [p for p in able if p.kind != "voltage"] or able
    if len(able) > 1 and len({p.kind for p in able}) == len(able) == 2 and {p.kind for p in able} == {"current", "voltage"}:
        able = [p for p in able if p.kind == "current"]
    if not able:
        raise ValueError(
            f"{path!r} must have a field, current or voltage that is swept, but has {described}: choose by `columns`, swept=..."
        )
    if len(able) > 1:
        raise ValueError(
            f"{path!r} must sweep one quantity, but columns {' and '.join(str(p.column + 1) for p in able)} ({described}) all "
            f"change: choose by `columns`, swept={able[0].column + 1}."
        )
    return able[0]


def _signal(
    chosen: Mapping[str, Place], rest: list[Place], data: Mapping[int, np.ndarray], swept: Place, path: str, described: str
) -> tuple[list[Place], np.ndarray]:
    """What is read: a resistance, or a voltage over the current, or any signal."""
    for name in ("resistance", "signal"):
        if name in chosen:
            return [chosen[name]], data[chosen[name].column]
    for kind in ("resistance", "signal", "voltage"):
        able = [p for p in rest if p.kind == kind and np.ptp(data[p.column]) > 0]
        if len(able) > 1 and kind != "voltage":
            raise ValueError(
                f"{path!r} must have one column that is read, but columns {' and '.join(str(p.column + 1) for p in able)} "
                f"({described}) could be it: choose by `columns`, resistance={able[0].column + 1}."
            )
        if able and kind == "voltage":
            current = swept if swept.kind == "current" else next((p for p in rest if p.kind == "current"), None)
            if current is not None:
                return [able[0], current], _ratio(data[able[0].column], data[current.column])
        if able:
            return [able[0]], data[able[0].column]
    if any(p.kind in ("resistance", "signal", "voltage") for p in rest):
        raise ValueError(f"{path!r} must hold a loop, but the resistance is the same in all rows: nothing switches.")
    raise ValueError(
        f"{path!r} must have a column that is read (a resistance, voltage or signal), but has {described}: choose by "
        "`columns`, resistance=..."
    )


def _ratio(voltage: np.ndarray, current: np.ndarray) -> np.ndarray:
    """V over I; where no current flows, as at the nearest point where one does."""
    flows = np.abs(current) > 1e-3 * np.max(np.abs(current))
    at = np.flatnonzero(flows)
    return np.interp(np.arange(len(current)), at, voltage[at] / current[at])


def _runs(by_kind: Mapping[str, Place], data: Mapping[int, np.ndarray], n: int) -> list[slice]:
    """Stretches of rows between which no setting changes."""
    cuts = {0, n}
    for kind, place in by_kind.items():
        x = data[place.column]
        if kind in ("width", "cycle", "current", "field", "voltage") and _changes(x) and (kind == "cycle" or _is_setting(x)):
            cuts |= set((np.flatnonzero(np.diff(x)) + 1).tolist())
    ends = sorted(cuts)
    return [slice(i, j) for i, j in zip(ends[:-1], ends[1:], strict=True)]


def _loop(
    path: Path, swept: Place, data: Mapping[int, np.ndarray], signal: np.ndarray, rows: slice,
    by_kind: Mapping[str, Place], fixed: Mapping[str, float],
) -> Loop:  # fmt: skip
    own = {k: float(np.median(data[by_kind[k].column][rows])) for k in ("width", "current", "field") if k in by_kind}
    x, y = _distinct(data[swept.column][rows], signal[rows], path.name)
    rate = fixed.get(
        "sweep_rate", _rate(data[swept.column][rows], data[by_kind["time"].column][rows]) if "time" in by_kind else 0.0
    )
    scalars = {**own, **{k: v for k, v in fixed.items() if k != "sweep_rate"}, "sweep_rate": 0.0}
    if scalars.get("width", 0.0) == 0:
        scalars["sweep_rate"] = abs(rate)
    return Loop(x, y, **scalars, name=path.name, unit=unit_of(swept.kind))


def _rate(swept: np.ndarray, time: np.ndarray) -> float:
    """How fast the sweep goes, from the rows where it moves and time passes."""
    dx, dt = np.abs(np.diff(swept)), np.diff(time)
    moving = (dx > 0) & (dt > 0)
    return float(np.median(dx[moving] / dt[moving])) if moving.any() else 0.0


def _distinct(swept: np.ndarray, resistance: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
    again = np.append(False, (np.diff(swept) == 0) & (np.diff(resistance) == 0))
    if again.any():
        warnings.warn(
            f"{name} has {again.sum()} rows that repeat the one before (first in row {np.argmax(again) + 1}): dropped.",
            stacklevel=4,
        )
    return swept[~again], resistance[~again]


def _doubt(loops: list[Loop]) -> None:
    """Warn of sizes that no laboratory has."""
    for loop in loops:
        size = np.abs(loop.swept).max()
        if size > 20 or abs(loop.current) > 1:
            what = UNITS[loop.unit] if size > 20 else "current"
            warnings.warn(
                f"{loop.name} holds a {what} of {max(size, abs(loop.current)):g} in SI units, which is unusual: are the "
                "numbers in ampere and tesla, or in milliampere, microampere or oersted?",
                stacklevel=3,
            )
            return
