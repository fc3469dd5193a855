"""How a text is laid out as a table: what parts the columns, which lines are comments, which is the heading."""

from __future__ import annotations

import csv
import dataclasses
import functools
import itertools
import re
from collections import Counter
from typing import NamedTuple

from mtjax.files.numerals import looks_numeric
from mtjax.files.units import is_unit

_DELIMITERS = {"\t": "tabs", ";": "semicolons", "|": "bars", ",": "commas", " ": "blanks"}
_COMMENT = re.compile(r"\s*(?:#|%|//|!)+")
_NUMBER = re.compile(r"([+-]?(?:\d[\d.,]*|[.,]\d+)(?:[eEdD][+-]?\d+)?)\s*([^\W\d_]{0,4}|%)")
_HEADING_CUTS = (r"\t+", ";", r"\|", ",", r"\s{2,}", r"\s+(?![(\[{])(?![^(\[{]*[)\]}])", r"\s+")
_DATA = 1 / 3
"""Share of numbers among the entries of a row from which it counts as data."""
_LOOKED_AT = 2000
"""Lines of a file by which it is found out what parts its columns."""
_LONG = 3
"""More lines than these in one pair of quotation marks: the second is missing."""


@dataclasses.dataclass(frozen=True, order=True)
class Row:
    """The entries of a row, and the line of the file where it begins."""

    line: int
    entries: list[str]

    @functools.cached_property
    def filled(self) -> list[str]:
        """The entries that are not empty."""
        return [entry for entry in self.entries if entry]

    @functools.cached_property
    def length(self) -> int:
        """Number of entries, but for empty ones at the end."""
        return max((i + 1 for i, entry in enumerate(self.entries) if entry), default=0)

    @functools.cached_property
    def is_data(self) -> bool:
        """Whether enough of it are numbers (with a unit behind, maybe)."""
        numeric = sum(number_and_unit(entry) is not None for entry in self.filled)
        return numeric > 0 and numeric >= _DATA * len(self.filled)

    @functools.cached_property
    def is_title(self) -> bool:
        """Whether it may be a heading: several words, and hardly a number."""
        return len(self.filled) > 1 and not self.is_data

    @functools.cached_property
    def has_units(self) -> bool:
        """Whether every number in it has a unit, and something is no number."""
        pairs = [number_and_unit(entry) for entry in self.filled]
        return None in pairs and any(pairs) and all(pair is None or pair[1] for pair in pairs)


class Layout(NamedTuple):
    """Headings (empty without), rows of data, whatever else stands in the file, and what parts the columns."""

    headings: list[str]
    rows: list[Row]
    comments: list[Row]
    parted: str


def number_and_unit(entry: str) -> tuple[str, str] | None:
    """A number and what stands behind it, as in "10 ns" or "50 %"; `None` where `entry` is nothing of the kind.

    >>> import mtjax as mtj
    >>> [mtj.files.number_and_unit(entry) for entry in ("10 ns", "0.5", "50%", "run 1")]
    [('10', 'ns'), ('0.5', ''), ('50', '%'), None]
    """
    if looks_numeric(entry):
        return entry, ""
    found = _NUMBER.fullmatch(entry)
    return None if found is None else (found[1], found[2])


def laid_out(text: str, path: str) -> Layout:
    """The layout of a text; raises `ValueError` where there is no table in it."""
    lines = text.split("\n")
    comments = [Row(i + 1, [_COMMENT.sub("", line, count=1).strip()]) for i, line in enumerate(lines) if _COMMENT.match(line)]
    kept = ["" if _COMMENT.match(line) else line for line in lines]
    best = max(_DELIMITERS, key=lambda delimiter: _fitness(split(kept[:_LOOKED_AT], delimiter)))
    rows = split(kept, best)
    for row in rows:
        if any(entry.count("\n") > _LONG for entry in row.entries):
            raise ValueError(f"{path!r} must close every quotation mark, but that of line {row.line} is left open.")
    return arranged([_tidy(row) for row in rows], comments, path, _DELIMITERS[best], lines)


def split(lines: list[str], delimiter: str) -> list[Row]:
    """Rows of entries, without those that are empty; a quoted entry may go over several lines."""
    if delimiter == " ":
        lines = [" ".join(line.split()) for line in lines]
    reader, rows, begin = csv.reader([line + "\n" for line in lines], delimiter=delimiter, skipinitialspace=True), [], 1
    for entries in reader:
        if any(entry.strip() for entry in entries):
            rows.append(Row(begin, entries))
        begin = reader.line_num + 1
    return rows


def arranged(rows: list[Row], comments: list[Row], path: str, parted: str, lines: list[str]) -> Layout:
    """Headings and data among rows that are split already; `lines` of the text, for headings that are cut otherwise."""
    rows = _without_repeated_headings([row for row in rows if not all(re.fullmatch("[-:=+]+", entry) for entry in row.filled)])
    above, data, below = _parts(rows, path)
    count = Counter(row.length for row in data).most_common(1)[0][0]
    headings, used = _headings(above, [c for c in comments if c.line < data[0].line], count, lines)
    count = _width(headings, count, data, path)
    told = [Row(row.line, [" ".join(row.filled)]) for row in (*above, *below)]
    said = sorted(row for row in (*comments, *told) if row.line not in used)
    return Layout(headings, [Row(row.line, [*row.entries, *[""] * count][:count]) for row in data], said, parted)


