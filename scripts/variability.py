"""Accuracy against the spread of devices on chips never seen in training: trained as if all were alike, and over chips.

    python scripts/variability.py [--epochs 40] [--chips 20] [--out docs]

64-48-10 on the 8x8 digits at 4 time-steps; perpendicular junctions of 20 kT under 10 ns pulses. The spread, 0 to 20 %, is
that of Bk, Ms, thickness and resistance alike; pulses fluctuate by 2 %, and 1 % of neurons and cells are stuck.
"""

import argparse
import time
from pathlib import Path

import mtjax as mtj

mtj.configure_cpu(fused=True)

import jax  # noqa: E402
import numpy as np  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402

from mtjax import nn  # noqa: E402
from mtjax.plot import COLOURS  # noqa: E402

SPREADS = (0.0, 0.05, 0.1, 0.15, 0.2)
OTHERS = {"cycle": 0.02, "stuck_neurons": 0.01, "stuck_cells": 0.01}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--chips", type=int, default=20)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--out", type=Path, default=Path("docs"), help="folder of the picture")
    args = parser.parse_args()
    train, test = nn.datasets.digits(seed=0)
    law = nn.perpendicular_law()
    network = nn.mlp((64, 48, 10), law, key=jax.random.key(0))
    how = nn.Training(epochs=args.epochs, batch=32, rate=3e-2, steps=args.steps)
    naive = nn.train(network, train, how, key=jax.random.key(1), progress=False).network
    alike = nn.evaluate(naive, test, steps=args.steps, key=jax.random.key(2)).value[-1]
    print(f"{law}\nall devices alike: {100 * alike:.2f} %", flush=True)
    found = {"naive": [], "over chips": []}
    for spread in SPREADS:
        start, variation = time.perf_counter(), nn.Variation.of(spread, **OTHERS)
        aware = nn.train(network, train, nn.over_chips(how, variation), key=jax.random.key(1), progress=False).network
        for name, trained in (("naive", naive), ("over chips", aware)):
            accuracy = nn.evaluate_chips(
                trained, test, variation, chips=args.chips, steps=args.steps, key=jax.random.key(3), progress=False
            )
            found[name].append(accuracy)
            print(f"spread {100 * spread:.0f} %, {name}: {accuracy}", flush=True)
        print(f"  {time.perf_counter() - start:.0f} s", flush=True)
    draw(found, alike, args.out / "variability.png")


def draw(found, alike: float, path: Path) -> None:
    figure = Figure(figsize=(6.4, 4.4), layout="constrained", dpi=150)
    axes, x = figure.subplots(), 100 * np.array(SPREADS)
    for (name, rows), colour, marker in zip(found.items(), COLOURS[1::-1], "so", strict=False):
        mean, error, worst = (100 * np.array([getattr(r, part)[-1] for r in rows]) for part in ("mean", "stderr", "worst"))
        axes.errorbar(x, mean, error, color=colour, marker=marker, capsize=3, label=f"{name}, mean")
        axes.plot(x, worst, color=colour, marker=marker, ls=":", mfc="none", label=f"{name}, worst chip")
    axes.axhline(100 * alike, color="0.5", lw=1, ls="--", label="all devices alike")
    axes.set(xlabel="spread of Bk, Ms, thickness and resistance (%)", ylabel="accuracy on new chips (%)")
    axes.legend(frameon=False)
    axes.grid(alpha=0.25)
    figure.savefig(path)


if __name__ == "__main__":
    main()
