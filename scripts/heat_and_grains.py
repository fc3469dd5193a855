"""Integrate and fire, leak, reset, analog loops and spike-timing-dependent plasticity of one device at different sizes.

    python scripts/heat_and_grains.py [integrate leak neuron analog stdp] [--samples 4000] [--out docs]

Full thermal dynamics (no law for neurons or synapses anywhere); prints tables with standard errors and writes one picture
for every name. The single cell has the values of the cross-check in `tests/heated.py`; grains are those of
`mtjax.presets.kurenkov2019`.
"""

import argparse
import json
from pathlib import Path

import mtjax as mtj

mtj.configure_cpu()

import equinox as eqx  # noqa: E402
import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402

NS = 1e-9
WIDTH, COOLING, MOST = 5 * NS, 9 * NS, 20
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")


def single_cell(start=(0.0, 0.0, 1.0)):
    """The median cell of the preset with one cooling time of 9 ns, and the current that makes 60 mT and 150 K."""
    cell = mtj.presets.kurenkov2019_neuron().cell
    magnet = cell.layer.magnet()
    per_ampere = cell[mtj.SpinOrbitTorque].damping_like(mtj.Vector.of(cell.start), magnet, cell.drive(1.0))
    current = 0.060 / per_ampere
    heating = mtj.JouleHeating(150.0 / (current**2 * cell.write_resistance), COOLING)
    cell = eqx.tree_at(lambda d: (d.heating, d.start), cell, (heating, jnp.asarray(start)))
    return cell, float(current)


def fraction(switched, samples):
    """Value and standard error, never zero."""
    p = float(switched) / samples
    q = (float(switched) + 0.5) / (samples + 1)
    return p, (q * (1 - q) / samples) ** 0.5


def switched(cell, pulse, duration, samples, seed):
    sol = mtj.simulate(cell, pulse, duration, samples=samples, key=jax.random.key(seed), save=1)
    return fraction(jnp.sum(sol.ms[:, 0] @ cell.start < 0), samples)


def train(current, number, interval):
    """`number` pulses as one of at most MOST, so that all lengths share one compilation."""
    amplitudes = np.where(np.arange(MOST) < number, current, 0.0)
    return mtj.Steps(amplitudes, WIDTH, WIDTH + interval * NS)


def probability(cell, current, number, interval, samples, seed=0):
    duration = number * (WIDTH + interval * NS) + 20 * NS
    return switched(cell, train(current, number, interval), duration, samples, seed)


def integrate(samples):
    cell, current = single_cell()
    p1 = probability(cell, current, 1, 30, 4 * samples)
    out = {"p1": p1, "number": {}, "frequency": []}
    print(f"one pulse: {p1[0]:.4f} +- {p1[1]:.4f}", flush=True)
    for interval in (3, 10, 50):
        rows = out["number"][str(interval)] = []
        for number in (1, 2, 3, 5, 10, 20) if interval > 3 else (1, 2, 3, 4, 5, 7, 10):
            p = probability(cell, current, number, interval, samples, seed=number)
            union = 1 - (1 - p1[0]) ** number
            rows.append((number, *p, union, number * (1 - p1[0]) ** (number - 1) * p1[1]))
            print(f"interval {interval:3d} ns, {number:2d} pulses: {p[0]:.4f} +- {p[1]:.4f}, union {union:.4f}", flush=True)
    for interval in (2, 4, 6, 8, 10, 14, 20, 30, 50):
        p = probability(cell, current, 5, interval, samples, seed=100 + interval)
        out["frequency"].append((1e3 / (5 + interval), *p))
        print(f"5 pulses at {1e3 / (5 + interval):.1f} MHz: {p[0]:.4f} +- {p[1]:.4f}", flush=True)
    return out


def leak(samples):
    cell, current = single_cell()
    n = 10 * samples
    p1 = probability(cell, current, 1, 30, 3 * n, seed=1)
    rows = []
    for interval in (8, 10, 13, 16, 20, 25, 30):
        p = probability(cell, current, 2, interval, n, seed=200 + interval)
        # hazard added by the second pulse, over that of a cold one: 1 where nothing is left
        second = (p[0] - p1[0]) / (1 - p1[0])
        error = np.hypot(p[1], p1[1])
        union_error = np.hypot(p[1], 2 * p1[1])
        rows.append((interval, p[0] - (1 - (1 - p1[0]) ** 2), union_error, second, error))
        print(f"interval {interval} ns: excess {rows[-1][1]:.4f} +- {union_error:.4f}", flush=True)
    return {"p1": p1, "rows": rows}


def neuron(samples):
    """A window of 100 ns of pulses, read 20 ns later and reset (a new cell, cold)."""
    rows = []
    grains = mtj.presets.kurenkov2019_neuron()
    cell, current = grains.cell, float(grains.current(3.6e11))
    for number in (2, 4, 6, 7, 8, 9, 10, 12, 14):
        period = 100 * NS / number
        amplitudes = np.where(np.arange(MOST) < number, current, 0.0)
        p = switched(cell, mtj.Steps(amplitudes, WIDTH, period), 120 * NS, samples, number)
        rows.append((1e3 * number / 100, *p))
        print(f"{1e3 * number / 100:.0f} MHz in: fires in {p[0]:.4f} +- {p[1]:.4f} of the windows", flush=True)
    return rows


