"""Integrate and fire, leak, reset, analog loops and spike-timing-dependent plasticity of one device at different sizes.

    python scripts/heat_and_grains.py [integrate leak neuron analog stdp law fit] [--samples 4000] [--out docs]

Full thermal dynamics (no law for neurons or synapses anywhere); prints tables with standard errors and writes one picture
for every name. `law` holds the fast law against the other results; `fit` finds cooling time and drive from them, and holds
gradients against differences; both need `--data FOLDER`, where results are kept, and tabulate the law there (ten minutes).
The single cell has the values of the cross-check in `tests/heated.py`; grains are those of `mtjax.presets.kurenkov2019`.
"""

import argparse
import json
import time
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
    peak, legs, period = 4.4e11, 16, 60 * NS
    out = {"loops": {}, "number": {}}
    for diameter in (50e-9, 400e-9, 1e-6, 5e-6):
        grains = mtj.presets.kurenkov2019(diameter)
        amplitudes = mtj.loop(peak, legs)
        out["loops"][f"{diameter * 1e9:.0f}"] = measured(grains, amplitudes, period)
    for lowest in (-0.84, -0.92):
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


def the_law(folder):
    path = folder / "law.npz"
    if not path.is_file():
        mtj.HazardLaw.tabulated(0.05).save(path)
    return mtj.HazardLaw.load(path)


def read(folder, name):
    return json.loads((folder / f"{name}.json").read_text())


def by_law(law, cell, pulse, wait):
    return float(mtj.switching_probability(cell, pulse, method=law, relax=wait).value)


def law(samples, folder):
    """The fast law against all sampled numbers of one cell and of the synapse, and its time."""
    table, (cell, current), (down, _) = the_law(folder), single_cell(), single_cell((0.0, 0.0, -1.0))
    rows, full = [], read(folder, "integrate")
    for interval, points in full["number"].items():
        for number, p, error, *_ in points:
            found = by_law(table, cell, train(current, number, float(interval)), 0.0)
            rows.append((f"{number} pulses, interval {interval} ns", p, error, found))
    for rate, p, error in full["frequency"]:
        found = by_law(table, cell, train(current, 5, 1e3 / rate - 5), 0.0)
        rows.append((f"5 pulses at {rate:.0f} MHz", p, error, found))
    pairs = read(folder, "stdp")
    for delay, d, error in pairs["cell"]:
        pulse = mtj.opposite_pair(current, WIDTH, delay * NS)
        found = by_law(table, down, pulse, 60 * NS) - by_law(table, cell, pulse, 60 * NS)
        rows.append((f"one cell, d<mz> at {delay:+.0f} ns", d, error, found))
    grains = mtj.presets.kurenkov2019_synapse()
    start = jnp.where(jnp.arange(grains.number) % 2 == 0, 1.0, -1.0)
    I = float(grains.current(3.4e11))
    for delay, d, error in pairs["synapse"]:
        pulse = mtj.opposite_pair(I, WIDTH, delay * NS)
        hall = grains.hall(mtj.mean_mz(table, grains, pulse, jnp.array([0.0, float(pulse.end) + 50 * NS]), start=start))
        rows.append((f"synapse, dR at {delay:+.0f} ns", d, error, float(hall[1] - hall[0])))
    for name, p, error, found in rows:
        print(f"{name:34s} dynamics {p:+.4f} +- {error:.4f}, law {found:+.4f}, difference {found - p:+.4f}", flush=True)
    worst = max(rows, key=lambda row: abs(row[3] - row[1]))
    print(f"largest difference {abs(worst[3] - worst[1]):.4f} ({worst[0]}, error of the dynamics {worst[2]:.4f})")
    return {"rows": rows, "seconds": timed(table, cell, current, samples)}


