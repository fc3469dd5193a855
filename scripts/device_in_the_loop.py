"""A trained network whose every neuron, at every time-step, is integrated by the stochastic LLG.

    python scripts/train_mnist.py mlp --images images --out trained
    python scripts/device_in_the_loop.py trained/mnist_mlp_0.ckpt --images images [--number 2000] [--steps 8]

The same images by the law; the difference with the standard error of paired answers.
"""

import argparse
import time
from pathlib import Path

import mtjax as mtj

mtj.configure_cpu(fused=True)

import equinox as eqx  # noqa: E402
import jax  # noqa: E402
import numpy as np  # noqa: E402

from mtjax import nn  # noqa: E402
from mtjax.files import load_checkpoint  # noqa: E402


def in_the_loop(network: nn.Network, sampler: nn.TrajectorySampler) -> nn.Network:
    """The network with every clocked neuron sampled by trajectories."""

    def samplers(network):
        return [layer.neuron.sampler for layer in network.layers]

    return eqx.tree_at(samplers, network, [sampler] * len(network.layers), is_leaf=lambda x: x is None)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint", type=Path, help="an MLP 784-300-10 written by train_mnist.py")
    parser.add_argument("--images", type=Path, default=Path("images"), help="folder with mnist.npz")
    parser.add_argument("--number", type=int, default=2000, help="test images, from the first on")
    parser.add_argument("--steps", type=int, default=8, help="time-steps")
    parser.add_argument("--dt", type=float, default=1e-11, help="longest step of the integration, s")
    args = parser.parse_args()
    like = nn.mlp((784, 300, 10), nn.sengupta2016_law(), key=jax.random.key(0), shape=(28, 28, 1))
    network, _ = load_checkpoint(args.checkpoint, like)
    test = nn.datasets.load_npz(args.images / "mnist.npz")[1].shaped(28, 28, 1).first(args.number)
    looped = in_the_loop(network, nn.TrajectorySampler(mtj.presets.sengupta2016(), 0.5e-9, dt=args.dt))
    start, cpu = time.perf_counter(), time.process_time()
    device = nn.evaluate(looped, test, steps=args.steps, key=jax.random.key(1), batch=20)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    law = nn.evaluate(network, test, steps=args.steps, key=jax.random.key(2))
    difference = device.correct[:, -1].astype(float) - law.correct[:, -1]
    trajectories = args.number * args.steps * 300
    print(f"{args.number} images, {args.steps} time-steps, {trajectories} trajectories in {seconds:.0f} s ({cpu:.0f} CPU s)")
    print(f"stochastic LLG: {device}\nlaw:            {law}")
    error = difference.std() / len(difference) ** 0.5
    print(f"difference at {args.steps}: {100 * np.mean(difference):+.2f} +- {100 * error:.2f} points")


if __name__ == "__main__":
    main()
