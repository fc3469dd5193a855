"""How often do the intervals of a fit hold the truth?  python scripts/coverage.py [--repeats 50] [--law]

Repeats the experiment of `mtjax demo` with other random counts, fits each one from a wrong first guess, and counts. The
rates should agree with their levels within the binomial error that is printed beside them.
"""

import argparse

import jax
import numpy as np

jax.config.update("jax_enable_x64", True)  # noqa: FBT003

from mtjax import demo  # noqa: E402
from mtjax.data import SwitchingData  # noqa: E402
from mtjax.fitting import fit  # noqa: E402
from mtjax.fokker_planck import FokkerPlanck  # noqa: E402
from mtjax.guess import resolving  # noqa: E402
from mtjax.laws import ThermalActivation  # noqa: E402


def experiment(method, *, seed):
    """The demo's settings; with the closed form longer pulses at lower currents, where it holds."""
    if not isinstance(method, ThermalActivation):
        return demo.experiment(seed=seed)
    currents = np.linspace(0.45, 0.75, 15) * float(demo.truth().critical_current)
    return demo.measured(demo.truth(), currents, 100e-9, trials=200, seed=seed, method=method)


def study(repeats, method):
    """Fits of `repeats` experiments."""
    fits = []
    for seed in range(repeats):
        data: SwitchingData = experiment(method, seed=seed)
        if not fits:
            method = resolving(method, demo.first_guess(), data, None, again=False)
        fits.append(fit(demo.first_guess(), data, where=demo.parameters, method=method))
        print(f"{seed + 1}/{repeats}", end="\r", flush=True)
    return fits


def report(fits):
    """Coverage per level and quantity, and the mean deviance."""
    truth = np.array([float(x) for x in demo.parameters(demo.truth())])
    print(f"{len(fits)} repeats; quantities: {', '.join(fits[0].estimates.names)}")
    for level in (0.68, 0.95):
        intervals = np.array([f.estimates.interval(level) for f in fits])
        inside = (intervals[..., 0] < truth) & (truth < intervals[..., 1])
        error = np.sqrt(level * (1 - level) / len(fits))
        print(f"{level:.0%} intervals hold the truth in {inside.mean(0).round(3)} (+- {error:.3f})")
    print(f"mean deviance {np.mean([f.deviance for f in fits]):.1f} on {fits[0].dof} degrees of freedom")
    print(f"warned: {sum(bool(f.warnings) for f in fits)} of {len(fits)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=50)
    parser.add_argument("--law", action="store_true", help="the closed form in place of Fokker-Planck")
    arguments = parser.parse_args()
    report(study(arguments.repeats, ThermalActivation() if arguments.law else FokkerPlanck()))


if __name__ == "__main__":
    main()
