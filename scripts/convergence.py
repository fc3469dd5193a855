"""Bias of a switching probability against the step, for both solvers; writes convergence.png.

    python scripts/convergence.py [--samples 200000] [--out FOLDER]

A perpendicular device (alpha 0.05, delta 40, B_x = 0.1 Bk) under B_DL = 0.6 Bk for 60/(gamma' Bk), read 20/(gamma' Bk)
later. Fokker-Planck gives the exact answer.
"""

import argparse
from pathlib import Path

import mtjax as mtj

mtj.configure_cpu(fused=True)

import equinox as eqx  # noqa: E402
import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402

from mtjax.constants import NS  # noqa: E402
from mtjax.devices import SpinOrbitTorque  # noqa: E402

ANGLES = {
    "SplitStep": (2.0, 1.4, 1.0, 0.7, 0.5, 0.35, 0.25),
    "Heun": (0.5, 0.35, 0.25, 0.18, 0.125, 0.09, 0.0625, 0.03),
}


def sot_case() -> tuple[mtj.Device, mtj.Pulse, float]:
    """The device, its pulse and 1/(gamma' Bk) in seconds."""
    device = mtj.presets.perpendicular_sot(delta=40.0)
    Bk = float(device.Bk)
    device = eqx.tree_at(lambda d: d[mtj.AppliedField].B, device, jnp.array([0.1 * Bk, 0.0, 0.0]))
    device = eqx.tree_at(lambda d: d[SpinOrbitTorque].sigma, device, jnp.array([0.0, 1.0, 0.0]))
    per_ampere = device[SpinOrbitTorque].damping_like(mtj.Vector.of(device.start), device.layer.magnet(), device.drive(1.0))
    unit = NS / float(device.layer.magnet().gamma * Bk)
    return device, mtj.Pulse(0.6 * Bk / float(per_ampere), 60 * unit), unit


def main() -> None:
    """Measure, print and draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=200_000)
    parser.add_argument("--out", type=Path, default=Path("."))
    args = parser.parse_args()
    device, pulse, unit = sot_case()
    with jax.enable_x64(True):
        device64, pulse64, _ = sot_case()
        exact = float(mtj.switching_probability(device64, pulse64, relax=20 * unit).value)
    print(f"Fokker-Planck: {exact:.5f}")
    results = {}
    for name, angles in ANGLES.items():
        for angle in angles:
            # 0.6 Bk of torque: the step is chosen in units of 1/(gamma' Bk) here, not by the default rule
            sol = mtj.simulate(
                device, pulse, 80 * unit, samples=args.samples, key=jax.random.key(0), save=1, dt=angle * unit,
                solver=mtj.SplitStep() if name == "SplitStep" else mtj.Heun(),
            )  # fmt: skip
            p = float(jnp.mean(sol.ms[:, 0, 2] < 0))
            error = (p * (1 - p) / args.samples) ** 0.5
            results.setdefault(name, []).append((float(sol.dt) / unit, p - exact, error))
            print(
                f"{name:10s} dt = {float(sol.dt) / unit:6.4f}/(gamma' Bk)   bias {p - exact:+.4f} +- {error:.4f}",
                flush=True,
            )
    draw(results, args.out / "convergence.png")


def draw(results: dict, path: Path) -> None:
    """Absolute bias against step, with error bars, on logarithmic axes."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(5.5, 4), layout="constrained")
    for (name, rows), marker, colour in zip(results.items(), "os", ("#0072B2", "#D55E00"), strict=True):
        steps, bias, errors = map(jnp.array, zip(*rows, strict=True))
        axes.errorbar(steps, jnp.maximum(jnp.abs(bias), 1e-4), errors, marker=marker, color=colour, label=name, capsize=2)
    axes.axhline(0.005, color="grey", linestyle="--", linewidth=1)
    axes.text(0.03, 0.0054, "0.005", color="grey")
    axes.set(xscale="log", yscale="log", xlabel="step, 1/(γ′ B$_k$)", ylabel="|bias of P$_{sw}$|", ylim=(1e-4, 1))
    axes.legend(frameon=False)
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    main()
