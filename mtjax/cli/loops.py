"""`mtjax loops`: thermal stability and shifts from switching loops."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import tyro

import mtjax as mtj
from mtjax.cli.options import Force, Out, check_file
from mtjax.cli.output import refuse, tell_of_pictures, write_fits


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
    refuse(out, force=force)
    check_file(data)
    tell_of_pictures()
    found = mtj.thresholds(mtj.read_loops(data))
    pulsed = bool((found.width > 0).any())
    fits = {"": mtj.fit_thresholds(found, tau_0=tau_0) if pulsed else mtj.fit_loop_shift(found)}
    print(fits[""])
    extra: dict[str, Any] = {}
    if pulsed:
        candidates = {
            "both deltas, normal scatter": fits[""],
            "one delta, normal scatter": mtj.fit_thresholds(found, tau_0=tau_0, one_delta=True),
            "one event over one barrier": mtj.fit_thresholds(found, tau_0=tau_0, single=True),
        }
        extra["comparisons"] = {"": mtj.compare(candidates)}
        print("", extra["comparisons"][""], sep="\n")
    write_fits(out, fits, **extra)
