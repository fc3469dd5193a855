"""A sweep's folder: what is swept, and the points that are done, each file written whole or not at all.

`sweep.json` says what the sweep is; `points-2-of-4.nc` holds the points of shard 2 of 4 that are done, one labelled data set
(xarray, netCDF). A point that stands in any file of the folder is not worked out again.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mtjax.checks import Count, checked
from mtjax.files import classes_in, decode, encode, write_whole
from mtjax.printing import describe
from mtjax.progress import progress_bar
from mtjax.quantities import need
from mtjax.sweeps.sweep import Answer, Sweep

if TYPE_CHECKING:
    from xarray import Dataset
_SHARE = 0.05
"""Largest part of the time that is spent on writing."""
_COLUMNS = {
    "probability": "switching probability",
    "complement": "probability of not switching",
    "stderr": "standard error of both, where they were sampled",
}


@checked
def run(sweep: Sweep, folder: Path, shard: tuple[Count, Count] = (1, 1), *, progress: bool = False) -> Path:
    """Work out the points of a shard that are not in the folder yet; returns the file that holds them.

    `shard`: which one of how many, from 1: shard i of n has the points i - 1, i - 1 + n, ...; killed at any moment, it goes on
    from what was written when it is started again.

    Raises `ValueError` where the folder belongs to another sweep, or there is no such shard, `ImportError` without xarray.

    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> import mtjax as mtj
    >>> device, folder = mtj.presets.perpendicular_stt(40.0), pathlib.Path(tempfile.mkdtemp())
    >>> axis = mtj.Axis("current", np.array([0.6, 0.65]) * float(device.critical_current))
    >>> sweep = mtj.Sweep(device, (axis,), mtj.ThermalActivation(), width=1e-7)
    >>> mtj.sweeps.run(sweep, folder).name
    'points-1-of-1.nc'
    """
    need("xarray", "A sweep")
    which, of = shard
    if not 1 <= which <= of:
        raise ValueError(f"The shard must be one from 1/{of} to {of}/{of}, but is {which}/{of}.")
    _claim(sweep, folder)
    path = folder / f"points-{which}-of-{of}.nc"
    for leftover in folder.glob(f"{path.name}.*.part"):
        leftover.unlink(missing_ok=True)
    done, own = answers(folder), _read(path) if path.exists() else {}
    mine = range(which - 1, sweep.size, of)
    rest = [number for number in mine if number not in done]
    keep = _Keeper(lambda: _write(path, _table(sweep, own)))
    sizes = {"total": len(mine), "initial": len(mine) - len(rest)}
    with progress_bar(f"shard {which}/{of}", shown=progress, unit=" points", **sizes) as bar:
        for number in rest:
            own[number] = sweep.answer(number)
            keep(last=number == rest[-1])
            bar.update()
    if not path.exists():
        keep(last=True)
    return path


class _Keeper:
    """Writes as often as `_SHARE` allows, and at the end."""

    def __init__(self, write: Callable[[], None]):
        self.write, self.due = write, 0.0

    def __call__(self, *, last: bool) -> None:
        before = time.monotonic()
        if last or before >= self.due:
            self.write()
            after = time.monotonic()
            self.due = after + (after - before) / _SHARE


def answers(folder: Path) -> dict[int, Answer]:
    """Every point that stands in a folder, by its number; raises `ImportError` without xarray.

    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> import mtjax as mtj
    >>> device, folder = mtj.presets.perpendicular_stt(40.0), pathlib.Path(tempfile.mkdtemp())
    >>> axis = mtj.Axis("current", np.array([0.6, 0.65]) * float(device.critical_current))
    >>> path = mtj.sweeps.run(mtj.Sweep(device, (axis,), mtj.ThermalActivation(), width=1e-7), folder)
    >>> [f"{number}: {answer.value:.3f}" for number, answer in mtj.sweeps.answers(folder).items()]
    ['0: 0.205', '1: 0.642']
    """
    need("xarray", "A sweep")
    found: dict[int, Answer] = {}
    for path in sorted(folder.glob("points-*-of-*.nc")):
        found = _read(path) | found
    return found


def merged(folder: Path, classes: tuple[type, ...] = ()) -> Dataset:
    """All points of a sweep as one labelled data set, one dimension for every swept quantity.

    `classes`: of your own that are in the sweep, where they are not registered by `mtjax.files.register`.

    Raises `ValueError` where the folder holds no sweep, or points are missing, `ImportError` without xarray.

    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> import mtjax as mtj
    >>> device, folder = mtj.presets.perpendicular_stt(40.0), pathlib.Path(tempfile.mkdtemp())
    >>> axis = mtj.Axis("current", np.array([0.6, 0.65]) * float(device.critical_current))
    >>> path = mtj.sweeps.run(mtj.Sweep(device, (axis,), mtj.ThermalActivation(), width=1e-7), folder)
    >>> found = mtj.sweeps.merged(folder)
    >>> found.probability.dims, [f"{p:.3f}" for p in found.probability.values], found.current.units
    (('current',), ['0.205', '0.642'], 'A')
    """
    xarray = _xarray()
    sweep, found = sweep_in(folder, classes), answers(folder)
    missing = sorted(set(range(sweep.size)) - set(found))
    if missing:
        raise ValueError(
            f"All {sweep.size} points of the sweep in '{folder}' must be there, but {len(missing)} are missing, the first of "
            f"them number {missing[0]}: run its shards to their end."
        )
    columns = {
        name: (sweep.names, np.array([found[n][i] for n in range(sweep.size)]).reshape(sweep.shape), {"long_name": text})
        for i, (name, text) in enumerate(_COLUMNS.items())
    }
    coordinates = {axis.name: (axis.name, axis.values, {"units": sweep.unit(axis.name)}) for axis in sweep.axes}
    return xarray.Dataset(columns, coordinates, _attributes(sweep, found))


def write_merged(folder: Path, classes: tuple[type, ...] = ()) -> tuple[Dataset, Path]:
    """`merged`, written to sweep.nc in the folder.

    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> import mtjax as mtj
    >>> device, folder = mtj.presets.perpendicular_stt(40.0), pathlib.Path(tempfile.mkdtemp())
    >>> axis = mtj.Axis("current", np.array([0.6, 0.65]) * float(device.critical_current))
    >>> path = mtj.sweeps.run(mtj.Sweep(device, (axis,), mtj.ThermalActivation(), width=1e-7), folder)
    >>> found, path = mtj.sweeps.write_merged(folder)
    >>> dict(found.sizes), path.name
    ({'current': 2}, 'sweep.nc')
    """
    found, path = merged(folder, classes), folder / "sweep.nc"
    _write(path, found)
    return found, path


def sweep_in(folder: Path, classes: tuple[type, ...] = ()) -> Sweep:
    """The sweep that a folder belongs to; raises `ValueError` where it holds none, or one of unknown classes."""
    try:
        encoded = json.loads((folder / "sweep.json").read_text())["sweep"]
    except (OSError, ValueError, KeyError, TypeError):
        encoded = None
    found = decode(encoded, classes) if isinstance(encoded, dict) and "class" in encoded else None
    if not isinstance(found, Sweep):
        raise ValueError(f"'{folder}' must be the folder of a sweep, but holds no sweep.json that mtjax wrote.")
    return found


def _claim(sweep: Sweep, folder: Path) -> None:
    """Write sweep.json, or find the same sweep there."""
    wanted = json.dumps({"mtjax": version("mtjax"), "sweep": encode(sweep)}, indent=1)
    path = folder / "sweep.json"
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"The output folder must be a folder, but '{folder}' is a file.")
    if not path.exists() and folder.is_dir() and any(folder.glob("[!.]*")):
        raise ValueError(f"The output folder '{folder}' must be empty, new, or that of this sweep: choose another --out.")
    folder.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        write_whole(path, wanted)  # shards that start together write the same
    found, wanted = _description(path), json.loads(wanted)
    if found != wanted and _today(found, sweep) != wanted:
        raise ValueError(
            f"The folder '{folder}' must be that of this sweep, but belongs to another, with a different "
            f"{_difference(found, wanted)}: choose another --out."
        )


def _description(path: Path) -> Any:
    """What stands in sweep.json; raises `ValueError` where it is damaged."""
    try:
        return json.loads(path.read_text())
    except ValueError:
        raise ValueError(f"'{path}' must be what mtjax wrote, but is damaged: remove it, or choose another --out.") from None


def _today(found: Any, sweep: Sweep) -> Any:
    """The content of sweep.json as it would be written today."""
    try:
        return {**found, "sweep": encode(decode(found["sweep"], classes_in(sweep)))}
    except (ValueError, KeyError, TypeError):
        return found


def _difference(found: Any, wanted: dict[str, Any]) -> str:
    """The first part in which two descriptions of sweeps differ."""
    if not isinstance(found, dict) or found.get("mtjax") != wanted["mtjax"]:
        return "version of mtjax"
    return next((name for name, value in wanted["sweep"].items() if found["sweep"].get(name) != value), "content")


def _table(sweep: Sweep, found: dict[int, Answer]) -> Dataset:
    """Some points, one after the other, with the place of each."""
    numbers = np.array(sorted(found), np.int32)
    columns = {
        name: ("point", np.array([found[n][i] for n in numbers], float), {"long_name": text})
        for i, (name, text) in enumerate(_COLUMNS.items())
    }
    places = np.unravel_index(numbers, sweep.shape)
    coordinates = {
        axis.name: ("point", axis.values[place], {"units": sweep.unit(axis.name)})
        for axis, place in zip(sweep.axes, places, strict=True)
    }
    return _xarray().Dataset(columns, {"point": numbers, **coordinates}, _attributes(sweep, found))


def _attributes(sweep: Sweep, found: dict[int, Answer]) -> dict[str, str]:
    reasons = {str(n): found[n].reason for n in sorted(found) if found[n].reason}
    return {
        "title": f"Switching probability against {', '.join(sweep.names)}",
        "source": f"mtjax {version('mtjax')}, {sweep.method.name}",
        "device": describe(sweep.device),
        "without_answer": json.dumps(reasons),
    }


def _read(path: Path) -> dict[int, Answer]:
    """The points of one file; raises `ValueError` where it is none."""
    try:
        with _xarray().open_dataset(path, engine="scipy") as opened:
            table = opened.load()
        reasons = json.loads(table.attrs["without_answer"])
        columns = [table[name].values.tolist() for name in _COLUMNS]
        numbers = table["point"].values.tolist()
    except (OSError, ValueError, LookupError, TypeError, EOFError, AttributeError) as error:
        raise ValueError(f"'{path}' must hold points of a sweep, but cannot be read: {error}.") from None
    return {n: Answer(p, q, error, reasons.get(str(n), "")) for n, p, q, error in zip(numbers, *columns, strict=True)}


def _write(path: Path, table: Dataset) -> None:
    write_whole(path, bytes(table.to_netcdf(engine="scipy")))


def _xarray() -> Any:
    need("xarray", "A sweep")
    import xarray

    return xarray
