"""Tables in CSV files: headings with units, and sentences where something is wrong."""

from __future__ import annotations

import csv
import itertools
import math
from collections.abc import Mapping
from os import PathLike
from pathlib import Path

import numpy as np

Headings = Mapping[str, Mapping[str, float]]
"""For every column the headings by which it is recognised, each with the SI value of its unit."""


def read_rows(path: Path) -> list[dict[str, str]]:
    r"""The rows of a CSV file with a heading, below lines of # comment, if any.

    Raises `ValueError` where there is no such file, or no row in it.

    >>> import pathlib, tempfile
    >>> import mtjax as mtj
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "counts.csv"
    >>> size = path.write_text("# 2 ns pulses\nI (uA),switched\n20,3\n30,85\n")
    >>> mtj.files.read_rows(path)
    [{'I (uA)': '20', 'switched': '3'}, {'I (uA)': '30', 'switched': '85'}]
    """
    if path.is_dir():
        raise ValueError(f"The data must be one CSV file, but {str(path)!r} is a folder.")
    if not path.is_file():
        raise ValueError(f"The data file must exist, but {str(path)!r} does not.")
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            lines = itertools.dropwhile(lambda line: line.startswith("#"), file)
            table = [dict(row) for row in csv.DictReader(lines, skipinitialspace=True)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{str(path)!r} must be a CSV text file, but cannot be read as one: {error}.") from None
    if not table:
        raise ValueError(f"{str(path)!r} must have a heading and at least one row, but has none.")
    return table


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
    table = read_rows(path)
    found = {}
    for name, known in headings.items():
        heading = next((h for h in known if h in table[0]), None)
        if heading is not None:
            found[name] = known[heading] * _numbers(table, heading, path)
        elif name not in optional:
            raise ValueError(
                f"{str(path)!r} must have a column {name} ({', '.join(repr(h) for h in known)}), "
                f"but has {', '.join(repr(h) for h in table[0] if h is not None)}."
            )
    return found


def _numbers(table: list[dict[str, str]], heading: str, path: Path) -> np.ndarray:
    return np.array([as_number(row.get(heading), heading, i + 1, path) for i, row in enumerate(table)])


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
    try:
        number = float(text)
    except ValueError:
        number = None
    if number is None or (finite and not math.isfinite(number)):
        raise ValueError(f"{str(path)!r} must hold a number in {heading!r}, but row {row} has {text!r}.")
    return number
