"""Options that several commands share, and what their text stands for."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

import mtjax as mtj

if TYPE_CHECKING:
    from mtjax.devices import Device
    from mtjax.switching import AbstractMethod

PRESETS = ("sengupta2016", "perpendicular_stt", "perpendicular_sot")
"""Devices of one cell, the only ones that have a switching probability."""
DeviceName = Annotated[
    str,
    tyro.conf.arg(
        metavar="NAME|FILE.toml",
        help="One of the presets, which `mtjax presets` lists, or a file that `mtjax presets NAME --write FILE.toml` wrote.",
    ),
]
SetOption = Annotated[
    tuple[str, ...],
    tyro.conf.arg(
        name="set",
        metavar="NAME=VALUE ...",
        help="Other values of the device, SI: write_resistance=776 AppliedField.B=0.02,0,0.",
    ),
]
EngineName = Annotated[
    Literal["automatic", "fokker-planck", "monte-carlo", "thermal-activation"],
    tyro.conf.arg(help="The one that answers soonest; without sampling; by sampling; or a closed law for long pulses."),
]
SpreadOption = Annotated[
    float | None,
    tyro.conf.arg(help="Relative spread of the barriers, over devices or shots, for --method thermal-activation: 0.08."),
]
Out = Annotated[Path, tyro.conf.arg(help="Folder for the results; made where it does not exist.")]
Force = Annotated[bool, tyro.conf.arg(help="Write into --out even if it holds something already.")]
Json = Annotated[bool, tyro.conf.arg(name="json", help="JSON on standard output, for scripts.")]
Devices = Annotated[
    int | None,
    tyro.conf.arg(metavar="N", help="Cores of this machine to work on, as N devices of jax."),
]


def check_files(paths: tuple[Path, ...]) -> None:
    """Raise `ValueError` where no file of data is given, or one is not there."""
    if not paths:
        raise ValueError("At least one file of data must be given, but none is.")
    for path in paths:
        if not path.exists():
            raise ValueError(f"The data file must exist, but {str(path)!r} does not.")


def check_device(name: str) -> None:
    """Raise `ValueError` where there is no preset, and no file, called `name`."""
    if is_file(name):
        if not Path(name).is_file():
            raise ValueError(f"The device must be a preset or in a file, but there is no file {name!r}.")
    elif name not in PRESETS:
        near = difflib.get_close_matches(name, PRESETS, n=1)
        meant = f" (is {near[0]} meant?)" if near else ""
        raise ValueError(f"The device must be one of {', '.join(PRESETS)}, or a file *.toml, but is {name!r}{meant}.")


def is_file(name: str) -> bool:
    """Whether a device is called by the name of a file."""
    return name.endswith(".toml")


def device_named(name: str, settings: Iterable[str]) -> Device:
    """The preset called `name`, or the device in that file, with the values of NAME=VALUE `settings`.

    Raises `ValueError` where one is unknown, or the device is a film of many cells.
    """
    check_device(name)
    given = list(map(setting, settings))
    changes = dict(given)
    if len(changes) < len(given):
        raise ValueError(f"Every value of the device must be given once, but these are: {', '.join(key for key, _ in given)}.")
    device = mtj.read_device(name) if is_file(name) else getattr(mtj.presets, name)()
    if not isinstance(device, mtj.Device):
        raise ValueError(f"The device must be of one cell, but {name!r} holds a film of {device.number}.")
    for key, value in changes.items():
        device = mtj.devices.replaced(device, [mtj.devices.leaf_called(device, key, value)], [value])
    return _rebuilt(device)


def method_named(name: str, samples: int, seed: int, spread: float | None = None) -> AbstractMethod:
    """The method of an `EngineName`; raises `ValueError` where another than the closed law is given a spread."""
    if spread is not None and name != "thermal-activation":
        raise ValueError(f"--spread must stand with --method thermal-activation, but the method is {name}.")
    if name == "automatic":
        return mtj.Automatic()
    if name == "monte-carlo":
        import jax

        return mtj.MonteCarlo(samples=samples, key=jax.random.key(seed))
    return mtj.ThermalActivation(spread=spread) if name == "thermal-activation" else mtj.FokkerPlanck()


def _rebuilt(device: Device) -> Device:
    """The same device, put together anew so that its values are checked."""
    return mtj.files.rebuilt(device)


def setting(text: str) -> tuple[str, float | list[float]]:
    """Name and number of NAME=NUMBER, or numbers of NAME=NUMBER,NUMBER,...; raises `ValueError` for anything else."""
    key, value = pair(text)
    return key, numbers(value, f"A value of the device must be a number, or several with commas between them, but {text!r}")


def numbers(text: str, wanted: str) -> float | list[float]:
    """A number, or several with commas between them; raises `ValueError`, which begins with `wanted`, for anything else."""
    try:
        found = [float(part) for part in text.strip("()[] ").split(",")]
    except ValueError:
        raise ValueError(f"{wanted} gives none.") from None
    return found if len(found) > 1 else found[0]


def pair(text: str) -> tuple[str, str]:
    """The two sides of NAME=VALUE; raises `ValueError` without an equals sign."""
    key, equals, value = text.partition("=")
    if not equals:
        raise ValueError(f"NAME=VALUE is expected, but there is {text!r}.")
    return key, value


def two_numbers(text: str) -> tuple[float, float]:
    """The numbers of FIRST:SECOND; raises `ValueError` where `text` is anything else."""
    try:
        first, second = (float(x) for x in text.split(":"))
    except ValueError:
        raise ValueError(f"Two numbers with a colon between them are expected, but there is {text!r}.") from None
    return first, second
