"""`mtjax presets`: the devices that are ready to use."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Annotated

import tyro

import mtjax as mtj
from mtjax.cli.options import Json

if TYPE_CHECKING:
    from mtjax.presets import Entry


def presets_command(
    names: Annotated[
        tyro.conf.Positional[tuple[str, ...]], tyro.conf.arg(metavar="DEVICE ...", help="Which ones; without it all.")
    ] = (),
    /,
    *,
    json_: Json = False,
) -> None:
    """List the devices that are ready to use: every value with its unit and its source.

    The first column is the name by which --set, --sweep and --parameters of other commands know a value.

    For example:
      mtjax presets
      mtjax presets sengupta2016
      mtjax presets --json > devices.json
    """
    catalogue = mtj.presets.CATALOGUE
    for name in names:
        if name not in catalogue:
            raise ValueError(f"The device must be one of {', '.join(catalogue)}, but is {name!r}.")
    chosen = {name: catalogue[name] for name in names or catalogue}
    if json_:
        print(json.dumps({name: _record(entry) for name, entry in chosen.items()}, indent=1))
    else:
        print("\n\n".join(_table(name, entry) for name, entry in chosen.items()))


def _record(entry: Entry) -> dict:
    device = entry.make()
    return {
        "title": entry.title,
        "values": [value._asdict() | {"value": _finite(value.value)} for value in mtj.presets.values_of(entry, device)],
        "derived": {name: {"value": value, "unit": unit} for name, (value, unit) in mtj.presets.derived(device).items()},
    }


def _finite(value: float | list[float]) -> float | list[float] | None:
    """JSON knows no infinity: null."""
    return value if all(map(math.isfinite, value if isinstance(value, list) else [value])) else None


def _table(name: str, entry: Entry) -> str:
    device = entry.make()
    rows = [(v.name, mtj.printing.with_unit(v.value, v.unit), v.source) for v in mtj.presets.values_of(entry, device)]
    rows += [
        (name, mtj.printing.with_unit(value, unit), "follows from the values above")
        for name, (value, unit) in mtj.presets.derived(device).items()
    ]
    wide = [max(len(row[i]) for row in rows) for i in (0, 1)]
    lines = (f"  {a:<{wide[0]}}  {b:<{wide[1]}}  {c}" for a, b, c in rows)
    return "\n".join([name, f"  {entry.title}", *lines])
