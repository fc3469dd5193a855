"""`mtjax loops`: switching fields or currents, thermal stability and shifts from switching loops."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import tyro

import mtjax as mtj
from mtjax.cli.options import Force, Out, check_files, pair
from mtjax.cli.output import can_draw, refuse, tell_of_pictures, write_fits

if TYPE_CHECKING:
    from mtjax.fitting import LikelihoodFit, Loop, LoopFigures, Thresholds

_SHOWN = 5
_CYCLES = 10
"""Cycles of one setting that make a distribution."""


def loops_command(
    data: Annotated[
        tyro.conf.Positional[tuple[Path, ...]], tyro.conf.arg(metavar="DATA ...", help="Loops: files, or a folder of them.")
    ],
    /,
    *,
    columns: Annotated[
        tuple[str, ...],
        tyro.conf.arg(
            metavar="NAME=HEADING ...",
            help="Headings or numbers of columns, with a unit where wanted: swept='H (mT)' resistance=2; field= leaves out the "
            "other fields.",
        ),
    ] = (),
    fixed: Annotated[
        tuple[str, ...],
        tyro.conf.arg(
            metavar="NAME=VALUE ...",
            help="What stands in no column: width=1us sweep_rate=5mT (per second) field=20mT current=1mA.",
        ),
    ] = (),
    tau_0: Annotated[float, tyro.conf.arg(help="Attempt time, s.")] = 1e-9,
    exponent: Annotated[
        float | None, tyro.conf.arg(help="Power of the barrier, (1 - x / x_0)^n: 1 for currents, 2 for fields without it.")
    ] = None,
    out: Out = Path("mtjax-loops"),
    force: Force = False,
) -> None:
    """Switching values as intervals, shift, coercivity and resistances of loops, and what many of them say.

    Resistance against field, current or voltage, in any unit; many cycles, settings or pulse widths in one file, or many files.
    Cycles at one pulse width or sweep rate give a barrier and a critical current or field from their distribution; several
    widths a thermal stability; field loops under several currents the shift by the current. Writes loops.csv, loops.png and,
    with a fit, fit.json, report.md and fit.png into --out.

    For example:
      mtjax loops RH.csv
      mtjax loops cycles.txt --columns 'swept=1 (mA)' 'resistance=2 (kOhm)' --fixed width=1us
      mtjax loops Pulse_Switching_Data --out stability
      mtjax loops AHE_Loopshift --out shift
    """
    refuse(out, force=force)
    check_files(data)
    tell_of_pictures()
    loops = mtj.read_loops(data, columns=dict(map(pair, columns)), fixed=dict(map(pair, fixed)), tell=print)
    found = mtj.thresholds(loops)
    figures = _figures(loops)
    for one in figures[:_SHOWN]:
        print("", one, sep="\n")
    if len(figures) > _SHOWN:
        print(f"\n... and {len(figures) - _SHOWN} others: all are in {out / 'loops.csv'}")
    _summarise(found)
    fits, extra = _fits(found, tau_0, exponent)
    for fit in fits.values():
        print("", fit, sep="\n")
    for one in extra.get("comparisons", {}).values():
        print("", one, sep="\n")
    if not fits:
        for sentence in found.warnings:
            print(f"warning: {sentence}")
    _write(out, loops, found, figures)
    if fits:
        write_fits(out, fits, **extra)


def _summarise(found: Thresholds) -> None:
    """Mean and scatter of the switching values, where there are many."""
    closed = np.isfinite(found.upper)
    for sign, name in ((1, "positive"), (-1, "negative")):
        rows = closed & (found.polarity == sign)
        if rows.sum() > _SHOWN:
            middle = sign * (found.lower[rows] + found.upper[rows]) / 2
            mean, scatter = (mtj.printing.with_unit(x, found.unit) for x in (middle.mean(), middle.std()))
            print(f"\n{rows.sum()} switching values of {name} polarity: {mean} on average, scattering by {scatter}")


def _figures(loops: tuple[Loop, ...]) -> list[LoopFigures]:
    """Those of all loops that switch both ways."""
    found = []
    for loop in loops:
        try:
            found.append(mtj.fitting.characterise(loop))
        except ValueError:
            continue
    return found


def _fits(found: Thresholds, tau_0: float, exponent: float | None) -> tuple[dict[str, LikelihoodFit], dict[str, Any]]:
    """What the loops allow: shift by a current, stability from several widths, or a distribution over cycles."""
    timed = bool((found.width > 0).all() or (found.sweep_rate is not None and (found.sweep_rate > 0).all()))
    if not (found.width > 0).any() and len(set(found.current)) >= 3 and found.unit == "T":
        return {"": mtj.fit_loop_shift(found)}, {}
    if not timed:
        if len(found) >= 2 * _CYCLES:
            print(
                "\nA distribution over cycles gives a barrier where the time is known: --fixed width=1us, or "
                "sweep_rate=5mT (per second)."
            )
        return {}, {}
    single = len(found) > 2 * len(set(zip(found.polarity, found.width, strict=True)))
    widths = [len(set(found.width[found.polarity == p])) for p in set(found.polarity)]
    if min(widths) >= 2 and (found.width > 0).all():
        candidates = {
            "both deltas, normal scatter": mtj.fit_thresholds(found, tau_0=tau_0),
            "one delta, normal scatter": mtj.fit_thresholds(found, tau_0=tau_0, one_delta=True),
            "one event over one barrier": mtj.fit_thresholds(found, tau_0=tau_0, single=True, exponent=exponent),
        }
        best = candidates["one event over one barrier" if single else "both deltas, normal scatter"]
        return {"": best}, {"comparisons": {"": mtj.compare(candidates)}}
    if min((found.polarity == p).sum() for p in set(found.polarity)) < _CYCLES:
        return {}, {}
    return {"": mtj.fit_thresholds(found, tau_0=tau_0, single=True, exponent=exponent)}, {}


def _write(out: Path, loops: tuple[Loop, ...], found: Thresholds, figures: list[LoopFigures]) -> None:
    """loops.csv, a row for each loop that switches both ways, thresholds.csv and loops.png."""
    out.mkdir(parents=True, exist_ok=True)
    u = found.unit
    rows = [
        f"name,up from ({u}),up to ({u}),down from ({u}),down to ({u}),shift ({u}),coercivity ({u}),R low (ohm),"
        "R high (ohm),TMR"
    ]
    for one in figures:
        numbers = (*one.up, *one.down, one.shift[0], one.coercivity[0], one.low, one.high, one.tmr)
        rows.append(",".join([f'"{one.name}"', *(f"{x:.9g}" for x in numbers)]))
    mtj.files.write_whole(out / "loops.csv", "\n".join(rows) + "\n")
    columns = (found.polarity, found.lower, found.upper, found.width, found.current, found.field)
    lines = [f"polarity,lower ({u}),upper ({u}),width (s),current (A),field (T)"]
    lines += [",".join(f"{x:.9g}" for x in row) for row in zip(*columns, strict=True)]
    mtj.files.write_whole(out / "thresholds.csv", "\n".join(lines) + "\n")
    written = ["loops.csv", "thresholds.csv"]
    if can_draw():
        mtj.plot.plot_loops(loops).savefig(out / "loops.png")
        written.append("loops.png")
    for name in written:
        print(f"written: {out / name}")
