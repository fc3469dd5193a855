"""Two parameters from 20 settings, for three kinds of device.  python scripts/fits_by_device.py [DEVICE ...] [--repeats 3]

Made-up counts (200 trials, two pulse widths) of a preset, a start 30 % and 20 % off, the engine that `fit` chooses by itself.
Each repeat has other counts. Printed: CPU seconds of this process for the first fit (compilation included, unless it is kept
from before: set JAX_ENABLE_COMPILATION_CACHE=false for a cold one), the median of the others, and how far estimates are from
the truth.
"""

import argparse
import time

import jax
import numpy as np

import mtjax as mtj
from mtjax.devices import by_names, replaced, values

jax.config.update("jax_enable_x64", True)  # noqa: FBT003

CASES = {
    "perpendicular_sot": (("theta_sh", "Bk"), 82e-6, (0.5e-9, 1e-9)),
    "sengupta2016": (("theta_sh", "alpha"), 68e-6, (0.5e-9, 1e-9)),
    "perpendicular_stt": (("polarisation", "Bk"), None, (5e-9, 20e-9)),
}
"""What is fitted, the middle of the currents (A; `None` for the critical current), and the widths (s)."""


def fitted(name, seed):
    """CPU seconds, and estimates less truth in standard errors, shape (2,)."""
    where, middle, widths = CASES[name]
    device = getattr(mtj.presets, name)()
    middle = 1.2 * float(device.critical_current) if middle is None else middle
    current, width = np.tile(middle * np.linspace(0.8, 1.25, 10), 2), np.repeat(widths, 10)
    data = mtj.measured(
        device, current, width, trials=200, seed=seed, method=mtj.MonteCarlo(20_000, jax.random.key(100 + seed))
    )
    chosen = by_names(device, where)
    truth = np.array([float(v) for v in values(device, chosen)])
    start = replaced(device, [p.leaf for p in chosen], list(truth * [1.3, 0.8]))
    begin = time.process_time()
    found = mtj.fit(start, data, where=where)
    seconds = time.process_time() - begin
    print(f"{name}, counts {seed}: {seconds:.1f} CPU s\n{found}\n", flush=True)
    return seconds, (found.estimates.value - truth) / found.estimates.stderr


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("devices", nargs="*", default=list(CASES), metavar="DEVICE", help=", ".join(CASES))
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    for name in args.devices:
        seconds, off = zip(*(fitted(name, seed) for seed in range(args.repeats)), strict=True)
        later = f"{np.median(seconds[1:]):.1f}" if len(seconds) > 1 else "-"
        print(f"{name}: first {seconds[0]:.1f} CPU s, later {later}; off by {np.round(off, 1).tolist()} standard errors\n")


if __name__ == "__main__":
    main()
