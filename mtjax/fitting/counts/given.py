"""Settings that stand in no column: given by hand, in the name of a file, or in a comment above the table."""

from __future__ import annotations

import math
import re
from pathlib import Path

from mtjax.files import Table, in_si, is_unit, number_and_unit, number_in, readings
from mtjax.fitting.counts.columns import COLUMNS, TEXT, recognised

_NOTE = re.compile(r"(.{1,40}?)\s*[=:]\s*(.{1,40})")


def in_words(name: str, text: str | float) -> float | str:
    """The value of a setting as it is written, in SI units; a label stays a label. Raises `ValueError` where it is no number.

    >>> from mtjax.fitting.counts.given import in_words
    >>> in_words("width", "1 ns"), in_words("temperature", 300), in_words("device_id", "B7"), in_words("voltage", "0p75V")
    (1e-09, 300.0, 'B7', 0.75)
    """
    if name not in COLUMNS:
        raise ValueError(f"Values can be given for {', '.join(COLUMNS)}, but not for {name}.")
    if name in TEXT:
        return str(text)
    written = re.sub(r"(?<=\d)p(?=\d)", ".", str(text).strip())
    pair = number_and_unit(written)
    found = re.fullmatch(r"(\S+?)\s*([^\d\s.,].*)", written)
    number, unit = pair or (found.groups() if found else (written, ""))
    value = number_in(number)
    if value is None or not math.isfinite(value):
        si = COLUMNS[name].unit
        raise ValueError(f"The value of `{name}` must be a number{f', in {si} or with a unit' if si else ''}, but is {text!r}.")
    if unit and not is_unit(unit, COLUMNS[name].unit):
        raise ValueError(f"The value of `{name}` must have a unit like {COLUMNS[name].unit or '%'}, but is {text!r}.")
    return float(in_si(value, unit, COLUMNS[name].unit))


def from_name(path: Path, pattern: str) -> dict[str, float | str] | None:
    """The settings in the name of a file; `pattern` has {name} or {heading} for each and * for the rest. `None` if it differs.

    >>> from pathlib import Path
    >>> from mtjax.fitting.counts.given import from_name
    >>> from_name(Path("chip7_295K_2.txt"), "{device_id}_{temperature}_{t_p (ns)}.txt")
    {'device_id': 'chip7', 'temperature': 295.0, 'width': 2e-09}
    """
    inside = re.findall(r"\{([^{}]*)\}", pattern)
    literal = [re.escape(part).replace(r"\*", ".*?") for part in re.split(r"\{[^{}]*\}", pattern)]
    found = re.fullmatch("(.+?)".join(literal), path.name)
    settings = {}
    for word, text in zip(inside, found.groups(), strict=True) if found else ():
        name, unit = _named(word)
        bare = number_in(re.sub(r"(?<=\d)p(?=\d)", ".", text)) is not None
        settings[name] = in_words(name, f"{text} {unit}" if unit and bare else text)
    return settings if found else None


def _named(inside: str) -> tuple[str, str]:
    """Quantity and unit of what stands between braces."""
    for name, unit in readings(inside):
        if name in COLUMNS and (not unit or is_unit(unit, COLUMNS[name].unit)):
            return name, unit
    known = recognised(inside)
    if known is None:
        raise ValueError(f"A pattern of file names can hold {', '.join(COLUMNS)} in braces, but not {inside!r}.")
    return known[:2]


def noted(comment: str) -> tuple[str, float] | None:
    """The setting that a comment states, if any, in SI units.

    >>> from mtjax.fitting.counts.given import noted
    >>> noted("T = 300 K"), noted("pulse width: 1 ns"), noted("sample W12")
    (('temperature', 300.0), ('width', 1e-09), None)
    """
    found = _NOTE.fullmatch(comment)
    known = recognised(found[1]) if found else None
    if found is None or known is None or known[0] in TEXT:
        return None
    try:
        return known[0], float(in_words(known[0], f"{found[2]} {known[1]}".strip()))
    except ValueError:
        return None


def noted_in(table: Table, missing: set[str]) -> dict[str, tuple[float, str]]:
    """Those of the `missing` settings that comments state, each with its line."""
    found: dict[str, tuple[float, str]] = {}
    for row in table.comments:
        note = noted(row.entries[0])
        if note and note[0] in missing:
            if note[0] in found and found[note[0]][0] != note[1]:
                raise ValueError(
                    f"{table.path!r} must state the {note[0]} once, but {found[note[0]][1]} and line {row.line} do."
                )
            found.setdefault(note[0], (note[1], f"line {row.line}, {row.entries[0]!r}"))
    return found
