"""Dwell times from telegraph traces of known rates, and coverage.  python scripts/telegraph_coverage.py [--repeats 40]

Each case: traces of 400 short stays (200 at half a percent), ten samples each, against the truth. Plain: the mean of the stays
between crossings of the middle, as it is often done. Within: by the standard errors, the share of dwell times whose 68 and 95 %
intervals hold the truth (expected: 0.68 and 0.95, each with the standard error of as many repeats).
"""

import argparse

import numpy as np

from mtjax.fitting import fit_trace, synthetic_trace

STEP, SHORT = 1e-5, 1e-4
CASES = {  # share of time up, noise over gap, bandwidth (Hz), drift (gaps over the trace)
    "1 %, gap 5 noise": (0.01, 1 / 5, None, 0.0),
    "1 %, gap 3 noise": (0.01, 1 / 3, None, 0.0),
    "0.5 %, gap 5 noise": (0.005, 1 / 5, None, 0.0),
    "0.5 %, gap 3 noise": (0.005, 1 / 3, None, 0.0),
    "50 %, gap 3 noise": (0.5, 1 / 3, None, 0.0),
    "20 %, gap 5 noise, low pass": (0.2, 1 / 5, 1e4, 0.0),
    "20 %, gap 5 noise, drift": (0.2, 1 / 5, None, 1.0),
}


def trace(share, noise, bandwidth, drift, seed):
    long = SHORT * (1 - share) / share
    duration = (200 if share < 0.01 else 400) * (long + SHORT)
    time, signal = synthetic_trace(
        tau_up=SHORT, tau_down=long, duration=duration, step=STEP, bandwidth=bandwidth, noise=noise, seed=seed
    )
    return time, signal + drift * np.sin(2 * np.pi * time / time[-1]) / 2, (SHORT, long)


def plain(signal):
    """Mean stay up between crossings of the middle of the extreme values."""
    up = signal > np.mean(np.quantile(signal, [0.001, 0.999]))
    changes = np.flatnonzero(np.diff(up)) + 1
    return np.diff(changes)[up[changes[:-1]]].mean() * STEP


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0, help="of the first trace")
    parser.add_argument("--cases", nargs="*", type=int, default=range(len(CASES)))
    arguments = parser.parse_args()
    print(f"{'':28}  plain     up +- s.e. of mean   down +- s.e.       68 %   95 %   refused")
    for name, case in (list(CASES.items())[i] for i in arguments.cases):
        off, z, naive, refused = [], [], [], 0
        for seed in range(arguments.seed, arguments.seed + arguments.repeats):
            time, signal, truth = trace(*case, seed)
            naive.append(plain(signal) / truth[0])
            try:
                found = fit_trace(time, signal)
            except ValueError as error:
                refused += 1
                print(error)
                continue
            ratio = found.estimates.value[:2] / truth
            off.append(ratio - 1)
            z.append(np.log(ratio) / (found.estimates.stderr[:2] / found.estimates.value[:2]))
        off, z = np.array(off), np.abs(np.array(z))
        mean, error = 100 * off.mean(axis=0), 100 * off.std(axis=0) / np.sqrt(len(off))
        print(
            f"{name:28}  {100 * np.mean(naive) - 100:+6.0f} %  {mean[0]:+5.1f} +- {error[0]:3.1f} %       "
            f"{mean[1]:+5.1f} +- {error[1]:3.1f} %     {np.mean(z < 1):.2f}   {np.mean(z < 1.96):.2f}   {refused}",
            flush=True,
        )


if __name__ == "__main__":
    main()
