"""`mtjax demo`: a device with known parameters, measured and fitted."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import tyro

from mtjax import demo
from mtjax.cli_options import Force, Out
from mtjax.cli_output import refuse, write_fits
from mtjax.fitting import fit


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
    data = demo.experiment(seed=seed)
    found = fit(demo.first_guess(), data, where=demo.parameters, progress=True)
    print(f"{found}\n\n{demo.comparison(found)}\n")
    out.mkdir(parents=True, exist_ok=True)
    data.write_csv(out / "data.csv")
    write_fits(out, {"": found})
