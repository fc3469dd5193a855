"""Options that several commands share, and what their text stands for."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import jax
import tyro

from mtjax.devices import Device, by_names, replaced
from mtjax.files import rebuilt
from mtjax.presets import CATALOGUE
from mtjax.switching import FokkerPlanck, MonteCarlo, ThermalActivation

PRESETS = {name: entry.make for name, entry in CATALOGUE.items() if not name.startswith("kurenkov2019")}
"""Devices of one cell, the only ones that have a switching probability."""
METHODS = {
    "fokker-planck": lambda samples, seed: FokkerPlanck(),
    "thermal-activation": lambda samples, seed: ThermalActivation(),
    "monte-carlo": lambda samples, seed: MonteCarlo(samples=samples, key=jax.random.key(seed)),
}
DeviceName = Annotated[str, tyro.conf.arg(help="One of the presets; `mtjax presets` lists them.")]
SetOption = Annotated[
    tuple[str, ...],
    tyro.conf.arg(name="set", metavar="NAME=VALUE ...", help="Other values of the device, SI: write_resistance=776."),
]
Out = Annotated[Path, tyro.conf.arg(help="Folder for the results; made where it does not exist.")]
Force = Annotated[bool, tyro.conf.arg(help="Write into --out even if it holds something already.")]
Json = Annotated[bool, tyro.conf.arg(name="json", help="JSON on standard output, for scripts.")]
Devices = Annotated[
    int | None,
    tyro.conf.arg(metavar="N", help="Cores of this machine to work on, as N devices of jax."),
]


def device_named(name: str, settings: Iterable[str]) -> Device:
    """The preset called `name`, with the values of NAME=VALUE `settings`; raises `ValueError` where one is unknown."""
    if name not in PRESETS:
        raise ValueError(f"The device must be one of {', '.join(PRESETS)}, but is {name!r}.")
    device: Any = PRESETS[name]()
    for setting in settings:
        key, value = pair(setting)
        try:
            number = float(value)
        except ValueError:
            raise ValueError(f"A value of the device must be a number, but {setting!r} gives none.") from None
        device = replaced(device, [by_names(device, [key])[0].leaf], [number])
    return rebuilt(device)


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
