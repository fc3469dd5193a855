"""Tables with a column for every pulse width, temperature or field, and what switched below: made into a row a setting."""

from __future__ import annotations

import dataclasses
import re
from typing import Any, NamedTuple

from mtjax.files import Table, is_unit, number_in
from mtjax.fitting.counts.columns import COLUMNS, recognised
from mtjax.fitting.counts.outcomes import OUTCOMES

_VALUE = re.compile(r"[=@,]?\s*([+-]?\d+(?:[.,p]\d+)?(?:[eE][+-]?\d+)?)\s*([^\W\d_]{1,4}|°C)(?![^\W_])")
_SETTINGS = ("width", "temperature", "field", "voltage", "current")


class _Wide(NamedTuple):
    """What a heading says: the setting with its value and unit, and what stands in the column."""

    setting: str
    value: str
    outcome: str


def unfolded(table: Table) -> Table:
    """The same table with a row for each entry of such columns; as it is, where there are fewer than two of them."""
    if any((known := recognised(heading)) and known[0] in OUTCOMES for heading in table.headings):
        return table
    wide = {i: found for i, heading in enumerate(table.headings) if (found := _wide(heading))}
    kinds = {(found.setting, found.outcome) for found in wide.values()}
    if len(wide) < 2 or len(kinds) > 1:
        return table
    setting, outcome = kinds.pop()
    kept = [i for i in range(len(table.headings)) if i not in wide]
    rows = [
        dataclasses.replace(row, entries=[*(row.entries[i] for i in kept), found.value, row.entries[place]])
        for place, found in wide.items()
        for row in table.rows
        if row.entries[place]
    ]
    return dataclasses.replace(
        table, headings=(*(table.headings[i] for i in kept), setting, outcome or _guess(table, rows)), rows=tuple(rows)
    )


def _wide(heading: str) -> _Wide | None:
    """A heading such as "P(1 ns)", "Psw @ 300 K (%)" or "2 ns"; `None` for others."""
    for found in _VALUE.finditer(heading):
        number, unit = found[1].replace(",", ".").replace("p", "."), found[2]
        setting = next((name for name in _SETTINGS if is_unit(unit, COLUMNS[name].unit)), None)
        rest = re.sub(r"\(\s*\)|\[\s*\]", "", heading[: found.start()] + heading[found.end() :])
        rest = re.sub(r"(?<=[\s_])(?:at|for|tp|t|T|w|width|H|B|V|I)\s*$|[@=,_\s]+$", "", rest.strip()).strip(" _@=,")
        known = recognised(rest) if rest else None
        if setting and (not rest or (known and known[0] in OUTCOMES)) and number_in(number) is not None:
            return _Wide(setting, f"{number} {unit}", rest)
    return None


def _guess(table: Table, rows: list[Any]) -> str:
    """What stands under headings of settings only: shares, if they can be nothing else; raises `ValueError` otherwise."""
    numbers = [number_in(row.entries[-1], table.decimal) for row in rows]
    if all(x is not None and 0 <= x <= 1 for x in numbers) and any(x is not None and x % 1 > 0 for x in numbers):
        return "probability"
    raise ValueError(
        f"{table.path!r} must say in its headings what stands below {table.described}: counts, as 'switched 1 ns', or shares "
        "or per cent, as 'P 1 ns (%)'."
    )
