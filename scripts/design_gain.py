"""What an experiment that was designed is worth.  python scripts/design_gain.py [--repeats 20]

A synthetic junction (`perpendicular_stt`, delta 40) is measured first with 24 settings of 40 trials, and fitted (Bk,
polarisation, alpha; Fokker-Planck). Then 1,000 more trials go (a) where `design` says, for the thermal stability; (b) evenly
over 20 amplitudes and both widths in the same range. Both are fitted together with the first measurement. Printed: the mean
standard error that the fits report, and the root mean square of what they are off by, for both, and the ratios.
"""

import argparse

import jax
import jax.numpy as jnp
import numpy as np

import mtjax as mtj
from mtjax.cli import demo
from mtjax.fitting import candidates, design, measured_with
from mtjax.fitting.counts.linearised import linearised
from mtjax.fitting.counts.model import Settings

jax.config.update("jax_enable_x64", True)  # noqa: FBT003
NAMES = ("Bk", "polarisation", "alpha")
PILOT, TRIALS = 40, 1000


def delta(device):
    return device.delta


def thermal_stability(found):
    """Value and standard error."""
    value, slope = jax.value_and_grad(lambda c: found.model.device_of(c).delta)(jnp.asarray(found.at))
    return float(value), float(np.sqrt(slope @ found.spread @ slope))


class EvenGrid:
    """The same form as a design."""

    def __init__(self, found):
        size = np.abs(found.data.amplitude)
        rows = candidates(found, np.linspace(0.7 * size.min(), 1.4 * size.max(), 20))
        self.amplitude, self.width, self.field = rows.amplitude, rows.width, None
        self.trials = np.full(len(rows), TRIALS / len(rows))


class Split:
    """A design whose largest settings are split into two rows until there are six: one shape, compiled once."""

    def __init__(self, plan, rows=6):
        parts = [list(x) for x in zip(plan.amplitude, plan.width, plan.trials, strict=True)]
        while len(parts) < rows:
            parts.sort(key=lambda part: -part[2])
            half = parts[0][2] // 2
            parts.append([*parts[0][:2], parts[0][2] - half])
            parts[0][2] = half
        self.amplitude, self.width, self.trials = np.array(parts).T
        self.field = None


def counted(found, truth, plan, random):
    """The first measurement, and what the plan's settings give with the true device."""
    size = len(found.data)
    pad = -len(plan.trials) % size
    amplitude, width = (np.pad(x, (0, pad), "edge") for x in (plan.amplitude, plan.width))
    rows = Settings(amplitude, width, np.zeros(len(width), int))
    parts = [linearised(found.model, truth, rows.rows(np.arange(i, i + size))).p for i in range(0, len(rows), size)]
    p = np.clip(np.concatenate(parts)[: len(plan.trials)], 0, 1)
    return measured_with(found, plan, random.binomial(plan.trials.astype(int), p))


METHOD = []


def once(seed):
    """Pairs (value, standard error) of the designed and of the even experiment."""
    random = np.random.default_rng(1000 + seed)
    device = demo.truth()
    currents = np.concatenate([np.linspace(1.1, 2.6, 12), np.linspace(0.7, 1.6, 12)]) * float(device.critical_current)
    pilot = demo.measured(device, currents, np.repeat([6e-9, 20e-9], 12), trials=PILOT, seed=seed)
    found = mtj.fit(device, pilot, where=NAMES, method=METHOD[0] if METHOD else None)
    METHOD[:] = [found.method]
    truth = jnp.asarray(found.space.at(found.space.start))
    best = design(found, delta, trials=TRIALS)
    plans = (Split(best), EvenGrid(found))
    after = [mtj.fit(found.device, counted(found, truth, plan, random), where=NAMES, method=found.method) for plan in plans]
    if seed == 0:
        print(found, best, sep="\n", flush=True)
    results = [thermal_stability(f) for f in after]
    print(seed, np.round(results, 2).tolist(), flush=True)
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=20)
    results = np.array([once(seed) for seed in range(parser.parse_args().repeats)])
    true = float(demo.truth().delta)
    reported, off = results[..., 1].mean(0), np.sqrt(((results[..., 0] - true) ** 2).mean(0))
    ratios = results[:, 1, 1] / results[:, 0, 1]
    print(f"thermal stability {true:.1f}; {len(results)} repeats, {TRIALS} new trials each")
    print(f"reported standard error: designed {reported[0]:.3f}, even grid {reported[1]:.3f}")
    scatter = 100 / np.sqrt(2 * len(results))
    print(f"root mean square error:  designed {off[0]:.3f}, even grid {off[1]:.3f} (+- {scatter:.0f} % each)")
    print(f"ratio of standard errors {ratios.mean():.2f} (smallest {ratios.min():.2f}); of errors {off[1] / off[0]:.2f}")


if __name__ == "__main__":
    main()
