"""The command line: `mtjax fit`, `mtjax demo`, `mtjax simulate`, `mtjax presets`."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Literal

import jax
import tyro

from mtjax import demo, presets
from mtjax.data import SwitchingData
from mtjax.device import Device
from mtjax.fitting import Fit, fit
from mtjax.fokker_planck import FokkerPlanck
from mtjax.laws import ThermalActivation
from mtjax.monte_carlo import MonteCarlo
from mtjax.parameters import all_parameters, by_names, replaced
from mtjax.pulses import Pulse
from mtjax.switching import switching_probability
from mtjax.types import as_scalar, with_unit

PRESETS = {
    "sengupta2016": presets.sengupta2016,
    "perpendicular_stt": presets.perpendicular_stt,
    "perpendicular_sot": presets.perpendicular_sot,
}
METHODS = {"fokker-planck": FokkerPlanck, "thermal-activation": ThermalActivation}
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
        Literal["fokker-planck", "thermal-activation"], tyro.conf.arg(help="How probabilities are worked out.")
    ] = "fokker-planck",
    starts: Annotated[int, tyro.conf.arg(help="From how many points the search starts.")] = 1,
    out: Out = Path("mtjax-fit"),
    force: Force = False,
) -> None:
    """Fit quantities of a device to measured switching probabilities.

    DATA.csv has a heading and one row per setting of the pulse: `current` (A) or `voltage` (V, across the write
    resistance), `width` (s), `switched` and `trials` or `probability` and `trials`, and if wanted `field` (T),
    `direction`, `device_id`. Prints a table; writes fit.json and fit.png into --out.
    """
    _refuse(out, force=force)
    model = _device(device, set_)
    read = SwitchingData.read_csv(data, columns=_columns(columns), trials=trials)
    if direction is not None or device_id is not None:
        read = read.select(direction=direction, device_id=device_id)
    names = parameters or _preferred(model)
    by_names(model, names)
    parts = _parts(read)
    fits = {
        label: fit(model, part, where=names, method=METHODS[method](), starts=starts, progress=True)
        for label, part in parts.items()
    }
    for label, one in fits.items():
        print("\n".join(line for line in (label, str(one), "") if line or label))
    _write(out, fits)


def demo_command(*, seed: int = 0, out: Out = Path("mtjax-demo"), force: Force = False) -> None:
    """Measure a device with known parameters, made up from its own physics, and fit it.

    Prints truth beside estimate; writes data.csv, fit.json and fit.png into --out. The same fit by hand:
    `mtjax fit mtjax-demo/data.csv --device perpendicular_stt`.
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
    commands = {"fit": fit_command, "demo": demo_command, "simulate": simulate_command, "presets": presets_command}
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
    from mtjax.store import decode, encode

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


def _parts(data: SwitchingData) -> dict[str, SwitchingData]:
    """The data of every device and direction apart, under a label (empty where there is only one)."""
    parts = {"": data}
    for column in ("device_id", "direction"):
        if len(data.labels(column)) > 1:
            parts = {
                f"{label} {value}".strip(): part.select(**{column: value})
                for label, part in parts.items()
                for value in part.labels(column)
            }
    return parts


def _write(out: Path, fits: Mapping[str, Fit]) -> None:
    """fit.json and, with matplotlib, fit.png."""
    out.mkdir(parents=True, exist_ok=True)
    if list(fits) == [""]:
        fits[""].save(out / "fit.json")
    else:
        (out / "fit.json").write_text(json.dumps({"fits": {label: one.to_dict() for label, one in fits.items()}}, indent=1))
    print(f"written: {out / 'fit.json'}")
    if importlib.util.find_spec("matplotlib") is None:
        print("No picture is written, because matplotlib is missing: pip install 'mtjax[plot]'.", file=sys.stderr)
        return
    from mtjax.plot import plot_fits

    plot_fits(fits).savefig(out / "fit.png")
    print(f"written: {out / 'fit.png'}")


if __name__ == "__main__":
    sys.exit(main())
