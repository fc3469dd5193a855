"""Posterior beside Fisher information, where data are many and where they are few.  python scripts/posterior.py [--out FILE]

The same junction by the closed form of thermal activation, two quantities: 15 settings of 200 trials, and 5 settings of 4.
Then the demonstration's experiment with the Fokker-Planck engine (`--engine`; some minutes).
"""

import argparse
import time
from pathlib import Path

import jax
import numpy as np
from matplotlib.figure import Figure

import mtjax as mtj
from mtjax.cli import demo
from mtjax.fitting import posterior
from mtjax.plot import plot_marginal
from mtjax.switching import ThermalActivation

jax.config.update("jax_enable_x64", True)  # noqa: FBT003
LAW = ThermalActivation()


def measured(settings, trials, seed):
    currents = np.linspace(0.45, 0.75, settings) * float(demo.truth().critical_current)
    return demo.measured(demo.truth(), currents, 100e-9, trials=trials, seed=seed, method=LAW)


def report(label, found, samples, seed):
    begin = time.perf_counter()
    draws = posterior(found, key=jax.random.key(seed), samples=samples, warmup=max(samples // 2, 100))
    print(f"{label} ({time.perf_counter() - begin:.0f} s)", found.estimates, draws, sep="\n")
    fisher, sampled = found.estimates.interval(), draws.interval()
    width = (sampled[:, 1] - sampled[:, 0]) / (fisher[:, 1] - fisher[:, 0])
    moved = (draws.median - found.estimates.value) / found.estimates.stderr
    print(f"width of the 95 % interval over Fisher's: {width.round(2)}; median off by {moved.round(2)} standard errors\n")
    return draws


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("posterior.png"))
    parser.add_argument("--engine", action="store_true", help="also by Fokker-Planck")
    arguments = parser.parse_args()
    figure = Figure(figsize=(8, 5), layout="constrained")
    grid = figure.subplots(2, 2)
    for row, (label, settings, trials) in enumerate((("3,000 trials", 15, 200), ("20 trials", 5, 4))):
        found = mtj.fit(demo.first_guess(), measured(settings, trials, 3), where=demo.parameters, method=LAW, relax=0.0)
        draws = report(label, found, 1000, row)
        for i in range(2):
            plot_marginal(grid[row][i], found, i, draws.draws[..., i].ravel())
            grid[row][i].set_title(label, fontsize="medium")
    figure.savefig(arguments.out, dpi=90)
    if arguments.engine:
        report("Fokker-Planck", mtj.fit(demo.first_guess(), demo.experiment(seed=1), where=demo.parameters), 250, 7)


if __name__ == "__main__":
    main()