def timed(table, cell, current, samples):
    """Seconds for ten pulses at 10 ns: of the law, and of the full dynamics with `samples`, both compiled already."""
    pulse = train(current, 10, 10)
    relax = jnp.asarray(0.0)
    probability = eqx.filter_jit(lambda pulse: table.probability(cell, pulse, relax).value)
    seconds = []
    for run in (
        lambda: [jax.block_until_ready(probability(pulse)) for _ in range(100)],
        lambda: mtj.simulate(cell, pulse, 170 * NS, samples=samples, key=jax.random.key(0), save=1).ms.block_until_ready(),
    ):
        run()
        before = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - before)
    fast, full = seconds[0] / 100, seconds[1]
    print(f"law {fast * 1e3:.2f} ms, full dynamics with {samples} samples {full:.2f} s: {full / fast:.0f} times faster")
    return fast, full


def changed(cell, x):
    """`cell` with cooling time, drive and heating times x."""
    where = lambda d: (d.heating.time, d[mtj.SpinOrbitTorque].theta_sh, d.heating.resistance)  # noqa: E731
    return eqx.tree_at(where, cell, tuple(old * factor for old, factor in zip(where(cell), x, strict=True)))


def fit(samples, folder):
    """Cooling time and drive from sampled switching counts by Fisher scoring; gradient of the STDP amplitude."""
    table, (cell, current), (down, _) = the_law(folder), single_cell(), single_cell((0.0, 0.0, -1.0))
    full = read(folder, "integrate")
    points = [(n, float(i), p) for i, rows in full["number"].items() if i != "3" for n, p, *_ in rows]
    points += [(5, 1e3 / rate - 5, p) for rate, p, _ in full["frequency"] if 1e3 / rate - 5 > 9]
    counts = np.array([p for *_, p in points])
    amplitudes = jnp.stack([train(current, n, i).amplitudes for n, i, _ in points])
    periods = jnp.array([WIDTH + i * NS for _, i, _ in points])

    @jax.jit
    def model(x):
        there = changed(cell, (x[0], x[1], 1.0))
        return jax.lax.map(
            lambda at: table.probability(there, mtj.Steps(at[0], WIDTH, at[1]), jnp.asarray(0.0)).value, (amplitudes, periods)
        )

    def scored(data, x):
        slope = jax.jit(jax.jacfwd(model))
        for _ in range(8):
            p, J = np.asarray(model(jnp.asarray(x))), np.asarray(slope(jnp.asarray(x)))
            weights = samples / np.clip(p * (1 - p), 1e-4, None)
            information = (J.T * weights) @ J
            x = x + np.clip(np.linalg.solve(information, J.T @ (weights * (data - p))), -0.1, 0.1)
        return x, np.sqrt(np.diag(np.linalg.inv(information))), float(np.sum(weights * (data - p) ** 2))

    truth = np.array([1.15, 0.97])
    made = np.random.default_rng(0).binomial(samples, np.asarray(model(jnp.asarray(truth)))) / samples
    out = {}
    for name, data, true in (("law", made, truth), ("dynamics", counts, np.ones(2))):
        x, error, chi2 = scored(data, np.array([1.3, 1.05]))
        out[name] = [x.tolist(), error.tolist(), true.tolist(), chi2]
        print(
            f"data of the {name}: cooling time {9 * x[0]:.2f} +- {9 * error[0]:.2f} ns (true {9 * true[0]:.2f}), "
            f"drive {60 * x[1]:.2f} +- {60 * error[1]:.2f} mT (true {60 * true[1]:.2f}), chi2 {chi2:.1f} for {data.size} points"
        )
    pulse = mtj.opposite_pair(current, WIDTH, 10 * NS)

    @jax.jit
    def amplitude(x):
        cells = (changed(c, (1.0, x[1], x[0])) for c in (down, cell))
        a, b = (table.probability(c, pulse, jnp.asarray(60 * NS)).value for c in cells)
        return a - b

    at = jnp.ones(2)
    slopes = jax.grad(amplitude)(at)
    for i, name in enumerate(("heating", "drive")):
        h = 1e-3 * jnp.eye(2)[i]
        difference = float((amplitude(at + h) - amplitude(at - h)) / 2e-3)
        out[name] = [float(slopes[i]), difference]
        print(f"d(STDP amplitude)/d ln {name}: gradient {float(slopes[i]):.5f}, difference {difference:.5f}")
    return out


