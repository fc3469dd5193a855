"""Times of the Fokker-Planck solver on one core, after compilation, as CPU seconds and ratios.

Run `taskset -c 0 python scripts/benchmark_fokker_planck.py`; `--batch` adds sixteen currents in one `vmap`, `--monte-carlo` the
time of Monte Carlo for a standard error as small as the solver's tolerance, at P near 0.5 and 1e-6, as ratios.
"""

import argparse
import time

import jax
import jax.numpy as jnp
import numpy as np

import mtjax as mtj
from mtjax.constants import GAMMA, KB, SPIN_FIELD
from mtjax.switching import FokkerPlanck

BK, WIDTH, THICKNESS, LAYER, MS = 0.5, 50e-9, 3e-9, 1e-9, 1e6


def spin_orbit_dot(delta=40.0, alpha=0.05):
    diameter = np.sqrt(4 / np.pi * 2 * delta * KB * 300.0 / (BK * MS * LAYER))
    layer = mtj.FreeLayer(mtj.EllipticCylinder(diameter, diameter, LAYER), Ms=MS, alpha=alpha)
    torque = mtj.SpinOrbitTorque(theta_sh=0.3, width=WIDTH, thickness=THICKNESS)
    return mtj.Device(layer=layer, terms=(mtj.UniaxialAnisotropy(BK), mtj.AppliedField((0.1 * BK, 0, 0)), torque))


def cpu_seconds(function, *args, repeats=3):
    jax.block_until_ready(function(*args))
    times = []
    for _ in range(repeats):
        start = time.process_time()
        jax.block_until_ready(function(*args))
        times.append(time.process_time() - start)
    return min(times)


def report(name, probability, current):
    value = cpu_seconds(jax.jit(probability), current)
    both = cpu_seconds(jax.jit(jax.value_and_grad(probability)), current)
    print(f"{name}: P = {jax.jit(probability)(current):.6g}, value {1e3 * value:.1f} ms, with gradient {both / value:.2f} x")


def spin_orbit(batch):
    unit = (1 + 0.05**2) / (GAMMA * BK)
    current = jnp.asarray(0.6 * BK * MS * LAYER * WIDTH * THICKNESS / (SPIN_FIELD * 0.3))
    device, relax = spin_orbit_dot(), jnp.asarray(20 * unit)
    fixed = FokkerPlanck(lmax=96, mmax=48, relative=False, tolerance=0.01)
    method = fixed.planned(device, mtj.Pulse(current, 60 * unit), relax)

    def probability(i):
        return method.probability(device, mtj.Pulse(i, 60 * unit), relax).value

    report("spin-orbit torque, l_max 96", probability, current)
    if batch:
        currents = jnp.linspace(0.5, 1.1, 16) * current
        finest = FokkerPlanck(relative=False).planned(device, mtj.Pulse(currents[-1], 60 * unit), relax)

        def of_batch(i):
            return finest.probability(device, mtj.Pulse(i, 60 * unit), relax).value

        seconds = cpu_seconds(jax.jit(jax.vmap(of_batch)), currents, repeats=1)
        print(f"16 currents in one vmap, l_max {finest.plan.lmax}, m_max {finest.plan.mmax}: {seconds:.2f} s", flush=True)


def against_monte_carlo():
    """CPU seconds of both engines for the same error: the solver's tolerance, reached by sampling p (1 - p) / error^2 times."""
    unit = (1 + 0.05**2) / (GAMMA * BK)
    full = 0.6 * BK * MS * LAYER * WIDTH * THICKNESS / (SPIN_FIELD * 0.3)
    axial = mtj.presets.perpendicular_stt(delta=40.0)
    tau = float(axial.relaxation_time)
    cases = (
        ("spin-orbit torque", spin_orbit_dot, 20 * unit, 60 * unit, (0.95 * full, 0.545 * full)),
        ("axisymmetric", lambda: mtj.presets.perpendicular_stt(delta=40.0), 0.0, 4 * tau, (1.3, 0.4)),
    )
    for name, make, relax, width, currents in cases:
        for current in currents:
            current = current * float(axial.critical_current) if name == "axisymmetric" else current
            compared(name, make, relax, width, current)


def compared(name, make, relax, width, current, samples=20_000):
    planned = FokkerPlanck(tolerance=3e-3).planned(make(), mtj.Pulse(current, width), relax)

    def exact(i):
        return planned.probability(make(), mtj.Pulse(i, width), jnp.asarray(relax)).value

    p, seconds = float(exact(current)), cpu_seconds(jax.jit(exact), jnp.asarray(current))
    error = planned.tolerance * min(p, 1 - p)
    with jax.enable_x64(False):  # noqa: FBT003
        device, pulse = make(), mtj.Pulse(current, width)

        def sampled():
            method = mtj.MonteCarlo(samples=samples, key=jax.random.key(0))
            return mtj.switching_probability(device, pulse, relax=relax, method=method)

        each = cpu_seconds(sampled, repeats=2) / samples
    ratio = p * (1 - p) / error**2 * each / seconds
    print(
        f"{name}: P = {p:.3g}, error {error:.1g}: Fokker-Planck {seconds:.3f} s (l_max {planned.plan.lmax}), Monte Carlo "
        f"{1e6 * each:.1f} us a sample, {p * (1 - p) / error**2:.2g} samples: {ratio:.2g} times as long",
        flush=True,
    )


def axisymmetric():
    device = mtj.presets.perpendicular_stt(delta=40.0)
    current, width = 2 * device.critical_current, 4 * device.relaxation_time
    method = FokkerPlanck().planned(device, mtj.Pulse(current, width))

    def error_rate(i):
        return method.probability(device, mtj.Pulse(i, width), jnp.asarray(0.0)).complement

    report("axisymmetric", error_rate, current)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batch", action="store_true")
    jax.config.update("jax_enable_x64", True)  # noqa: FBT003
    parser.add_argument("--monte-carlo", action="store_true")
    args = parser.parse_args()
    axisymmetric()
    spin_orbit(args.batch)
    if args.monte_carlo:
        against_monte_carlo()


if __name__ == "__main__":
    main()
