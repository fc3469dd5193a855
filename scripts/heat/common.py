"""The single cell, switched fractions with their errors, and pictures."""

import time
from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import mtjax as mtj

NS = 1e-9
WIDTH, COOLING, MOST = 5 * NS, 9 * NS, 20
STEP = 10e-12
"""Of the solver, s: 0.5 / (gamma' Bk); its bias is below 0.002 there (`scripts/convergence.py`)."""
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")


say = partial(print, flush=True)


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
    sol = mtj.simulate(cell, pulse, duration, samples=samples, key=jax.random.key(seed), save=1, dt=STEP)
    return fraction(jnp.sum(sol.ms[:, 0] @ cell.start < 0), samples)


def train(current, number, interval):
    """`number` pulses as one of at most MOST, so that all lengths share one compilation."""
    amplitudes = np.where(np.arange(MOST) < number, current, 0.0)
    return mtj.Steps(amplitudes, WIDTH, WIDTH + interval * NS)


def probability(cell, current, number, interval, samples, seed=0):
    duration = (number - 1) * (WIDTH + interval * NS) + WIDTH + 25 * NS
    return switched(cell, train(current, number, interval), duration, samples, seed)


def pair_change(up, down, current, delay, samples):
    """Change of the mean m_z, from an even mixture of both states, by a pair `delay` ns apart; its standard error."""
    pulse, end = mtj.opposite_pair(current, WIDTH, delay * NS), (abs(delay) + 5 + 60) * NS
    a, b = (switched(cell, pulse, end, samples, seed) for seed, cell in enumerate((up, down)))
    return b[0] - a[0], float(np.hypot(a[1], b[1]))


def cpu_seconds(run):
    run()
    before = time.process_time()
    run()
    return time.process_time() - before


def log_of_hazards(later, alone):
    """ln(h2 / h1), h = -ln(1 - p), with its standard error; both given as a value with its error."""
    (p2, e2), (p1, e1) = later, alone
    h2, h1 = -np.log1p(-p2), -np.log1p(-p1)
    return np.log(h2 / h1), np.hypot(e2 / (1 - p2) / h2, e1 / (1 - p1) / h1)


def decay(t, y, dy):
    """Time constant of y = a exp(-t / tau) with its standard error, and the fitted curve."""
    from scipy.optimize import curve_fit

    (a, tau), covariance = curve_fit(lambda t, a, tau: a * np.exp(-t / tau), t, y, (y[0] * 3, 9.0), dy, absolute_sigma=True)
    return tau, covariance[1, 1] ** 0.5, a * np.exp(-t / tau)


def figure(panels=1, width=4.6, rows=1):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    made, axes = plt.subplots(rows, panels, figsize=(width * panels, 3.5 * rows), layout="constrained", squeeze=False)
    for ax in axes.ravel():
        ax.grid(alpha=0.25)
    return made, axes.ravel()


def save(made, path):
    made.savefig(path, dpi=90)
