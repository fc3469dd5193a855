"""8x8 digits by physics straight-through, 64-128-128-10, one and four time-steps, three seeds.

python scripts/train_digits.py [--hidden 64]
"""

import argparse
import time

import mtjax as mtj

mtj.configure_cpu(fused=True)

import jax  # noqa: E402
import numpy as np  # noqa: E402

from mtjax import nn  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hidden", type=int, default=128, help="neurons of either layer")
    parser.add_argument("--epochs", type=int, default=150)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rate", type=float, default=3e-2)
    parser.add_argument("--gain", type=float, default=2.0)
    args = parser.parse_args()
    law = nn.sengupta2016_law()
    for steps in (1, 4):
        found = []
        for seed in range(3):
            start = time.perf_counter()
            train, test = nn.datasets.digits(seed=seed)
            network = nn.mlp((64, args.hidden, args.hidden, 10), law, key=jax.random.key(seed), gain=args.gain)
            training = nn.Training(epochs=args.epochs, batch=args.batch, rate=args.rate, steps=steps)
            trained = nn.train(network, train, training, key=jax.random.key(100 + seed), progress=False).network
            # the test set has 360 images: ten draws of the neurons' noise each
            draws = [nn.evaluate(trained, test, steps=steps, key=jax.random.key(k)).value[-1] for k in range(10)]
            found.append(np.mean(draws))
            print(f"{steps} time-steps, seed {seed}: {100 * found[-1]:.2f} % ({time.perf_counter() - start:.0f} s)", flush=True)
        error = np.std(found, ddof=1) / len(found) ** 0.5
        print(f"{steps} time-steps: {100 * np.mean(found):.2f} +- {100 * error:.2f} %", flush=True)


if __name__ == "__main__":
    main()
