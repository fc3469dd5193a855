"""A measurement of a device with known parameters, made from its own physics."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

import mtjax as mtj
from mtjax.cli.options import Force, Out
from mtjax.cli.output import refuse, tell_of_pictures, write_fits

if TYPE_CHECKING:
    from mtjax.devices import Device
    from mtjax.fitting import Fit, SwitchingData


def parameters(device: Device):
    """What the demonstration fits: the anisotropy field and the spin polarisation."""
    return device[mtj.UniaxialAnisotropy].Bk, device[mtj.SpinTransferTorque].polarisation


def truth() -> Device:
    """The device that is measured: `perpendicular_stt` with thermal stability 40."""
    return mtj.presets.perpendicular_stt(delta=40.0)


def first_guess() -> Device:
    """Where the fit starts: the same device, but with 40 % too much anisotropy and 25 % too little polarisation."""
    import equinox as eqx

    device = truth()
    Bk, polarisation = parameters(device)
    return eqx.tree_at(parameters, device, (1.4 * Bk, 0.75 * polarisation))


def experiment(*, seed: int) -> SwitchingData:
    """Pulses of 6 and 20 ns, each at ten currents about where they switch, 200 times."""
    import numpy as np

    device = truth()
    short, long = np.linspace(1.2, 2.5, 10), np.linspace(0.75, 1.5, 10)
    currents = np.concatenate([short, long]) * np.asarray(device.critical_current)
    return mtj.measured(device, currents, np.repeat([6e-9, 20e-9], 10), trials=200, seed=seed)


def comparison(fit: Fit) -> str:
    """A table of true and fitted values, and how many standard errors lie between them."""
    lines = [f"{'':<14}{'truth':<12}{'estimate':<12}{'std. error':<12}off by"]
    for name, one, true in zip(fit.estimates.names, fit.estimates, parameters(truth()), strict=True):
        shown = "".join(f"{mtj.printing.with_unit(x, one.unit):<12}" for x in (float(true), one.value, one.stderr))
        lines.append(f"{name:<14}{shown}{(one.value - float(true)) / one.stderr:+.2f} std. errors")
    return "\n".join(lines)


def demo_command(
    *,
    seed: Annotated[int, tyro.conf.arg(help="Of the random counts.")] = 0,
    out: Out = Path("mtjax-demo"),
    force: Force = False,
) -> None:
    """Measure a device with known parameters, made up from its own physics, and fit it.

    Prints truth beside estimate; writes data.csv, fit.json, report.md and fit.png into --out.

    For example (the second is the same fit by hand):
      mtjax demo
      mtjax fit mtjax-demo/data.csv --device perpendicular_stt --parameters Bk polarisation
      mtjax design mtjax-demo --quantity Bk --trials 500
    """
    refuse(out, force=force)
    tell_of_pictures()
    data = experiment(seed=seed)
    found = mtj.fit(first_guess(), data, where=parameters, progress=True)
    print(f"{found}\n\n{comparison(found)}\n")
    out.mkdir(parents=True, exist_ok=True)
    data.write_csv(out / "data.csv")
    write_fits(out, {"": found})
