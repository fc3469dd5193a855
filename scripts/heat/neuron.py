"""One cell: integrate and fire, leak, read and reset."""

import jax
import numpy as np

import mtjax as mtj
from heat.common import COLOURS, NS, STEP, WIDTH, decay, figure, log_of_hazards, probability, save, say, single_cell

TRAINS = {(1, 50): 0.011, (2, 3): 0.474, (5, 3): 0.994, (2, 10): 0.089, (5, 10): 0.371, (10, 10): 0.684,
          (2, 50): 0.024, (5, 50): 0.055, (10, 50): 0.113}  # fmt: skip
"""Switching probability of (number, interval in ns) by an independent program, 4,000 samples, steps of 20 ps."""
PAIRS = {-8: -0.469, -10: -0.273, -15: -0.073, -30: -0.005, -200: 0.0, 8: 0.443, 10: 0.265, 15: 0.073, 30: 0.007, 200: 0.0}
"""Change of the mean m_z by a pair of opposite pulses, delay in ns, by the same program."""
THEIRS, PAIRS_ERROR = 4000, 0.008


def check(read):
    """The numbers of the independent program, with the distance in standard errors of both."""
    trains = {(n, int(i)): (p, e) for i, rows in read("integrate")["number"].items() for n, p, e, *_ in rows}
    pairs = {delay: (d, e) for delay, d, e in read("stdp")["cell"]}
    rows = []
    for (number, interval), expected in TRAINS.items():
        theirs = (expected * (1 - expected) / THEIRS) ** 0.5
        rows.append((f"{number} pulses, {interval} ns", expected, theirs, *trains[number, interval]))
    rows += [(f"pair, {d:+d} ns", expected, PAIRS_ERROR, *pairs[d]) for d, expected in PAIRS.items()]
    for name, expected, theirs, found, error in rows:
        z = (found - expected) / np.hypot(theirs, error)
        say(f"{name:18s} {found:+.4f} +- {error:.4f}, independent {expected:+.3f} +- {theirs:.4f}, z = {z:+.1f}")
    return rows


def integrate(samples):
    """Switching probability against number and rate of pulses."""
    cell, current = single_cell()
    p1 = probability(cell, current, 1, 30, 10 * samples)
    out = {"samples": samples, "p1": p1, "number": {}, "frequency": []}
    say(f"one pulse: {p1[0]:.4f} +- {p1[1]:.4f}")
    for interval in (3, 10, 50):
        rows = out["number"][str(interval)] = []
        for number in (1, 2, 3, 5, 10, 20) if interval > 3 else (1, 2, 3, 4, 5, 7, 10, 20):
            p = probability(cell, current, number, interval, samples, seed=number)
            union = 1 - (1 - p1[0]) ** number
            rows.append((number, *p, union, number * (1 - p1[0]) ** (number - 1) * p1[1]))
            z = (p[0] - union) / np.hypot(p[1], rows[-1][-1])
            say(f"interval {interval:3d} ns, {number:2d} pulses: {p[0]:.4f} +- {p[1]:.4f}, union {union:.4f}, z {z:+.1f}")
    for interval in (2, 4, 6, 8, 10, 14, 20, 30, 50):
        p = probability(cell, current, 5, interval, samples, seed=100 + interval)
        out["frequency"].append((1e3 / (5 + interval), *p))
        say(f"5 pulses at {1e3 / (5 + interval):.1f} MHz: {p[0]:.4f} +- {p[1]:.4f}")
    return out


STRENGTHS = {"weak": (1.0, 10, (8, 10, 13, 16, 20, 25, 30)), "strong": (1.1, 10, (20, 25, 30, 35, 40))}
"""Factor on the current, factor on the samples, and intervals in ns.

Hazards grow about exponentially with the temperature: the logarithm of what the second pulse does, over a cold one, goes
with the heat that is left. The excess itself does where little is left; strong pulses then still leave it measurable."""


def leak(samples):
    """Two pulses: how much more the second does than a cold one, against the interval; sub-threshold and stronger."""
    cell, current = single_cell()
    out = {}
    for name, (factor, more, intervals) in STRENGTHS.items():
        n = more * samples
        p1 = probability(cell, factor * current, 1, 30, 3 * n, seed=1)
        rows = []
        for interval in intervals:
            p, error = probability(cell, factor * current, 2, interval, n, seed=200 + interval)
            second = (p - p1[0]) / (1 - p1[0])  # what the second pulse does to a cell that the first left alone
            excess, excess_error = p - (1 - (1 - p1[0]) ** 2), np.hypot(error, 2 * (1 - p1[0]) * p1[1])
            rows.append((interval, excess, excess_error, second, np.hypot(error, p1[1]) / (1 - p1[0])))
            say(f"{name}, interval {interval} ns: excess {excess:.4f} +- {excess_error:.4f}")
        out[name] = {"p1": p1, "rows": rows}
    return out


