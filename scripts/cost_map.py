"""Which engine is cheaper where: Fokker-Planck or Monte Carlo, against barrier, pulse width and field.

    python scripts/cost_map.py                        # writes docs/cost_map.png; about ten minutes on a quiet core
    python scripts/cost_map.py --accuracy 0.003       # the picture again from what was measured, for another accuracy

One core. Fokker-Planck: processor seconds of `switching_probability` as it comes (0.3 % of the smaller of P and 1 - P), the
choice of the truncation included, compilation apart. Monte Carlo: processor seconds of one trajectory (single precision, the
default step), times the number of trajectories that brings the standard error of the smaller of P and 1 - P to `--accuracy`.
"""

import argparse
import itertools
import json
import os
import time
from pathlib import Path

os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # before jax starts its threads

import equinox as eqx  # noqa: E402
import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402

import mtjax as mtj  # noqa: E402
from mtjax.sweeps import sentence  # noqa: E402

DELTAS, WIDTHS, FIELDS = (20.0, 40.0, 80.0), (0.3e-9, 1e-9, 5e-9), (0.01, 0.05)
PICTURE = Path(__file__).parents[1] / "docs" / "cost_map.png"
SAMPLES = 4096


def cases():
    """Kind of device, barrier, pulse width, and in-plane field where there is one."""
    for delta, width in itertools.product(DELTAS, WIDTHS):
        yield "spin-transfer torque, one axis", delta, width, 0.0
    for field, delta, width in itertools.product(FIELDS, DELTAS, WIDTHS):
        yield f"spin-orbit torque, {field * 1e3:g} mT in plane", delta, width, field


def problem(delta: float, width: float, field: float):
    """Device and pulse: twice (spin-transfer torque) or 1.1 times (spin-orbit torque) the critical current."""
    if not field:
        device = mtj.presets.perpendicular_stt(delta)
        return device, mtj.Pulse(2 * float(device.critical_current), width)
    device = mtj.presets.perpendicular_sot(delta)
    device = eqx.tree_at(lambda d: d[mtj.AppliedField].B, device, jnp.array([field, 0.0, 0.0]))
    return device, mtj.Pulse(1.1 * float(device.critical_current), width)


def seconds(function):
    """What it returns, and the processor seconds of a second call."""
    function()
    before = time.process_time()
    found = function()
    return found, time.process_time() - before


def measure(kind: str, delta: float, width: float, field: float) -> dict:
    """One case."""
    row = {"kind": kind, "delta": delta, "width": width, "field": field}
    sampled = mtj.MonteCarlo(SAMPLES, jax.random.key(0))
    _, time_sampled = seconds(lambda: float(mtj.switching_probability(*problem(delta, width, field), method=sampled).value))
    row["trajectory"] = time_sampled / SAMPLES
    with jax.enable_x64(True):
        device, pulse = problem(delta, width, field)
        try:
            p, row["fokker_planck"] = seconds(lambda: jax.block_until_ready(mtj.switching_probability(device, pulse)))
        except (RuntimeError, ValueError) as error:
            return row | {"refused": sentence(error)}
    return row | {"value": float(p.value), "complement": float(p.complement), "lmax": p.method.plan.lmax}


def ratio(row: dict, accuracy: float) -> float:
    """Cost of Monte Carlo over that of Fokker-Planck."""
    least = min(row["value"], row["complement"])
    return (1 - least) / least / accuracy**2 * row["trajectory"] / row["fokker_planck"]


def draw(rows: list[dict], accuracy: float) -> None:
    """A map for every kind of device: barrier against pulse width, coloured by the ratio of costs."""
    import matplotlib as mpl
    import numpy as np
    from matplotlib.figure import Figure

    kinds = list(dict.fromkeys(row["kind"] for row in rows))
    figure = Figure(figsize=(4.0 * len(kinds), 3.9), layout="constrained", dpi=130)
    panels = figure.subplots(1, len(kinds), squeeze=False)[0]
    scale = mpl.colors.Normalize(-3, 3)
    for axes, kind in zip(panels, kinds, strict=True):
        table = np.full((len(DELTAS), len(WIDTHS)), np.nan)
        for row in (r for r in rows if r["kind"] == kind):
            place = DELTAS.index(row["delta"]), WIDTHS.index(row["width"])
            if "refused" in row:
                axes.text(place[1], place[0], "P or 1 - P\nbelow 1e-14:\nneither", ha="center", va="center", fontsize="small")
                continue
            table[place] = np.log10(ratio(row, accuracy))
            text = f"P = {row['value']:.2g}\nFP {row['fokker_planck']:.2g} s\nMC x {10 ** table[place]:.2g}"
            ink = "white" if abs(table[place]) > 2 else "black"
            axes.text(place[1], place[0], text, ha="center", va="center", fontsize="small", color=ink)
        shown = axes.imshow(table, cmap="PuOr", norm=scale, origin="lower", aspect="auto", alpha=0.75)
        axes.set_xticks(range(len(WIDTHS)), [f"{w * 1e9:g}" for w in WIDTHS])
        axes.set_yticks(range(len(DELTAS)), [f"{d:g}" for d in DELTAS])
        axes.set(xlabel="pulse width (ns)", ylabel="barrier (kT)")
        axes.set_title(kind, fontsize="medium")
    label = f"log10 of the cost of Monte Carlo ({accuracy:.1%})\nover that of Fokker-Planck"
    figure.colorbar(shown, ax=list(panels), label=label)
    figure.savefig(PICTURE)
    print(f"written: {PICTURE}")


def main() -> None:
    """Measure what is not measured yet, then draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--accuracy", type=float, default=0.01, help="of Monte Carlo, relative to the smaller of P and 1 - P")
    parser.add_argument("--kept", type=Path, default=Path("cost_map.jsonl"), help="what was measured, one line for each case")
    args = parser.parse_args()
    rows = [json.loads(line) for line in args.kept.read_text().splitlines()] if args.kept.exists() else []
    done = {(row["kind"], row["delta"], row["width"]) for row in rows}
    for kind, delta, width, field in cases():
        if (kind, delta, width) in done:
            continue
        rows.append(measure(kind, delta, width, field))
        with args.kept.open("a") as file:
            file.write(json.dumps(rows[-1]) + "\n")
        print(rows[-1], flush=True)
    draw(rows, args.accuracy)


if __name__ == "__main__":
    main()
