"""What looks wrong in measured counts, though it may be right."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

_USUAL = (
    ("current", 1e-8, 1.0, "A", "microampere"),
    ("voltage", 1e-4, 20.0, "V", "millivolt"),
    ("width", 1e-12, 0.3, "s", "nanoseconds"),
    ("field", 1e-6, 20.0, "T", "oersted or millitesla"),
    ("temperature", 0.0, 1000.0, "K", "another unit"),
)
"""Between which sizes the largest number of a column usually is; beyond, its unit is doubted, and another one named."""


def remarks(data: Any) -> tuple[str, ...]:
    """What looks wrong in `data`, a `SwitchingData`: one sentence each."""
    return tuple(
        sentence for sentence in (_uneven(data), _coarse(data), *_units(data), _repeats(data), _parts(data)) if sentence
    )


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


def _units(data: Any) -> list[str]:
    """Numbers whose unit is hardly the one of this class: all those of a column are looked at together."""
    said = []
    for name, least, most, unit, other in _USUAL:
        column = getattr(data, name)
        largest = 0.0 if column is None else float(np.abs(column).max())
        if largest > most or 0 < largest < least:
            size = "large" if largest > most else "small"
            said.append(
                f"A {name} of {largest:g} {unit} is unusual{_beside(data, name)}, far too {size} for a junction: are the "
                f"numbers in {unit}, or in {other if largest > most else 'another unit'}?"
            )
    if data.temperature is not None and 15 <= data.temperature.max() <= 45:
        said.append(f"A temperature of {data.temperature.max():g} K is cold: are the numbers in K, or in degrees Celsius?")
    return said


def _beside(data: Any, name: str) -> str:
    """What a width is seen beside."""
    if name != "width":
        return ""
    return f" beside pulses of {np.abs(data.amplitude).max():g} {'A' if data.voltage is None else 'V'}"


def _parts(data: Any) -> str | None:
    """Trials that are no whole number."""
    off = np.abs(data.trials - np.round(data.trials)) > 1e-9
    if not off.any():
        return None
    row = int(np.argmax(off))
    return f"A number of trials should be whole, but is {data.trials[row]:g} in row {row + 1}{_further(np.flatnonzero(off))}."


def _further(rows: Sequence[int] | np.ndarray) -> str:
    """How many rows there are after the first of them."""
    return f" (and {len(rows) - 1} more)" if len(rows) > 1 else ""
