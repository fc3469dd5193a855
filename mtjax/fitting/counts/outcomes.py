"""How often it switched, from whatever columns say so: counts, errors, shares, per cent, or one row a shot."""

from __future__ import annotations

from typing import Any

import numpy as np

from mtjax.files import Table
from mtjax.fitting.counts.columns import Column

OUTCOMES = ("switched", "errors", "probability", "error_rate")
_SHARES = ("probability", "error_rate")
_RULES = (
    ("width", "positive", lambda x: x > 0),
    ("trials", "positive", lambda x: x > 0),
    ("temperature", "positive", lambda x: x > 0),
    ("switched", "at least 0", lambda x: x >= 0),
    ("errors", "at least 0", lambda x: x >= 0),
    ("probability", "between 0 and 1", lambda x: (x >= 0) & (x <= 1)),
    ("error_rate", "between 0 and 1", lambda x: (x >= 0) & (x <= 1)),
)


def check(table: Table, found: dict[str, Column], values: dict[str, Any]) -> None:
    """Raise `ValueError` at the first number that cannot be, with its line, and where per cent may be shares."""
    for name, rule, good in _RULES:
        bad = np.flatnonzero(~good(values[name])) if name in values else np.array([], int)
        if len(bad):
            where = f" in line {table.rows[bad[0]].line} of {table.path!r}" if name in found else ""
            hint = _maybe_per_cent(table, found, name) if name in _SHARES and 1 < values[name].max() <= 100 else ""
            raise ValueError(f"`{name}` of switching data must be {rule}, but is {values[name][bad[0]]:g}{where}{hint}.")
    for name in _SHARES:
        column = found.get(name)
        if column and column.unit and not column.chosen and 0 < values[name].max() <= 0.01:
            raise ValueError(
                f"{table.label(column.place)} of {table.path!r} can be per cent, as its heading says, and never above 1 %, or "
                f"shares up to {100 * values[name].max():g}: if it is per cent, choose it by `columns`, "
                f"{name}={table.headings[column.place]!r}; if not, correct the heading."
            )


def _maybe_per_cent(table: Table, found: dict[str, Column], name: str) -> str:
    if name not in found or found[name].unit:
        return ""
    heading = table.headings[found[name].place] or found[name].place + 1
    choices = f"{name}='{heading} (%)' or switched='{heading}'"
    return f": it may be per cent, or a count out of the trials; say which by `columns`, {choices}"


def counted(
    table: Table, found: dict[str, Column], values: dict[str, Any], trials: float | None, rows_repeat: bool  # noqa: FBT001
) -> tuple[np.ndarray, np.ndarray, list[str]]:  # fmt: skip
    """Switched and trials of every row, and what is to be told; raises `ValueError` where columns contradict each other."""
    stated, told = _stated(values, trials, len(table.rows)), []
    if stated is None and rows_repeat and "switched" in values and np.isin(values["switched"], (0, 1)).all():
        stated, told = np.ones(len(table.rows)), ["  every row is one shot"]
    if stated is None:
        raise ValueError(
            f"{table.path!r} must have a column `trials`, or the number of trials must be given (`trials`, --trials), "
            f"but has {table.described}."
        )
    actual = stated if trials is None else np.full(len(table.rows), float(trials))
    share = _agreed(table, found, values, stated)
    for name in {"switched", "errors"} & values.keys():
        if np.all(values[name] <= 1) and np.any(values[name] % 1 > 0) and name in found:
            other = "probability" if name == "switched" else "error_rate"
            raise ValueError(
                f"{table.label(found[name].place)} of {table.path!r} must hold counts, but holds shares between 0 and 1: "
                f"choose it by `columns` as {other}={table.headings[found[name].place]!r}."
            )
    switched = share * actual
    whole = np.round(switched)
    return np.where(np.abs(switched - whole) < 1e-6 * np.maximum(actual, 1.0), whole, switched), actual, told


def _stated(values: dict[str, Any], trials: float | None, rows: int) -> np.ndarray | None:
    """The numbers of trials that counts refer to."""
    if "trials" in values:
        return values["trials"]
    if {"switched", "errors"} <= values.keys():
        return values["switched"] + values["errors"]
    return None if trials is None else np.full(rows, float(trials))


def _agreed(table: Table, found: dict[str, Column], values: dict[str, Any], trials: np.ndarray) -> np.ndarray:
    """The switched share; raises `ValueError` where two columns say different ones, or a count exceeds the trials."""
    said = {name: _share(name, values[name], trials) for name in OUTCOMES if name in values}
    for name, share in said.items():
        over = np.flatnonzero((share > 1 + 1e-12) | (share < -1e-12))
        if len(over):
            i = int(over[0])
            raise ValueError(
                f"`{name}` of switching data must be at most the number of trials, but is {values[name][i]:g} of {trials[i]:g} "
                f"in line {table.rows[i].line} of {table.path!r}."
            )
    first = next(iter(said))
    for other in list(said)[1:]:
        off = np.abs(said[first] - said[other]) > _rounding(values, first) + _rounding(values, other) + 1e-9
        if off.any():
            i = int(np.argmax(off))
            names = [table.label(found[name].place) if name in found else name for name in (first, other)]
            raise ValueError(
                f"{table.path!r} must say the same in {names[0]} and {names[1]}, but in line {table.rows[i].line} they give "
                f"the shares {said[first][i]:.4g} and {said[other][i]:.4g}: leave one out by `columns`, {other}=None "
                f"(--columns {other}=)."
            )
    return said[first]


def _share(name: str, x: np.ndarray, trials: np.ndarray) -> np.ndarray:
    share = x if name in _SHARES else x / trials
    return 1 - share if name in ("errors", "error_rate") else share


def _rounding(values: dict[str, Any], name: str) -> float:
    """Half of the last digit to which a column of shares is rounded; 0 for counts."""
    if name not in _SHARES:
        return 0.0
    digits = (n for n in range(1, 9) if np.allclose(values[name], np.round(values[name], n), rtol=0, atol=1e-12))
    return 10.0 ** -next(digits, 9) / 2
