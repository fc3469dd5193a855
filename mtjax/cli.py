"""The command line: `mtjax fit`, `loops`, `design`, `demo`, `simulate`, `presets`."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import jax
import numpy as np
import tyro

from mtjax import comparison, demo, presets
from mtjax.data import SwitchingData
from mtjax.design import design
from mtjax.device import Device
from mtjax.estimates import AbstractFit
from mtjax.fitting import Fit, fit
from mtjax.fokker_planck import FokkerPlanck
from mtjax.identifiability import identifiability
from mtjax.intervals import fit_loop_shift, fit_thresholds
from mtjax.lapses import BackHopping
from mtjax.laws import ThermalActivation
from mtjax.loops import read_loops, thresholds
from mtjax.monte_carlo import MonteCarlo
from mtjax.parameters import all_parameters, by_names, replaced
from mtjax.posterior import posterior as draw
from mtjax.priors import LogNormal
from mtjax.profiles import profile as profiled
from mtjax.pulses import Pulse
from mtjax.report import write_report
from mtjax.store import decode, encode
from mtjax.switching import switching_probability
from mtjax.types import as_scalar, with_unit

PRESETS = {
    "sengupta2016": presets.sengupta2016,
    "perpendicular_stt": presets.perpendicular_stt,
    "perpendicular_sot": presets.perpendicular_sot,
}
METHODS = {
    "fokker-planck": lambda samples: FokkerPlanck(),
    "thermal-activation": lambda samples: ThermalActivation(),
    "monte-carlo": lambda samples: MonteCarlo(samples=samples, key=jax.random.key(0)),
}
_PREFERRED = (("theta_sh", "polarisation"), ("UniaxialAnisotropy.Bk", "alpha"))

DeviceName = Annotated[str, tyro.conf.arg(help="One of the presets; `mtjax presets` lists them.")]
Settings = Annotated[
    tuple[str, ...],
    tyro.conf.arg(name="set", metavar="NAME=VALUE ...", help="Other values of the device, SI: write_resistance=776."),
]
Out = Annotated[Path, tyro.conf.arg(help="Folder for the results; made where it does not exist.")]
Force = Annotated[bool, tyro.conf.arg(help="Write into --out even if it holds something already.")]


def fit_command(
    data: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="DATA.csv", help="The measurement.")],
    /,
    *,
    device: DeviceName = "perpendicular_sot",
    set_: Settings = (),
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
    _refuse(out, force=force)
    model = _device(device, set_)
    read = SwitchingData.read_csv(data, columns=_columns(columns), trials=trials)
    if direction is not None or device_id is not None:
        read = read.select(direction=direction, device_id=device_id)
    names = parameters or (() if each else _preferred(model))
    by_names(model, (*names, *each))
    settings: dict[str, Any] = {
        "where": names,
        "bounds": {key: _numbers(value) for key, value in map(_pair, bounds)},
        "priors": {key: LogNormal(*_numbers(value)) for key, value in map(_pair, priors)},
        "lapse": None if back_hopping is None else BackHopping(end=back_hopping, spread=0.03 * abs(back_hopping)),
        "starts": starts,
    }
    own: dict[str, Any] = {"each": each, "by": by} if each else {}
    parts = _parts(read, apart=by if each else None)
    fits = {
        label: fit(
            model, part, **settings, **own, method=METHODS[method](samples), progress=True,
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
    _write(out, fits, **extra)


def loops_command(
    data: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="DATA", help="A loop's CSV file, or a folder of them.")],
    /,
    *,
    tau_0: Annotated[float, tyro.conf.arg(help="Attempt time, s.")] = 1e-9,
    out: Out = Path("mtjax-loops"),
    force: Force = False,
) -> None:
    """Fit switching loops: thermal stability from current pulses of several widths, or the shift of field loops by a current.

    Columns of pulsed loops: current, resistance, width (or Current(mA), Resistance(Ohm), Pulse width s); of field loops:
    field_z, resistance, current, field (or Field(Oe), Applied current (mA), Applied in-plane field (Oe)). Writes fit.json,
    report.md and fit.png into --out.

    For example:
      mtjax loops Pulse_Switching_Data --out stability
      mtjax loops AHE_Loopshift --out shift
    """
    _refuse(out, force=force)
    found = thresholds(read_loops(data))
    pulsed = bool(np.any(found.width > 0))
    fits = {"": fit_thresholds(found, tau_0=tau_0) if pulsed else fit_loop_shift(found)}
    print(fits[""])
    extra: dict[str, Any] = {}
    if pulsed:
        candidates = {
            "both deltas, normal scatter": fits[""],
            "one delta, normal scatter": fit_thresholds(found, tau_0=tau_0, one_delta=True),
            "one event over one barrier": fit_thresholds(found, tau_0=tau_0, single=True),
        }
        extra["comparisons"] = {"": comparison.compare(candidates)}
        print("", extra["comparisons"][""], sep="\n")
    _write(out, fits, **extra)


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
    plan = design(
        found, quantity if quantity in found.estimates.names else target, trials=trials, amplitudes=amplitudes or None,
        widths=widths or None, most=most,
    )  # fmt: skip
    print(plan)
    if out is not None:
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
        return Fit.load(path)
    if label not in found["fits"]:
        raise ValueError(f"--label must be one of {', '.join(found['fits'])}, but is {label!r}.")
    one = decode(found["fits"][label]["all"])
    if not isinstance(one, Fit):
        raise ValueError(f"{label!r} must be a fit of switching probabilities, but is not.")
    return one


def _compared(model: Device, part: SwitchingData, found: Fit, settings: dict[str, Any], own: dict[str, Any]):
    """The fit beside a logistic curve and thermal activation."""
    candidates = {found.method.name.split(" (")[0]: found, "logistic curve": comparison.fit_logistic(part)}
    if not isinstance(found.method, ThermalActivation):
        candidates["thermal activation"] = fit(model, part, **settings, **own, method=ThermalActivation())
    return comparison.compare(candidates)


def _numbers(text: str) -> tuple[float, float]:
    try:
        first, second = (float(x) for x in text.split(":"))
    except ValueError:
        raise ValueError(f"Two numbers with a colon between them are expected, but there is {text!r}.") from None
    return first, second


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
    _refuse(out, force=force)
    data = demo.experiment(seed=seed)
    found = fit(demo.first_guess(), data, where=demo.parameters, progress=True)
    print(f"{found}\n\n{demo.comparison(found)}\n")
    out.mkdir(parents=True, exist_ok=True)
    data.write_csv(out / "data.csv")
    _write(out, {"": found})


def simulate_command(
    device: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="DEVICE", help="One of the presets.")],
    /,
    *,
    current: Annotated[float, tyro.conf.arg(help="Amplitude of the pulse, A.")],
    width: Annotated[float, tyro.conf.arg(help="Width of the pulse, s.")],
    set_: Settings = (),
    samples: Annotated[int, tyro.conf.arg(help="Number of trajectories.")] = 4096,
    seed: Annotated[int, tyro.conf.arg(help="Of the random numbers.")] = 0,
) -> None:
    """Switching probability of a device under one rectangular pulse, by Monte Carlo."""
    model = _device(device, set_)
    method = MonteCarlo(samples=samples, key=jax.random.key(seed))
    print(switching_probability(model, Pulse(as_scalar(current), as_scalar(width)), method=method))


def presets_command() -> None:
    """List the devices that are ready to use."""
    for name, make in PRESETS.items():
        model = make()
        what = (make.__doc__ or "").splitlines()[0]
        numbers = ", ".join(
            (
                f"delta {with_unit(model.delta, '', 3)}",
                f"critical current {with_unit(model.critical_current, 'A', 3)}",
                f"relaxation time {with_unit(model.relaxation_time, 's', 3)}",
            )
        )
        print(f"{name}\n  {what}\n  {numbers}\n  quantities: {', '.join(p.name for p in all_parameters(model))}")


def main(arguments: list[str] | None = None) -> int:
    """Run `mtjax` with `arguments` (those of the process by default); returns the exit code, 2 for bad input."""
    _configure()
    commands = {
        "fit": fit_command,
        "loops": loops_command,
        "design": design_command,
        "demo": demo_command,
        "simulate": simulate_command,
        "presets": presets_command,
    }
    try:
        with warnings.catch_warnings():
            warnings.showwarning = lambda message, *_, **__: print(f"warning: {message}", file=sys.stderr)
            tyro.extras.subcommand_cli_from_dict(
                commands, prog="mtjax", args=arguments, description="A differentiable simulator of spintronic devices."
            )
    except (ValueError, OSError) as error:
        print(f"mtjax: {error}", file=sys.stderr)
        return 2
    return 0


def _configure() -> None:
    """Double precision, and compiled programs kept from one run to the next."""
    jax.config.update("jax_enable_x64", True)  # noqa: FBT003
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "mtjax"
    jax.config.update("jax_compilation_cache_dir", str(cache))


def _refuse(out: Path, *, force: bool) -> None:
    """Raise `ValueError` if the folder holds something already."""
    if out.exists() and not out.is_dir():
        raise ValueError(f"The output folder must be a folder, but '{out}' is a file.")
    if out.is_dir() and any(out.iterdir()) and not force:
        raise ValueError(f"The output folder '{out}' must be empty or new: choose another --out, or write with --force.")


def _device(name: str, settings: Iterable[str]) -> Device:
    if name not in PRESETS:
        raise ValueError(f"The device must be one of {', '.join(PRESETS)}, but is {name!r}.")
    device = PRESETS[name]()
    for setting in settings:
        key, value = _pair(setting)
        try:
            number = float(value)
        except ValueError:
            raise ValueError(f"A value of the device must be a number, but {setting!r} gives none.") from None
        device = replaced(device, [by_names(device, [key])[0].leaf], [number])
    return _rebuilt(device)


def _rebuilt(device: Device) -> Device:
    """The same device, put together anew so that its values are checked."""
    return decode(encode(device))


def _columns(pairs: Iterable[str]) -> dict[str, str | None]:
    return {key: value or None for key, value in map(_pair, pairs)}


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise ValueError(f"NAME=VALUE is expected, but there is {text!r}.")
    return key, value


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


def _write(out: Path, fits: Mapping[str, AbstractFit], **extra: Any) -> None:
    """fit.json, report.md and, with matplotlib, fit.png."""
    out.mkdir(parents=True, exist_ok=True)
    pictures = _pictures(out, fits, extra)
    for path in [*write_report(out, fits, **extra, pictures=pictures), *(out / name for name in pictures)]:
        print(f"written: {path}")


def _pictures(out: Path, fits: Mapping[str, AbstractFit], extra: dict[str, Any]) -> tuple[str, ...]:
    if importlib.util.find_spec("matplotlib") is None:
        print("No picture is written, because matplotlib is missing: pip install 'mtjax[plot]'.", file=sys.stderr)
        return ()
    from mtjax.plot import plot_fits, plot_posterior

    plot_fits(fits).savefig(out / "fit.png")
    posteriors = extra.get("posteriors", {})
    for label, draws in posteriors.items():
        plot_posterior(fits[label], draws).savefig(out / f"posterior{label.replace('>', '')}.png")
    return ("fit.png", *(f"posterior{label.replace('>', '')}.png" for label in posteriors))


if __name__ == "__main__":
    sys.exit(main())