def _without_repeated_headings(rows: list[Row]) -> list[Row]:
    """Files that were put behind one another have the same heading again and again."""
    first: dict[tuple[str, ...], int] = {}
    for row in rows:
        first.setdefault(tuple(row.entries), row.line)
    return [row for row in rows if not row.is_title or first[tuple(row.entries)] == row.line]


def _tidy(row: Row) -> Row:
    return Row(row.line, [" ".join(entry.split()) for entry in row.entries])


def _fitness(rows: list[Row]) -> float:
    """How evenly a delimiter parts the lines into several numbers: between 0 and 1."""
    lengths = Counter(row.length for row in rows if row.is_data)
    size = lengths.most_common(1)[0][0] if lengths else 0
    if size < 2:
        return 0.0
    even = [row for row in rows if row.length == size and row.is_data]
    numeric = sum(number_and_unit(entry) is not None for row in even for entry in row.filled)
    return numeric / sum(len(row.filled) for row in even) * len(even) / len(rows)


def _parts(rows: list[Row], path: str) -> tuple[list[Row], list[Row], list[Row]]:
    """What stands above the longest run of data, that run, and lines of a word below or between; refuses a second table."""
    settings = [a for a, b in itertools.pairwise(rows) if a.has_units and b.is_data and not b.has_units and a.line < b.line]
    titles = [i for i, row in enumerate(rows) if row.is_title or row in settings[:1]]
    edges = [-1, *titles, len(rows)]
    runs = [[row for row in rows[a + 1 : b] if row.is_data] for a, b in zip(edges, edges[1:], strict=False)]
    best = max(range(len(runs)), key=lambda i: len(runs[i])) if runs else 0
    data = runs[best] if runs else []
    if not data:
        raise ValueError(f"{path!r} must have a heading and at least one row of numbers, but has none.")
    if max(row.length for row in data) < 2:
        raise ValueError(f"{path!r} must be a table of several columns, but line {data[0].line} is {data[0].filled[0]!r}.")
    for other in runs[:best]:
        if len(other) > 2 and Counter(row.length for row in other) == Counter(row.length for row in data[: len(other)]):
            raise ValueError(f"{path!r} must hold one table, but another one begins in line {other[0].line}.")
    if edges[best + 1] < len(rows):
        bad = rows[edges[best + 1]]
        raise ValueError(f"{path!r} must hold one table of numbers, but line {bad.line} has {', '.join(bad.filled)!r}.")
    above = [row for row in rows if row.line < data[0].line]
    return above, data, [row for row in rows if row.line > data[0].line and not row.is_data]


def _headings(above: list[Row], comments: list[Row], count: int, lines: list[str]) -> tuple[list[str], set[int]]:
    """The headings, units from a line below them included, and the lines where they stand; from a comment, if need be."""
    titles: list[Row] = []
    for row in reversed(above):
        if not (row.is_title or row.has_units):
            break
        titles.insert(0, row)
    cut = [_cut(row, count, lines) for row in titles]
    units = next((i for i, entries in enumerate(cut) if i and _are_units(entries)), None)
    if units is not None:
        names, below = cut[units - 1], [*cut[units], *[""] * count]
        joined = [f"{name} ({unit.strip('()[]')})" if unit else name for name, unit in zip(names, below, strict=False)]
        return joined, {row.line for row in titles[units - 1 :]}
    if titles:
        return cut[-1], {titles[-1].line}
    last = comments[-1] if comments else None
    entries = _cut(last, count, [""] * last.line) if last else []
    if last and len(entries) == count and not Row(0, entries).is_data:
        return entries, {last.line}
    return [], set()


def _cut(row: Row, count: int, lines: list[str]) -> list[str]:
    """The entries of a heading: as they are if their number is right, else cut in whatever way gives that number."""
    text = (lines[row.line - 1] if row.line <= len(lines) else "") or row.entries[0]
    if row.length != count:
        for pattern in _HEADING_CUTS:
            entries = [entry.strip(' "') for entry in re.split(pattern, text.strip())]
            if len(entries) == count:
                return entries
    return row.entries[: row.length]


def _are_units(entries: list[str]) -> bool:
    return any(map(is_unit, entries)) and all(is_unit(entry) or entry.strip("-() ") in ("", "1", "a.u.") for entry in entries)


def _width(headings: list[str], count: int, data: list[Row], path: str) -> int:
    """The number of columns; raises `ValueError` where a row has more entries than there are columns."""
    columns = max(count, len(headings))
    longest = max(data, key=lambda row: row.length)
    if headings and count > len(headings):
        hint = ": decimal commas cannot be told from commas between columns" if count >= 2 * len(headings) - 2 else ""
        raise ValueError(
            f"{path!r} must have a heading for every column, but line {data[0].line} has {count} entries under "
            f"{len(headings)} headings{hint}."
        )
    if longest.length > columns:
        raise ValueError(f"{path!r} must have {columns} entries in every line, but line {longest.line} has {longest.length}.")
    return columns
