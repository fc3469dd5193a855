"""`mtjax telegraph`: dwell times from telegraph traces, and how they depend on a bias."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

import mtjax as mtj
from mtjax.cli.options import Force, Out, check_files, pair
from mtjax.cli.output import can_draw, refuse, tell_of_pictures, write_report

if TYPE_CHECKING:
    from mtjax.fitting import LikelihoodFit, TraceFit


def telegraph_command(
    data: Annotated[
        tyro.conf.Positional[tuple[Path, ...]], tyro.conf.arg(metavar="DATA ...", help="Traces: files, or a folder of them.")
    ],
    /,
    *,
    columns: Annotated[
        tuple[str, ...],
        tyro.conf.arg(
            metavar="NAME=HEADING ...",
            help="Headings or numbers of columns, with a unit where wanted: time='1 (ms)' signal=2 bias=I.",
        ),
    ] = (),
    step: Annotated[
        str | None, tyro.conf.arg(metavar="TIME", help="Time between samples where no column holds it: 10us.")
    ] = None,
    bias: Annotated[
        tuple[str, ...],
        tyro.conf.arg(
            metavar="VALUE ...", help="Bias of each trace in order: 5mV 10mV. Without it: from columns, headings, file names."
        ),
    ] = (),
    bandwidth: Annotated[
        float | None, tyro.conf.arg(help="Of the amplifier, Hz, where it is known; it is fitted otherwise.")
    ] = None,
    out: Out = Path("mtjax-telegraph"),
    force: Force = False,
) -> None:
    """Dwell times from telegraph traces, by a hidden Markov model whose levels, noise, low pass and drift are fitted.

    A trace has a column of evenly spaced times (or give --step), and one of the signal; several columns whose headings state
    the bias, a column of biases, or several files make up a dependence on it. Prints a table for each trace; writes dwell.csv,
    report.md, traces.png and, for several biases, fit.json and fit.png into --out.

    For example:
      mtjax telegraph trace.csv
      mtjax telegraph trace_5mV.csv trace_10mV.csv --out bias
      mtjax telegraph scope.txt --columns 'time=1 (us)' 'signal=2 (mV)' --bandwidth 1e6
    """
    refuse(out, force=force)
    check_files(data)
    tell_of_pictures()
    traces = mtj.fitting.read_traces(data, columns=dict(map(pair, columns)), step=step, bias=bias, tell=print)
    fits = []
    for trace in traces:
        at = f" at {mtj.printing.with_unit(trace.bias, trace.bias_unit)}" if trace.bias_unit else ""
        try:
            found = mtj.fit_trace(trace.time, trace.signal, bias=trace.bias, bandwidth=bandwidth, unit=trace.signal_unit)
        except ValueError as error:
            raise ValueError(f"{trace.name!r}{at}: {error}") from None
        print("", f"{trace.name}{at}", found, sep="\n")
        fits.append(found)
    _write(out, traces, fits, _dependence(traces, fits))


def _dependence(traces: list, fits: list[TraceFit]) -> LikelihoodFit | None:
    """The fit of the rates against the bias, where there are several."""
    units = {t.bias_unit for t in traces}
    if len({t.bias for t in traces}) < 2 or len(units) > 1:
        return None
    found = mtj.fit_telegraph([f.stays for f in fits], unit=units.pop())
    print(
        "", "Dependence on the bias: dwell_up = tau exp((bias - equal_bias) / scale_up), and the opposite down", found, sep="\n"
    )
    return found


def _write(out: Path, traces: list, fits: list[TraceFit], dependence: LikelihoodFit | None) -> None:
    out.mkdir(parents=True, exist_ok=True)
    rows = [
        "name,bias,bias unit,dwell up (s),error up (s),dwell down (s),error down (s),level up,level down,noise up,noise down"
    ]
    for trace, fit in zip(traces, fits, strict=True):
        one = fit.estimates
        numbers = [one[k].value for k in ("level_up", "level_down", "noise_up", "noise_down")]
        times = [x for k in ("dwell_up", "dwell_down") for x in (one[k].value, one[k].stderr)]
        rows.append(
            ",".join([f'"{trace.name}"', f"{trace.bias:.9g}", trace.bias_unit, *(f"{x:.9g}" for x in (*times, *numbers))])
        )
    mtj.files.write_whole(out / "dwell.csv", "\n".join(rows) + "\n")
    written = [out / "dwell.csv"]
    pictures = ("traces.png", *(("fit.png",) if dependence is not None else ())) if can_draw() else ()
    if can_draw():
        mtj.plot.plot_traces([(t.name, t.time, t.signal, f) for t, f in zip(traces, fits, strict=True)]).savefig(
            out / "traces.png"
        )
    if dependence is not None:
        if can_draw():
            mtj.plot.plot_fits({"": dependence}).savefig(out / "fit.png")
        written += write_report(out, {"": dependence}, pictures=pictures)
    sections = [f"## {t.name}\n\n```text\n{f}\n```" for t, f in zip(traces, fits, strict=True)]
    shown = [f"![{name}]({name})" for name in pictures]
    head = (out / "report.md").read_text() if dependence is not None else "# Telegraph\n\n" + "\n\n".join(shown)
    mtj.files.write_whole(out / "report.md", "\n\n".join([head.rstrip(), *sections]) + "\n")
    for path in dict.fromkeys([*written, out / "report.md", *(out / name for name in pictures)]):
        print(f"written: {path}")
