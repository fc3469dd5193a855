"""Sweeps on the command line: `mtjax simulate --sweep ...` and `mtjax merge`."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import tyro

from mtjax.cli_options import Json, pair
from mtjax.sweep_files import answers, run, write_merged
from mtjax.sweeps import Axis, Sweep

if TYPE_CHECKING:
    from xarray import Dataset


def axis(text: str) -> Axis:
    """The axis that NAME=START:STOP:NUMBER, NAME=START:STOP:NUMBER:log or NAME=VALUE,VALUE,... stands for."""
    name, numbers = pair(text)
    *parts, end = numbers.split(":")
    spaced = np.geomspace if end == "log" else np.linspace
    try:
        if not parts:
            return Axis(name, np.array([float(x) for x in numbers.split(",")]))
        start, stop, number = parts if end == "log" else (*parts, end)
        return Axis(name, spaced(float(start), float(stop), int(number)))
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
    path = run(sweep, out, shard, progress=True)
    if shard == (1, 1):
        merge_command(out, json_=as_json)
        return
    done = len(answers(out))
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
    found, path = write_merged(folder)
    reasons = json.loads(found.attrs["without_answer"])
    if reasons:
        first = next(iter(reasons.values()))
        print(f"warning: {len(reasons)} of {found.probability.size} points have no answer (nan): {first}", file=sys.stderr)
    if json_:
        print(json.dumps(_record(found)))
        return
    print(found["probability"].to_series().to_string(max_rows=40))
    for file in [path, *_picture(found, folder)]:
        print(f"written: {file}")


def _record(found: Dataset) -> dict:
    """Coordinates, then values, in nested lists; null where there is no answer."""
    axes = {str(name): found[name].values.tolist() for name in found.dims}
    columns = {str(name): found[name].astype(object).where(np.isfinite(found[name]), None).values.tolist() for name in found}
    return {"axes": axes, "units": {name: found[name].attrs["units"] for name in axes}, **columns}


def _picture(found: Dataset, folder: Path) -> list[Path]:
    if len(found.dims) > 2 or importlib.util.find_spec("matplotlib") is None:
        return []
    from mtjax.plot_simulations import plot_sweep

    plot_sweep(found).savefig(folder / "sweep.png")
    return [folder / "sweep.png"]
