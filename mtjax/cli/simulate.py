"""`mtjax simulate`: the switching probability of a device under a pulse, or over a grid of pulses and devices."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

import mtjax as mtj
from mtjax.cli.options import (
    Devices,
    EngineName,
    Json,
    SetOption,
    SpreadOption,
    check_device,
    device_named,
    method_named,
    numbers,
    pair,
    setting,
)
from mtjax.cli.output import can_draw, check_picture, tell_of_pictures

if TYPE_CHECKING:
    from xarray import Dataset

    from mtjax.devices import Device
    from mtjax.pulses import AbstractPulse
    from mtjax.sweeps import Axis, Sweep
    from mtjax.switching import Probability

_SHOWN = 200
"""Trajectories in a picture."""


def simulate_command(
    device: Annotated[
        tyro.conf.Positional[str], tyro.conf.arg(metavar="NAME|FILE.toml", help="One of the presets, or a device in a file.")
    ],
    /,
    *,
    current: Annotated[float | None, tyro.conf.arg(help="Amplitude of the pulse, A.")] = None,
    width: Annotated[float | None, tyro.conf.arg(help="Width of the pulse, s.")] = None,
    voltage: Annotated[
        float | None, tyro.conf.arg(help="Of the pulse, V, in place of the current times the write resistance.")
    ] = None,
    field: Annotated[
        str | None, tyro.conf.arg(metavar="X,Y,Z", help="Of the pulse, T; one number is along z. In a sweep its direction.")
    ] = None,
    frequency: Annotated[
        float | None, tyro.conf.arg(help="Hz: current, voltage and field are sine bursts in place of pulses.")
    ] = None,
    set_: SetOption = (),
    method: EngineName = "automatic",
    samples: Annotated[int, tyro.conf.arg(help="Number of trajectories, for --method monte-carlo.")] = 10_000,
    spread: SpreadOption = None,
    seed: Annotated[int, tyro.conf.arg(help="Of the random numbers.")] = 0,
    relax: Annotated[float | None, tyro.conf.arg(help="How long after the pulse the device is read, s.")] = None,
    sweep: Annotated[
        tyro.conf.UseAppendAction[tuple[str, ...]],
        tyro.conf.arg(
            metavar="NAME=START:STOP:NUMBER",
            help="Give it once for every swept quantity: current, width, voltage, field (its strength, T) or frequency of the "
            "pulse, or a quantity of the device. Also "
            "NAME=START:STOP:NUMBER:log and NAME=VALUE,VALUE,...",
        ),
    ] = (),
    shard: Annotated[str, tyro.conf.arg(metavar="I/N", help="Which part of a sweep, from 1/N to N/N.")] = "1/1",
    out: Annotated[
        Path, tyro.conf.arg(help="Folder of a sweep. One that was interrupted goes on from where it stopped.")
    ] = Path("mtjax-sweep"),
    devices: Devices = None,
    json_: Json = False,
    picture: Annotated[
        Path | None, tyro.conf.arg(metavar="FILE.png", help="A picture of trajectories through the pulse.")
    ] = None,
) -> None:
    """Switching probability of a device under a pulse of current, voltage and field, or over a grid of pulses and devices.

    A sweep writes into --out and can be killed at any moment: the same command goes on from there, to the same numbers. With
    --shard its points are divided among processes or machines that share the folder, and `mtjax merge` joins them.

    For example:
      mtjax simulate sengupta2016 --current 70e-6 --width 0.5e-9
      mtjax simulate perpendicular_sot --current 110e-6 --width 1e-9 --set temperature=350 --picture switching.png
      mtjax simulate perpendicular_sot --current 110e-6 --width 1e-9 --method monte-carlo --samples 100000 --devices 2 --json
      mtjax simulate perpendicular_stt --field=0,0,-0.35 --width 3e-9
      mtjax simulate mine.toml --voltage 1.2 --width 0.4e-9   # after mtjax presets perpendicular_stt --write mine.toml
      mtjax simulate perpendicular_stt --width 5e-9 --sweep current=20e-6:60e-6:21 --sweep temperature=300,350,400 --out psw
      mtjax simulate perpendicular_sot --width 1e-9 --sweep current=60e-6:160e-6:21 --shard 1/4 --out sot   # and 2/4, ...
    """
    check_device(device)
    tuple(map(setting, set_))
    driven, B = (voltage, field) != (None, None), None if field is None else _field(field)
    if not sweep:
        for name, value in {"current": current, "width": width}.items():
            if value is None and not (name == "current" and driven):
                raise ValueError(f"The pulse must have a current and a width, but --{name} is missing.")
    part, axes = which_shard(shard), tuple(map(axis, sweep))
    if axes:
        mtj.quantities.need("xarray", "A sweep")
        tell_of_pictures()
    elif picture is not None:
        mtj.quantities.need("matplotlib", "A picture")
        check_picture(picture)
    mtj.configure_cpu(devices=devices)
    model, how = device_named(device, set_), method_named(method, samples, seed, spread)
    if axes:
        sweep_command(mtj.Sweep(model, axes, how, current, width, relax, voltage, B, frequency), part, out, as_json=json_)
        return
    assert width is not None
    pulse = mtj.pulses.excited(width, current, voltage, B, frequency=frequency)
    found = mtj.switching_probability(model, pulse, method=how, relax=relax)
    drives = {"current": current, "width": width, "voltage": voltage, "field": B, "frequency": frequency}
    print(json.dumps(_record(device, drives, found)) if json_ else found)
    if picture is not None:
        _draw(model, pulse, found, seed, picture)
        if not json_:
            print(f"written: {picture}")


def _field(text: str) -> tuple[float, float, float]:
    """The components of X,Y,Z, or of a field along z; raises `ValueError` where `text` is anything else."""
    found = numbers(text, f"The field must be X,Y,Z (T), or one number along z, but {text!r}")
    x, y, z = found if isinstance(found, list) and len(found) == 3 else (0.0, 0.0, found)
    if isinstance(z, list):
        raise ValueError(f"The field must be X,Y,Z (T), or one number along z, but is {text!r}.")
    return x, y, z


def _record(name: str, drives: dict[str, Any], found: Probability) -> dict:
    return {
        "device": name,
        **{name: value for name, value in drives.items() if value is not None},
        "probability": float(found.value),
        "complement": float(found.complement),
        "stderr": None if found.stderr is None or not math.isfinite(found.stderr) else float(found.stderr),
        "error": float(found.error) if math.isfinite(found.error) else None,
        "method": found.method.name,
    }


def _draw(device: Device, pulse: AbstractPulse, found: Probability, seed: int, path: Path) -> None:
    import jax

    trajectories = mtj.simulate(device, pulse, samples=_SHOWN, key=jax.random.key(seed), save=201)
    mtj.plot.plot_trajectories(device, pulse, trajectories, found).savefig(path)


def axis(text: str) -> Axis:
    """The axis that NAME=START:STOP:NUMBER, NAME=START:STOP:NUMBER:log or NAME=VALUE,VALUE,... stands for."""
    import numpy as np

    name, numbers = pair(text)
    *parts, end = numbers.split(":")
    spaced = np.geomspace if end == "log" else np.linspace
    try:
        if not parts:
            return mtj.Axis(name, np.array([float(x) for x in numbers.split(",")]))
        start, stop, number = parts if end == "log" else (*parts, end)
        return mtj.Axis(name, spaced(float(start), float(stop), int(number)))
    except ValueError:
        raise ValueError(
            f"A sweep must be NAME=START:STOP:NUMBER (with :log at the end if wanted) or NAME=VALUE,VALUE,..., but is {text!r}."
        ) from None


def which_shard(text: str) -> tuple[int, int]:
    """The numbers of I/N; raises `ValueError` where `text` is anything else."""
    try:
        which, of = (int(x) for x in text.split("/"))
    except ValueError:
        raise ValueError(f"The shard must be I/N, like 1/4, but is {text!r}.") from None
    return which, of


def sweep_command(sweep: Sweep, shard: tuple[int, int], out: Path, *, as_json: bool) -> None:
    """Work out a shard, and merge where it is the only one."""
    path = mtj.sweeps.run(sweep, out, shard, progress=True)
    if shard == (1, 1):
        _merge(out, as_json=as_json)
        return
    done = len(mtj.sweeps.answers(out))
    if as_json:
        print(json.dumps({"file": str(path), "points": sweep.size, "done": done}))
        return
    print(f"written: {path}\n{done} of {sweep.size} points are done")
    if done == sweep.size:
        print(f"mtjax merge {out} puts them together")


def merge_command(
    folder: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="FOLDER", help="The --out of a sweep.")],
    /,
    *,
    json_: Json = False,
) -> None:
    """Put the shards of a sweep together: sweep.nc, one labelled data set, and a picture where there are one or two axes.

    For example (two terminals, or two machines that share a folder, then either of them):
      mtjax simulate perpendicular_sot --width 1e-9 --sweep current=60e-6:160e-6:21 --shard 1/2 --out psw
      mtjax simulate perpendicular_sot --width 1e-9 --sweep current=60e-6:160e-6:21 --shard 2/2 --out psw
      mtjax merge psw
      python -c "import xarray; print(xarray.load_dataset('psw/sweep.nc'))"
    """
    mtj.quantities.need("xarray", "A sweep")
    tell_of_pictures()
    _merge(folder, as_json=json_)


def _merge(folder: Path, *, as_json: bool) -> None:
    found, path = mtj.sweeps.write_merged(folder)
    reasons = json.loads(found.attrs["without_answer"])
    if reasons:
        first = next(iter(reasons.values()))
        print(f"warning: {len(reasons)} of {found.probability.size} points have no answer (nan): {first}", file=sys.stderr)
    if as_json:
        print(json.dumps(_summary(found)))
        return
    print(found["probability"].to_series().to_string(max_rows=40))
    for file in [path, *_picture(found, folder)]:
        print(f"written: {file}")


def _summary(found: Dataset) -> dict:
    """Coordinates, then values, in nested lists; null where there is no answer."""
    import numpy as np

    axes = {str(name): found[name].values.tolist() for name in found.dims}
    columns = {str(name): found[name].astype(object).where(np.isfinite(found[name]), None).values.tolist() for name in found}
    return {"axes": axes, "units": {name: found[name].attrs["units"] for name in axes}, **columns}


def _picture(found: Dataset, folder: Path) -> list[Path]:
    if len(found.dims) > 2 or not can_draw():
        return []
    mtj.plot.plot_sweep(found).savefig(folder / "sweep.png")
    return [folder / "sweep.png"]
