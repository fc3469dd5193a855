"""Weights, bias, gain, pulse width and barrier trained together against loss + price x joules: the trade-off curve.

    python scripts/joint_design.py [--epochs 40] [--out docs]

64-48-10 on the 8x8 digits at 4 time-steps, from the preset: perpendicular junctions of 20 kT, 10 ns pulses, half firing.
At every price the same training without a price and with the preset's devices is the comparison. Accuracy is a mean over
ten draws of the neurons' noise. Drivers at 0.9 V; `Hardware` names the other assumptions.
"""

import argparse
import time
from pathlib import Path

import mtjax as mtj

mtj.configure_cpu(fused=True)

import jax  # noqa: E402
import numpy as np  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402

from mtjax import nn  # noqa: E402
from mtjax.nn import joint  # noqa: E402
from mtjax.plot import COLOURS  # noqa: E402

DEVICE = mtj.presets.perpendicular_stt(20.0)
PRICES = (0.0, 1e8, 1e9, 4e9, 1.6e10, 6.4e10)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--out", type=Path, default=Path("docs"), help="folder of the picture")
    args = parser.parse_args()
    curves = []
    for seed in range(args.seeds):
        train, test = nn.datasets.digits(seed=seed)
        network = nn.mlp((64, 48, 10), nn.perpendicular_law(), key=jax.random.key(seed))
        how, key = nn.Training(epochs=args.epochs, batch=32, rate=2e-2, steps=args.steps), jax.random.key(100 + seed)
        preset = nn.train(network, train, how, key=key, progress=False).network
        rows = [measured("preset", preset, test, args.steps)]
        for price in PRICES:
            start = time.perf_counter()
            together = joint.joint(how, DEVICE, price=price)
            found = nn.train(joint.free(network), train, together, key=key, progress=False).network
            rows.append(measured(f"price {price:.1e} per J", joint.fixed(found), test, args.steps))
            print(f"    {joint.shared(found).layers[0].neuron} ({time.perf_counter() - start:.0f} s)", flush=True)
        curves.append(rows)
    draw(np.mean(curves, axis=0), args.out / "joint_design.png")


def measured(name: str, network: nn.Network, test: nn.Dataset, steps: int) -> tuple[float, float]:
    accuracy = np.mean([nn.evaluate(network, test, steps=steps, key=jax.random.key(k)).value[-1] for k in range(10)])
    energy = nn.mean_over(network, test.images, joint.hardware(network, DEVICE), steps=steps, key=jax.random.key(5))
    joules, seconds = float(energy.total), float(energy.latency)
    print(f"{name}: {100 * accuracy:.2f} %, {joules * 1e12:.1f} pJ, {seconds * 1e9:.0f} ns", flush=True)
    return float(accuracy), joules


def draw(rows: np.ndarray, path: Path) -> None:
    figure = Figure(figsize=(6.4, 4.4), layout="constrained", dpi=150)
    axes, accuracy, joules = figure.subplots(), 100 * rows[:, 0], 1e12 * rows[:, 1]
    axes.plot(joules[1:], accuracy[1:], "o-", color=COLOURS[0], label="weights and devices together")
    for x, y, price in zip(joules[1:], accuracy[1:], PRICES, strict=True):
        beside = f"{price:.2g}"
        axes.annotate(beside, (x, y), xytext=(4, 6), textcoords="offset points", fontsize="small", annotation_clip=True)
    axes.plot(joules[0], accuracy[0], "s", ms=8, color=COLOURS[1], label="weights on the preset's devices")
    axes.axhspan(accuracy[0] - 0.3, accuracy[0] + 0.3, color=COLOURS[1], alpha=0.12, lw=0, label="within 0.3 points of it")
    axes.set(xscale="log", xlabel="energy of an inference (pJ)", ylabel="accuracy (%)", title="at the points: price per joule")
    axes.set_ylim(accuracy[0] - 4, accuracy.max() + 0.7)
    silent = accuracy < accuracy[0] - 4
    for x, y in zip(joules[silent], accuracy[silent], strict=True):
        axes.annotate(
            f"{y:.0f} %", (x, accuracy[0] - 4), xytext=(x, accuracy[0] - 3.4), ha="center", arrowprops={"arrowstyle": "->"}
        )
    axes.legend(frameon=False, loc="lower right")
    axes.grid(alpha=0.25)
    figure.savefig(path)


if __name__ == "__main__":
    main()
