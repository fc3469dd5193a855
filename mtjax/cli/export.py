"""`mtjax export`: a device as a circuit element."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import tyro

import mtjax as mtj
from mtjax.cli.options import DeviceName, SetOption, device_named, is_file

_LANGUAGES = {"ngspice": "ngspice", "verilog-a": "veriloga"}


def export_command(
    device: Annotated[tyro.conf.Positional[DeviceName], tyro.conf.arg(metavar="DEVICE")],
    /,
    *,
    to: Annotated[Literal["ngspice", "verilog-a"], tyro.conf.arg(help="A subcircuit, or a module.")],
    out: Annotated[
        Path | None, tyro.conf.arg(metavar="FILE", help="Write into this file; without it the text goes to standard output.")
    ] = None,
    name: Annotated[str, tyro.conf.arg(help="Of the subcircuit or module: letters, digits and underscores.")] = "mtj",
    bench: Annotated[
        bool, tyro.conf.arg(help="With a pulse and a self-test after the subcircuit; --no-bench for one to be included.")
    ] = True,
    settings: SetOption = (),
    force: Annotated[bool, tyro.conf.arg(help="Replace the file of --out if it exists.")] = False,
) -> None:
    """Write a device as a subcircuit for ngspice or a module of Verilog-A, its thermal noise included.

    The subcircuit comes with a bench: one pulse, and a self-test of equilibrium and switching probability with the numbers to
    expect, which takes half a minute to two.

    For example:
      mtjax export perpendicular_sot --to ngspice --out sot.cir
      ngspice -b sot.cir
      mtjax export mine.toml --to verilog-a --name pillar --out pillar.va
    """
    if out is not None and out.exists() and not force:
        raise ValueError(f"{str(out)!r} exists: choose another file, or write with --force.")
    made = device_named(device, settings)
    text = mtj.circuit.export(made, _LANGUAGES[to], name=name, bench=bench, sources=_sources(device))
    if out is None:
        print(text, end="")
        return
    mtj.files.write_whole(out, text)
    print(f"written: {out}")


def _sources(device: str) -> Mapping[str, str]:
    """Where the values of a preset, or of a device in a file, are from."""
    if is_file(device):
        return mtj.files.sources_in_toml(Path(device).read_text(encoding="utf-8-sig"))
    return mtj.presets.CATALOGUE[device].sources
