"""Accuracy against time-steps and joules of the networks that `train_mnist.py` trained: docs/accuracy_*.png.

    python scripts/accuracy_pictures.py trained [--images images] [--out docs]

accuracy_steps.png: a panel for each data set. Solid lines: trained on spikes; dashed: trained on the transfer curve and
converted. accuracy_joules.png, where the folder of mnist.npz is given: the joules of an inference (mean of 500 images, hardware
as in `scripts/energy.py` with drivers at 0.9 V) beside those of the same networks on 45 nm CMOS; its numbers are printed.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from energy import hardware, joules
from matplotlib.figure import Figure
from train_mnist import build

from mtjax import nn
from mtjax.files import load_checkpoint
from mtjax.plot import COLOURS

LABELS = {"mlp": "784-300-10", "conv": "6c5-2s-12c5-2s-10o", "wide": "16c5-2s-48c5-2s-10o"}
STEPS = (1, 2, 4, 8, 16)
TITLES = {"mnist": "MNIST", "fashion": "Fashion-MNIST"}


def curves(folder: Path) -> dict[str, list[tuple[str, bool, np.ndarray, int]]]:
    """Data set -> (network, whether converted, accuracies after 1, 2, ... time-steps, test images)."""
    found: dict[str, list] = {}
    for path in sorted(folder.glob("*_0.json")):
        row = json.loads(path.read_text())
        data, network, *rest = row["name"].split("_")
        found.setdefault(data, []).append((network, "analog" in rest, np.array(row["accuracy"]), row["images"]))
    return found


def draw(found: dict[str, list[tuple[str, bool, np.ndarray, int]]]) -> Figure:
    figure = Figure(figsize=(4.4 * len(found), 3.6), layout="constrained", dpi=110)
    panels = figure.subplots(1, len(found), squeeze=False)[0]
    for axes, data in zip(panels, sorted(found, reverse=True), strict=True):
        for network, converted, accuracy, images in found[data]:
            marks = 2 ** np.arange(int(np.log2(len(accuracy))) + 1)
            p, colour = accuracy[marks - 1], COLOURS[list(LABELS).index(network)]
            style = {"linestyle": "--", "marker": "o", "mfc": "white"} if converted else {"linestyle": "-", "marker": "o"}
            label = f"{LABELS[network]}, {'converted' if converted else 'trained on spikes'}"
            axes.errorbar(marks, 100 * p, 100 * np.sqrt(p * (1 - p) / images), color=colour, label=label, ms=4, **style)
        axes.set_xscale("log", base=2)
        axes.set_xticks(marks, [str(m) for m in marks])
        axes.set(xlabel="time-steps", ylabel="test accuracy (%)", title=TITLES[data])
        axes.grid(alpha=0.25)
        axes.legend(frameon=False, fontsize="small", loc="lower right")
    return figure


def of_joules(folder: Path, images: Path) -> Figure:
    """Accuracy against the joules of an inference, MNIST, networks trained on spikes."""
    test = nn.datasets.load_npz(images / "mnist.npz")[1].shaped(28, 28, 1).first(500)
    figure = Figure(figsize=(6.4, 3.8), layout="constrained", dpi=110)
    axes = figure.subplots()
    for network, converted, accuracy, _ in curves(folder)["mnist"]:
        if converted:
            continue
        reached = accuracy[np.array(STEPS) - 1]
        trained = load_checkpoint(folder / f"mnist_{network}_0.ckpt", build(network, seed=0, gain=1.0))[0]
        for counter, name, marker in ((hardware(0.9), "junctions", "o"), (nn.Cmos(), "45 nm CMOS", "s")):
            energies = np.array([float(joules(trained, test, counter, n).total) for n in STEPS])
            label = f"{LABELS[network]}, {name}"
            found = zip(STEPS, energies, reached, strict=True)
            print(f"{label}: {', '.join(f'{100 * p:.2f} % for {e:.3g} J at {n}' for n, e, p in found)}")
            fill = {} if marker == "o" else {"mfc": "white", "linestyle": "--"}
            colour = COLOURS[list(LABELS).index(network)]
            axes.plot(energies * 1e12, 100 * reached, marker=marker, color=colour, label=label, ms=4, **fill)
    axes.set(xscale="log", xlabel="energy of an inference (pJ)", ylabel="test accuracy (%)")
    axes.set_title(f"MNIST, {STEPS[0]} to {STEPS[-1]} time-steps", fontsize="medium")
    axes.grid(alpha=0.25)
    axes.legend(frameon=False, fontsize="small", loc=(0.27, 0.04))
    return figure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("trained", type=Path, help="folder that train_mnist.py --out wrote")
    parser.add_argument("--images", type=Path, help="folder with mnist.npz, for the picture of joules")
    parser.add_argument("--out", type=Path, default=Path("docs"))
    args = parser.parse_args()
    found = curves(args.trained)
    if not found:
        parser.error(f"there are no results of train_mnist.py with seed 0 in '{args.trained}'")
    draw(found).savefig(args.out / "accuracy_steps.png")
    if args.images is not None:
        of_joules(args.trained, args.images).savefig(args.out / "accuracy_joules.png")


if __name__ == "__main__":
    main()