def figure(panels=1, width=4.6):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    made, axes = plt.subplots(1, panels, figsize=(width * panels, 3.5), layout="constrained", squeeze=False)
    for ax in axes[0]:
        ax.grid(alpha=0.25)
    return made, axes[0]


def save(made, path):
    made.savefig(path, dpi=90)


def draw_integrate(result, path):
    made, (left, right) = figure(2)
    for (interval, rows), colour in zip(result["number"].items(), COLOURS, strict=False):
        n, p, error, union, union_error = np.array(rows).T
        left.errorbar(n, p, error, marker="o", ms=4, color=colour, capsize=2, label=f"interval {interval} ns")
    left.plot(range(1, 21), 1 - (1 - result["p1"][0]) ** np.arange(1, 21), "k--", lw=1, label="without memory")
    left.set(xlabel="number of pulses", ylabel="switching probability")
    left.legend(frameon=False, fontsize=8)
    rate, p, error = np.array(result["frequency"]).T
    right.errorbar(rate, p, error, marker="o", ms=4, color=COLOURS[0], capsize=2)
    right.axhline(1 - (1 - result["p1"][0]) ** 5, color="k", ls="--", lw=1)
    right.set(xlabel="pulse rate (MHz)", ylabel="switching probability of 5 pulses")
    save(made, path)


def draw_leak(result, path):
    made, (ax,) = figure(width=5.2)
    interval, excess, error, second, second_error = np.array(result["rows"]).T
    p1, p1_error = result["p1"]
    ratio, ratio_error = np.log(second / p1), np.hypot(second_error / second, p1_error / p1)
    ax.errorbar(interval, excess, error, marker="o", ls="", color=COLOURS[0], capsize=2, label="excess over the union")
    ax.errorbar(interval, ratio, ratio_error, marker="s", ls="", color=COLOURS[1], capsize=2, label="ln(p$_2$/p$_1$)")
    for name, y, dy, used, colour in (
        ("excess", excess, error, interval >= 13, COLOURS[0]),
        ("ln(p2/p1)", ratio, ratio_error, interval >= 8, COLOURS[1]),
    ):
        tau, tau_error, line = decay(interval[used], y[used], dy[used])
        print(f"{name} decays with {tau:.2f} +- {tau_error:.2f} ns (cooling time 9 ns)")
        ax.plot(interval[used], line, color=colour, lw=1.2, label=f"decay {tau:.1f} ± {tau_error:.1f} ns")
    ax.set(yscale="log", xlabel="interval between two pulses (ns)", ylim=(1e-3, 5))
    ax.legend(frameon=False, fontsize=8)
    save(made, path)


def decay(t, y, dy):
    """Time constant of y = a exp(-t / tau) with its standard error, and the fitted curve."""
    from scipy.optimize import curve_fit

    (a, tau), covariance = curve_fit(lambda t, a, tau: a * np.exp(-t / tau), t, y, (y[0] * 3, 9.0), dy, absolute_sigma=True)
    return tau, covariance[1, 1] ** 0.5, a * np.exp(-t / tau)


def draw_neuron(result, path):
    made, (ax,) = figure(width=5.0)
    rate, p, error = np.array(result).T
    ax.errorbar(rate, p / 0.12, error / 0.12, marker="o", color=COLOURS[0], capsize=2)
    ax.set(xlabel="input pulses (MHz)", ylabel="output (MHz): read and reset every 120 ns")
    save(made, path)


