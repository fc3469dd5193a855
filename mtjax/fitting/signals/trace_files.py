"""Telegraph traces from the files of a laboratory: a column of times, one or more of signals, and the bias of each."""

from __future__ import annotations

import dataclasses
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from mtjax.files import WORKBOOKS, Table, in_si, is_unit, read_table, read_text
from mtjax.fitting.signals.columns import Place, files_in, given, places
from mtjax.fitting.signals.loop_files import Paths
from mtjax.printing import with_unit

_LONG, _HEAD = 5000, 300
_PARTED = {"commas": ",", "semicolons": ";", "tabs": "\t", "bars": "|"}
_SI = ("ohm", "V", "A", "T")
_BIASES = {"current": "A", "voltage": "V", "field": "T"}
_NAMES = ("time", "signal", "bias")
_VALUE = re.compile(r"(?<![\w.])([-+−]?\d+(?:[.,]\d+)?)[ _]?([munpkµμ]?(?:A|V|T|Oe|G))(?![A-Za-z])")


class Trace(NamedTuple):
    """A sampled signal.

    - `time` (s), `signal`: shape (n,); `signal_unit`, `name`: for messages.
    - `bias`, `bias_unit`: what the trace was taken at, A, V or T ("" where not known).

    >>> import numpy as np
    >>> from mtjax.fitting import Trace
    >>> trace = Trace(np.array([0.0, 1e-4]), np.array([1.0, 2.0]), signal_unit="V", bias=5e-3, bias_unit="A", name="a.csv")
    >>> f"{len(trace.time)} samples at {1e3 * trace.bias:.0f} mA"
    '2 samples at 5 mA'
    """

    time: Float[np.ndarray, " n"]
    signal: Float[np.ndarray, " n"]
    signal_unit: str
    bias: float
    bias_unit: str
    name: str


def read_traces(
    paths: Paths,
    *,
    columns: Mapping[str, str] | None = None,
    step: str | float | None = None,
    bias: Sequence[str | float] = (),
    tell: Callable[[str], object] | None = None,
) -> list[Trace]:
    r"""The telegraph traces in files or folders: one for every column of signals, and for every value of a column of biases.

    - `paths`: a file, several, or a folder.
    - `columns`: heading or number of a column, either with a unit, where it is not found out: `time`, `signal`, `bias`.
    - `step`: between samples, where no column holds the times: `"10 us"`.
    - `bias`: of each trace, in order: `("5 mV", "10 mV")`; without it, that of a column of currents, voltages or fields, of the
      headings of the signals, or of the names of the files.
    - `tell`: called with a sentence on every file that says what was understood.

    Raises `ValueError` where a file is missing, or it is not clear what its columns are.

    >>> import pathlib, tempfile
    >>> import mtjax as mtj
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "trace.csv"
    >>> size = path.write_text("t (ms);10 uA;20 uA\n" + "".join(f"{i};{i % 2};{i // 2 % 2}\n" for i in range(20)))
    >>> [f"{len(x.signal)} samples at {1e6 * x.bias:.0f} uA" for x in mtj.fitting.read_traces(path)]
    ['20 samples at 10 uA', '20 samples at 20 uA']
    """
    unknown = sorted({*(columns or {})} - set(_NAMES))
    if unknown:
        raise ValueError(f"Columns can be {', '.join(_NAMES)}, but not {unknown[0]!r}.")
    wait = None if step is None else given("step", str(step), kinds=("s",))
    found = [trace for path in files_in(paths) for trace in _traces(path, columns or {}, wait, tell)]
    if bias:
        return _with_biases(found, bias)
    return _from_names(found) if any(not t.bias_unit for t in found) and len({t.name for t in found}) > 1 else found


def _with_biases(found: list[Trace], bias: Sequence[str | float]) -> list[Trace]:
    if len(bias) != len(found):
        raise ValueError(f"There must be one bias for each trace, but there are {len(bias)} for {len(found)} traces.")
    units = {
        si for text in bias for si in _BIASES.values() if (m := re.search(r"[^\d\s.,eE+-].*$", str(text))) and is_unit(m[0], si)
    }
    if len(units) > 1:
        raise ValueError(f"All biases must be of one kind, but they are in {' and '.join(sorted(units))}.")
    unit = units.pop() if units else "A"
    return [t._replace(bias=given("bias", str(b), kinds=(unit,)), bias_unit=unit) for t, b in zip(found, bias, strict=True)]


