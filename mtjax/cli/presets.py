"""`mtjax presets`: the devices that are ready to use."""

from __future__ import annotations

import difflib
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

import mtjax as mtj
from mtjax.cli.options import Json, is_file

if TYPE_CHECKING:
    from mtjax.devices import Device, Grains
    from mtjax.presets import Entry


def presets_command(
    names: Annotated[
        tyro.conf.Positional[tuple[str, ...]], tyro.conf.arg(metavar="DEVICE ...", help="Which ones; without it all.")
    ] = (),
    /,
    *,
    json_: Json = False,
    write: Annotated[
        Path | None, tyro.conf.arg(metavar="FILE.toml", help="Write the device into a file, to be edited and used by --device.")
    ] = None,
    force: Annotated[bool, tyro.conf.arg(help="Replace the file of --write if it exists.")] = False,
) -> None:
    """List the devices that are ready to use, or one in a file: every value with its unit and its source.

    The first column is the name by which --set, --sweep and --parameters of other commands know a value. With --write the whole
    device goes to a file: layer, terms, heating, Ms(T), read-out, with units and sources as comments. Its values are SI, or
    text with a unit ("40 nm").

    For example:
      mtjax presets
      mtjax presets sengupta2016
      mtjax presets sengupta2016 --write mine.toml
      mtjax presets mine.toml
      mtjax simulate mine.toml --current 70e-6 --width 0.5e-9
      mtjax presets --json > devices.json
    """
    catalogue = mtj.presets.CATALOGUE
    chosen = {name: _entry(name) for name in names or catalogue}
    if write is not None:
        _write(names, write, force=force)
        return
    if json_:
        print(json.dumps({name: _record(entry) for name, entry in chosen.items()}, indent=1))
    else:
        print("\n\n".join(_table(name, entry) for name, entry in chosen.items()))


def _entry(name: str) -> Entry:
    """The entry of a preset's name, or of a file; raises `ValueError` where there is none."""
    catalogue = mtj.presets.CATALOGUE
    if is_file(name):
        device = mtj.read_device(name)

        def make() -> Device | Grains:
            return device

        make.__doc__ = f"The device in {name}."
        return mtj.presets.Entry(make, name, mtj.files.sources_in_toml(Path(name).read_text(encoding="utf-8-sig")))
    if name not in catalogue:
        near = difflib.get_close_matches(name, catalogue, n=1)
        meant = f" (is {near[0]} meant?)" if near else ""
        raise ValueError(f"The device must be one of {', '.join(catalogue)}, or a file *.toml, but is {name!r}{meant}.")
    return catalogue[name]


def _write(names: tuple[str, ...], path: Path, *, force: bool) -> None:
    """One device into a file; raises `ValueError` where it is not one, or the file exists."""
    if len(names) != 1:
        raise ValueError(f"--write must be given with the name of one device, but there are {len(names)}.")
    if not is_file(str(path)):
        raise ValueError(f"--write must be given a file *.toml, but is given {str(path)!r}.")
    if path.exists() and not force:
        raise ValueError(f"{str(path)!r} exists: choose another file, or write with --force.")
    entry = _entry(names[0])
    path.parent.mkdir(parents=True, exist_ok=True)
    title = f'{names[0]}: {entry.title}\n\nIn SI units, or text with a unit like "40 nm".'
    mtj.write_device(entry.make(), path, title=title, sources=entry.sources)
    print(f"written: {path}")


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
