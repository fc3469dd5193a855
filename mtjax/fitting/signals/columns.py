"""Which column of a table of signals holds what: by names and units of headings, and by how the numbers run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from os import PathLike
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mtjax.files import WORKBOOKS, Table, in_si, is_unit, number_and_unit, number_in, plain_name, readings

_ENDINGS = (".csv", ".tsv", ".txt", ".dat", ".asc", ".prn", *WORKBOOKS)
_KINDS: dict[str, tuple[str, str]] = {
    "field": ("T", "h b field hx hy hz bx by bz mu0h magnetic induction feld magnetfeld"),
    "current": ("A", "i ix idc curr current strom"),
    "voltage": ("V", "v u vdc voltage bias spannung"),
    "resistance": ("ohm", "r rmtj rxy rxx rh rhall res resistance hall resist widerstand"),
    "width": ("s", "width tp pw tau duration pulsewidth length"),
    "time": ("s", "t time elapsed timestamp zeit x"),
    "sweep_rate": ("", "sweep rate ramp sweeprate ramprate"),
    "cycle": ("", "cycle cycles loop loops sweep repeat run rep iteration"),
    "signal": ("", "signal kerr moke m mz y ch1 channel output intensity"),
}
"""For every kind of column its SI unit, and words of which a heading is made that names it."""
_BESIDE = frozenset("x y z 0 p 1 2 a no nr number index id magnetic hall mu0".split())  # noqa: SIM905


class Place(NamedTuple):
    """A column: its number from 0, what kind of quantity it holds, the unit of its heading, and whether somebody chose it."""

    column: int
    kind: str
    unit: str
    chosen: bool = False


def kind_of(heading: str) -> tuple[str, str] | None:
    """What a heading names, and its unit ("" where none is stated); `None` where neither its words nor its unit tell.

    >>> from mtjax.fitting.signals.columns import kind_of
    >>> [kind_of(h) for h in ("H (Oe)", "Applied current (mA)", "R_MTJ [kOhm]", "Pulse width s", "remark")]
    [('field', 'Oe'), ('current', 'mA'), ('resistance', 'kOhm'), ('width', 's'), None]
    """
    for name, unit in readings(heading):
        words = plain_name(name).split()
        for kind, (si, known) in _KINDS.items():
            own = [w for w in words if w in known.split()]
            if own and all(w in known.split() or w in _BESIDE for w in words) and (not unit or _fits(unit, si)):
                return kind, unit
        by_unit = [kind for kind, (si, _) in _KINDS.items() if si and unit and is_unit(unit, si)]
        if by_unit:
            return ("width" if "pulse" in name.lower() else "time") if by_unit[0] == "width" else by_unit[0], unit
    return None


def _fits(unit: str, si: str) -> bool:
    return is_unit(unit, si) if si else True


def places(table: Table, columns: Mapping[str, str]) -> tuple[dict[str, Place], list[Place]]:
    """The columns that were chosen, by name, and all others whose heading tells what they hold.

    `columns`: a heading or a number from 1, either with a unit behind, by name; "" leaves out the columns of that kind.
    Raises `ValueError` where a choice is not there.
    """
    chosen = {name: _chosen(table, name, choice) for name, choice in columns.items() if choice}
    left_out = {name for name, choice in columns.items() if not choice}
    taken, found = {p.column for p in chosen.values()}, []
    for i, heading in enumerate(table.headings):
        known = kind_of(heading) if heading and i not in taken else None
        if known and known[0] not in left_out:
            found.append(Place(i, *known))
    return chosen, found


def _chosen(table: Table, name: str, choice: str) -> Place:
    """The column of a choice: an exact heading, or a heading or number with a unit behind."""
    if choice in table.headings:
        return Place(table.place(choice), *_meaning(name, choice, ""), chosen=True)
    for wanted, unit in readings(choice):
        if wanted.isdigit() and 1 <= int(wanted) <= len(table.headings):
            column = int(wanted) - 1
        else:
            alike = [h for h in table.headings if h and wanted.lower() in {text.lower() for text, _ in readings(h)}]
            if len(set(alike)) != 1:
                continue
            column = table.place(alike[0])
        return Place(column, *_meaning(name, table.headings[column], unit), chosen=True)
    raise ValueError(f"{table.path!r} must have the column {choice}, but has {table.described}.")


def _meaning(name: str, heading: str, unit: str) -> tuple[str, str]:
    """Kind and unit of a chosen column: the unit says what is swept, or else the heading."""
    known = kind_of(heading) if heading else None
    unit = unit or (known[1] if known else "")
    by_unit = [kind for kind, (si, _) in _KINDS.items() if si and unit and is_unit(unit, si)]
    if name in _KINDS and (name in by_unit or not by_unit):
        return name, unit
    return (by_unit[0] if by_unit else known[0] if known else name), unit


def values(table: Table, place: Place) -> np.ndarray:
    """The column in SI units; raises `ValueError` where an entry is no finite number."""
    si = _KINDS.get(place.kind, ("", ""))[0]
    return table.numbers(place.column, unit=place.unit if si else "", si=si)


def unit_of(kind: str) -> str:
    """The SI unit of a kind of column."""
    return _KINDS.get(kind, ("", ""))[0]


def given(name: str, text: str, *, kinds: tuple[str, ...]) -> float:
    """The value of a setting that is written as "20 mT" or "1e-6", in SI units; raises `ValueError` where it is no number.

    >>> from mtjax.fitting.signals.columns import given
    >>> given("width", "2 s", kinds=("s",)), given("bias", "-5 mV", kinds=("A", "V", "T")), given("bias", "3", kinds=("A",))
    (2.0, -0.005, 3.0)
    """
    pair = number_and_unit(text.strip())
    found = re.fullmatch(r"([-+\d.eE]*\d)\s*([^\d\s.,].*)", text.strip())
    number, unit = pair or (found.groups() if found else (text, ""))
    value = number_in(number)
    fits = [si for si in kinds if not unit or is_unit(unit, si)]
    if value is None or not np.isfinite(value) or not fits:
        raise ValueError(f"The value of {name} must be a number, in {' or '.join(kinds)} or with such a unit, but is {text!r}.")
    return float(in_si(value, unit, fits[0]))


def files_in(paths: str | PathLike[str] | Iterable[str | PathLike[str]]) -> list[Path]:
    """Files, and all tables of folders, sorted by name; raises `ValueError` where there is none."""
    single = isinstance(paths, str | PathLike)
    asked = [Path(paths)] if single else [Path(p) for p in paths]
    files = [file for p in asked for file in (_tables(p) if p.is_dir() else [p])]
    if not files:
        inside = [f"'{folder}'" for p in asked if p.is_dir() for folder in sorted(p.iterdir()) if folder.is_dir()]
        advice = f": give one of its folders, {', '.join(inside)}" if inside else ""
        raise ValueError(
            f"There must be at least one file ({', '.join(_ENDINGS)}), but {str(asked[0]) if asked else 'the list'!r} holds "
            f"none{advice}."
        )
    return files


def _tables(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.is_file() and p.suffix.lower() in _ENDINGS and p.name[0] not in ".~")
