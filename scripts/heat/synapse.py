"""Films of many cells: analog loops and spike-timing-dependent plasticity, from 50 nm to 5 um."""

import jax
import jax.numpy as jnp
import numpy as np

import mtjax as mtj
from heat.common import (
    COLOURS,
    NS,
    STEP,
    WIDTH,
    cpu_seconds,
    decay,
    figure,
    log_of_hazards,
    pair_change,
    save,
    say,
    single_cell,
    switched,
)

PEAK, LEGS, PERIOD = 4.4e11, 48, 40 * NS
"""Current density of full loops (A/m^2), steps per leg, and from pulse to pulse."""
RESOLUTION = 0.04
"""Levels are told apart from this distance on, ohm: 2 % of the swing from -1 to 1 ohm."""
DIAMETERS = {50: 6, 200: 6, 300: 6, 400: 6, 600: 5, 1000: 4, 2000: 3, 5000: 2}
"""In nm, with the number of devices that are drawn."""
SHOWN, MINOR, DENSITIES = ("50", "400", "1000", "5000"), (-0.84, -0.92), (3.0e11, 3.4e11, 3.8e11)


def analog(samples):
    """Loops of devices of every size, minor loops and equal pulses on the largest."""
    del samples
    out = {"loops": {}, "minor": {}, "number": {}}
    for diameter, devices in DIAMETERS.items():
        draws = [mtj.presets.kurenkov2019(diameter * NS, key=jax.random.key(k)) for k in range(devices)]
        loops = [measured(grains, mtj.loop(PEAK, LEGS), PERIOD, seed=k) for k, grains in enumerate(draws)]
        out["loops"][str(diameter)] = {"cells": draws[0].number, "hall": [loop["hall"][0] for loop in loops]}
        count = [levels(loop["hall"][0]) for loop in loops]
        say(f"{diameter} nm, {draws[0].number} cells: {np.mean(count):.1f} levels")
    out["density"] = np.asarray(mtj.loop(PEAK, LEGS)).tolist()
    largest = mtj.presets.kurenkov2019_synapse()
    for lowest in MINOR:
        out["minor"][str(lowest)] = measured(largest, mtj.loop(PEAK, LEGS, lowest=lowest * PEAK), PERIOD, samples=2)
    for density in DENSITIES:
        out["number"][f"{density:g}"] = measured(largest, jnp.full(50, density), 12 * NS, samples=4)
    return out


def measured(grains, densities, period, samples=1, seed=0):
    """Hall resistance after every pulse, shape (samples, pulses), and the densities."""
    pulse = mtj.Steps(grains.current(densities), WIDTH, period)
    number = densities.size
    sol = mtj.simulate_grains(
        grains, pulse, number * period, key=jax.random.key(seed), samples=samples, save=number + 1, dt=STEP
    )
    hall = slow_hall(grains, sol)[:, 1:]
    return {"density": np.asarray(densities).tolist(), "hall": hall.tolist()}


def slow_hall(grains, sol):
    """Hall resistance by a slow read-out: the jitter of m within a well averages out, every cell counts with its side."""
    return np.asarray(grains.hall(jnp.sign(sol.mz)))


def levels(hall):
    """How many read-outs are told apart: the most values that lie `RESOLUTION` from each other."""
    count, last = 0, -np.inf
    for value in np.sort(hall):
        if value - last >= RESOLUTION:
            count, last = count + 1, value
    return count


DELAYS = (8, 10, 12, 15, 20, 30, 50, 100, 200)


def stdp(samples):
    """Pairs of opposite pulses on the synapse and on one cell, from half the cells (samples) up, half down."""
    grains = mtj.presets.kurenkov2019_synapse()
    current = float(grains.current(3.4e11))
    start = jnp.where(jnp.arange(grains.number) % 2 == 0, 1.0, -1.0)
    out = {"synapse": [], "reversed": [], "alone": [], "cell": []}

    def change(pulse, repeat, seed):
        end = float(pulse.end) + 50 * NS
        sol = mtj.simulate_grains(grains, pulse, end, key=jax.random.key(seed), samples=repeat, save=2, start=start, dt=STEP)
        d = np.diff(slow_hall(grains, sol))[:, 0]
        return float(d.mean()), float(d.std(ddof=1) / repeat**0.5)

    for sign in (0, 1, -1):
        alone = change(mtj.Pulse(sign * current, WIDTH), 8, sign + 5)
        out["alone"].append(alone)
        say(f"one pulse of sign {sign:+d} alone: dR = {alone[0]:+.4f} +- {alone[1]:.4f} ohm")
    for name, sign, delays in (("synapse", 1, DELAYS), ("reversed", -1, DELAYS[::2])):
        for delay in (*(-d for d in delays), *delays):
            d = change(mtj.opposite_pair(sign * current, WIDTH, delay * NS), 6, delay + 1000)
            out[name].append((delay, *d))
            say(f"{name}, delay {delay:+d} ns: dR = {d[0]:+.4f} +- {d[1]:.4f} ohm")
    return out | stdp_of_one_cell(samples)


def stdp_of_one_cell(samples):
    """The same of one cell, and the probability that a pulse alone switches it."""
    (up, I), (down, _) = single_cell(), single_cell((0.0, 0.0, -1.0))
    out = {"cell": [], "cell alone": switched(up, mtj.Pulse(I, WIDTH), 30 * NS, 10 * samples, 11)}
    say("one cell, one pulse alone: {:.4f} +- {:.4f}".format(*out["cell alone"]))
    for delay in (8, 10, 12, 15, 20, 30, 200):
        for signed in (-delay, delay):
            out["cell"].append((signed, *pair_change(up, down, I, signed, samples)))
            say(f"one cell, delay {signed:+d} ns: d<mz> = {out['cell'][-1][1]:+.4f} +- {out['cell'][-1][2]:.4f}")
    return out


