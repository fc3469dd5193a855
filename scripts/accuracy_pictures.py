"""Accuracy against time-steps of the networks that `train_mnist.py` trained: docs/accuracy_steps.png.

    python scripts/accuracy_pictures.py trained [--out docs]

One panel for each data set. Solid lines: trained on spikes; dashed: trained on the transfer curve and converted.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from mtjax.plot import COLOURS

LABELS = {"mlp": "784-300-10", "conv": "6c5-2s-12c5-2s-10o", "wide": "16c5-2s-48c5-2s-10o"}
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("trained", type=Path, help="folder that train_mnist.py --out wrote")
    parser.add_argument("--out", type=Path, default=Path("docs"))
    args = parser.parse_args()
    found = curves(args.trained)
    if not found:
        parser.error(f"there are no results of train_mnist.py with seed 0 in '{args.trained}'")
    draw(found).savefig(args.out / "accuracy_steps.png")


if __name__ == "__main__":
    main()