def draw_analog(result, path):
    made, (left, middle, right) = figure(3, 4.0)
    levels = []
    for (name, loop), colour in zip(result["loops"].items(), COLOURS, strict=True):
        density, hall = np.array(loop["density"]) / 1e11, np.array(loop["hall"][0])
        if name.startswith("minor"):
            middle.plot(density, hall, ".-", color=colour, lw=1, label=f"back to {min(density):.1f}")
            continue
        left.plot(density, hall, ".-", color=colour, lw=1, label=f"{float(name):.0f} nm, {loop['cells']} cells")
        levels.append((float(name), distinct(hall)))
        if name == "5000":
            middle.plot(density, hall, ".-", color=colour, lw=1, label="full loop")
    for ax in (left, middle):
        ax.set(xlabel=r"current density ($10^{11}$ A/m$^2$)", ylabel="Hall resistance (ohm)")
        ax.legend(frameon=False, fontsize=7)
    for (name, series), colour in zip(result["number"].items(), COLOURS, strict=False):
        hall = np.array(series["hall"])
        n = np.arange(1, hall.shape[1] + 1)
        error = hall.std(axis=0, ddof=1) / hall.shape[0] ** 0.5
        right.errorbar(n, hall.mean(axis=0), error, color=colour, lw=1, label=f"{float(name) / 1e11:.1f}")
    right.set(xlabel="number of equal pulses (12 ns apart)", ylabel="Hall resistance (ohm)")
    right.legend(frameon=False, fontsize=7, title=r"$10^{11}$ A/m$^2$")
    for diameter, count in levels:
        print(f"{diameter:.0f} nm: {count} levels further than 0.05 ohm apart in a full loop")
    save(made, path)


def distinct(hall, apart=0.05):
    """How many groups of read-outs lie further than `apart` (ohm) from each other."""
    return 1 + int(np.sum(np.diff(np.sort(np.append(hall, 1.0))) > apart)) if np.ptp(hall) > apart else 1


def draw_stdp(result, path):
    made, (left, right) = figure(2)
    for name, colour, label in (("synapse", COLOURS[0], "+ before -"), ("reversed", COLOURS[1], "- before +")):
        delay, d, error = np.array(sorted(result[name])).T
        left.errorbar(delay, d, error, marker="o", ms=4, ls="", color=colour, capsize=2, label=label)
    for mean, error in result["alone"]:
        left.axhspan(mean - error, mean + error, color="grey", alpha=0.5, lw=0)
    left.set(xlabel="delay, post after pre (ns)", ylabel="change of Hall resistance (ohm)", title="5 um; grey: one pulse alone")
    left.legend(frameon=False, fontsize=8)
    delay, d, error = np.array(sorted(result["cell"])).T
    right.errorbar(delay, d, error, marker="o", ms=4, ls="", color=COLOURS[2], capsize=2)
    right.set(xlabel="delay (ns)", ylabel="change of the mean m$_z$", title="one cell", xlim=(-35, 35))
    save(made, path)


def draw_law(result, path):
    made, (ax,) = figure(width=4.4)
    full, error, fast = np.array([row[1:] for row in result["rows"]]).T
    ax.errorbar(full, fast - full, error, marker="o", ms=4, ls="", color=COLOURS[0], capsize=2)
    ax.axhspan(-0.02, 0.02, color="grey", alpha=0.2, lw=0)
    ax.set(xlabel="full dynamics", ylabel="fast law minus full dynamics")
    save(made, path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=["integrate", "leak", "neuron", "analog", "stdp"])
    parser.add_argument("--samples", type=int, default=4000, help="trajectories per point of the single cell")
    parser.add_argument("--out", type=Path, default=Path("docs"))
    parser.add_argument("--data", type=Path, default=None, help="folder of results: kept, and drawn again if there")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    for name in args.names:
        if name not in MEASURE:
            parser.error(f"the names must be among {', '.join(MEASURE)}, but one is {name!r}")
        kept = args.data and args.data / f"{name}.json"
        if kept and kept.is_file():
            result = json.loads(kept.read_text())
        else:
            result = MEASURE[name](args)
            if kept:
                kept.write_text(json.dumps(result))
        if name in DRAW:
            DRAW[name](json.loads(json.dumps(result)), args.out / f"heat_{name}.png")


MEASURE = {
    "integrate": lambda args: integrate(args.samples),
    "leak": lambda args: leak(args.samples),
    "neuron": lambda args: neuron(args.samples),
    "analog": lambda args: analog(args.samples),
    "stdp": lambda args: stdp(args.samples),
    "law": lambda args: law(args.samples, args.data),
    "fit": lambda args: fit(args.samples, args.data),
}
DRAW = {
    "integrate": draw_integrate,
    "leak": draw_leak,
    "neuron": draw_neuron,
    "analog": draw_analog,
    "stdp": draw_stdp,
    "law": draw_law,
}

if __name__ == "__main__":
    main()
