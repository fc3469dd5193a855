"""`mtjax fit`: quantities of a device from measured switching probabilities."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

import jax
import tyro

from mtjax.cli.options import METHODS, DeviceName, Devices, Force, Out, SetOption, device_named, pair, two_numbers
from mtjax.cli.output import refuse, write_fits
from mtjax.devices import Device, all_parameters, by_names
from mtjax.fitting import (
    BackHopping,
    Fit,
    LogNormal,
    SwitchingData,
    compare,
    fit,
    fit_logistic,
    identifiability,
    posterior as draw,
    profile as profiled,
)
from mtjax.parallel import configure_cpu
from mtjax.switching import ThermalActivation

_PREFERRED = (("theta_sh", "polarisation"), ("UniaxialAnisotropy.Bk", "alpha"))


def fit_command(
    data: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="DATA.csv", help="The measurement.")],
    /,
    *,
    device: DeviceName = "perpendicular_sot",
    set_: SetOption = (),
    parameters: Annotated[
        tuple[str, ...],
        tyro.conf.arg(
            metavar="NAME ...",
            help="Quantities to fit, by the names in a device's printout (theta_sh, Bk, layer.Ms ...). Without it: the "
            "efficiency of the torque, and the anisotropy field or else the damping.",
        ),
    ] = (),
    direction: Annotated[
        str | None,
        tyro.conf.arg(help="Fit the rows of this direction only. Without it every direction is fitted apart."),
    ] = None,
    device_id: Annotated[str | None, tyro.conf.arg(help="Fit the rows of this device only.")] = None,
    trials: Annotated[float | None, tyro.conf.arg(help="Number of trials of every row, in place of the file's column.")] = None,
    columns: Annotated[
        tuple[str, ...],
        tyro.conf.arg(metavar="NAME=HEADING ...", help="Headings of the file: voltage=V_write; current= ignores one."),
    ] = (),
    method: Annotated[
        Literal["fokker-planck", "thermal-activation", "monte-carlo"], tyro.conf.arg(help="How probabilities are worked out.")
    ] = "fokker-planck",
    samples: Annotated[int, tyro.conf.arg(help="Trajectories per setting and place, for --method monte-carlo.")] = 1000,
    each: Annotated[
        tuple[str, ...],
        tyro.conf.arg(
            metavar="NAME ...", help="Quantities with a value of their own for each device (or direction), in one fit."
        ),
    ] = (),
    by: Annotated[Literal["device_id", "direction"], tyro.conf.arg(help="Which column tells the groups of --each apart.")] = (
        "device_id"
    ),
    bounds: Annotated[
        tuple[str, ...], tyro.conf.arg(metavar="NAME=LOW:HIGH ...", help="Bounds of fitted quantities, SI.")
    ] = (),
    priors: Annotated[
        tuple[str, ...],
        tyro.conf.arg(metavar="NAME=VALUE:FACTOR ...", help="What is known before: within FACTOR of VALUE by 68 %."),
    ] = (),
    back_hopping: Annotated[
        float | None, tyro.conf.arg(help="Fit a back-hopping part that ends near this amplitude (A or V, as in the file).")
    ] = None,
    compare: Annotated[bool, tyro.conf.arg(help="Beside a logistic curve and thermal activation, by AIC.")] = False,
    profile: Annotated[tuple[str, ...], tyro.conf.arg(metavar="NAME ...", help="Profile likelihood of these quantities.")] = (),
    posterior: Annotated[int, tyro.conf.arg(help="Draws per chain from the posterior (needs numpyro).")] = 0,
    starts: Annotated[int, tyro.conf.arg(help="From how many points the search starts.")] = 1,
    checkpoint: Annotated[
        Path | None, tyro.conf.arg(help="A file that keeps what is done: an interrupted search goes on from there.")
    ] = None,
    devices: Devices = None,
    out: Out = Path("mtjax-fit"),
    force: Force = False,
) -> None:
    """Fit quantities of a device to measured switching probabilities.

    DATA.csv has a heading and one row per setting of the pulse: `current` (A) or `voltage` (V, across the write
    resistance), `width` (s), `switched` (or `errors`) and `trials`, or `probability` and `trials`, and if wanted
    the columns `field` (T), `temperature` (K), `direction`, `device_id`. Prints a table; writes fit.json, report.md and
    fit.png into --out.

    For example (the first makes the data of the second):
      mtjax demo --out demo
      mtjax fit demo/data.csv --device perpendicular_stt --parameters Bk polarisation --compare --profile Bk
      mtjax fit chip.csv --device perpendicular_stt --parameters alpha polarisation --each Bk --by device_id
      mtjax fit sot.csv --set write_resistance=776 alpha=0.3 --priors theta_sh=0.3:3 Bk=0.2:3 --direction "AP->P"
    """
    configure_cpu(devices=devices)
    refuse(out, force=force)
    model = device_named(device, set_)
    read = SwitchingData.read_csv(data, columns=_columns(columns), trials=trials)
    if direction is not None or device_id is not None:
        read = read.select(direction=direction, device_id=device_id)
    names = parameters or (() if each else _preferred(model))
    by_names(model, (*names, *each))
    settings: dict[str, Any] = {
        "where": names,
        "bounds": {key: two_numbers(value) for key, value in map(pair, bounds)},
        "priors": {key: LogNormal(*two_numbers(value)) for key, value in map(pair, priors)},
        "lapse": None if back_hopping is None else BackHopping(end=back_hopping, spread=0.03 * abs(back_hopping)),
        "starts": starts,
    }
    own: dict[str, Any] = {"each": each, "by": by} if each else {}
    parts = _parts(read, apart=by if each else None)
    fits = {
        label: fit(
            model, part, **settings, **own, method=METHODS[method](samples, 0), progress=True,
            checkpoint=None if checkpoint is None else checkpoint.with_name(f"{label.replace('>', '')}{checkpoint.name}"),
        )
        for label, part in parts.items()
    }  # fmt: skip
    for label, one in fits.items():
        print("\n".join(line for line in (label, str(one), *identifiability(one), "") if line or label))
    extra: dict[str, Any] = {
        "comparisons": {k: _compared(model, parts[k], f, settings, own) for k, f in fits.items()} if compare else {},
        "profiles": {k: [profiled(f, name) for name in profile] for k, f in fits.items()} if profile else {},
    }
    if posterior:
        key = jax.random.key(0)
        extra["posteriors"] = {k: draw(f, key=key, samples=posterior, progress=True) for k, f in fits.items()}
    for kind in extra.values():
        for one in kind.values():
            print(*(one if isinstance(one, list) else [one]), "", sep="\n")
    write_fits(out, fits, **extra)


def _compared(model: Device, part: SwitchingData, found: Fit, settings: dict[str, Any], own: dict[str, Any]):
    """The fit beside a logistic curve and thermal activation."""
    candidates = {found.method.name.split(" (")[0]: found, "logistic curve": fit_logistic(part)}
    if not isinstance(found.method, ThermalActivation):
        candidates["thermal activation"] = fit(model, part, **settings, **own, method=ThermalActivation())
    return compare(candidates)


def _columns(pairs: Iterable[str]) -> dict[str, str | None]:
    return {key: value or None for key, value in map(pair, pairs)}


def _preferred(device: Device) -> tuple[str, ...]:
    """One name of every group in `_PREFERRED`: the first that the device has."""
    names = {p.name: p for p in all_parameters(device)}
    found = [next((n for n in group if n in names or n.split(".")[-1] in names), None) for group in _PREFERRED]
    return tuple(n if n in names else n.split(".")[-1] for n in found if n is not None)


def _parts(data: SwitchingData, *, apart: str | None) -> dict[str, SwitchingData]:
    """The data of every device and direction apart, under a label ("" for one only); not by the column `apart`."""
    parts = {"": data}
    for column in ("device_id", "direction"):
        if column != apart and len(data.labels(column)) > 1:
            parts = {
                f"{label} {value}".strip(): part.select(**{column: value})
                for label, part in parts.items()
                for value in part.labels(column)
            }
    return parts
