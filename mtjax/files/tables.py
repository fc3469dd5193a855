"""Tables of measurements in text files and workbooks: headings, rows, numbers, and sentences where something is wrong."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Mapping
from os import PathLike
from pathlib import Path

import numpy as np
from jaxtyping import Float

from mtjax.files.layout import Row, laid_out, number_and_unit
from mtjax.files.numerals import decimal_mark, number_in
from mtjax.files.text import read_text, require_file
from mtjax.files.units import in_si
from mtjax.files.workbooks import WORKBOOKS, read_workbook

Headings = Mapping[str, Mapping[str, float]]
"""For every column the headings by which it is recognised, each with the SI value of its unit."""


@dataclasses.dataclass(frozen=True)
class Table:
    r"""A table as it stands in a file.

    - `path`: of the file; `headings`: of the columns, "" where there is none.
    - `rows`: of entries, each with the number of its line; `decimal`: the mark before fractions, a point or a comma.
    - `comments`: other lines of the file; `parted`: what parts the columns, in words.

    >>> import pathlib, tempfile
    >>> import mtjax as mtj
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "counts.csv"
    >>> size = path.write_text("# 2 ns pulses\nI (uA);P\n20,5;0,3\n30,5;0,85\n")
    >>> table = mtj.files.read_table(path)
    >>> print(table)
    'counts.csv': 2 rows in lines 3 to 4, parted by semicolons, with decimal commas
    >>> print(table.numbers(0, unit="uA", si="A"))
    [2.05e-05 3.05e-05]
    """

    path: str
    headings: tuple[str, ...]
    rows: tuple[Row, ...]
    decimal: str
    comments: tuple[Row, ...]
    parted: str

    def __str__(self) -> str:
        """Name, size and layout."""
        lines = [row.line for row in self.rows]
        mark = {",": "commas", ".": "points"}[self.decimal]
        told = "" if self.titled else " without headings"
        layout = "in the cells of a sheet" if self.parted == "cells" else f"parted by {self.parted}, with decimal {mark}"
        return f"{Path(self.path).name!r}: {len(self.rows)} rows in lines {min(lines)} to {max(lines)}{told}, {layout}"

    @property
    def titled(self) -> bool:
        """Whether the columns have headings."""
        return any(self.headings)

    def place(self, heading: str) -> int:
        """The number of the column under `heading`, from 0; raises `ValueError` where there is none, or more than one."""
        found = [i for i, other in enumerate(self.headings) if other == heading]
        if len(found) > 1:
            raise ValueError(
                f"{self.path!r} must have one column {heading!r}, but columns {' and '.join(str(i + 1) for i in found)} are "
                "called so: choose one by its number."
            )
        if not found:
            raise ValueError(f"{self.path!r} must have the columns {heading}, but has {self.described}.")
        return found[0]

    @property
    def described(self) -> str:
        """The headings, or the number of columns."""
        named = ", ".join(heading for heading in self.headings if heading)
        return named if self.titled else f"{len(self.headings)} columns without headings"

    def label(self, column: int) -> str:
        """What a column is called in a sentence: by its heading, or else by its number."""
        return repr(self.headings[column]) if self.headings[column] else f"column {column + 1}"

    def entries(self, column: int) -> list[str]:
        """The entries of a column."""
        return [row.entries[column] for row in self.rows]

    def number(self, row: int, column: int, *, finite: bool = True) -> float:
        """One entry as a number; raises `ValueError`, with its place, where it is none (or not finite, unless allowed)."""
        entry = self.rows[row].entries[column]
        number = number_in(entry, self.decimal)
        if number is None or (finite and not math.isfinite(number)):
            what = repr(entry) if entry else "nothing"
            cut = ": is the file cut off?" if row == len(self.rows) - 1 and row and not entry else "."
            raise ValueError(
                f"{self.path!r} must hold a number in {self.label(column)}, but line {self.rows[row].line} has {what}{cut}"
            )
        return number

    def numbers(self, column: int, *, unit: str = "", si: str = "", finite: bool = True) -> Float[np.ndarray, " n"]:
        """A column in the SI unit `si`; `unit` is that of the heading, and of entries without one of their own."""
        own = [number_and_unit(entry) for entry in self.entries(column)]
        if not any(pair and pair[1] for pair in own):
            return in_si([self.number(i, column, finite=finite) for i in range(len(self.rows))], unit, si)
        found = []
        for i, pair in enumerate(own):
            number = number_in(pair[0], self.decimal) if pair else None
            if pair is None or number is None:
                self.number(i, column)
            try:
                found.append(in_si(number, pair[1] or unit, si))
            except ValueError as error:
                raise ValueError(f"{self.path!r}, {self.label(column)}, line {self.rows[i].line}: {error}") from None
        return np.array(found, float)


def read_table(path: str | PathLike[str], *, decimal: str | None = None, sheet: str | None = None) -> Table:
    r"""The table in a text file (parted by tabs, semicolons, bars, commas or blanks) or a workbook (.xlsx, .xls, .ods).

    - `decimal`: the mark before fractions, a point or a comma; found out where `None`.
    - `sheet`: the name of the sheet of a workbook, where several hold something.

    Comment lines, blank lines and words above the table are passed over, and kept as `comments`. Raises `ValueError` where
    the file is missing, empty, no table, or can be read in two ways; `ImportError` where a workbook needs a missing package.

    >>> import pathlib, tempfile
    >>> import mtjax as mtj
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "counts.txt"
    >>> size = path.write_text("% chip 7\nV (mV)  tp (ns)\n450  1\n500  2\n")
    >>> table = mtj.files.read_table(path)
    >>> print(table.headings, table.numbers(1))
    ('V (mV)', 'tp (ns)') [1. 2.]
    """
    path = Path(path)
    if decimal not in (None, ",", "."):
        raise ValueError(f"`decimal` must be a comma or a point, but is {decimal!r}.")
    if path.suffix.lower() in WORKBOOKS:
        require_file(path)
        layout = read_workbook(path, sheet)
    else:
        layout = laid_out(read_text(path), str(path))
    entries = [(row.line, pair[0]) for row in layout.rows for e in row.entries if (pair := number_and_unit(e))]
    mark = decimal or decimal_mark(entries, str(path))
    headings = tuple(layout.headings) + ("",) * (len(layout.rows[0].entries) - len(layout.headings))
    return Table(str(path), headings, tuple(layout.rows), mark, tuple(layout.comments), layout.parted)


def read_rows(path: Path) -> list[dict[str, str]]:
    r"""The rows of a table with headings; numbers have decimal points.

    Raises `ValueError` where there is no such file, no heading, no row, or two columns of the same heading.

    >>> import pathlib, tempfile
    >>> import mtjax as mtj
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "counts.csv"
    >>> size = path.write_text("# 2 ns pulses\nI (uA),switched\n20,3\n30,85\n")
    >>> mtj.files.read_rows(path)
    [{'I (uA)': '20', 'switched': '3'}, {'I (uA)': '30', 'switched': '85'}]
    """
    table = read_table(path)
    if not table.titled:
        raise ValueError(f"{str(path)!r} must have a heading and at least one row, but has no heading.")
    twice = [heading for heading, times in Counter(table.headings).items() if heading and times > 1]
    if twice:
        table.place(twice[0])
    entries = [[_with_point(entry, table.decimal) for entry in row.entries] for row in table.rows]
    return [dict(zip(table.headings, row, strict=True)) for row in entries]


def _with_point(entry: str, decimal: str) -> str:
    number = number_in(entry, decimal) if "," in entry else None
    return entry if number is None else repr(number)


def read_columns(path: Path, headings: Headings, *, optional: tuple[str, ...] = ()) -> dict[str, np.ndarray]:
    r"""Columns in SI units; raises `ValueError` where one is missing, or an entry is no finite number.

    >>> import pathlib, tempfile
    >>> import mtjax as mtj
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "counts.csv"
    >>> size = path.write_text("I (uA),switched\n20,3\n30,85\n")
    >>> found = mtj.files.read_columns(path, {"current": {"I (A)": 1.0, "I (uA)": 1e-6}})
    >>> [f"{x:.1e} A" for x in found["current"]]
    ['2.0e-05 A', '3.0e-05 A']
    """
    table, found = read_table(path), {}
    for name, known in headings.items():
        heading = next((h for h in known if h in table.headings), None)
        if heading is not None:
            found[name] = known[heading] * table.numbers(table.place(heading))
        elif name not in optional:
            raise ValueError(
                f"{str(path)!r} must have a column {name} ({', '.join(repr(h) for h in known)}), but has {table.described}."
            )
    return found


def as_number(entry: str | None, heading: str, row: int, path: str | PathLike[str], *, finite: bool = True) -> float:
    """An entry as a number; raises `ValueError`, with the place, where it is none (or infinite or nan, unless allowed).

    >>> import mtjax as mtj
    >>> mtj.files.as_number(" 2.5e-9 ", "width", 1, "counts.csv")
    2.5e-09
    >>> mtj.files.as_number("2,5", "width", 1, "counts.csv")
    Traceback (most recent call last):
        ...
    ValueError: 'counts.csv' must hold a number in 'width', but row 1 has '2,5'.
    """
    text = (entry or "").strip()
    number = number_in(text)
    if number is None or (finite and not math.isfinite(number)):
        raise ValueError(f"{str(path)!r} must hold a number in {heading!r}, but row {row} has {text!r}.")
    return number