def _from_names(found: list[Trace]) -> list[Trace]:
    """Biases in the names of files, where each has just one."""
    values = [_VALUE.findall(Path(t.name).stem.replace("_", " ")) for t in found]
    if not all(len(v) == 1 for v in values):
        return found
    own = [_quantity(*v[0]) for v in values]
    same = len({unit for _, unit in own}) == 1
    return [t._replace(bias=x, bias_unit=u) for t, (x, u) in zip(found, own, strict=True)] if same else found


def _quantity(number: str, unit: str) -> tuple[float, str]:
    si = next(si for si in _BIASES.values() if is_unit(unit, si))
    return float(in_si(float(number.replace(",", ".").replace("−", "-")), unit, si)), si


def _traces(path: Path, columns: Mapping[str, str], step: float | None, tell: Callable[[str], object] | None) -> list[Trace]:
    table, body = _read(path)
    chosen, others = places(table, columns)
    others = [p._replace(unit="") if _states(table.headings[p.column], p.unit) else p for p in others]
    unnamed = _unnamed(table, chosen, others)

    def column(place: Place) -> tuple[np.ndarray, str]:
        si = next((si for si in ("s", *_SI) if place.unit and is_unit(place.unit, si)), "")
        if body is None:
            return table.numbers(place.column, unit=place.unit if si else "", si=si), si
        return np.asarray(in_si(body[:, place.column], place.unit if si else "", si)), si

    times, rest = _time(table, chosen, others, step)
    data = {p.column: column(p) for p in [*rest, *unnamed, *chosen.values()]}
    n = len(next(iter(data.values()))[0]) if data else 0
    time = np.arange(n) * step if times is None and step is not None else column(times or chosen["time"])[0]
    signals, settings = _parted(table, chosen, [*rest, *unnamed], data)
    found = []
    for signal in signals:
        values, unit = data[signal.column]
        heading = table.headings[signal.column]
        for rows, bias, bias_unit in _biases(table, chosen, settings, data, heading, n):
            named = path.name if len(signals) == 1 else f"{path.name}, {heading or f'column {signal.column + 1}'}"
            found.append(Trace(time[rows], values[rows], unit, bias, bias_unit, named))
    if tell:
        shown = ", ".join(f"{table.label(p.column)}" for p in signals)
        at = ", ".join(sorted({with_unit(t.bias, t.bias_unit) for t in found if t.bias_unit}))
        tell(
            f"{path.name!r}: {n} samples over {with_unit(np.ptp(time), 's')}; signal: {shown}" + (f"; bias {at}" if at else "")
        )
    return found


def _states(heading: str, unit: str) -> bool:
    """Whether the unit is that of a bias in the heading, and not of the column."""
    found = _VALUE.search(heading)
    return bool(found and found[2] == unit)


def _read(path: Path) -> tuple[Table, np.ndarray | None]:
    """The table, and for a long text its head and all numbers."""
    if path.suffix.lower() in WORKBOOKS or not path.is_file():
        return read_table(path), None
    lines = read_text(path).split("\n")
    if (alone := _one_column(path, lines)) is not None:
        return alone
    if len(lines) < _LONG:
        return read_table(path), None
    with tempfile.TemporaryDirectory() as folder:
        head = Path(folder) / path.name
        head.write_text("\n".join(lines[:_HEAD]), encoding="utf-8")
        table = dataclasses.replace(read_table(head), path=str(path))
    body = lines[table.rows[0].line - 1 :]
    mark = next((sign for word, sign in _PARTED.items() if word in table.parted), None)
    if table.decimal == "," and mark != ",":
        body = [line.replace(",", ".") for line in body]
    try:
        numbers = np.loadtxt(body, delimiter=mark, comments=None, ndmin=2)
    except ValueError:
        return read_table(path), None
    return table, numbers if numbers.shape[1] == len(table.headings) else None


