"""The fast law against the full dynamics, and its time; quantities fitted by it; gradients of the plasticity."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import mtjax as mtj
from heat.common import COLOURS, NS, STEP, WIDTH, cpu_seconds, figure, save, say, single_cell, train

TABLE = mtj.HazardLaw.stored()


def by_law(cell, pulse, wait):
    return float(mtj.switching_probability(cell, pulse, method=TABLE, relax=wait).value)


def law(samples, read):
    """The fast law against all sampled numbers of one cell and of the synapse, and its time."""
    rows = [*of_trains(read("integrate")), *of_pairs(read("stdp")["cell"]), *of_the_synapse(read("stdp")["synapse"])]
    for name, p, error, found in rows:
        say(f"{name:34s} dynamics {p:+.4f} +- {error:.4f}, law {found:+.4f}, difference {found - p:+.4f}")
    worst = max(rows, key=lambda row: abs(row[3] - row[1]))
    say(f"largest difference {abs(worst[3] - worst[1]):.4f} ({worst[0]}, error of the dynamics {worst[2]:.4f})")
    return {"rows": rows, "seconds": timed(*single_cell(), samples)}


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
    current = float(grains.current(3.4e11))
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
    made, (ax,) = figure(width=4.4)
    full, error, fast = np.array([row[1:] for row in result["rows"]]).T
    ax.errorbar(full, fast - full, error, marker="o", ms=4, ls="", color=COLOURS[0], capsize=2)
    ax.axhspan(-0.02, 0.02, color="grey", alpha=0.2, lw=0)
    ax.set(xlabel="full dynamics: probability, d<m$_z$> or dR (ohm)", ylabel="fast law minus full dynamics")
    save(made, path)
