"""Joules per inference of a network of junctions, part by part, beside the same network on 45 nm CMOS.

    python scripts/energy.py [--epochs 60] [--seed 0] [--network FILE.ckpt --images images] [--out docs]

Trains 64-64-64-10 on the 8x8 digits at 4 time-steps, then counts pulses at 1 to 16. `--network` takes instead the
784-300-10 that `scripts/train_mnist.py mlp --out` left, with the folder of mnist.npz. Sengupta et al. (2016) state about
20 times less energy than their CMOS baseline (as recalled); that is their figure, for their circuit.
"""

import argparse
from pathlib import Path

import mtjax as mtj

mtj.configure_cpu(fused=True)

import jax  # noqa: E402
import numpy as np  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402

from mtjax import nn  # noqa: E402
from mtjax.files import load_checkpoint  # noqa: E402
from mtjax.plot import COLOURS, plot_energies  # noqa: E402

STEPS = (1, 2, 4, 8, 16)
WIDTH = 0.5e-9


def main() -> None:
    args = arguments()
    network, test = stored(args) if args.network else trained(args)
    rows = []
    for name, supply in (("drivers at 0.9 V", 0.9), ("drivers at 0.2 V", 0.2)):
        own, cmos = (joules(network, test, counter, 4) for counter in (hardware(supply), nn.Cmos()))
        rows.append((name, own))
        print(f"\n{name}, 4 time-steps\n{own}")
        print(f"CMOS takes {float(cmos.total / own.total):.0f} times as much, {float(cmos.neurons / own.neurons):.1f} times")
        print("for the neurons alone, and without its weight memory", f"{ratio_without_memory(cmos, own):.1f} times")
    print(f"\n{cmos}")
    accuracy = np.mean([nn.evaluate(network, test, steps=16, key=jax.random.key(k)).value for k in range(10)], axis=0)
    curve = []
    for n in STEPS:
        totals = [float(joules(network, test, counter, n).total) for counter in (hardware(0.9), nn.Cmos())]
        curve.append((n, accuracy[n - 1], *totals))
    for n, right, own, digital in curve:
        print(f"{n:2} time-steps: {100 * right:.2f} %, {own * 1e12:.1f} pJ, CMOS {digital * 1e12:.0f} pJ")
    draw([*rows, ("45 nm CMOS", cmos)], curve, args.out / "energy.png")


def hardware(supply: float) -> nn.Hardware:
    return nn.Hardware.of(mtj.presets.sengupta2016(), WIDTH, reset_current=120e-6, supply=supply)


def joules(network: nn.Network, test: nn.Dataset, counter, steps: int):
    return nn.mean_over(network, test.images, counter, steps=steps, key=jax.random.key(1))


def ratio_without_memory(cmos, own) -> float:
    """The weights are free on both sides: no SRAM, no crossbar."""
    return float((cmos.total - cmos.weights - cmos.leak) / (own.total - own.crossbar))


def trained(args) -> tuple[nn.Network, nn.Dataset]:
    train, test = nn.datasets.digits(seed=args.seed)
    network = nn.mlp((64, 64, 64, 10), nn.sengupta2016_law(), key=jax.random.key(args.seed))
    how = nn.Training(epochs=args.epochs, batch=32, rate=3e-2, steps=4)
    return nn.train(network, train, how, key=jax.random.key(100 + args.seed), progress=False).network, test


def stored(args) -> tuple[nn.Network, nn.Dataset]:
    like = nn.mlp((784, 300, 10), nn.sengupta2016_law(), key=jax.random.key(0), shape=(28, 28, 1))
    test = nn.datasets.load_npz(args.images / "mnist.npz")[1].shaped(28, 28, 1)
    return load_checkpoint(args.network, like)[0], test.first(2000)


def draw(bars, curve, path: Path) -> None:
    figure = Figure(figsize=(11, 4.4), layout="constrained", dpi=150)
    left, right = figure.subplots(1, 2)
    plot_energies(left, dict(bars))
    left.set_title("4 time-steps")
    n, accuracy, own, digital = np.array(curve).T
    for x, name, colour, marker in ((own, "junctions, drivers at 0.9 V", 0, "o"), (digital, "45 nm CMOS", 2, "s")):
        right.plot(x * 1e12, 100 * accuracy, marker=marker, color=COLOURS[colour], label=name)
        for i in range(len(n)):
            right.annotate(f"{n[i]:.0f}", (x[i] * 1e12, 100 * accuracy[i]), xytext=(4, -11), textcoords="offset points")
    right.set(xscale="log", xlabel="energy of an inference (pJ)", ylabel="accuracy (%)", title="1 to 16 time-steps")
    right.set_xlim(right.get_xlim()[0], right.get_xlim()[1] * 1.5)
    right.legend(frameon=False, fontsize="small", loc="center", bbox_to_anchor=(0.45, 0.3))
    right.grid(alpha=0.25)
    figure.savefig(path)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--network", type=Path, help="trained 784-300-10 in place of the digits")
    parser.add_argument("--images", type=Path, default=Path("images"), help="folder with mnist.npz")
    parser.add_argument("--out", type=Path, default=Path("docs"), help="folder of the picture")
    return parser.parse_args()


if __name__ == "__main__":
    main()