SLOT, INPUT, READ, RESET, CYCLE, WINDOWS = 8 * NS, 15, 18, 5, 30, 24
"""A window is 15 slots of 8 ns that may hold an input pulse; then the read-out at slot 18, 5 reset pulses, rest up to 30."""


def neuron(samples):
    """Random input pulses on the preset, windows on end: read, reset by opposite pulses, heat carried on."""
    device, rows = mtj.presets.kurenkov2019_neuron(), []
    current, random = float(device.current(3.6e11)), np.random.default_rng(0)
    for chance in (0.05, 0.15, 0.25, 0.35, 0.5, 0.65, 0.8, 1.0):
        inputs = random.random((WINDOWS, CYCLE)) < chance
        inputs[:, INPUT:] = False
        amplitudes = inputs * current
        amplitudes[:, READ : READ + RESET] = -current
        pulse = mtj.Steps(amplitudes.ravel(), WIDTH, SLOT)
        sol = mtj.simulate_grains(
            device,
            pulse,
            amplitudes.size * SLOT,
            key=jax.random.key(7),
            samples=samples // 16,
            save=amplitudes.size + 1,
            dt=STEP,
        )
        state = np.asarray(sol.mz[:, :, 0])
        fired = (state[:, READ::CYCLE][:, :WINDOWS] < 0).mean(axis=0)
        reset = (state[:, CYCLE::CYCLE] > 0).mean()
        rate = inputs.sum(axis=1) / (INPUT * SLOT) / 1e6
        rows.append((rate.mean(), fired.mean(), fired.std(ddof=1) / WINDOWS**0.5, float(reset)))
        say(f"{rows[-1][0]:.0f} MHz in: fires in {rows[-1][1]:.3f} +- {rows[-1][2]:.3f} of the windows, reset {reset:.4f}")
    return rows


def draw_integrate(result, path):
    made, (left, right) = figure(2)
    n = np.arange(1, 21)
    p1, error = result["p1"]
    union, width = 1 - (1 - p1) ** n, n * (1 - p1) ** (n - 1) * error
    left.fill_between(n, union - width, union + width, color="k", alpha=0.3, lw=0, label="without memory")
    for (interval, rows), colour in zip(result["number"].items(), COLOURS, strict=False):
        n, p, error, *_ = np.array(rows).T
        left.errorbar(n, p, error, marker="o", ms=4, color=colour, capsize=2, label=f"interval {interval} ns")
    left.set(xlabel="number of pulses", ylabel="switching probability", xticks=range(0, 21, 4))
    left.legend(frameon=False, fontsize=8)
    rate, p, error = np.array(result["frequency"]).T
    right.errorbar(rate, p, error, marker="o", ms=4, color=COLOURS[0], capsize=2, label="5 pulses")
    right.axhline(1 - (1 - p1) ** 5, color="k", ls="--", lw=1, label="without memory")
    right.set(xlabel="pulse rate (MHz)", ylabel="switching probability of 5 pulses")
    right.legend(frameon=False, fontsize=8)
    save(made, path)


def draw_leak(result, path):
    made, (left, right) = figure(2)
    left.set_ylabel("excess over the union")
    right.set_ylabel("log of the ratio of hazards")
    for name, colour, ax in (("strong", COLOURS[0], left), ("weak", COLOURS[1], right)):
        p1, p1_error = result[name]["p1"]
        interval, y, error, second, second_error = np.array(result[name]["rows"]).T
        if name == "weak":
            y, error = log_of_hazards((second, second_error), (p1, p1_error))
        tau, tau_error, line = decay(interval, y, error)
        say(f"{name} pulses (p1 = {p1:.4f} +- {p1_error:.4f}): decay with {tau:.2f} +- {tau_error:.2f} ns (cooling time 9 ns)")
        ax.errorbar(interval, y, error, marker="o", ls="", color=colour, capsize=2, label=f"one pulse alone {p1:.3f}")
        ax.plot(interval, line, color=colour, lw=1.2, label=f"decay {tau:.1f} ± {tau_error:.1f} ns")
        ax.set(yscale="log", xlabel="interval between two pulses (ns)")
        ax.legend(frameon=False, fontsize=8)
    save(made, path)


def draw_neuron(result, path):
    made, (ax,) = figure(width=5.0)
    cycle = CYCLE * SLOT * 1e6  # us
    rate, p, error, _ = np.array(result).T
    ax.errorbar(rate, p / cycle, error / cycle, marker="o", color=COLOURS[0], capsize=2)
    ax.set(xlabel="input pulses in the window, random (MHz)", ylabel="output (MHz)", title="read and reset every 240 ns")
    save(made, path)
