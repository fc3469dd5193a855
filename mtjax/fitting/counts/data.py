"""Measured switching probabilities, and their CSV file."""

from __future__ import annotations

import csv
import math
import warnings
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import equinox as eqx
import numpy as np
from jaxtyping import Float

from mtjax.devices import Device
from mtjax.files import as_number, read_rows
from mtjax.fitting.counts.plausibility import remarks
from mtjax.printing import Shown, with_unit

COLUMNS: dict[str, tuple[str, ...]] = {
    "current": ("current", "I", "current_A"),
    "voltage": ("voltage", "V", "voltage_V"),
    "width": ("width", "t_p", "pulse_width", "width_s"),
    "switched": ("switched", "n_switched"),
    "trials": ("trials", "n_reps", "n_trials"),
    "errors": ("errors", "n_errors", "failures"),
    "probability": ("probability", "P_sw", "psw"),
    "field": ("field", "B", "field_T"),
    "temperature": ("temperature", "T", "temperature_K"),
    "direction": ("direction",),
    "device_id": ("device_id", "device"),
}
"""The columns of a file, and the headings by which they are recognised."""
_COUNTED = {"probability", "errors"}
"""Other ways to give `switched`."""
_TEXT = ("direction", "device_id")


def _column(x: Any) -> np.ndarray | None:
    return None if x is None else np.atleast_1d(np.asarray(x, float))


def _labels(x: Any) -> tuple[str, ...] | None:
    return None if x is None else tuple(str(label) for label in x)


