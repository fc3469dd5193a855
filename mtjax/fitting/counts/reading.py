"""From a laboratory's table to the columns of `SwitchingData`, and what was understood on the way."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mtjax.files import WORKBOOKS, Table, is_unit, number_and_unit, read_table
from mtjax.fitting.counts.columns import AMPLITUDES, COLUMNS, TEXT, Column, locate, recognised
from mtjax.fitting.counts.given import from_name, in_words, noted, noted_in
from mtjax.fitting.counts.outcomes import OUTCOMES, check, counted
from mtjax.fitting.counts.shots import rows_of_shots
from mtjax.fitting.counts.wide import unfolded
from mtjax.printing import with_unit

SETTINGS = ("current", "voltage", "width", "field", "temperature", *TEXT)
_ENDINGS = (".csv", ".tsv", ".txt", ".dat", ".asc", ".prn", *WORKBOOKS)
_LONG = 200
_YES_NO = {"true": 1.0, "yes": 1.0, "false": 0.0, "no": 0.0}
_STATES = {"p": 0.0, "low": 0.0, "ap": 1.0, "high": 1.0}


class Options(NamedTuple):
    """How files are read: the arguments of `SwitchingData.read`."""

    columns: Mapping[str, str | int | None]
    fixed: Mapping[str, float | str]
    trials: float | None
    names: str | None
    decimal: str | None
    sheet: str | None
    cross_section: float | None


def files_of(paths: str | PathLike[str] | Iterable[str | PathLike[str]], names: str | None) -> tuple[list[Path], list[str]]:
    """The files to read, those of a folder by name, and words on what is left out; raises `ValueError` where none is left."""
    given = [Path(paths)] if isinstance(paths, str | PathLike) else [Path(path) for path in paths]
    found, told = [], []
    for path in given:
        inside = sorted(p for p in path.iterdir() if p.is_file() and p.name[0] not in ".~") if path.is_dir() else []
        tables = [p for p in inside if (p.suffix.lower() in _ENDINGS if names is None else from_name(p, names) is not None)]
        if path.is_dir() and not tables:
            wanted = f"called like {names!r}" if names else f"that ends in {', '.join(_ENDINGS)}"
            raise ValueError(f"The folder {str(path)!r} must hold a file {wanted}, but holds none.")
        if len(inside) > len(tables):
            others = ", ".join(p.name for p in inside if p not in tables)
            others = others if len(others) < _LONG else others[:_LONG] + " ..."
            told.append(f"{str(path)!r}: {len(tables)} files are read; not read: {others}")
        found += tables if path.is_dir() else [path]
    if not found:
        raise ValueError("At least one file of data must be given, but none is.")
    return found, told


def read_all(files: list[Path], options: Options) -> tuple[dict[str, Any], list[str]]:
    """The columns of all files behind one another, and what was understood; raises `ValueError` where some lack a column."""
    parts, told = zip(*(read_counts(file, options) for file in files), strict=True)
    names = {name for part in parts for name in part}
    for part, file in zip(parts, files, strict=True):
        lacking = ", ".join(sorted(names - part.keys()))
        if lacking:
            raise ValueError(f"All files must have the same columns, but {str(file)!r} has no {lacking}, which others have.")
    joined = {name: [part[name] for part in parts] for name in names}
    columns = {name: sum(map(list, xs), []) if name in TEXT else np.concatenate(xs) for name, xs in joined.items()}
    return columns, sum(told, [])


def read_counts(path: Path, options: Options) -> tuple[dict[str, Any], list[str]]:
    """The columns of `SwitchingData` in one file, and what was understood; raises `ValueError` where that is not clear."""
    table = read_table(path, decimal=options.decimal, sheet=options.sheet)
    _refuse_loops(table, options)
    table = table if set(OUTCOMES) & options.columns.keys() else unfolded(table)
    found = locate(table, options.columns)
    elsewhere = _elsewhere(table, found, options)
    values = {name: _values(table, name, column) for name, column in found.items()}
    rows = len(table.rows)
    values |= {name: [x] * rows if isinstance(x, str) else np.full(rows, x) for name, (x, _) in elsewhere.items()}
    _require(table, values, options)
    check(table, found, values)
    told = [str(table), *(_said(table, name, column, values[name]) for name, column in found.items())]
    told += [f"  {name}: {_range(x, COLUMNS[name].unit)} ({source})" for name, (x, source) in elsewhere.items()]
    told += [] if options.trials is None else [f"  trials: {options.trials:g} (given)"]
    told += _left_over(table, found, elsewhere)
    if "current_density" in values:
        values["current"] = values.pop("current_density") * _area(table, options)
    settings = {name: values[name] for name in SETTINGS if name in values}
    if "resistance_before" in values and not set(OUTCOMES) & values.keys():
        rows, more = rows_of_shots(values["resistance_before"], values["resistance_after"], settings, str(path))
        return rows, [*told, *more]
    switched, trials, more = counted(table, found, values, options.trials, _rows_repeat(settings))
    return {**settings, "switched": switched, "trials": trials}, [*told, *more]


def _values(table: Table, name: str, column: Column) -> Any:
    """A column in SI units; labels as they are, words for yes and no and for states as 1 and 0."""
    entries = table.entries(column.place)
    if name in TEXT:
        return entries
    words = _STATES if name.startswith("resistance") else _YES_NO if name == "switched" else {}
    if all(entry.lower() in words for entry in entries):
        return np.array([words[entry.lower()] for entry in entries])
    if name.startswith("resistance") and not is_unit(column.unit, "ohm"):
        return table.numbers(column.place)
    return table.numbers(column.place, unit=column.unit, si=COLUMNS[name].unit)


def _elsewhere(table: Table, found: dict[str, Column], options: Options) -> dict[str, tuple[Any, str]]:
    """Settings that are not in columns, and where they come from."""
    named = from_name(Path(table.path), options.names) if options.names else {}
    if named is None:
        raise ValueError(f"The name of {table.path!r} must be like {options.names!r}, but is not.")
    given: dict[str, tuple[Any, str]] = {name: (in_words(name, value), "given") for name, value in options.fixed.items()}
    given |= {name: (value, "in the file's name") for name, value in named.items()}
    twice = sorted(given.keys() & found.keys())
    if twice:
        raise ValueError(
            f"{table.path!r} must say the {twice[0]} once, but it is {given[twice[0]][1]} and stands in "
            f"{table.label(found[twice[0]].place)}: leave the column out by `columns`, {twice[0]}=None (--columns {twice[0]}=)."
        )
    missing = {"width"} | ({"trials"} if options.trials is None else set())
    missing |= set() if set(AMPLITUDES) & (found.keys() | given.keys()) else set(AMPLITUDES)
    return noted_in(table, missing - found.keys() - given.keys()) | given


def _require(table: Table, values: dict[str, Any], options: Options) -> None:
    """Raise `ValueError` where what is needed is missing."""
    has = f"but has {table.described}"
    if not table.titled:
        first = f"line {table.rows[0].line}: {', '.join(table.rows[0].entries[:8])}"
        has += f" ({first}): choose them by number, as `columns` voltage=1"
    shots = {"resistance_before", "resistance_after"} & values.keys()
    if not set(AMPLITUDES) & values.keys():
        raise ValueError(f"{table.path!r} must have a column `current` (A) or `voltage` (V), {has}.")
    if "width" not in values:
        raise ValueError(
            f"{table.path!r} must have a column `width` (s), or `fixed` must give one (--fixed width=1ns)"
            f"{_named_width(table)}, {has}."
        )
    if not set(OUTCOMES) & values.keys() and len(shots) < 2:
        also = "; raw shots need the resistance before and after" if shots else ""
        raise ValueError(f"{table.path!r} must have a column `switched` or `probability` (or `errors`), {has}{also}.")
    if options.trials is not None and not (np.isfinite(options.trials) and options.trials > 0):
        raise ValueError(f"The number of trials must be finite and positive, but is {options.trials:g}.")


def _refuse_loops(table: Table, options: Options) -> None:
    """Raise `ValueError` where there is one resistance in a row, and nothing that says what switched."""
    known = {found[0] for heading in table.headings if (found := recognised(heading))} | options.columns.keys()
    loops = [heading for heading in table.headings if re.match(r"(resistance|r_?xy|r_?h|hall|r)\b", heading, re.IGNORECASE)]
    if loops and "resistance_after" not in known and not known & set(OUTCOMES):
        raise ValueError(
            f"{table.path!r} must have a column `switched` or `probability` (or `errors`), but has {table.described}; one "
            "resistance a row is a loop, for `mtjax loops`."
        )


def _named_width(table: Table) -> str:
    """How the width in the name of the file could be used, if there is one."""
    name = Path(table.path).name
    found = re.search(r"\d+(?:[.p]\d+)?\s?(?:ps|ns|us|ms)(?![a-z])", name)
    return f", or its name, as `names` {name.replace(found.group(), '{width}')!r} (--names)" if found else ""


def _area(table: Table, options: Options) -> float:
    if options.cross_section is None or not options.cross_section > 0:
        raise ValueError(
            f"{table.path!r} gives current densities: `cross_section` must be positive (m^2), but is {options.cross_section}."
        )
    return float(options.cross_section)


def _rows_repeat(settings: dict[str, Any]) -> bool:
    """Whether settings come back so often that rows must be single shots."""
    rows = list(zip(*settings.values(), strict=True))
    return len(rows) >= 2 * len(set(rows))


def _said(table: Table, name: str, column: Column, values: Any) -> str:
    """What was understood of a column."""
    si = COLUMNS[name].unit
    own = any(pair and pair[1] for pair in map(number_and_unit, table.entries(column.place)[:100]))
    unstated = ", each with its unit" if own else f", no unit stated, taken as {si}"
    read = f" in {column.unit}" if column.unit else unstated if si else ""
    return f"  {name.replace('_', ' ')}: {table.label(column.place)}{read}: {_range(values, si)}"


def _range(values: Any, unit: str) -> str:
    if isinstance(values, str):
        return values
    if isinstance(values, list):
        labels = sorted(set(values))
        return ", ".join(labels[:8]) + (f" and {len(labels) - 8} more" if len(labels) > 8 else "")
    low, high = float(np.min(values)), float(np.max(values))
    return with_unit(low, unit) if low == high else f"{with_unit(low, unit)} ... {with_unit(high, unit)}"


def _left_over(table: Table, found: dict[str, Column], elsewhere: dict[str, Any]) -> list[str]:
    """Columns that are not used, and comments that state a setting which is not used either."""
    taken = {column.place for column in found.values()}
    left = [table.label(i) for i in range(len(table.headings)) if i not in taken]
    told = [f"  not used: {', '.join(left)}"] if left else []
    for row in table.comments:
        note = noted(row.entries[0])
        if note and note[0] in ("field", "temperature") and note[0] not in found.keys() | elsewhere.keys():
            told.append(f"  not used: {row.entries[0]!r} in line {row.line} (as a setting: --fixed {note[0]}={note[1]:g})")
    return told
