"""Cooling time and drive from switching counts of trains; the gradient of the plasticity against differences."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

import mtjax as mtj
from heat.common import COLOURS, NS, WIDTH, changed, figure, save, say, single_cell, train
from heat.law import TABLE
from mtjax.fitting import AbstractLikelihood, coordinates, maximise

NAMES, UNITS = ("cooling time", "drive"), ("s", "T")


class Trains(AbstractLikelihood):
    """Binomial counts after trains of pulses, by the fast law; quantities: cooling time (s), drive at `current` (T).

    - `cell`: at 60 mT and 150 K; `amplitudes`: shape (n, pulses), A; `period`: s; `switched`, `trials`: shape (n,).
    """

    cell: mtj.Device
    amplitudes: Float[np.ndarray, "n pulses"]
    period: Float[np.ndarray, " n"]
    switched: Float[np.ndarray, " n"]
    trials: int

    kind = "trains of pulses by the fast law"
    calibrated = True

    @property
    def rows(self) -> int:
        """Number of trains."""
        return len(self.period)

    def probabilities(self, values: Float[Array, " 2"]) -> Float[Array, " n"]:
        """Of switching."""
        there = changed(self.cell, time=values[0], drive=values[1] / 0.060)

        def of_train(row):
            return TABLE.probability(there, mtj.Steps(row[0], WIDTH, row[1]), jnp.asarray(0.0)).value

        return jax.lax.map(of_train, (self.amplitudes, self.period))

    def log_likelihood(self, values: Float[Array, " 2"]) -> Array:
        """Minus half the deviance."""
        p = jnp.clip(self.probabilities(values), 1e-9, 1 - 1e-9)
        seen = self.switched / self.trials
        gain = _xlogy(seen, p / seen) + _xlogy(1 - seen, (1 - p) / (1 - seen))
        return self.trials * jnp.sum(gain)


def _xlogy(x, ratio):
    return jnp.where(x > 0, x * jnp.log(jnp.where(x > 0, ratio, 1.0)), 0.0)


def fit(samples, read):
    """Fits of counts made by the law at other values, and of those of the full dynamics."""
    del samples
    cell, current = single_cell()
    samples = read("integrate")["samples"]
    points = [(n, float(i), p) for i, rows in read("integrate")["number"].items() if i != "3" for n, p, *_ in rows]
    points += [(5, 1e3 / rate - 5, p) for rate, p, _ in read("integrate")["frequency"] if 1e3 / rate - 5 > 9]
    amplitudes = np.stack([np.asarray(train(current, n, i).amplitudes) for n, i, _ in points])
    period = np.array([WIDTH + i * NS for _, i, _ in points])
    law = Trains(cell, amplitudes, period, np.array([p * samples for *_, p in points]), samples)
    truth = {"law": np.array([10.35e-9, 0.0582]), "dynamics": np.array([9e-9, 0.060])}
    made = np.random.default_rng(0).binomial(samples, np.asarray(law.probabilities(jnp.asarray(truth["law"]))))
    out = {"gradient": gradient()}
    for name, counts in (("law", made.astype(float)), ("dynamics", law.switched)):
        found = maximise(eqx.tree_at(lambda d: d.switched, law, counts), coordinates(NAMES, UNITS, (11.7e-9, 0.063)))
        say(f"counts by the {name}, true values {truth[name]}:\n{found}")
        out[name] = [found.estimates.value.tolist(), found.estimates.stderr.tolist(), truth[name].tolist(), found.deviance]
    return out


def gradient(delays=(8, 10, 15)):
    """d(d<mz>)/d ln heating and drive of a pair of pulses, by reverse mode and by differences: delay, name, both values."""
    (cell, current), (down, _) = single_cell(), single_cell((0.0, 0.0, -1.0))

    @jax.jit
    def amplitude(x, delay):
        pulse = mtj.opposite_pair(current, WIDTH, delay)
        b, a = (TABLE.probability(changed(c, heat=x[0], drive=x[1]), pulse, jnp.asarray(60 * NS)).value for c in (cell, down))
        return a - b

    rows = []
    for delay in delays:
        slopes = jax.grad(amplitude)(jnp.ones(2), delay * NS)
        for name, slope, h in zip(("heating", "drive"), slopes, 3e-3 * jnp.eye(2), strict=True):
            difference = float((amplitude(1 + h, delay * NS) - amplitude(1 - h, delay * NS)) / 6e-3)
            rows.append((delay, name, float(slope), difference))
            say(f"delay {delay} ns, d(d<mz>)/d ln {name}: gradient {float(slope):.4f}, difference {difference:.4f}")
    return rows


def draw_fit(result, path):
    made, (ax,) = figure(width=4.6)
    for name, colour in (("law", COLOURS[0]), ("dynamics", COLOURS[1])):
        value, error, truth, _ = (np.array(x) for x in result[name])
        (x, y), (dx, dy) = 100 * (value / truth - 1), 100 * error / truth
        ax.errorbar(x, y, dy, dx, marker="o", ms=4, ls="", color=colour, capsize=2, label=f"counts by the {name}")
    ax.plot(0, 0, "kx", ms=9, label="truth")
    ax.set(xlabel="fitted cooling time, off by (%)", ylabel="fitted damping-like field, off by (%)")
    ax.legend(frameon=False, fontsize=8)
    save(made, path)
