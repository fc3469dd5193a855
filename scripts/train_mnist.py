"""MNIST and Fashion-MNIST by spikes of junctions: train, convert, and measure accuracy against time-steps.

    python scripts/fetch_images.py --out images
    python scripts/train_mnist.py mlp|conv|wide [--images images] [--data mnist|fashion] [--analog] [--seed 0]
    python scripts/train_mnist.py --help

`--analog` trains on the junction's transfer curve instead of spikes; its accuracy by spikes is that of conversion.
"""

import argparse
import json
import time
from pathlib import Path

import mtjax as mtj

mtj.configure_cpu(fused=True)

import jax  # noqa: E402

from mtjax import nn  # noqa: E402
from mtjax.files import save_checkpoint  # noqa: E402

RECIPES = {
    "mlp": {"epochs": 15, "batch": 128, "rate": 6e-3},
    "conv": {"epochs": 30, "batch": 64, "rate": 1e-2},
    "wide": {"epochs": 20, "batch": 64, "rate": 6e-3},
}


def build(name: str, *, seed: int, gain: float) -> nn.Network:
    law, key = nn.sengupta2016_law(), jax.random.key(seed)
    if name == "mlp":
        return nn.mlp((784, 300, 10), law, key=key, gain=gain, shape=(28, 28, 1))
    return nn.convnet(law, key=key, channels=(6, 12) if name == "conv" else (16, 48), gain=gain)


def main() -> None:
    args = arguments()
    train, test = (part.shaped(28, 28, 1) for part in nn.datasets.load_npz(args.images / f"{args.data}.npz"))
    recipe = {**RECIPES[args.network], **{k: getattr(args, k) for k in ("epochs", "rate") if getattr(args, k)}}
    how = {"steps": 1, "estimator": nn.Analog()} if args.analog else {"steps": args.steps}
    training = nn.Training(**recipe, **how, shift=args.shift)
    network = build(args.network, seed=args.seed, gain=args.gain)
    print(f"{args.data}: {network}; {training}", flush=True)
    start, cpu = time.perf_counter(), time.process_time()
    trained = nn.train(network, train, training, key=jax.random.key(100 + args.seed), progress=False, checkpoint=args.resume)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    found = nn.evaluate(trained.network, test, steps=args.longest, key=jax.random.key(200 + args.seed))
    print(f"losses: {', '.join(f'{loss:.4f}' for loss, _ in trained.history)}")
    print(f"trained in {seconds:.0f} s ({cpu:.0f} CPU s); test: {found}")
    print(f"training images: {nn.evaluate(trained.network, train.first(10000), steps=8, key=jax.random.key(300))}", flush=True)
    if args.out:
        args.out.mkdir(parents=True, exist_ok=True)
        name = f"{args.data}_{args.network}{'_analog' if args.analog else ''}_{args.seed}"
        save_checkpoint(args.out / f"{name}.ckpt", trained.network, trained.history)
        row = {"name": name, "seconds": seconds, "cpu_seconds": cpu, "accuracy": found.value.tolist()}
        (args.out / f"{name}.json").write_text(json.dumps(row | {"images": len(test)}))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("network", choices=RECIPES)
    parser.add_argument("--images", type=Path, default=Path("images"), help="folder with mnist.npz and fashion.npz")
    parser.add_argument("--data", choices=("mnist", "fashion"), default="mnist")
    parser.add_argument("--analog", action="store_true", help="train on the transfer curve: what is measured is conversion")
    parser.add_argument("--steps", type=int, default=8, help="time-steps in training")
    parser.add_argument("--longest", type=int, default=64, help="time-steps in the test")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--rate", type=float)
    parser.add_argument("--gain", type=float, default=2.0, help="of the first random weights")
    parser.add_argument("--shift", type=int, default=0, help="random shifts of the training images, pixels")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--resume", type=Path, help="checkpoint that training continues from and writes")
    parser.add_argument("--out", type=Path, help="folder for the trained network and its accuracies")
    return parser.parse_args()


if __name__ == "__main__":
    main()
