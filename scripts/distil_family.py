"""The law of a family of perpendicular junctions from Fokker-Planck, as it is stored in the package (`mtjax/nn/laws/stored`).

    python scripts/distil_family.py [--out mtjax/nn/laws/stored] [--checks 400]

The drive, the logarithm of the barrier (6 to 80 kT) and that of the pulse (0.5 to 10 relaxation times) span a product
Chebyshev series of logit P. Solved in reduced numbers, and compared with `mtjax.FokkerPlanck`. Without `--out` nothing is
written.
"""

import argparse
import itertools
import time
from pathlib import Path

import jax

jax.config.update("jax_enable_x64", True)

import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
from numpy.polynomial import legendre  # noqa: E402
from scipy.linalg import expm  # noqa: E402
from tqdm import tqdm  # noqa: E402

import mtjax as mtj  # noqa: E402
from mtjax.nn import PerpendicularLaw  # noqa: E402
from mtjax.nn.laws.distilled import Samples, chebyshev_nodes, fitted, largest_error, probabilities, spread_points  # noqa: E402
from mtjax.nn.laws.family import OVER  # noqa: E402

PARAMETERS = {
    "log_delta": (float(np.log(6.0)), float(np.log(80.0)), 3.0),
    "log_time": (float(np.log(0.5)), float(np.log(10.0)), 0.7),
}
SIZE = 121
DEGREE, NODES = (16, 6, 6), (28, 12, 12)
OTHERS = ((12, 5, 5), (20, 8, 8))
HOW = (
    "perpendicular_stt(delta) under rectangular pulses: {} Fokker-Planck values, checked at {} others; scripts/distil_family.py"
)


def build(place, *, log_delta, log_time):
    """From the place between 0 and the highest drive to a junction under a pulse."""
    device, time = mtj.presets.perpendicular_stt(jnp.exp(log_delta)), jnp.exp(log_time)
    current = place * device.critical_current * (1 + OVER / time)
    return device, mtj.Pulse(current, time * device.relaxation_time)


class Reduced:
    """The axisymmetric Fokker-Planck equation in reduced numbers, by Legendre series; in milliseconds.

    dp/dt = d/du (1 - u^2) (-(u - I/Ic) p + p'/(2 delta)), u = m.start, t in relaxation times, from equilibrium in u > 0.
    """

    def __init__(self, size: int):
        self.size = size
        u, w = legendre.leggauss(2 * size)
        slopes = np.stack([legendre.legval(u, legendre.legder(row)) for row in np.diag(self.norms)[1:]], axis=1)
        tests = np.pad(slopes, ((0, 0), (1, 0))) * ((1 - u**2) * w)[:, None]
        self.anisotropy, self.torque = tests.T @ (self.basis(u) * u[:, None]), tests.T @ self.basis(u)
        self.noise = np.diag(np.arange(size) * (np.arange(size) + 1.0)) / 2
        self.upper, self.weight = (u + 1) / 2, w / 2
        self.sides = [side.T @ self.weight for side in (self.basis(-self.upper), self.basis(self.upper))]

    @property
    def norms(self) -> np.ndarray:
        return np.sqrt(np.arange(self.size) + 0.5)

    def basis(self, u: np.ndarray) -> np.ndarray:
        return legendre.legvander(u, self.size - 1) * self.norms

    def __call__(self, drive: float, delta: float, time: float) -> tuple[float, float]:
        """Probability and its complement at `drive` = I/Ic."""
        density = self.weight * np.exp(delta * (self.upper**2 - 1))
        start = self.basis(self.upper).T @ density / density.sum()
        end = expm(time * (self.anisotropy - drive * self.torque - self.noise / delta)) @ start
        return self.sides[0] @ end, self.sides[1] @ end


def samples(points: np.ndarray) -> Samples:
    solve, rows = Reduced(SIZE), []
    for place, log_delta, log_time in tqdm(points):
        time = np.exp(log_time)
        rows.append(solve(place * (1 + OVER / time), np.exp(log_delta), time))
    return Samples(points, *np.array(rows).T, np.zeros(len(points)))


def against_mtjax(tests: Samples, number: int) -> float:
    """Largest difference to `mtjax.FokkerPlanck` at the first of the check points."""
    method = mtj.FokkerPlanck(relative=False)
    found = probabilities(build, tests.points[:number], tuple(PARAMETERS), method)
    return float(np.max(np.abs(found.p - tests.p[:number])))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, help="folder to write the law to")
    parser.add_argument("--checks", type=int, default=400, help="independent points, spread over all ranges")
    parser.add_argument("--against", type=int, default=10, help="of them, how many mtjax.FokkerPlanck solves too")
    args = parser.parse_args()
    start = time.perf_counter()
    ranges = ((0.0, 1.0), *((low, high) for low, high, _ in PARAMETERS.values()))
    grid = itertools.product(*(chebyshev_nodes(n, ends) for n, ends in zip(NODES, ranges, strict=True)))
    given = samples(np.array(list(grid)))
    tests = samples(spread_points(args.checks, ranges))
    print(f"{len(given.p) + args.checks} probabilities in {time.perf_counter() - start:.0f} s", flush=True)
    print(f"largest difference to mtjax.FokkerPlanck at {args.against}: {against_mtjax(tests, args.against):.1e}", flush=True)
    for degree in (DEGREE, *OTHERS):
        series = fitted(given, ranges, degree, PARAMETERS)
        print(f"degrees {degree}: largest error {largest_error(series, tests):.1e}", flush=True)
    series = fitted(given, ranges, DEGREE, PARAMETERS)
    law = PerpendicularLaw(
        series.coefficients,
        ranges[1:],
        20.0,
        1e-5,
        5e-9,
        1e-8,
        largest_error(series, tests),
        HOW.format(len(given.p), args.checks),
    ).of(mtj.presets.perpendicular_stt(20.0), 10e-9)
    print(law)
    if args.out:
        law.save(args.out / "perpendicular.npz")


if __name__ == "__main__":
    main()
