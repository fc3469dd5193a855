"""Receptive fields that multi-grain spin-orbit-torque synapses learn from bars, without labels, by pairs of pulses alone.

    python scripts/stdp_patterns.py [--events 1500] [--out docs]

Eight neurons see 8 x 8 bars of four orientations, 5 % of the pixels inverted: bright pixels fire before the neuron that
fires, dark ones after it. Every synapse is a film of 37 cells of `mtjax.presets.kurenkov2019` (1 um), each cell with
numbers of its own; a cell's response comes from its barrier, torque and heat by `mtjax.HazardLaw`.
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
from mtjax.switching import HazardLaw  # noqa: E402

SIDE, NEURONS, CELLS = 8, 8, 37
DIAMETER, FILM = 1e-6, 24e-6
DENSITY, WIDTH, DELAY = 3.2e11, 5e-9, 8e-9
SPREAD = mtj.Spread(Bk=0.08, volume=0.08, size=0.2, bias=(6e-3, 6e-3, 0.0), fixed=0.05)


def bars() -> np.ndarray:
    """Bars two pixels wide through the middle: -, /, |, \\, shape (4, 64)."""
    y, x = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    angles = np.pi * np.arange(4) / 4
    return np.stack([(np.abs(x * np.sin(a) + y * np.cos(a)) < 1.0).ravel() for a in angles]).astype(float)


def synapses(key) -> nn.PlasticSynapses:
    cell = mtj.presets.kurenkov2019(DIAMETER).cell
    film = mtj.Grains.draw(cell, FILM, pitch=150e-9, key=key, spread=SPREAD)
    few = NEURONS * SIDE**2 * CELLS
    assert film.number >= few, film.number
    return nn.PlasticSynapses.of(
        HazardLaw.stored(), film, (NEURONS, SIDE**2), density=DENSITY, width=WIDTH, delay=DELAY, key=jax.random.fold_in(key, 1)
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("docs"), help="folder of the picture")
    args = parser.parse_args()
    start, patterns = time.perf_counter(), bars()
    before = synapses(jax.random.key(args.seed))
    for name in ("before", "after", "alone"):
        r = getattr(before, name)
        change = np.mean(np.asarray(r.from_up - 1 + r.from_down))
        print(f"input {name}: mean change of m of a half-up synapse {change:+.3f}")
    found = nn.learn(before, patterns, events=args.events, key=jax.random.key(args.seed + 1), flips=0.05)
    print(f"{args.events} events, {time.perf_counter() - start:.0f} s in all")
    last = min(400, args.events)
    print(f"purity of the last {last} events: {found.purity(last):.3f}, of the first 40: {first(found, 40):.3f}")
    for neuron, row in enumerate(np.asarray(found.synapses.weights)):
        match = np.corrcoef(np.vstack([row, patterns]))[0, 1:]
        fired = np.sum(found.winners == neuron)
        print(f"neuron {neuron}: bar {match.argmax()}, correlation {match.max():.2f}, fired {fired} times")
    draw(np.asarray(before.weights), np.asarray(found.synapses.weights), patterns, args.out / "stdp_patterns.png")


def first(found: nn.Learnt, number: int) -> float:
    return nn.Learnt(found.synapses, found.threshold, found.shown[:number], found.winners[:number]).purity(number)


def draw(before: np.ndarray, after: np.ndarray, patterns: np.ndarray, path: Path) -> None:
    figure = Figure(figsize=(10, 4.4), layout="constrained", dpi=150)
    axes = figure.subplots(3, NEURONS)
    rows = (("patterns", np.pad(2 * patterns - 1, ((0, NEURONS - 4), (0, 0)))), ("before", before), ("after", after))
    for line, (name, images) in zip(axes, rows, strict=True):
        line[0].set_ylabel(name)
        for i, (ax, image) in enumerate(zip(line, images, strict=True)):
            ax.set(xticks=[], yticks=[])
            if name == "patterns" and i >= 4:
                ax.set_axis_off()
                continue
            shown = ax.imshow(image.reshape(SIDE, SIDE), cmap="cividis", vmin=-1, vmax=1)
            if name == "after":
                ax.set_xlabel(f"neuron {i + 1}")
    figure.colorbar(shown, ax=axes, label="Hall resistance over its largest", shrink=0.8)
    figure.savefig(path)


if __name__ == "__main__":
    main()
