"""The fast law against the full dynamics, and its time."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import mtjax as mtj
from heat.common import COLOURS, NS, STEP, WIDTH, changed, cpu_seconds, figure, probability, save, say, single_cell, train
from heat.synapse import PAIRED

TABLE = mtj.HazardLaw.stored()


def by_law(cell, pulse, wait):
    return float(mtj.switching_probability(cell, pulse, method=TABLE, relax=wait).value)


OTHERS = (
    {"time": 6 * NS, "heat": 170 / 150, "drive": 55 / 60, "bias": 4 / 3},
    {"time": 20 * NS, "heat": 120 / 150, "drive": 66 / 60, "bias": 5 / 6},
    {"heat": 200 / 150, "drive": 50 / 60},
)
"""Cells at which nothing in the law was chosen: cooling time (s), factors on heating, drive and exchange bias."""


def law(samples, read):
    """The fast law against all sampled numbers of one cell and of the synapse, at other parameters, and its time."""
    rows, others = of_figures(read), list(of_other_cells(2 * samples))
    for title, some in (("of the figures", rows), ("at other parameters", others)):
        worst = max(some, key=lambda row: abs(row[3] - row[1]))
        say(f"largest difference {title} {abs(worst[3] - worst[1]):.4f} ({worst[0]}, error of the dynamics {worst[2]:.4f})")
    return {"rows": rows, "others": others, "seconds": timed(*single_cell(), samples)}


def of_figures(read):
    rows = [*of_trains(read("integrate")), *of_pairs(read("stdp")["cell"]), *of_the_synapse(read("stdp")["synapse"])]
    for name, p, error, found in rows:
        say(f"{name:34s} dynamics {p:+.4f} +- {error:.4f}, law {found:+.4f}, difference {found - p:+.4f}")
    return rows


def of_other_cells(samples):
    cell, current = single_cell()
    for k, other in enumerate(OTHERS):
        there = changed(cell, **other)
        for number, interval in ((1, 30), (2, 3), (3, 4), (5, 10)):
            p = probability(there, current, number, interval, samples, seed=number)
            found = by_law(there, train(current, number, float(interval)), 0.0)
            say(f"other cell {k}, {number} pulses, interval {interval} ns: dynamics {p[0]:.4f} +- {p[1]:.4f}, law {found:.4f}")
            yield f"other cell {k}, {number} pulses, interval {interval} ns", *p, found


def of_trains(measured):
    cell, current = single_cell()
    for interval, points in measured["number"].items():
        for number, p, error, *_ in points:
            yield (
                f"{number} pulses, interval {interval} ns",
                p,
                error,
                by_law(cell, train(current, number, float(interval)), 0.0),
            )
    for rate, p, error in measured["frequency"]:
        yield f"5 pulses at {rate:.0f} MHz", p, error, by_law(cell, train(current, 5, 1e3 / rate - 5), 0.0)


def of_pairs(measured):
    (cell, current), (down, _) = single_cell(), single_cell((0.0, 0.0, -1.0))
    for delay, d, error in measured:
        pulse = mtj.opposite_pair(current, WIDTH, delay * NS)
        yield f"one cell, d<mz> at {delay:+.0f} ns", d, error, by_law(down, pulse, 60 * NS) - by_law(cell, pulse, 60 * NS)


def of_the_synapse(measured):
    grains = mtj.presets.kurenkov2019_synapse()
    start = jnp.where(jnp.arange(grains.number) % 2 == 0, 1.0, -1.0)
    current = float(grains.current(PAIRED))
    for delay, d, error in measured:
        pulse = mtj.opposite_pair(current, WIDTH, delay * NS)
        hall = grains.hall(mtj.mean_mz(TABLE, grains, pulse, jnp.array([0.0, float(pulse.end) + 50 * NS]), start=start))
        yield f"synapse, dR at {delay:+.0f} ns", d, error, float(hall[1] - hall[0])


def timed(cell, current, samples):
    """CPU seconds for ten pulses at 10 ns: of the law, and of the full dynamics with `samples`, both compiled already."""
    pulse, relax = train(current, 10, 10), jnp.asarray(0.0)
    probability = eqx.filter_jit(lambda pulse: TABLE.probability(cell, pulse, relax).value)
    fast = cpu_seconds(lambda: [jax.block_until_ready(probability(pulse)) for _ in range(100)]) / 100
    full = cpu_seconds(
        lambda: mtj.simulate(
            cell, pulse, 170 * NS, samples=samples, key=jax.random.key(0), save=1, dt=STEP
        ).ms.block_until_ready()
    )
    say(f"law {fast * 1e3:.2f} ms, full dynamics with {samples} samples {full:.2f} s: {full / fast:.0f} times faster")
    return fast, full


def draw_law(result, path):
    made, (ax,) = figure(width=4.8)
    for name, colour, label in (("others", COLOURS[1], "other parameters"), ("rows", COLOURS[0], "figures")):
        full, error, fast = np.array([row[1:] for row in result[name]]).T
        ax.errorbar(full, fast - full, error, marker="o", ms=4, ls="", color=colour, capsize=2, label=label)
    ax.axhspan(-0.02, 0.02, color="grey", alpha=0.2, lw=0)
    ax.set(xlabel="full dynamics: probability, d<m$_z$> or dR (ohm)", ylabel="fast law minus full dynamics")
    ax.legend(frameon=False, fontsize=8)
    save(made, path)
