"""A fit by gradients against what one would do today.  python scripts/speed_of_fits.py [--samples 4000]

The same data (`mtjax demo`: two quantities, 20 settings of 200 trials), the same starting values. Once by `mtj.fit`; once by
scipy's `minimize` (L-BFGS-B, finite differences) around this package's own Monte Carlo, with common random numbers so that the
differences mean something at all. Both after compilation, in one process. Printed: seconds, deviances (both by Fokker-Planck),
distance to the truth.
"""

import argparse
import time

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from scipy.optimize import minimize

import mtjax as mtj
from mtjax.cli import demo
from mtjax.fitting.binomial import deviances

jax.config.update("jax_enable_x64", True)  # noqa: FBT003


def by_scipy(data, samples):
    """Minimises the binomial deviance of sampled probabilities in the logarithms of the two quantities."""
    start = demo.first_guess()
    currents, widths = jnp.asarray(data.current), jnp.asarray(data.width)
    method = mtj.MonteCarlo(samples=samples, key=jax.random.key(0))
    dt = float(start.relaxation_time) / 50

    @eqx.filter_jit
    def switched(device):
        def one(row):
            fixed = mtj.MonteCarlo(samples=samples, key=method.key, dt=dt)
            return mtj.switching_probability(device, mtj.Pulse(*row), method=fixed).value

        return jax.lax.map(one, (currents, widths))

    def cost(x):
        pair = tuple(v * np.exp(s) for v, s in zip(demo.parameters(start), x, strict=True))
        p = (np.asarray(switched(eqx.tree_at(demo.parameters, start, pair))) * samples + 0.5) / (samples + 1)
        return float(np.sum(np.asarray(deviances(data.switched, data.trials, p, 1 - p))))

    cost(np.zeros(2))
    begin = time.perf_counter()
    found = minimize(cost, np.zeros(2), method="L-BFGS-B", bounds=[(-1, 1)] * 2, options={"eps": 0.03, "maxiter": 60})
    seconds = time.perf_counter() - begin
    value = np.array([float(v) for v in demo.parameters(start)]) * np.exp(found.x)
    return value, seconds, found.nfev


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=4000)
    samples = parser.parse_args().samples
    data, truth = demo.experiment(seed=0), np.array([float(x) for x in demo.parameters(demo.truth())])
    first = mtj.fit(demo.first_guess(), demo.experiment(seed=1), where=demo.parameters)
    begin = time.perf_counter()
    found = mtj.fit(demo.first_guess(), data, where=demo.parameters, method=first.method)
    seconds = time.perf_counter() - begin
    value, slow, calls = by_scipy(data, samples)
    space = found.space
    other = 2 * -float(found.likelihood(jnp.asarray(space.at(value))))
    off = [((x - truth) / found.estimates.stderr).round(2) for x in (found.estimates.value, value)]
    print(f"mtj.fit: {seconds:.2f} s, deviance {found.deviance:.2f}, off by {off[0]} standard errors")
    print(f"scipy:   {slow:.1f} s ({calls} calls), deviance {other:.2f}, off by {off[1]} standard errors")
    print(f"ratio {slow / seconds:.0f}")


if __name__ == "__main__":
    main()