class SwitchingData(Shown):
    """How often a device switched, one setting of the pulse per row; n rows.

    - `width`: of the pulse, shape (n,), s.
    - `switched`, `trials`: how often it switched, out of how many, shape (n,).
    - `current` (A) or `voltage` (V, across the write resistance): amplitude of the pulse, shape (n,); one of the two.
    - `field`: strength of the applied field, along the direction that the device's has, shape (n,), T; or `None`.
    - `temperature`: K, shape (n,); or `None` for the device's own.
    - `direction`, `device_id`: a label per row, or `None`.

    Numbers of one row may be given as scalars where all rows share them. Raises `ValueError` where both or neither of
    current and voltage are given, lengths differ, a number is not finite, a width is not positive, a number of trials
    is not positive, or the device switched less often than never or more often than tried.

    >>> import mtjax as mtj
    >>> data = mtj.SwitchingData(current=[8e-6, 9e-6, 10e-6], width=100e-9, switched=[3, 10, 19], trials=100)
    >>> print(data)
    SwitchingData: 3 settings, 300 trials, 32 switched
      current = 8e-06 ... 1e-05 A
      width = 1e-07 s
    >>> print(", ".join(f"{p:.2f}" for p in data.probability))
    0.03, 0.10, 0.19
    """

    width: Float[np.ndarray, " n"] = eqx.field(converter=_column)
    switched: Float[np.ndarray, " n"] = eqx.field(converter=_column)
    trials: Float[np.ndarray, " n"] = eqx.field(converter=_column)
    current: Float[np.ndarray, " n"] | None = eqx.field(converter=_column, default=None)
    voltage: Float[np.ndarray, " n"] | None = eqx.field(converter=_column, default=None)
    field: Float[np.ndarray, " n"] | None = eqx.field(converter=_column, default=None)
    temperature: Float[np.ndarray, " n"] | None = eqx.field(converter=_column, default=None)
    direction: tuple[str, ...] | None = eqx.field(converter=_labels, default=None, static=True)
    device_id: tuple[str, ...] | None = eqx.field(converter=_labels, default=None, static=True)

    def __init__(
        self, *, width, switched, trials, current=None, voltage=None, field=None, temperature=None, direction=None,
        device_id=None,
    ):  # fmt: skip
        """Bring all columns to the length of the amplitude."""
        if (current is None) == (voltage is None):
            which = "neither" if current is None else "both"
            raise ValueError(f"Switching data must hold either `current` or `voltage`, but hold {which}.")
        amplitude: Any = current if voltage is None else voltage
        rows = np.size(amplitude)
        self.current, self.voltage = current, voltage
        self.width, self.switched, self.trials = (_repeated(x, rows) for x in (width, switched, trials))
        self.field, self.temperature = (None if x is None else _repeated(x, rows) for x in (field, temperature))
        self.direction, self.device_id = direction, device_id

    def __check_init__(self):
        rows = len(self)
        if rows == 0:
            raise ValueError("Switching data must have at least one row, but have none.")
        for name in COLUMNS.keys() - _COUNTED:
            column = getattr(self, name)
            if column is not None and len(column) != rows:
                raise ValueError(f"`{name}` must have {rows} rows like the amplitudes, but has {len(column)}.")
        for name in ("current", "voltage", "width", "trials", "switched", "field", "temperature"):
            _check(name, getattr(self, name), np.isfinite, "finite")
        for name in ("width", "trials", "temperature"):
            _check(name, getattr(self, name), lambda x: x > 0, "positive")
        _check("switched", self.switched, lambda x: x >= 0, "at least 0")
        _check("switched", self.switched, lambda x: x <= self.trials * (1 + 1e-12), "at most the number of trials")

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.amplitude)

    def __str__(self) -> str:
        """Number of rows, ranges, and labels."""
        unit = "A" if self.voltage is None else "V"
        lines = [
            f"SwitchingData: {len(self)} settings, {self.trials.sum():.6g} trials, {self.switched.sum():.6g} switched",
            f"  {'current' if self.voltage is None else 'voltage'} = {_range(self.amplitude)} {unit}",
            f"  width = {_range(self.width)} s",
        ]
        for name, unit in (("field", "T"), ("temperature", "K")):
            column = getattr(self, name)
            lines += [] if column is None else [f"  {name} = {_range(column)} {unit}"]
        for name in _TEXT:
            lines += [f"  {name} = {', '.join(self.labels(name))}"] if self.labels(name) else []
        return "\n".join(lines)

    @property
    def amplitude(self) -> Float[np.ndarray, " n"]:
        """The column that is given: current (A) or voltage (V)."""
        return self.voltage if self.current is None else self.current  # type: ignore[return-value]

    @property
    def probability(self) -> Float[np.ndarray, " n"]:
        """Switched fraction."""
        return self.switched / self.trials

    def currents(self, device: Device) -> Float[np.ndarray, " n"]:
        """Current through `device` in every row, A: the voltage over its write resistance where voltages are given."""
        return self.amplitude if self.voltage is None else self.voltage / np.asarray(device.write_resistance)

    def labels(self, name: str) -> tuple[str, ...]:
        """The different labels in the column `name` ("direction" or "device_id"), sorted; empty without the column."""
        return tuple(sorted(set(getattr(self, name) or ())))

    def select(self, *, direction: str | None = None, device_id: str | None = None) -> SwitchingData:
        """The rows of one direction, of one device, or both; raises `ValueError` where there are none."""
        keep = np.ones(len(self), bool)
        for name, wanted in (("direction", direction), ("device_id", device_id)):
            if wanted is not None:
                keep &= np.array([label == wanted for label in getattr(self, name) or [None] * len(self)])
        if not keep.any():
            raise ValueError(
                f"No row has direction {direction!r} and device {device_id!r} (None: any); there are the directions "
                f"{list(self.labels('direction'))} and the devices {list(self.labels('device_id'))}."
            )
        return self.take(np.flatnonzero(keep))

    def take(self, rows: np.ndarray) -> SwitchingData:
        """The rows of these numbers."""
        columns = {name: getattr(self, name) for name in COLUMNS if name not in _COUNTED}
        return SwitchingData(
            **{name: x if x is None else [x[i] for i in rows] if name in _TEXT else x[rows] for name, x in columns.items()}
        )

    def series(self) -> list[str]:
        """For every row a label of all that is the same along a curve: width, field, temperature, direction, device."""
        columns = [("s", self.width), ("T", self.field), ("K", self.temperature)]
        parts = [[with_unit(x, unit) for x in column] for unit, column in columns if column is not None and np.ptp(column) > 0]
        parts += [list(column) for column in (self.direction, self.device_id) if column is not None and len(set(column)) > 1]
        return [", ".join(row) for row in zip(*parts, strict=True)] if parts else [""] * len(self)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What looks wrong, though it may be right: one sentence each."""
        return remarks(self)

    @staticmethod
    def read_csv(
        path: str | PathLike[str],
        *,
        columns: Mapping[str, str | None] | None = None,
        trials: float | None = None,
    ) -> SwitchingData:
        """The data in a CSV file with a heading, one setting of the pulse per row.

        Columns: `current` (A) or `voltage` (V); `width` (s); `switched` (or `errors`, the number of trials that did not
        switch, as for write error rates) and `trials`, or `probability` and `trials`;
        and where wanted `field` (T), `temperature` (K), `direction`, `device_id`. The headings in
        `mtjax.fitting.counts.data.COLUMNS` are recognised; others are ignored.

        - `columns`: headings of your own, `{"voltage": "V_write", "current": None}`; `None` ignores a column.
        - `trials`: number of trials of every row, in place of the column `trials`; the switched fractions stay.

        Warns (`UserWarning`) where fractions and trials do not go together. Raises `ValueError` where the file is
        missing or empty, a column is missing, an entry is no number, or `SwitchingData` would.
        """
        table = read_rows(Path(path))
        found = _locate(table[0].keys(), dict(columns or {}), str(path))
        read = {name: _entries(table, heading, name, str(path)) for name, heading in found.items()}
        data = SwitchingData(**_counts(read, trials, str(path)))
        for sentence in data.warnings:
            warnings.warn(sentence, stacklevel=2)
        return data

    def write_csv(self, path: str | PathLike[str]) -> None:
        """Write the columns that are given, under the names of this class, so that `read_csv` reads them again."""
        columns = {name: getattr(self, name) for name in COLUMNS if name not in _COUNTED}
        columns = {name: column for name, column in columns.items() if column is not None}
        with open(path, "w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(columns)
            writer.writerows(zip(*(x if name in _TEXT else map(_number, x) for name, x in columns.items()), strict=True))


def _repeated(x: Any, rows: int) -> Any:
    return np.full(rows, x, float) if np.ndim(x) == 0 else x


def _number(x: float) -> str:
    return str(int(x)) if float(x).is_integer() and abs(x) < 1e15 else repr(float(x))


def _range(x: np.ndarray) -> str:
    return f"{x.min():.4g}" if x.min() == x.max() else f"{x.min():.4g} ... {x.max():.4g}"


def _check(name: str, column: np.ndarray | None, good, rule: str) -> None:
    """Raise `ValueError` at the first entry that is not `good`."""
    if column is None or np.all(good(column)):
        return
    row = int(np.argmin(good(column)))
    raise ValueError(f"`{name}` of switching data must be {rule}, but is {column[row]:g} in row {row + 1}.")


def _locate(headings, columns: dict[str, str | None], path: str) -> dict[str, str]:
    """Which heading holds which column; the user's own choice first."""
    headings = [h for h in headings if h is not None]
    unknown = sorted(columns.keys() - COLUMNS.keys())
    if unknown:
        raise ValueError(f"Columns can be named for {', '.join(COLUMNS)}, but not for {', '.join(unknown)}.")
    absent = sorted(h for h in columns.values() if h is not None and h not in headings)
    if absent:
        raise ValueError(f"{path!r} must have the columns {', '.join(absent)}, but has {', '.join(headings)}.")
    found = {name: columns.get(name) for name in columns}
    for name, aliases in COLUMNS.items():
        if name not in columns:
            found[name] = next((alias for alias in aliases if alias in headings), None)
    present = {name: heading for name, heading in found.items() if heading is not None}
    _require_columns(present, headings, path)
    return present


