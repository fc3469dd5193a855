"""`mtjax simulate`: the switching probability of a device under a pulse, or over a grid of pulses and devices."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Annotated, Literal

import jax
import tyro

from mtjax.cli_options import METHODS, Devices, Json, Settings, device_named
from mtjax.cli_sweep import axis, sweep_command, which_shard
from mtjax.cpu import configure_cpu
from mtjax.device import Device
from mtjax.methods import Probability
from mtjax.pulses import Pulse
from mtjax.simulate import simulate
from mtjax.sweeps import Sweep
from mtjax.switching import switching_probability

_SHOWN = 200
"""Trajectories in a picture."""


def simulate_command(
    device: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="DEVICE", help="One of the presets.")],
    /,
    *,
    current: Annotated[float | None, tyro.conf.arg(help="Amplitude of the pulse, A.")] = None,
    width: Annotated[float | None, tyro.conf.arg(help="Width of the pulse, s.")] = None,
    set_: Settings = (),
    method: Annotated[
        Literal["fokker-planck", "monte-carlo", "thermal-activation"],
        tyro.conf.arg(help="Without sampling and exact to 0.3 %, by sampling, or a closed law for long pulses."),
    ] = "fokker-planck",
    samples: Annotated[int, tyro.conf.arg(help="Number of trajectories, for --method monte-carlo.")] = 10_000,
    seed: Annotated[int, tyro.conf.arg(help="Of the random numbers.")] = 0,
    relax: Annotated[float | None, tyro.conf.arg(help="How long after the pulse the device is read, s.")] = None,
    sweep: Annotated[
        tyro.conf.UseAppendAction[tuple[str, ...]],
        tyro.conf.arg(
            metavar="NAME=START:STOP:NUMBER",
            help="Give it once for every swept quantity: current or width of the pulse, or a quantity of the device. Also "
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
    """Switching probability of a device under a rectangular pulse, or over a grid of pulses and devices.

    A sweep writes into --out and can be killed at any moment: the same command goes on from there, to the same numbers. With
    --shard its points are divided among processes or machines that share the folder, and `mtjax merge` joins them.

    For example:
      mtjax simulate sengupta2016 --current 70e-6 --width 0.5e-9
      mtjax simulate perpendicular_sot --current 110e-6 --width 1e-9 --set temperature=350 --picture switching.png
      mtjax simulate perpendicular_sot --current 110e-6 --width 1e-9 --method monte-carlo --samples 100000 --devices 2 --json
      mtjax simulate perpendicular_stt --width 5e-9 --sweep current=20e-6:60e-6:21 --sweep temperature=300,350,400 --out psw
      mtjax simulate perpendicular_sot --width 1e-9 --sweep current=60e-6:160e-6:21 --shard 1/4 --out sot   # and 2/4, ...
    """
    configure_cpu(devices=devices)
    model = device_named(device, set_)
    how = METHODS[method](samples, seed)
    if sweep:
        grid = Sweep(model, tuple(axis(text) for text in sweep), how, current, width, relax)
        sweep_command(grid, which_shard(shard), out, as_json=json_)
        return
    for name, value in {"current": current, "width": width}.items():
        if value is None:
            raise ValueError(f"The pulse must have a current and a width, but --{name} is missing.")
    pulse = Pulse(current, width)
    found = switching_probability(model, pulse, method=how, relax=relax)
    print(json.dumps(_record(device, pulse, found)) if json_ else found)
    if picture is not None:
        _draw(model, pulse, found, seed, picture)
        if not json_:
            print(f"written: {picture}")


def _record(name: str, pulse: Pulse, found: Probability) -> dict:
    return {
        "device": name,
        "current": float(pulse.amplitude),
        "width": float(pulse.width),
        "probability": float(found.value),
        "complement": float(found.complement),
        "stderr": None if found.stderr is None or not math.isfinite(found.stderr) else float(found.stderr),
        "method": found.method.name,
    }


def _draw(device: Device, pulse: Pulse, found: Probability, seed: int, path: Path) -> None:
    try:
        from mtjax.plot_simulations import plot_trajectories
    except ImportError:
        raise ValueError("Pictures need matplotlib, which is missing: pip install 'mtjax[plot]'.") from None
    trajectories = simulate(device, pulse, samples=_SHOWN, key=jax.random.key(seed), save=201)
    plot_trajectories(device, pulse, trajectories, found).savefig(path)
