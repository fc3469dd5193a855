"""Fit the measured Hall bars: switching loops and loop shift.  python scripts/hall_bar.py [--data DIR] [--out DIR]

Thermal stability from the positive and the negative thresholds, each known to an interval of 0.55 mA, in one fit (tau_0 = 1 ns
assumed; a plain regression on ln t gives 26.4 and 24.8). Loop shift per current at +20 mT and -120 mT in the plane, switching
fields known to 2.5 and 1.1 mT (a plain regression gives -1.39 and +1.28 T/A).
"""

import argparse
from pathlib import Path

import jax

from mtjax.fitting import compare, fit_loop_shift, fit_thresholds, profile, read_loops, thresholds
from mtjax.plot import plot_fits

jax.config.update("jax_enable_x64", True)  # noqa: FBT003
DATA = Path(__file__).parents[2] / "shared" / "data" / "ntu_sot_hallbar"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--out", type=Path, default=Path("hall-bar"))
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    found = thresholds(read_loops(arguments.data / "Pulse_Switching_Data"))
    switching = fit_thresholds(found)
    others = {"one delta": fit_thresholds(found, one_delta=True), "one event, one barrier": fit_thresholds(found, single=True)}
    print(switching, *(profile(switching, name) for name in ("delta[+]", "delta[-]")), sep="\n")
    print(compare({"two deltas, normal scatter": switching, **others}), "", sep="\n")
    shift = fit_loop_shift(thresholds(read_loops(arguments.data / "AHE_Loopshift")))
    print(shift, *(profile(shift, name) for name in shift.estimates.names[:2]), sep="\n")
    figure = plot_fits({"switching loops": switching, "loop shift": shift})
    figure.savefig(arguments.out / "hall_bar.png", dpi=80)


if __name__ == "__main__":
    main()
