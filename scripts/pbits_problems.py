"""What p-bits are for: slow synapses, a spread, Max-Cut with a known optimum, factors by a multiplier run backwards, digits.

    python scripts/pbits_problems.py [delay] [spread] [maxcut] [factor] [digits]      # all: some five minutes of one core

`delay` draws docs/pbits_delay.png.
"""

import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax

from mtjax import pbits

jax.config.update("jax_enable_x64", True)
ROOT = Path(__file__).parents[1]
LAW = pbits.TanhLaw(1e-9)
KEY = jax.random.key(0)
ADDER = -0.5 * np.outer(WEIGHTS := np.array([1, 1, 1, -1, -2]), WEIGHTS) * (1 - np.eye(5))


def random_graph(number: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Sherrington-Kirkpatrick couplings of variance 1 / number, and biases."""
    draw = np.random.default_rng(seed)
    J = np.triu(draw.normal(0, 1 / np.sqrt(number), (number, number)), 1)
    return J + J.T, draw.normal(0, 0.2, number)


def delay() -> None:
    import matplotlib.pyplot as plt

    shares = np.array([3.0, 1.0, 0.3, 0.1, 0.03, 0.01, 0.0])
    cases = {"full adder, 5 bits": (ADDER, np.zeros(5))} | {f"random, {n} bits": random_graph(n, n) for n in (8, 16)}
    figure, axes = plt.subplots(figsize=(5.2, 3.6), layout="constrained")
    for name, (J, h) in cases.items():
        wanted = np.asarray(pbits.Network(J, h, LAW).boltzmann())
        found, noise = [], None
        for share in shares:
            events = 1_000_000 if len(h) > 8 else 250_000
            record = pbits.sample(pbits.Network(J, h, LAW, delay=share * 1e-9), events=events, samples=4, key=KEY)
            found.append(pbits.total_variation(record.distribution(), wanted))
        noise = found[-1]
        print(f"{name}: " + ", ".join(f"{s:g}: {tv:.4f}" for s, tv in zip(shares, found, strict=True)), flush=True)
        (line,) = axes.loglog(shares[:-1], found[:-1], "o-", label=name, markersize=4)
        axes.axhline(noise, color=line.get_color(), linestyle=":", linewidth=1)
    axes.set(xlabel="synapse delay / dwell time", ylabel="total variation from Boltzmann")
    axes.legend(frameon=False, title="dotted: no delay (noise of sampling)")
    figure.savefig(ROOT / "docs" / "pbits_delay.png", dpi=150)


def spread() -> None:
    found = []
    for seed in range(10):
        apart = pbits.Network(ADDER, np.zeros(5), LAW, spread=pbits.Spreads.draw(5, 0.1, key=jax.random.key(seed)))
        wanted = apart.boltzmann()
        pair = (apart, apart.compensated(apart.spread))
        found.append([pbits.total_variation(pbits.sample(n, events=400_000, key=KEY).distribution(), wanted) for n in pair])
    before, after = np.mean(found, axis=0)
    print(
        f"full adder, spread of 10 % of gain, offset and time, 10 arrays: total variation {before:.3f}, compensated {after:.3f}"
    )


def frustrated(side: int, loops: int, seed: int) -> tuple[np.ndarray, np.ndarray, float]:
    """A square lattice of frustrated squares with a planted ground state: couplings, the state, and its energy.

    Every square adds 1 to three of its sides and -1 to one, and so is lowest, -2, where all its bits agree (Hen et al.,
    Phys. Rev. A 92, 042325, 2015, as recalled); a random gauge hides that.
    """
    draw, number = np.random.default_rng(seed), side * side
    places, J = np.arange(number).reshape(side, side), np.zeros((number, number))
    for _ in range(loops):
        row, column = draw.integers(side, size=2)
        corners = [places[(row + a) % side, (column + b) % side] for a, b in ((0, 0), (0, 1), (1, 1), (1, 0))]
        signs = np.where(np.arange(4) == draw.integers(4), -1.0, 1.0)
        for sign, a, b in zip(signs, corners, corners[1:] + corners[:1], strict=True):
            J[a, b] += sign
            J[b, a] += sign
    hidden = draw.choice([-1.0, 1.0], number)
    return J * np.outer(hidden, hidden), hidden, -2.0 * loops


def maxcut() -> None:
    for side, seed in ((8, 0), (16, 1), (24, 2)):
        J, hidden, lowest = frustrated(side, int(0.8 * side * side), seed)
        network = pbits.Network(J, np.zeros(side * side), LAW)
        assert np.isclose(float(network.energy(hidden)), lowest)
        sweeps = 4000
        found = pbits.clocked(network, sweeps, samples=16, key=KEY, beta=jnp.linspace(0.1, 4.0, sweeps))[:, -1]
        energies = np.asarray(network.energy(2.0 * found - 1))
        weights = -J  # of the edges of the graph to be cut
        best, cut = (np.sum(np.triu(weights)) - lowest) / 2, (np.sum(np.triu(weights)) - energies.min()) / 2
        share = np.mean(energies < lowest + 1e-6)
        print(f"Max-Cut, {side * side} nodes: cut {cut:.0f} of {best:.0f} planted; {share:.0%} of 16 runs of {sweeps} sweeps")


def factor() -> None:
    for left, right, number in ((3, 3, 35), (4, 4, 143), (5, 5, 713)):
        gates, x, y, product = pbits.multiplier(left, right)
        values = {bit: number >> k & 1 for k, bit in enumerate(product)} | {x[0]: 1, y[0]: 1}  # both factors are odd
        wires = gates.clamped(values, LAW)
        sweeps = 4000
        found = pbits.clocked(wires.network, sweeps, samples=64, key=KEY, beta=jnp.linspace(0.2, 6.0, sweeps))[:, -1]
        bits = wires.all_bits(found)
        X, Y = (bits[:, places] @ (1 << np.arange(len(places))) for places in (x, y))
        right_ones = number == X * Y
        pairs = sorted({tuple(sorted(pair)) for pair in zip(X[right_ones].tolist(), Y[right_ones].tolist(), strict=True)})
        print(f"{number} by {len(wires.free)} free p-bits: {pairs}, {np.mean(right_ones):.0%} of 64 runs of {sweeps} sweeps")


def digits() -> None:
    """A restricted Boltzmann machine on 8 x 8 digits and their labels, by contrastive divergence (one step) and optax."""
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    rows = np.where(np.concatenate([images > 7, np.eye(10)[labels] > 0], axis=1), 1.0, -1.0)
    order = np.random.default_rng(0).permutation(len(rows))
    train, test = order[:1400], order[1400:]
    seen, hidden = rows.shape[1], 200
    blocks = [np.arange(seen, seen + hidden), np.arange(seen)]

    def joined(parameters):
        W, h = parameters
        empty = jnp.zeros
        J = jnp.block([[empty((seen, seen)), W], [W.T, empty((hidden, hidden))]])
        return pbits.Network(J, h, LAW)

    def correlations(v, W, h):
        mean = jnp.tanh(v @ W + h[seen:])
        return v.T @ mean / len(v), jnp.concatenate([v.mean(0), mean.mean(0)])

    optimiser = optax.adam(optax.cosine_decay_schedule(2e-3, 6000))

    @jax.jit
    def step(parameters, state, v, key):
        W, h = parameters
        start = jnp.concatenate([v, jnp.ones((len(v), hidden))], axis=1)
        found = pbits.clocked(joined(parameters), 1, samples=len(v), key=key, blocks=blocks, start=start)[:, -1]
        data, model = correlations(v, W, h), correlations(2.0 * found[:, :seen] - 1, W, h)
        gradient = jax.tree.map(lambda m, d, p: m - d + 1e-4 * p, model, data, (W, h))
        updates, state = optimiser.update(gradient, state)
        return optax.apply_updates(parameters, updates), state

    draw = np.random.default_rng(1)
    parameters = (jnp.asarray(0.02 * draw.normal(size=(seen, hidden))), jnp.zeros(seen + hidden))
    state = optimiser.init(parameters)
    for n in range(6000):
        batch = jnp.asarray(rows[draw.choice(train, 100)])
        parameters, state = step(parameters, state, batch, jax.random.fold_in(KEY, n))

    W, h = (np.asarray(p) for p in parameters)
    scores = []
    for label in range(10):
        v = np.concatenate([rows[test, :64], np.where(np.arange(10) == label, 1.0, -1.0) * np.ones((len(test), 1))], axis=1)
        scores.append(v @ h[:seen] + np.sum(np.logaddexp(v @ W + h[seen:], -(v @ W + h[seen:])), axis=1))
    accuracy = np.mean(np.argmax(scores, axis=0) == labels[test])
    print(f"digits: {accuracy:.1%} of {len(test)} images by the free energies of the labels, {hidden} hidden p-bits")


if __name__ == "__main__":
    known = {"delay": delay, "spread": spread, "maxcut": maxcut, "factor": factor, "digits": digits}
    for name in sys.argv[1:] or known:
        known[name]()
