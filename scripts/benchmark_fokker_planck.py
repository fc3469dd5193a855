"""Times of the Fokker-Planck solver on one core, after compilation, as CPU seconds and ratios.

Run `taskset -c 0 python scripts/benchmark_fokker_planck.py`; `--batch` adds sixteen currents in one `vmap`.
"""

import argparse
import time

import jax
import jax.numpy as jnp
import numpy as np

import mtjax as mtj
from mtjax.constants import GAMMA, KB, SPIN_FIELD
from mtjax.fokker_planck import FokkerPlanck

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
        currents = jnp.linspace(0.5, 1.2, 16) * current
        print(f"16 currents in one vmap: {cpu_seconds(jax.jit(jax.vmap(probability)), currents, repeats=1):.2f} s")


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
    axisymmetric()
    spin_orbit(parser.parse_args().batch)


if __name__ == "__main__":
    main()