def analog(samples):
    del samples
    peak, legs, period = 5.4e11, 14, 60 * NS
    out = {"loops": {}, "number": {}}
    for diameter in (50e-9, 400e-9, 1e-6, 5e-6):
        grains = mtj.presets.kurenkov2019(diameter)
        amplitudes = mtj.loop(peak, legs)
        out["loops"][f"{diameter * 1e9:.0f}"] = measured(grains, amplitudes, period)
    for lowest in (-0.62, -0.72):
        amplitudes = mtj.loop(peak, legs, lowest=lowest * peak)
        out["loops"][f"minor {lowest}"] = measured(grains, amplitudes, period)
    for density in (3.0e11, 3.4e11, 3.8e11):
        out["number"][f"{density:g}"] = measured(grains, jnp.full(3 * legs + 1, density), 12 * NS, samples=2)
    return out


def measured(grains, densities, period, samples=1):
    """Hall resistance after every pulse, its spread over repetitions, and the densities."""
    pulse = mtj.Steps(grains.current(densities), WIDTH, period)
    number = densities.size
    sol = mtj.simulate_grains(grains, pulse, number * period, key=jax.random.key(0), samples=samples, save=number + 1)
    hall = np.asarray(sol.hall)[:, 1:]
    print(
        f"{grains.number} cells: {hall.shape[1]} pulses, Hall resistance {hall.min():.3f} to {hall.max():.3f} ohm", flush=True
    )
    return {"density": np.asarray(densities).tolist(), "hall": hall.tolist(), "cells": grains.number}


DELAYS = (8, 10, 12, 15, 20, 30, 50, 100, 200)


def stdp(samples):
    """Pairs of opposite pulses on the synapse and on one cell, from half the cells (samples) up, half down."""
    grains = mtj.presets.kurenkov2019_synapse()
    current = float(grains.current(3.4e11))
    start = jnp.where(jnp.arange(grains.number) % 2 == 0, 1.0, -1.0)
    out = {"synapse": [], "reversed": [], "alone": [], "cell": []}

    def change(pulse, repeat, seed):
        end = float(pulse.end) + 50 * NS
        sol = mtj.simulate_grains(grains, pulse, end, key=jax.random.key(seed), samples=repeat, save=2, start=start)
        d = np.asarray(sol.hall[:, 1] - sol.hall[:, 0])
        return float(d.mean()), float(d.std(ddof=1) / repeat**0.5)

    for sign in (1, -1):
        alone = change(mtj.Pulse(sign * current, WIDTH), 8, sign + 5)
        out["alone"].append(alone)
        print(f"one pulse of sign {sign:+d} alone: dR = {alone[0]:+.4f} +- {alone[1]:.4f} ohm", flush=True)
    for name, sign, delays in (("synapse", 1, DELAYS), ("reversed", -1, DELAYS[::2])):
        for delay in (*(-d for d in delays), *delays):
            d = change(mtj.opposite_pair(sign * current, WIDTH, delay * NS), 4, delay + 1000)
            out[name].append((delay, *d))
            print(f"{name}, delay {delay:+d} ns: dR = {d[0]:+.4f} +- {d[1]:.4f} ohm", flush=True)
    up, I = single_cell()
    down, _ = single_cell((0.0, 0.0, -1.0))
    for delay in (8, 10, 15, 30, 200):
        for signed in (-delay, delay):
            pulse = mtj.opposite_pair(I, WIDTH, signed * NS)
            end = (delay + 5 + 60) * NS
            a, b = (switched(cell, pulse, end, samples, k) for k, cell in enumerate((up, down)))
            out["cell"].append((signed, b[0] - a[0], float(np.hypot(a[1], b[1]))))
            print(f"one cell, delay {signed:+d} ns: d<mz> = {out['cell'][-1][1]:+.3f} +- {out['cell'][-1][2]:.3f}", flush=True)
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=["integrate", "leak", "neuron", "analog", "stdp"])
    parser.add_argument("--samples", type=int, default=4000, help="trajectories per point of the single cell")
    parser.add_argument("--out", type=Path, default=Path("docs"))
    parser.add_argument("--data", type=Path, default=None, help="folder of results: kept, and drawn again if there")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    for name in args.names or ["integrate", "leak", "neuron", "analog", "stdp"]:
        kept = args.data and args.data / f"{name}.json"
        if kept and kept.is_file():
            result = json.loads(kept.read_text())
        else:
            result = globals()[name](args.samples)
            if kept:
                kept.write_text(json.dumps(result))
        if name in DRAW:
            DRAW[name](json.loads(json.dumps(result)), args.out / f"heat_{name}.png")


DRAW = {}

if __name__ == "__main__":
    main()