def _require_columns(found: dict[str, str], headings: list[str], path: str) -> None:
    has = f"but has {', '.join(headings)}"
    if {"current", "voltage"} <= found.keys():
        raise ValueError(f"{path!r} must give the amplitude as current or as voltage, not both; choose by `columns`.")
    if not {"current", "voltage"} & found.keys():
        raise ValueError(f"{path!r} must have a column `current` (A) or `voltage` (V), {has}.")
    if "width" not in found:
        raise ValueError(f"{path!r} must have a column `width` (s), {has}.")
    if not {"switched", "probability", "errors"} & found.keys():
        raise ValueError(f"{path!r} must have a column `switched` or `probability` (or `errors`), {has}.")


def _entries(table: list[dict[str, str]], heading: str, name: str, path: str) -> list[Any]:
    if name in _TEXT:
        return [(row.get(heading) or "").strip() for row in table]
    return [as_number(row.get(heading), heading, i + 1, path, finite=False) for i, row in enumerate(table)]


def _counts(read: dict[str, Any], trials: float | None, path: str) -> dict[str, Any]:
    """The arguments of `SwitchingData`: fractions turned into counts."""
    if trials is None and "trials" not in read:
        raise ValueError(f"{path!r} must have a column `trials`, or the number of trials must be given.")
    if trials is not None and not (math.isfinite(trials) and trials > 0):
        raise ValueError(f"The number of trials must be finite and positive, but is {trials:g}.")
    stated = np.asarray(read.get("trials", np.full(len(read["width"]), trials)), float)
    actual = stated if trials is None else np.full(stated.shape, float(trials))
    rest = {name: x for name, x in read.items() if name not in ("trials", "probability", "switched", "errors")}
    if "switched" not in read and "errors" in read:
        read = {**read, "switched": stated - np.asarray(read["errors"], float)}
    if "switched" in read:
        _check("trials", stated, lambda x: x > 0, "positive")
        switched = np.asarray(read["switched"]) * (actual / stated)
    else:
        p = np.asarray(read["probability"], float)
        _check("probability", p, lambda p: np.isfinite(p) & (p >= 0) & (p <= 1), "between 0 and 1")
        switched = p * actual
    whole = np.round(switched)
    switched = np.where(np.abs(switched - whole) < 1e-6 * np.maximum(actual, 1.0), whole, switched)
    return {**rest, "trials": actual, "switched": switched}
