"""A folder that tells what was found: fit.json, report.md, pictures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from mtjax.comparison import Comparison
from mtjax.estimates import AbstractFit
from mtjax.identifiability import identifiability
from mtjax.posterior import Posterior
from mtjax.profiles import Profile
from mtjax.types import with_unit


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
        (folder / "fit.json").write_text(json.dumps(found, indent=1))
    sections = ["# Fit"]
    for label, one in fits.items():
        sections += [f"## {label}"] if label else []
        sections += _section(one)
        sections += [_code(str(comparisons[label]))] if comparisons and label in comparisons else []
        sections += [f"- {p}" for p in profiles[label]] if profiles and label in profiles else []
        sections += ["Posterior:", _code(str(posteriors[label]))] if posteriors and label in posteriors else []
    sections += [f"![{name}]({name})" for name in pictures]
    (folder / "report.md").write_text("\n\n".join(sections) + "\n")
    return [folder / "fit.json", folder / "report.md"]


def _section(fit: AbstractFit) -> list[str]:
    """Table, deviance, warnings, and what is determined."""
    table = ["| | estimate | standard error | 95 % interval |", "| --- | --- | --- | --- |"]
    for name, one, ends in zip(fit.estimates.names, fit.estimates, fit.estimates.interval(), strict=True):
        value, error, low, high = (with_unit(x, one.unit) for x in (one.value, one.stderr, *ends))
        table.append(f"| `{name}` | {value} | {error} | {low} ... {high} |")
    p = "" if fit.p_value is None else f" (p = {fit.p_value:.2g})"
    said = [f"**Warning:** {sentence}" for sentence in fit.warnings]
    known = "\n".join(f"- {sentence}" for sentence in identifiability(fit))
    summary = f"Deviance {fit.deviance:.4g} on {fit.dof} degrees of freedom{p}, AIC {fit.aic:.4g}; {fit.kind}."
    return ["\n".join(table), summary, *said, "What the data determine:", known]


def _code(text: str) -> str:
    return f"```text\n{text}\n```"
