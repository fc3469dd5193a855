"""Speed of thermal ensembles against cmtj's `Heun`, both pinned to the same single core in the same run.

    pip install cmtj && python scripts/benchmark.py

Prints device-steps per second at the same step of 1 ps, the time to a switching probability whose bias from the finite step
is at most 0.005, each tool at the largest step for which that holds, both as ratios, and the time of the first `simulate` of a
process, compilation included.
cmtj (GPL) is called as any user would call it; nothing of it is part of this package.
"""

import argparse
import os
import time

CORE = min(os.sched_getaffinity(0))
os.sched_setaffinity(0, {CORE})  # before jax starts its threads

import mtjax as mtj  # noqa: E402

mtj.configure_cpu(fused=True)

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402

DURATION, WIDTH, CURRENT = 5e-9, 3e-9, 150e-6
BIAS = 0.005
CMTJ_STEPS = (1e-12, 2e-12, 4e-12, 8e-12, 12e-12, 16e-12)
OUR_STEPS = (7e-12, 14e-12, 20e-12, 25e-12)
"""Steps that are tried, s: of each tool the fastest counts whose switching probability is right within `BIAS`."""


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


def row(name: str, trajectories: int, seconds: float, dt: float, fraction: float, exact: float) -> float:
    """One printed line of results; returns the seconds per trajectory, infinite where the bias is too large."""
    error = (fraction * (1 - fraction) / trajectories) ** 0.5
    bias = fraction - exact
    each = seconds / trajectories
    print(
        f"{name:28s} {dt * 1e12:6.2f} ps {DURATION / dt / each / 1e6:8.2f} M steps/s {each * 1e6:9.2f} us each   "
        f"bias {bias:+.4f} +- {error:.4f}",
        flush=True,
    )
    return each if abs(bias) <= BIAS else float("inf")


def first_result() -> None:
    """Time of the first `simulate` of a process."""
    before = time.perf_counter()
    device, pulse = mtj.presets.sengupta2016(), mtj.Pulse(70e-6, 0.5e-9)
    between = time.perf_counter()
    jax.block_until_ready(mtj.simulate(device, pulse, 2e-9, samples=4096, key=jax.random.key(0)).ms)
    after = time.perf_counter()
    print(f"first device {between - before:.1f} s, first `simulate`, compilation included, {after - between:.1f} s\n")


def main() -> None:
    """Run everything and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=200_000, help="trajectories of mtjax")
    parser.add_argument("--cmtj-samples", type=int, default=20_000, help="trajectories of cmtj")
    args = parser.parse_args()
    first_result()
    device = mtj.presets.perpendicular_sot()
    print(f"one core (number {CORE}), 300 K, spin-orbit torque, {DURATION * 1e9:g} ns")
    _, exact, _ = our_ensemble(device, 2 * args.samples, dt=2e-12)
    print(f"P_sw = {exact:.4f} +- {(exact * (1 - exact) / args.samples / 2) ** 0.5:.4f} (SplitStep, 2 ps)")

    def cmtj_row(dt):
        seconds, fraction = cmtj_ensemble(device, args.cmtj_samples, dt)
        return row("cmtj Heun", args.cmtj_samples, seconds, dt, fraction, exact)

    def our_row(name, solver, dt):
        seconds, fraction, step = our_ensemble(device, args.samples, dt=dt, solver=solver)
        return row(name, args.samples, seconds, step, fraction, exact)

    theirs = [cmtj_row(dt) for dt in CMTJ_STEPS]
    same = {
        "Heun": our_row("mtjax Heun", mtj.Heun(), 1e-12),
        "Heun, three-point noise": our_row("mtjax Heun, three-point", mtj.Heun(normal=mtj.three_point), 1e-12),
        "SplitStep": our_row("mtjax SplitStep", mtj.SplitStep(), 1e-12),
    }
    three = mtj.SplitStep(normal=mtj.three_point)
    ours = {
        "SplitStep": [our_row("mtjax SplitStep", mtj.SplitStep(), dt) for dt in OUR_STEPS],
        "SplitStep, three-point noise": [our_row("mtjax SplitStep, three-point", three, dt) for dt in OUR_STEPS],
    }
    print()
    for name, each in same.items():
        print(f"at the same step of 1 ps, {name}: {theirs[0] / each:.1f}x")
    for name, each in ours.items():
        print(
            f"to a P_sw within {BIAS}, {name}: {min(theirs) / min(each):.0f}x of cmtj at the largest step that is good enough, "
            f"{theirs[0] / min(each):.0f}x of cmtj at 1 ps"
        )


if __name__ == "__main__":
    main()
