"""The folder into which a command writes."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mtjax as mtj

if TYPE_CHECKING:
    from mtjax.fitting import AbstractFit, Comparison, Posterior, Profile

_PICTURES = (".png", ".pdf", ".svg", ".jpg", ".eps", ".tif")


def refuse(out: Path, *, force: bool) -> None:
    """Raise `ValueError` if the folder holds something already."""
    if out.exists() and not out.is_dir():
        raise ValueError(f"The output folder must be a folder, but '{out}' is a file.")
    if out.is_dir() and any(out.iterdir()) and not force:
        raise ValueError(f"The output folder '{out}' must be empty or new: choose another --out, or write with --force.")


def check_picture(path: Path) -> None:
    """Raise `ValueError` where no picture can be written at `path`, before the work."""
    if path.suffix not in _PICTURES:
        raise ValueError(f"A picture must be a file {', '.join(_PICTURES)}, but is '{path}'.")
    if not path.parent.is_dir():
        raise ValueError(f"A picture must be in a folder that exists, but '{path.parent}' does not.")


def tell_of_pictures() -> None:
    """Say on standard error, before the work, that there will be no picture, where matplotlib is missing."""
    if not can_draw():
        print("No picture will be written, because matplotlib is missing: pip install 'mtjax[plot]'.", file=sys.stderr)


def can_draw() -> bool:
    """Whether matplotlib is there."""
    return importlib.util.find_spec("matplotlib") is not None


def write_fits(out: Path, fits: Mapping[str, AbstractFit], **extra: Any) -> None:
    """fit.json, report.md and, with matplotlib, fit.png."""
    out.mkdir(parents=True, exist_ok=True)
    pictures = _pictures(out, fits, extra)
    for path in [*write_report(out, fits, **extra, pictures=pictures), *(out / name for name in pictures)]:
        print(f"written: {path}")


def _pictures(out: Path, fits: Mapping[str, AbstractFit], extra: dict[str, Any]) -> tuple[str, ...]:
    if not can_draw():
        return ()
    mtj.plot.plot_fits(fits).savefig(out / "fit.png")
    posteriors = extra.get("posteriors", {})
    for label, draws in posteriors.items():
        mtj.plot.plot_posterior(fits[label], draws).savefig(out / f"posterior{label.replace('>', '')}.png")
    return ("fit.png", *(f"posterior{label.replace('>', '')}.png" for label in posteriors))


def write_report(
    folder: Path,
    fits: Mapping[str, AbstractFit],
    *,
    comparisons: Mapping[str, Comparison] | None = None,
    profiles: Mapping[str, list[Profile]] | None = None,
    posteriors: Mapping[str, Posterior] | None = None,
    pictures: tuple[str, ...] = (),
) -> list[Path]:
    """Write fit.json and report.md into `folder` (made where it does not exist); returns their paths.

    - `fits`: by label ("" where there is one only); the rest by the same labels.
    - `pictures`: names of files in the folder that the report shows.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if list(fits) == [""]:
        fits[""].save(folder / "fit.json")
    else:
        found = {"fits": {label: one.to_dict() for label, one in fits.items()}}
        mtj.files.write_whole(folder / "fit.json", json.dumps(found, indent=1))
    sections = ["# Fit"]
    for label, one in fits.items():
        sections += [f"## {label}"] if label else []
        sections += _section(one)
        sections += [_code(str(comparisons[label]))] if comparisons and label in comparisons else []
        sections += [f"- {p}" for p in profiles[label]] if profiles and label in profiles else []
        sections += ["Posterior:", _code(str(posteriors[label]))] if posteriors and label in posteriors else []
    sections += [f"![{name}]({name})" for name in pictures]
    mtj.files.write_whole(folder / "report.md", "\n\n".join(sections) + "\n")
    return [folder / "fit.json", folder / "report.md"]


def _section(fit: AbstractFit) -> list[str]:
    """Table, deviance, warnings, and what is determined."""
    table = ["| | estimate | standard error | 95 % interval |", "| --- | --- | --- | --- |"]
    for name, one, ends in zip(fit.estimates.names, fit.estimates, fit.estimates.interval(), strict=True):
        value, error, low, high = (mtj.printing.with_unit(x, one.unit) for x in (one.value, one.stderr, *ends))
        table.append(f"| `{name}` | {value} | {error} | {low} ... {high} |")
    p = "" if fit.p_value is None else f" (p = {fit.p_value:.2g})"
    said = [f"**Warning:** {sentence}" for sentence in fit.warnings]
    known = "\n".join(f"- {sentence}" for sentence in mtj.identifiability(fit))
    summary = f"Deviance {fit.deviance:.4g} on {fit.dof} degrees of freedom{p}, AIC {fit.aic:.4g}; {fit.kind}."
    return ["\n".join(table), summary, *said, "What the data determine:", known]


def _code(text: str) -> str:
    return f"```text\n{text}\n```"
