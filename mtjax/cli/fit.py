"""`mtjax fit`: quantities of a device from measured switching probabilities."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

import mtjax as mtj
from mtjax.cli.options import (
    DeviceName,
    Devices,
    EngineName,
    Force,
    Out,
    SetOption,
    SpreadOption,
    check_device,
    check_files,
    device_named,
    method_named,
    pair,
    setting,
    two_numbers,
)
from mtjax.cli.output import refuse, tell_of_pictures, write_fits

if TYPE_CHECKING:
    from mtjax.devices import Device
    from mtjax.fitting import Comparison, Fit, SwitchingData

_PREFERRED = (("theta_sh", "polarisation"), ("UniaxialAnisotropy.Bk", "alpha"))


@dataclasses.dataclass(frozen=True)
class FileOptions:
    """How the file is read."""

    direction: Annotated[
        str | None,
        tyro.conf.arg(help="Fit the rows of this direction only. Without it every direction is fitted apart."),
    ] = None
    device_id: Annotated[str | None, tyro.conf.arg(help="Fit the rows of this device only.")] = None
    trials: Annotated[float | None, tyro.conf.arg(help="Number of trials of every row, in place of the file's column.")] = None
    columns: Annotated[
        tuple[str, ...],
        tyro.conf.arg(
            metavar="NAME=HEADING ...",
            help="Headings of the file, or numbers of columns, with a unit where wanted: voltage='V_pulse (mV)' width=2 "
            "'probability=3 (%%)'; current= ignores one.",
        ),
    ] = ()
    fixed: Annotated[
        tuple[str, ...],
        tyro.conf.arg(metavar="NAME=VALUE ...", help="Settings that are the same in all rows: width=1ns temperature=300K."),
    ] = ()
    names: Annotated[
        str | None,
        tyro.conf.arg(
            metavar="PATTERN", help="Settings in the names of files: 'chip_{temperature (K)}_{width}.txt'; * is anything."
        ),
    ] = None
    decimal: Annotated[
        Literal["comma", "point"] | None, tyro.conf.arg(help="The mark before fractions, where the file does not tell.")
    ] = None
    sheet: Annotated[str | None, tyro.conf.arg(help="The sheet of a workbook, where several hold something.")] = None
    cross_section: Annotated[
        float | None,
        tyro.conf.arg(help="m^2, for current densities. Without it: that of the device's heavy metal, or else of its layer."),
    ] = None

    def read(self, paths: tuple[Path, ...], device: Device) -> tuple[SwitchingData, list[str]]:
        """The data in the files, and what was understood of them."""
        lines: list[str] = []
        found = mtj.SwitchingData.read(
            paths,
            columns={key: value or None for key, value in map(pair, self.columns)},
            fixed=dict(map(pair, self.fixed)),
            trials=self.trials,
            names=self.names,
            decimal={"comma": ",", "point": ".", None: None}[self.decimal],
            sheet=self.sheet,
            cross_section=_cross_section(device) if self.cross_section is None else self.cross_section,
            tell=lines.append,
        )
        if self.direction is None and self.device_id is None:
            return found, lines
        return found.select(direction=self.direction, device_id=self.device_id), lines


@dataclasses.dataclass(frozen=True)
class SearchOptions:
    """What is fitted, and how."""

    parameters: Annotated[
        tuple[str, ...],
        tyro.conf.arg(
            metavar="NAME ...",
            help="Quantities to fit, by the names in a device's printout (theta_sh, Bk, layer.Ms ...). Without it: the "
            "efficiency of the torque, and the anisotropy field or else the damping.",
        ),
    ] = ()
    method: EngineName = "automatic"
    spread: SpreadOption = None
    samples: Annotated[int, tyro.conf.arg(help="Trajectories per setting, for --method monte-carlo.")] = 4096
    each: Annotated[
        tuple[str, ...],
        tyro.conf.arg(
            metavar="NAME ...", help="Quantities with a value of their own for each device (or direction), in one fit."
        ),
    ] = ()
    by: Annotated[Literal["device_id", "direction"], tyro.conf.arg(help="Which column tells the groups of --each apart.")] = (
        "device_id"
    )
    bounds: Annotated[tuple[str, ...], tyro.conf.arg(metavar="NAME=LOW:HIGH ...", help="Bounds of fitted quantities, SI.")] = ()
    priors: Annotated[
        tuple[str, ...],
        tyro.conf.arg(metavar="NAME=VALUE:FACTOR ...", help="What is known before: within FACTOR of VALUE by 68 %."),
    ] = ()
    back_hopping: Annotated[
        float | None, tyro.conf.arg(help="Fit a back-hopping part that ends near this amplitude (A or V, as in the file).")
    ] = None
    starts: Annotated[int, tyro.conf.arg(help="From how many points the search starts.")] = 1
    checkpoint: Annotated[
        Path | None, tyro.conf.arg(help="A file that keeps what is done: an interrupted search goes on from there.")
    ] = None

    def arguments(self, device: Device) -> dict[str, Any]:
        """The arguments of `mtj.fit`, but for the method."""
        names = self.parameters or (() if self.each else _preferred(device))
        mtj.devices.by_names(device, (*names, *self.each))
        end = self.back_hopping
        return {
            "where": names,
            "bounds": {key: two_numbers(value) for key, value in map(pair, self.bounds)},
            "priors": {key: mtj.LogNormal(*two_numbers(value)) for key, value in map(pair, self.priors)},
            "lapse": None if end is None else mtj.BackHopping(end=end, spread=0.03 * abs(end)),
            "starts": self.starts,
        } | ({"each": self.each, "by": self.by} if self.each else {})

    def fits(self, device: Device, parts: dict[str, SwitchingData]) -> dict[str, Fit]:
        """The fit of every part of the data, under its label."""
        arguments, method = self.arguments(device), method_named(self.method, self.samples, 0, self.spread)
        return {
            label: mtj.fit(device, part, **arguments, method=method, progress=True, checkpoint=self._checkpoint(label))
            for label, part in parts.items()
        }

    def _checkpoint(self, label: str) -> Path | None:
        return None if self.checkpoint is None else self.checkpoint.with_name(f"{label.replace('>', '')}{self.checkpoint.name}")


@dataclasses.dataclass(frozen=True)
class JudgeOptions:
    """How the fit is judged."""

    compare: Annotated[bool, tyro.conf.arg(help="Beside a logistic curve and thermal activation, by AIC.")] = False
    profile: Annotated[tuple[str, ...], tyro.conf.arg(metavar="NAME ...", help="Profile likelihood of these quantities.")] = ()
    posterior: Annotated[int, tyro.conf.arg(help="Draws per chain from the posterior (needs numpyro).")] = 0

    def require_extras(self) -> None:
        """Raise `ImportError` where what is asked for needs a package that is missing."""
        if self.posterior:
            mtj.quantities.need("numpyro", "A posterior")

    def judged(
        self, device: Device, fits: dict[str, Fit], parts: dict[str, SwitchingData], search: SearchOptions
    ) -> dict[str, Any]:
        """Comparisons, profiles and posteriors that were asked for, each by label."""
        import jax

        found: dict[str, Any] = {}
        if self.compare:
            found["comparisons"] = {k: _compared(device, parts[k], fit, search.arguments(device)) for k, fit in fits.items()}
        if self.profile:
            found["profiles"] = {k: [mtj.profile(fit, name) for name in self.profile] for k, fit in fits.items()}
        if self.posterior:
            key = jax.random.key(0)
            found["posteriors"] = {
                k: mtj.posterior(fit, key=key, samples=self.posterior, progress=True) for k, fit in fits.items()
            }
        return found


def fit_command(
    data: Annotated[
        tyro.conf.Positional[tuple[Path, ...]],
        tyro.conf.arg(metavar="DATA ...", help="The measurement: files, or a folder of them."),
    ],
    /,
    *,
    device: DeviceName = "perpendicular_sot",
    set_: SetOption = (),
    file: tyro.conf.OmitArgPrefixes[FileOptions] = FileOptions(),  # noqa: B008
    search: tyro.conf.OmitArgPrefixes[SearchOptions] = SearchOptions(),  # noqa: B008
    judge: tyro.conf.OmitArgPrefixes[JudgeOptions] = JudgeOptions(),  # noqa: B008
    devices: Devices = None,
    out: Out = Path("mtjax-fit"),
    force: Force = False,
) -> None:
    """Fit quantities of a device to measured switching probabilities.

    DATA is a table with a row per setting of the pulse, or per shot: text of any layout, or a workbook (.xlsx, .ods). Columns:
    voltage (across the write resistance), current or current density; pulse width; how many switched (or errors, or a
    probability) and of how many trials, or the resistance before and after every shot; and if wanted field, temperature,
    direction, device_id. Units are those of the headings, "V (mV)", "tp_ns", "P_sw (%%)", else SI. Prints what was understood,
    then a table; fit.json, report.md and fit.png are written into --out.

    For example (the first makes the data of the second):
      mtjax demo --out demo
      mtjax fit demo/data.csv --device perpendicular_stt --parameters Bk polarisation --compare --profile Bk
      mtjax fit chip.csv --device perpendicular_stt --parameters alpha polarisation --each Bk --by device_id
      mtjax fit shots.txt --columns 'voltage=1 (mV)' probability=2 --fixed width=1ns --trials 10000
      mtjax fit sot.csv --set write_resistance=776 alpha=0.3 --priors theta_sh=0.3:3 Bk=0.2:3 --direction "AP->P"
    """
    refuse(out, force=force)
    tell_of_pictures()
    judge.require_extras()
    check_device(device)
    check_files(data)
    tuple(map(setting, set_))
    mtj.configure_cpu(devices=devices)
    model = device_named(device, set_)
    read, lines = file.read(data, model)
    print(*lines, "", sep="\n")
    parts = _parts(read, apart=search.by if search.each else None)
    fits = search.fits(model, parts)
    for label, one in fits.items():
        print("\n".join(line for line in (label, str(one), *mtj.identifiability(one), "") if line or label))
    judged = judge.judged(model, fits, parts, search)
    for kind in judged.values():
        for one in kind.values():
            print(*(one if isinstance(one, list) else [one]), "", sep="\n")
    write_fits(out, fits, **judged)


def _compared(device: Device, part: SwitchingData, found: Fit, arguments: dict[str, Any]) -> Comparison:
    """The fit beside a logistic curve and thermal activation."""
    candidates = {found.method.name.split(" (")[0]: found, "logistic curve": mtj.fit_logistic(part)}
    if not isinstance(found.method, mtj.ThermalActivation):
        candidates["thermal activation"] = mtj.fit(device, part, **arguments, method=mtj.ThermalActivation())
    return mtj.compare(candidates)


def _cross_section(device: Device) -> float:
    """Where the current flows, m^2: through the heavy metal under the layer, or through the layer."""
    torque = next((term for term in device.terms if isinstance(term, mtj.SpinOrbitTorque)), None)
    return float(device.magnet.area if torque is None else torque.width * torque.thickness)


def _preferred(device: Device) -> Iterable[str]:
    """One name of every group in `_PREFERRED`: the first that the device has."""
    names = {p.name: p for p in mtj.all_parameters(device)}
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
