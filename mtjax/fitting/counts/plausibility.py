"""What looks wrong in measured counts, though it may be right."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

_OTHER_UNITS = {"current": "microampere", "voltage": "millivolt", "width": "nanoseconds", "field": "oersted or millitesla"}


def remarks(data: Any) -> tuple[str, ...]:
    """What looks wrong in `data`, a `SwitchingData`: one sentence each."""
    return tuple(sentence for sentence in (_uneven(data), _coarse(data), _unit(data), _repeats(data)) if sentence)


def _uneven(data: Any) -> str | None:
    off = np.abs(data.switched - np.round(data.switched)) > 1e-9
    if not off.any():
        return None
    row = int(np.argmax(off))
    return (
        f"Probability times trials should be a whole number, but is {data.switched[row]:.4g} of {data.trials[row]:g} "
        f"in row {row + 1}{_further(np.flatnonzero(off))}: is the number of trials right?"
    )


def _coarse(data: Any) -> str | None:
    """A step coarser than one trial in all rows at once, if that is no accident (probability below 1 %)."""
    counts = [data.switched, data.trials]
    if any(np.any(x != np.round(x)) for x in counts):
        return None
    step = math.gcd(*(int(x) for column in counts for x in column))
    partial = int(np.sum((data.switched > 0) & (data.switched < data.trials)))
    if step == 1 or step**-partial >= 0.01:
        return None
    trials = int(data.trials.max())
    return (
        f"All switched fractions are multiples of 1/{trials // step}, though {trials} trials are stated: the number of "
        f"trials is probably {trials // step}, and {trials} makes the error bars too small."
    )


def _repeats(data: Any) -> str | None:
    """Rows that are there twice, counts included: more likely copied than measured again."""
    columns = [getattr(data, field.name) for field in dataclasses.fields(data)]
    rows = list(zip(*(column for column in columns if column is not None), strict=True))
    seen = {row: i for i, row in reversed(list(enumerate(rows)))}
    copies = [i for i, row in enumerate(rows) if seen[row] != i]
    if not copies:
        return None
    return (
        f"Row {copies[0] + 1} is the same as row {seen[rows[copies[0]]] + 1}, counts included{_further(copies)}: "
        "if it is a copy rather than a second measurement, the error bars come out too small."
    )


def _unit(data: Any) -> str | None:
    """Numbers that look like microamperes or nanoseconds."""
    for name, limit, unit in (("current", 1.0, "A"), ("voltage", 100.0, "V"), ("width", 1000.0, "s"), ("field", 20.0, "T")):
        column = getattr(data, name)
        if column is not None and np.abs(column).max() > limit:
            other = _OTHER_UNITS[name]
            return f"A {name} of {np.abs(column).max():g} {unit} is unusual: are the numbers in {unit}, or in {other}?"
    return None


def _further(rows: Sequence[int] | np.ndarray) -> str:
    """How many rows there are after the first of them."""
    return f" (and {len(rows) - 1} more)" if len(rows) > 1 else ""
