"""`mtjax presets`: the devices that are ready to use."""

from __future__ import annotations

import json
from typing import Annotated

import numpy as np
import tyro

from mtjax.cli.options import Json
from mtjax.presets import CATALOGUE, Entry, derived, values_of
from mtjax.printing import with_unit


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
    for name in names:
        if name not in CATALOGUE:
            raise ValueError(f"The device must be one of {', '.join(CATALOGUE)}, but is {name!r}.")
    chosen = {name: CATALOGUE[name] for name in names or CATALOGUE}
    if json_:
        print(json.dumps({name: _record(entry) for name, entry in chosen.items()}, indent=1))
    else:
        print("\n\n".join(_table(name, entry) for name, entry in chosen.items()))


def _record(entry: Entry) -> dict:
    device = entry.make()
    return {
        "title": entry.title,
        "values": [value._asdict() | {"value": _finite(value.value)} for value in values_of(entry, device)],
        "derived": {name: {"value": value, "unit": unit} for name, (value, unit) in derived(device).items()},
    }


def _finite(value: float | list[float]) -> float | list[float] | None:
    """JSON knows no infinity: null."""
    return value if np.all(np.isfinite(value)) else None


def _table(name: str, entry: Entry) -> str:
    device = entry.make()
    rows = [(v.name, with_unit(v.value, v.unit), v.source) for v in values_of(entry, device)]
    rows += [(name, with_unit(value, unit), "follows from the values above") for name, (value, unit) in derived(device).items()]
    wide = [max(len(row[i]) for row in rows) for i in (0, 1)]
    lines = (f"  {a:<{wide[0]}}  {b:<{wide[1]}}  {c}" for a, b, c in rows)
    return "\n".join([name, f"  {entry.title}", *lines])
