"""`mtjax design`: which pulses to measure next."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

import mtjax as mtj

if TYPE_CHECKING:
    from mtjax.devices import Device
    from mtjax.fitting import Fit


def design_command(
    fitted: Annotated[
        tyro.conf.Positional[Path], tyro.conf.arg(metavar="FIT.json", help="What `mtjax fit` wrote, or its folder.")
    ],
    /,
    *,
    quantity: Annotated[str, tyro.conf.arg(help="A fitted quantity, or delta or critical_current.")],
    trials: Annotated[int, tyro.conf.arg(help="Number of trials that can be spent.")],
    label: Annotated[str | None, tyro.conf.arg(help="Which of several fits in the file.")] = None,
    amplitudes: Annotated[
        tuple[float, ...], tyro.conf.arg(metavar="A ...", help="Amplitudes that can be set (A or V, as in the data).")
    ] = (),
    widths: Annotated[tuple[float, ...], tyro.conf.arg(metavar="S ...", help="Widths that can be set, s.")] = (),
    most: Annotated[int, tyro.conf.arg(help="Largest number of settings.")] = 6,
    out: Annotated[Path | None, tyro.conf.arg(help="A CSV file for the settings.")] = None,
) -> None:
    """Say which pulses to measure next, so that the uncertainty of a quantity shrinks most.

    For example:
      mtjax design mtjax-fit --quantity Bk --trials 500
      mtjax design mtjax-fit/fit.json --quantity delta --trials 1000 --widths 5e-9 20e-9 --out next.csv
    """
    found = _fit_in(fitted, label)
    target = {"delta": _delta, "critical_current": _critical_current}.get(quantity, quantity)
    plan = mtj.design(
        found, quantity if quantity in found.estimates.names else target, trials=trials, amplitudes=amplitudes or None,
        widths=widths or None, most=most,
    )  # fmt: skip
    print(plan)
    if out is not None:
        import numpy as np

        name = "voltage" if plan.of_voltage else "current"
        table = np.stack([plan.amplitude, plan.width, plan.trials], axis=1)
        np.savetxt(out, table, delimiter=",", header=f"{name},width,trials", comments="", fmt="%.10g")


def _delta(device: Device):
    return device.delta


def _critical_current(device: Device):
    return device.critical_current


def _fit_in(path: Path, label: str | None) -> Fit:
    """The fit in a file, or in a folder's fit.json; the one of a label where it holds several."""
    path = path / "fit.json" if path.is_dir() else path
    try:
        found = json.loads(path.read_text()) if path.is_file() else {}
    except ValueError:
        found = {}
    if not (isinstance(found, dict) and "fits" in found):
        if label is not None:
            raise ValueError(f"--label must be left out where a file holds one fit, but is {label!r}.")
        return mtj.Fit.load(path)
    if label not in found["fits"]:
        raise ValueError(f"--label must be one of {', '.join(found['fits'])}, but is {label!r}.")
    one = mtj.files.decode(found["fits"][label]["all"])
    if not isinstance(one, mtj.Fit):
        raise ValueError(f"{label!r} must be a fit of switching probabilities, but is not.")
    return one