def draw_analog(result, path):
    made, (left, middle, right, last) = figure(2, 4.6, rows=2)
    density = np.array(result["density"]) / 1e11
    for name, colour in zip(SHOWN, COLOURS, strict=False):
        loop = result["loops"][name]
        left.plot(density, loop["hall"][0], ".-", color=colour, lw=1, label=f"{name} nm, {loop['cells']} cells")
    middle.plot(density, result["loops"]["5000"]["hall"][0], ".-", color=COLOURS[3], lw=1, label="full loop")
    for (_, loop), colour in zip(result["minor"].items(), COLOURS[4:], strict=False):
        x, hall = np.array(loop["density"]) / 1e11, np.array(loop["hall"])
        middle.errorbar(x, *mean_and_error(hall), marker=".", color=colour, lw=1, label=f"back to {min(x):.1f}")
    for ax in (left, middle):
        ax.set(xlabel=r"current density ($10^{11}$ A/m$^2$)", ylabel="Hall resistance (ohm)")
        ax.legend(frameon=False, fontsize=7)
    for (name, series), colour in zip(result["number"].items(), COLOURS, strict=False):
        hall = np.array(series["hall"])
        n = np.arange(1, hall.shape[1] + 1)
        right.errorbar(n, *mean_and_error(hall), color=colour, lw=1, label=f"{float(name) / 1e11:.1f}")
    right.set(xlabel="number of equal pulses (12 ns from start to start)", ylabel="Hall resistance (ohm)")
    right.legend(frameon=False, fontsize=7, title=r"$10^{11}$ A/m$^2$")
    counts = {float(name): [levels(hall) for hall in loop["hall"]] for name, loop in result["loops"].items()}
    means, errors = zip(*(mean_and_error(np.array(count)) for count in counts.values()), strict=True)
    last.errorbar(list(counts), means, errors, marker="o", ms=4, color=COLOURS[0], capsize=2)
    last.set(xscale="log", yscale="log", xlabel="diameter (nm)", ylabel="levels in a full loop", yticks=(1, 2, 5, 10, 20, 50))
    last.set_yticklabels(("1", "2", "5", "10", "20", "50"))
    for diameter, mean, error in zip(counts, means, errors, strict=True):
        say(f"{diameter:.0f} nm: {mean:.1f} +- {error:.1f} levels, {RESOLUTION} ohm from each other, in a full loop")
    save(made, path)


def mean_and_error(x):
    """Over the first axis."""
    return x.mean(axis=0), x.std(axis=0, ddof=1) / x.shape[0] ** 0.5


def draw_stdp(result, path):
    made, (left, right, last) = figure(3, 4.0)
    for name, colour, label in (("synapse", COLOURS[0], "pre +, post −"), ("reversed", COLOURS[1], "pre −, post +")):
        delay, d, error = np.array(sorted(result[name])).T
        left.errorbar(delay, d, error, marker="o", ms=4, ls="", color=colour, capsize=2, label=label)
    for mean, error in result["alone"]:
        left.axhspan(mean - error, mean + error, color="grey", alpha=0.5, lw=0)
    left.set(xlabel="delay, post after pre (ns)", ylabel="change of Hall resistance (ohm)", title="5 um; grey: one pulse alone")
    left.legend(frameon=False, fontsize=8)
    delay, d, error = np.array(sorted(result["cell"])).T
    right.errorbar(delay, d, error, marker="o", ms=4, ls="", color=COLOURS[2], capsize=2)
    right.set(xlabel="delay (ns)", ylabel="change of the mean m$_z$", title="one cell", xlim=(-35, 35))
    draw_decay(result, last)
    save(made, path)


def draw_decay(result, ax):
    """How much more the second pulse does to a cell than one alone: d<mz> = p2 (1 + p1) - p1."""
    p1, p1_error = result["cell alone"]
    rows = np.array([row for row in sorted(result["cell"], key=lambda row: abs(row[0])) if abs(row[0]) < 100])
    delay, p2 = abs(rows[:, 0]), (abs(rows[:, 1]) + p1) / (1 + p1)
    y, error = log_of_hazards((p2, rows[:, 2] / (1 + p1)), (p1, p1_error))
    tau, tau_error, line = decay(delay, y, error)
    say(f"pairs: log of the hazard over that of one pulse decays with {tau:.2f} +- {tau_error:.2f} ns (cooling time 9 ns)")
    ax.errorbar(delay, y, error, marker="o", ms=4, ls="", color=COLOURS[2], capsize=2)
    ax.plot(delay, line, color=COLOURS[2], lw=1.2, label=f"decay {tau:.1f} ± {tau_error:.1f} ns")
    ax.set(yscale="log", xlabel="|delay| (ns)", ylabel="log of the ratio of hazards", title="one cell: what heat adds")
    ax.legend(frameon=False, fontsize=8)


def speed():
    """CPU seconds of about 1,000 cells under ten pulses in 100 ns, compiled already."""
    grains = mtj.presets.kurenkov2019(5.36e-6)
    pulse = mtj.Train(mtj.Pulse(grains.current(3.6e11), WIDTH), 10, 10 * NS)

    def run():
        return mtj.simulate_grains(grains, pulse, 100 * NS, key=jax.random.key(0), save=11).mz.block_until_ready()

    seconds = cpu_seconds(run)
    say(f"{grains.number} cells under 100 ns of pulses: {seconds:.2f} CPU seconds")
    return {"cells": grains.number, "seconds": seconds}
