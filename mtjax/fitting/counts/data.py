"""Measured switching probabilities, and the files in which they come."""

from __future__ import annotations

import csv
import io
import warnings
from collections.abc import Callable, Iterable, Mapping
from os import PathLike
from typing import Any

import equinox as eqx
import numpy as np
from jaxtyping import Float

from mtjax.checks import Positive, checked
from mtjax.devices import Device
from mtjax.files import write_whole
from mtjax.fitting.counts.plausibility import remarks
from mtjax.fitting.counts.reading import Options, files_of, read_all
from mtjax.printing import Shown, with_unit
from mtjax.quantities import as_numpy

_COLUMNS = ("current", "voltage", "width", "switched", "trials", "field", "temperature", "direction", "device_id")
_TEXT = ("direction", "device_id")


def _column(x: Any) -> np.ndarray | None:
    return None if x is None else np.atleast_1d(as_numpy(x))


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
        for name in _COLUMNS:
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
        columns = {name: getattr(self, name) for name in _COLUMNS}
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

    def pooled(self) -> SwitchingData:
        """Rows of the same setting as one row, with the sums of their counts; the order is that of the first of each.

        >>> import mtjax as mtj
        >>> print(mtj.SwitchingData(current=[8e-6, 9e-6, 8e-6], width=1e-9, switched=[1, 5, 2], trials=10).pooled())
        SwitchingData: 2 settings, 30 trials, 8 switched
          current = 8e-06 ... 9e-06 A
          width = 1e-09 s
        """
        settings = [getattr(self, name) for name in _COLUMNS if name not in ("switched", "trials")]
        keys = list(zip(*(_key(column) for column in settings if column is not None), strict=True))
        first = {key: i for i, key in reversed(list(enumerate(keys)))}
        if len(first) == len(self):
            return self
        rows = sorted(first.values())
        sums = [np.bincount([first[key] for key in keys], column, len(self))[rows] for column in (self.switched, self.trials)]
        found = self.take(np.array(rows))
        return eqx.tree_at(lambda data: (data.switched, data.trials), found, tuple(sums))

    @staticmethod
    @checked
    def read(
        paths: str | PathLike[str] | Iterable[str | PathLike[str]],
        *,
        columns: Mapping[str, str | int | None] | None = None,
        fixed: Mapping[str, float | str] | None = None,
        trials: Positive | None = None,
        names: str | None = None,
        decimal: str | None = None,
        sheet: str | None = None,
        cross_section: float | None = None,
        tell: Callable[[str], Any] | None = print,
    ) -> SwitchingData:
        r"""The data in a laboratory's file, in several, or in a folder of them: text tables of any layout, and workbooks.

        What parts the columns, the decimal mark, the encoding, comments and headings are found out; units are those of the
        headings, "V (mV)", "tp_ns", "I/uA", "P_sw (%)", and SI without. Rows of the same setting are pooled. A file with the
        resistance before and after every shot is counted by its two levels of resistance.

        - `paths`: a file, several, or a folder.
        - `columns`: headings of your own, `{"voltage": "U_write (mV)", "current": None}`, or numbers of columns from 1, with a
          unit where wanted, `{"voltage": "1 (mV)"}`; `None` ignores a column.
        - `fixed`: settings that are the same in all rows, `{"width": "1 ns", "temperature": 300}`.
        - `trials`: number of trials of every row, in place of the file's; the switched fractions stay.
        - `names`: settings in the names of files, as "chip_{temperature (K)}_{width (ns)}.txt".
        - `decimal`: the mark before fractions, "," or "."; `sheet`: of a workbook. Both are found out where that is possible.
        - `cross_section`: m^2, for files with current densities.
        - `tell`: what is called with each line on what was understood; `None` for silence.

        Warns (`UserWarning`) of what is unlikely. Raises `ValueError` where the file is missing, damaged or no table, where a
        column is missing or can be read in two ways, an entry is no number, or columns contradict each other.

        >>> import pathlib, tempfile
        >>> import mtjax as mtj
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "W12.txt"
        >>> size = path.write_text("# T = 300 K\nVpulse_mV;tp_ns;Psw (%)\n450;1,5;3,0\n500;1,5;41,0\n550;1,5;97,0\n")
        >>> data = mtj.SwitchingData.read(path, trials=100)
        'W12.txt': 3 rows in lines 3 to 5, parted by semicolons, with decimal commas
          voltage: 'Vpulse_mV' in mV: 450 mV ... 550 mV
          width: 'tp_ns' in ns: 1.5 ns
          probability: 'Psw (%)' in %: 0.03 ... 0.97
          trials: 100 (given)
          not used: 'T = 300 K' in line 1 (as a setting: --fixed temperature=300)
        3 settings, 300 trials, 141 switched
        """
        options = Options(columns or {}, fixed or {}, trials, names, decimal, sheet, cross_section)
        files, lines = files_of(paths, names)
        found, told = read_all(files, options)
        rows = SwitchingData(**found)
        data = rows.pooled()
        pooled = f" from {len(rows)} rows" if len(rows) > len(data) else ""
        lines += [*told, f"{len(data)} settings{pooled}, {data.trials.sum():.6g} trials, {data.switched.sum():.6g} switched"]
        if tell is not None:
            for line in lines:
                tell(line)
        for sentence in dict.fromkeys((*(() if _are_shots(rows) else rows.warnings), *data.warnings)):
            warnings.warn(sentence, stacklevel=2)
        return data

    @staticmethod
    def read_csv(
        path: str | PathLike[str], *, columns: Mapping[str, str | int | None] | None = None, trials: float | None = None
    ) -> SwitchingData:
        """What `read` reads, in silence."""
        return SwitchingData.read(path, columns=columns, trials=trials, tell=None)

    def write_csv(self, path: str | PathLike[str]) -> None:
        """Write the columns that are given, under the names of this class, so that `read_csv` reads them again."""
        columns = {name: getattr(self, name) for name in _COLUMNS}
        columns = {name: column for name, column in columns.items() if column is not None}
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        writer.writerow(columns)
        writer.writerows(zip(*(x if name in _TEXT else map(_number, x) for name, x in columns.items()), strict=True))
        write_whole(path, text.getvalue())


def _repeated(x: Any, rows: int) -> Any:
    return np.full(rows, as_numpy(x)) if np.ndim(x) == 0 else x


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


def _key(column: Any) -> list[Any]:
    """What is the same for entries of the same setting."""
    if isinstance(column, tuple):
        return list(column)
    return [float(f"{x:.9g}") for x in column]


def _are_shots(data: SwitchingData) -> bool:
    return bool(np.all(data.trials == 1))
