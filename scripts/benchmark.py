"""Speed of thermal ensembles against cmtj's `Heun`, both pinned to the same single core in the same run.

    pip install cmtj && python scripts/benchmark.py

Prints device-steps per second at the same step of 1 ps, the time to a switching probability whose bias from the finite step
is at most 0.005, both as ratios, and the time of the first `simulate` of a process, compilation included.
cmtj (GPL) is called as any user would call it; nothing of it is part of this package.
"""

import argparse
import os
import time

CORE = min(os.sched_getaffinity(0))
os.sched_setaffinity(0, {CORE})  # before jax starts its threads

import mtjax as mtj  # noqa: E402

mtj.configure_cpu()

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402

DURATION, WIDTH, CURRENT = 5e-9, 3e-9, 150e-6
HEUN_STEP, SPLIT_ANGLE = 2e-12, 0.5
"""Steps assumed to keep the bias below 0.005 (check by `scripts/convergence.py`): s for Heun, radians for SplitStep."""


def cmtj_ensemble(device, trajectories: int, dt: float) -> tuple[float, float]:
    """CPU seconds and switched fraction of cmtj: one junction reused, 300 K, a damping-like torque during the pulse."""
    import cmtj

    magnet, mu0 = device.layer.magnet(), 4e-7 * np.pi
    Bk = float(device[mtj.UniaxialAnisotropy].Bk)
    torque = device[mtj.SpinOrbitTorque]
    B_DL = float(torque.damping_like(mtj.Vector.of(device.start), magnet, device.drive(CURRENT)))
    layer = cmtj.Layer(
        "free", cmtj.CVector(0, 0, 1), cmtj.CVector(0, 0, 1), float(magnet.Ms) * mu0, float(magnet.thickness),
        float(magnet.area), [cmtj.CVector(0, 0, 0)] * 3, float(magnet.alpha),
    )  # fmt: skip
    layer.setReferenceLayer(cmtj.CVector(*[float(x) for x in torque.sigma]))
    junction = cmtj.Junction([layer])
    junction.setLayerAnisotropyDriver("free", cmtj.constantDriver(Bk * float(magnet.Ms) / 2))
    field = cmtj.AxialDriver(
        cmtj.constantDriver(float(device[mtj.AppliedField].B[0]) / mu0), cmtj.NullDriver(), cmtj.NullDriver()
    )
    junction.setLayerExternalFieldDriver("all", field)
    junction.setLayerDampingLikeTorqueDriver("free", cmtj.stepDriver(0.0, B_DL / mu0, 0.0, WIDTH))
    junction.setLayerTemperatureDriver("all", cmtj.constantDriver(300.0))
    switched, before = 0, time.process_time()
    for _ in range(trajectories):
        junction.clearLog()
        junction.setLayerMagnetisation("free", cmtj.CVector(0, 0, 1))
        junction.runSimulation(DURATION, dt, DURATION, solverMode=cmtj.SolverMode.Heun)
        switched += junction.getLayerMagnetisation("free").z < 0
    return time.process_time() - before, switched / trajectories


def our_ensemble(device, trajectories: int, **options) -> tuple[float, float, float]:
    """CPU seconds, switched fraction and step of `simulate`, after compilation."""
    pulse = mtj.Pulse(CURRENT, WIDTH)

    def run(seed):
        sol = mtj.simulate(
            device,
            pulse,
            DURATION,
            samples=trajectories,
            save=1,
            start=(0.0, 0.0, 1.0),
            key=jax.random.key(seed),
            **options,
        )
        return jax.block_until_ready(sol)

    run(0)
    before = time.process_time()
    sol = run(1)
    return time.process_time() - before, float(jnp.mean(sol.ms[:, 0, 2] < 0)), float(sol.dt)


def row(name: str, trajectories: int, seconds: float, steps: float, fraction: float) -> None:
    """One printed line of results."""
    error = (fraction * (1 - fraction) / trajectories) ** 0.5
    print(
        f"{name:34s} {trajectories * steps / seconds / 1e6:8.2f} M steps/s   P_sw = {fraction:.4f} +- {error:.4f}",
        flush=True,
    )


def main() -> None:
    """Run everything and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=40_000, help="trajectories of mtjax")
    parser.add_argument("--cmtj-samples", type=int, default=1500, help="trajectories of cmtj")
    args = parser.parse_args()
    before = time.perf_counter()
    device, pulse = mtj.presets.sengupta2016(), mtj.Pulse(70e-6, 0.5e-9)
    sol = mtj.simulate(device, pulse, 2e-9, samples=4096, key=jax.random.key(0))
    jax.block_until_ready(sol.ms)
    print(f"first `simulate` of the process, compilation included: {time.perf_counter() - before:.1f} s\n")

    device = mtj.presets.perpendicular_sot()
    print(f"one core (number {CORE}), 300 K, spin-orbit torque, {DURATION * 1e9:g} ns")
    theirs, fraction = cmtj_ensemble(device, args.cmtj_samples, 1e-12)
    row("cmtj Heun, 1 ps", args.cmtj_samples, theirs, DURATION / 1e-12, fraction)
    theirs /= args.cmtj_samples
    coarse, fraction = cmtj_ensemble(device, args.cmtj_samples, HEUN_STEP)
    row(f"cmtj Heun, {HEUN_STEP * 1e12:g} ps", args.cmtj_samples, coarse, DURATION / HEUN_STEP, fraction)
    coarse /= args.cmtj_samples
    ours = {}
    for name, options in {
        "mtjax Heun, 1 ps": {"solver": mtj.Heun(), "dt": 1e-12},
        "mtjax SplitStep, 1 ps": {"dt": 1e-12},
        f"mtjax SplitStep, angle {SPLIT_ANGLE}": {"solver": mtj.SplitStep(SPLIT_ANGLE)},
    }.items():
        seconds, fraction, dt = our_ensemble(device, args.samples, **options)
        row(f"{name} ({dt * 1e12:.2f} ps)", args.samples, seconds, DURATION / dt, fraction)
        ours[name] = seconds / args.samples
    same = [theirs / x for x in list(ours.values())[:2]]
    print(f"\nratio at the same step of 1 ps: Heun {same[0]:.1f}x, SplitStep {same[1]:.1f}x")
    print(f"ratio of the time to P_sw with a bias of at most 0.005: {coarse / list(ours.values())[2]:.0f}x")


if __name__ == "__main__":
    main()
