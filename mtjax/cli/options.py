"""Options that several commands share, and what their text stands for."""

from __future__ import annotations

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
DeviceName = Annotated[str, tyro.conf.arg(help="One of the presets; `mtjax presets` lists them.")]
SetOption = Annotated[
    tuple[str, ...],
    tyro.conf.arg(name="set", metavar="NAME=VALUE ...", help="Other values of the device, SI: write_resistance=776."),
]
MethodName = Annotated[
    Literal["fokker-planck", "monte-carlo", "thermal-activation"],
    tyro.conf.arg(help="Without sampling and exact to 0.3 %, by sampling, or a closed law for long pulses."),
]
EngineName = Annotated[
    Literal["automatic", "fokker-planck", "monte-carlo", "thermal-activation"],
    tyro.conf.arg(help="The one that answers soonest to 0.003; without sampling; by sampling; or a closed law."),
]
Out = Annotated[Path, tyro.conf.arg(help="Folder for the results; made where it does not exist.")]
Force = Annotated[bool, tyro.conf.arg(help="Write into --out even if it holds something already.")]
Json = Annotated[bool, tyro.conf.arg(name="json", help="JSON on standard output, for scripts.")]
Devices = Annotated[
    int | None,
    tyro.conf.arg(metavar="N", help="Cores of this machine to work on, as N devices of jax."),
]


def check_file(path: Path) -> None:
    """Raise `ValueError` where there is no file at `path`."""
    if not path.exists():
        raise ValueError(f"The data file must exist, but {str(path)!r} does not.")


def check_device(name: str) -> None:
    """Raise `ValueError` where there is no preset called `name`."""
    if name not in PRESETS:
        raise ValueError(f"The device must be one of {', '.join(PRESETS)}, but is {name!r}.")


def device_named(name: str, settings: Iterable[str]) -> Device:
    """The preset called `name`, with the values of NAME=VALUE `settings`; raises `ValueError` where one is unknown."""
    check_device(name)
    changes = dict(map(setting, settings))
    device = getattr(mtj.presets, name)()
    for key, value in changes.items():
        device = mtj.devices.replaced(device, [mtj.devices.by_names(device, [key])[0].leaf], [value])
    return _rebuilt(device)


def method_named(name: str, samples: int, seed: int) -> AbstractMethod:
    """The method of a `MethodName` or `EngineName`."""
    if name == "automatic":
        return mtj.Automatic()
    if name == "monte-carlo":
        import jax

        return mtj.MonteCarlo(samples=samples, key=jax.random.key(seed))
    return mtj.ThermalActivation() if name == "thermal-activation" else mtj.FokkerPlanck()


def _rebuilt(device: Device) -> Device:
    """The same device, put together anew so that its values are checked."""
    return mtj.files.decode(mtj.files.encode(device))


def setting(text: str) -> tuple[str, float]:
    """Name and number of NAME=NUMBER; raises `ValueError` where `text` is anything else."""
    key, value = pair(text)
    try:
        return key, float(value)
    except ValueError:
        raise ValueError(f"A value of the device must be a number, but {text!r} gives none.") from None


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