def _one_column(path: Path, lines: list[str]) -> tuple[Table, np.ndarray] | None:
    """A file of one number a line, with a heading or without; `None` for others."""
    filled = [line.strip() for line in lines if line.strip()]
    titled = int(bool(re.search(r"[^\d\s.+eE-]", filled[0])))
    if not all(re.fullmatch(r"[-+]?[\d.]+(?:[eE][-+]?\d+)?", line) for line in filled[titled:]) or len(filled) <= titled:
        return None
    headings = (filled[0] if titled else "",)
    return Table(str(path), headings, (), ".", (), "blanks"), np.array(filled[titled:], float)[:, None]


def _unnamed(table: Table, chosen: Mapping[str, Place], others: list[Place]) -> list[Place]:
    """Columns whose headings tell nothing, or that have none: signals they may be."""
    taken = {p.column for p in (*chosen.values(), *others)}
    return [Place(i, "", "") for i in range(len(table.headings)) if i not in taken]


def _time(
    table: Table, chosen: Mapping[str, Place], others: list[Place], step: float | None
) -> tuple[Place | None, list[Place]]:
    if "time" in chosen:
        return chosen["time"], [p for p in others if p.kind not in ("time", "width")]
    able = [p for p in others if p.kind in ("time", "width")]
    if step is None and len(able) != 1:
        number = "none" if not able else f"{len(able)}: {', '.join(table.label(p.column) for p in able)}"
        raise ValueError(
            f"{table.path!r} must have one column of times, but has {number} ({table.described}): choose by `columns`, "
            "time='1 (s)', or give the `step` between samples, as '10 us'."
        )
    return (able[0] if step is None else None), [p for p in others if p not in able]


def _parted(
    table: Table, chosen: Mapping[str, Place], able: list[Place], data: Mapping[int, tuple[np.ndarray, str]]
) -> tuple[list[Place], list[Place]]:
    """The columns that hold signals, and those that hold settings."""
    fixed = {p.column for p in chosen.values()}
    able = [p for p in able if p.column not in fixed]
    still = [p for p in able if _is_still(data[p.column][0])]
    if "signal" in chosen:
        return [chosen["signal"]], still
    moving = [p for p in able if p not in still]
    if not moving and len(able) == 1:  # a constant, which is refused in words later
        return able, []
    told = all(_VALUE.search(table.headings[p.column]) for p in moving)
    if len(moving) > 1 and not told:
        named = [p for p in moving if p.kind in ("resistance", "signal")]
        if len(named) != 1:
            names = ", ".join(table.label(p.column) for p in moving)
            raise ValueError(
                f"{table.path!r} must have one column of signals, but {names} could be it: choose by `columns`, signal=..."
            )
        moving = named
    if not moving:
        raise ValueError(f"{table.path!r} must have a column of signals beside the times, but has {table.described}.")
    return moving, still


def _is_still(x: np.ndarray) -> bool:
    """Whether a column is a setting: it changes a few times at most."""
    return bool(len(np.unique(x)) <= 100 and np.sum(np.diff(x) != 0) < 2 * len(np.unique(x)))


def _biases(
    table: Table,
    chosen: Mapping[str, Place],
    settings: list[Place],
    data: Mapping[int, tuple[np.ndarray, str]],
    heading: str,
    n: int,
) -> list[tuple[slice, float, str]]:
    """Stretches of rows at one bias, with its value and unit."""
    able = [chosen["bias"]] if "bias" in chosen else [p for p in settings if p.kind in _BIASES]
    varying = [p for p in able if np.ptp(data[p.column][0]) > 0] or able[:1]
    if len(varying) > 1:
        names = " and ".join(table.label(p.column) for p in varying)
        raise ValueError(f"{table.path!r} must have one bias that changes, but {names} do: choose by `columns`, bias=...")
    stated = _VALUE.search(heading)
    if not varying and stated:
        return [(slice(0, n), *_quantity(*stated.groups()))]
    if not varying:
        return [(slice(0, n), 0.0, "")]
    values, unit = data[varying[0].column]
    ends = [0, *(np.flatnonzero(np.diff(values)) + 1).tolist(), n]
    unit = unit or _BIASES.get(varying[0].kind, "A")
    return [(slice(i, j), float(values[i]), unit) for i, j in zip(ends[:-1], ends[1:], strict=True)]
