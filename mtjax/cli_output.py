"""The folder into which a command writes."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mtjax.estimates import AbstractFit
from mtjax.report import write_report


def refuse(out: Path, *, force: bool) -> None:
    """Raise `ValueError` if the folder holds something already."""
    if out.exists() and not out.is_dir():
        raise ValueError(f"The output folder must be a folder, but '{out}' is a file.")
    if out.is_dir() and any(out.iterdir()) and not force:
        raise ValueError(f"The output folder '{out}' must be empty or new: choose another --out, or write with --force.")


def write_fits(out: Path, fits: Mapping[str, AbstractFit], **extra: Any) -> None:
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
