"""Barrier and critical current from 100 cycles at one pulse width.  python scripts/switching_distribution.py [--repeats 50]

Loops in steps of a current (pulses, or a steady sweep of a field), each cycle switched at random by the rates of one barrier;
read, split into cycles and fitted as a file would be. Printed: how far estimates lie from the truth in standard errors, and how
often the 68 and 95 % intervals hold it.
"""

import argparse

import numpy as np

from mtjax.fitting import Loop, cycles, fit_thresholds, thresholds

CASES = {  # critical amplitude, delta, exponent, pulse width (s) or sweep rate (per s), step, unit
    "pulses of 100 us": ((1e-3, 0.9e-3), (45.0, 38.0), 1.0, 1e-4, 1e-5, "A"),
    "pulses of 10 ns, coarse steps": ((100e-6, 80e-6), (60.0, 40.0), 1.0, 1e-8, 4e-6, "A"),
    "field swept at 10 mT/s": ((0.12, 0.10), (60.0, 50.0), 2.0, 1e-2, 2e-4, "T"),
}


def measured(critical, delta, exponent, time, step, unit, *, number=100, seed=0, tau_0=1e-9):
    """One loop of many cycles."""
    random, swept, state, states = np.random.default_rng(seed), [], 1, []
    top = np.ceil(max(critical) / step) * step
    one = np.concatenate([np.arange(-top, top, step), np.arange(top, -top, -step)])
    dwell = time if unit == "A" else step / time
    for i, x in enumerate(np.tile(one, number)):
        rising = i % len(one) < len(one) // 2
        side = 0 if rising else 1
        height = max(1 - (x if rising else -x) / critical[side], 0.0) if (x > 0) == rising else 10.0
        if state == (1 if rising else -1):
            expected = dwell / tau_0 * np.exp(-delta[side] * height**exponent)
            state = -state if random.random() < -np.expm1(-expected) else state
        swept.append(x)
        states.append(state)
    resistance = 5000 - 1000 * np.array(states) + 30 * random.standard_normal(len(states))
    times = {"width": time} if unit == "A" else {"sweep_rate": time}
    return Loop(np.array(swept), resistance, unit=unit, **times)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=50)
    repeats = parser.parse_args().repeats
    for name, (critical, delta, exponent, *rest) in CASES.items():
        z = []
        for seed in range(repeats):
            loop = measured(critical, delta, exponent, *rest, seed=seed)
            found = fit_thresholds(thresholds(cycles(loop)), single=True).estimates
            truth = np.array([*critical, *delta])
            z.append(np.log(found.value / truth) / (found.stderr / found.value))
            if seed == 0:
                print(name, found, sep="\n")
        z = np.array(z)
        print("first repeat, off in standard errors:", ", ".join(f"{x:+.1f}" for x in z[0]))
        scatter = ", ".join(f"{m:+.2f} ({s:.2f})" for m, s in zip(z.mean(0), z.std(0), strict=True))
        print(f"mean, deviation of these over all:    {scatter}")
        inside = [np.mean(np.abs(z) < limit) for limit in (1, 1.96)]
        print(f"within the 68 % interval {inside[0]:.2f}, within the 95 % one {inside[1]:.2f}\n", flush=True)


if __name__ == "__main__":
    main()
