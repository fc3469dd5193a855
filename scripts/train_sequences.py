"""JapaneseVowels by recurrent heated neurons, beside the same network without memory of heat and LIF neurons of snnTorch.

    python scripts/fetch_sequences.py --out data
    taskset -c 0 python scripts/train_sequences.py --data data/japanese_vowels.npz [--seeds 3] [--epochs 30]

12 channels, 128 neurons that feed back on themselves, 9 classes by the mean of a linear readout; one slot of 10 ns a frame;
Adam, batches of 27. Accuracies are of one presentation, CPU seconds of one epoch after the first. Without memory of heat:
slots of 1 us, in which everything cools, on a chip at 340 K, so that cold pulses can switch at all. snnTorch
(`pip install snntorch torch`): RLeaky with a trained decay, all to all, fast-sigmoid surrogate.
"""

import argparse
import os
import time
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

import mtjax as mtj  # noqa: E402

mtj.configure_cpu(fused=True)

import equinox as eqx  # noqa: E402
import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
import optax  # noqa: E402

from mtjax import nn  # noqa: E402
from mtjax.nn.learning.sequences import make_update, weights_only  # noqa: E402

NEURONS, BATCH, RATE, INTERVAL = 128, 27, 1e-2, 10e-9
VARIANTS = {
    "heated, recurrent": (INTERVAL, 0.3),
    "heated, feed-forward": (INTERVAL, 0.0),
    "no memory of heat, recurrent": (1e-6, 0.3),
    "no memory of heat, feed-forward": (1e-6, 0.0),
}


def neuron(interval: float, heating=None, p: float = 0.1) -> nn.HeatedNeuron:
    cell = mtj.presets.kurenkov2019_neuron().cell
    ambient = 300.0 if interval < 1e-7 else 340.0
    more = {"ambient": ambient} if heating is None else {"ambient": ambient, "heating": heating}
    return nn.HeatedNeuron.of(cell, nn.kurenkov2019_law(), interval=interval, p=p, **more)


def ours(one, back: float, train, test, epochs: int, seed: int):
    """Accuracy, CPU seconds of an epoch, the network."""
    key = jax.random.key(seed)
    network = nn.recurrent((12, NEURONS, 9), one, key=key, back=back)
    how = nn.Training(epochs=epochs, batch=BATCH, rate=RATE)
    trained = nn.train_sequences(network, train, how, key=key, progress=False).network
    accuracy = nn.evaluate_sequences(trained, test, key=jax.random.fold_in(key, 1)).value[0]
    return accuracy, seconds(network, train, how), trained


def seconds(network, train, how) -> float:
    """CPU seconds of an epoch, compiled before."""
    moving, fixed = eqx.partition(network, weights_only(network))
    optimiser = optax.adam(RATE)
    state = optimiser.init(eqx.filter(moving, eqx.is_inexact_array))
    arrays = tuple(map(jnp.asarray, (train.values, train.lengths, train.labels)))
    update, rows, key = make_update(optimiser, how), jnp.arange(BATCH), jax.random.key(0)
    update(moving, fixed, state, arrays, rows, key)[2].block_until_ready()
    start, batches = time.process_time(), 3 * (len(train) // BATCH)
    for i in range(batches):
        moving, state, loss = update(moving, fixed, state, arrays, rows, jax.random.fold_in(key, i))
    loss.block_until_ready()
    return (time.process_time() - start) / 3


def theirs(train, test, epochs: int, seed: int):
    """The same of snnTorch."""
    import snntorch
    import torch
    from snntorch import surrogate

    torch.set_num_threads(1)
    torch.manual_seed(seed)
    feed, read = torch.nn.Linear(12, NEURONS), torch.nn.Linear(NEURONS, 9)
    spikes = {"beta": 0.5, "learn_beta": True, "spike_grad": surrogate.fast_sigmoid(), "linear_features": NEURONS}
    lif = snntorch.RLeaky(**spikes)
    modules = torch.nn.ModuleList([feed, lif, read])
    optimiser = torch.optim.Adam(modules.parameters(), RATE)
    steps = epochs * (len(train) // BATCH)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    arrays, tests = (tuple(map(torch.from_numpy, (d.values, d.lengths, d.labels))) for d in (train, test))

    def scores(x, lengths):
        (spike, membrane), total = lif.init_rleaky(), 0.0
        currents = feed(x)
        for t in range(x.shape[1]):
            spike, membrane = lif(currents[:, t], spike, membrane)
            total = total + spike * (t < lengths)[:, None]
        return read(total / lengths[:, None])

    start = None
    for epoch in range(epochs):
        if epoch == 1:
            start = time.process_time()
        order = torch.randperm(len(train))[: len(train) // BATCH * BATCH].reshape(-1, BATCH)
        for rows in order:
            x, lengths, labels = (a[rows] for a in arrays)
            optimiser.zero_grad()
            torch.nn.functional.cross_entropy(scores(x, lengths), labels).backward()
            optimiser.step()
            schedule.step()
    each = (time.process_time() - start) / (epochs - 1) if start else float("nan")
    with torch.no_grad():
        x, lengths, labels = tests
        return float((scores(x, lengths).argmax(1) == labels).float().mean()), each


def table(train, test, seeds: int, epochs: int) -> None:
    rows = {name: [] for name in (*VARIANTS, "snnTorch RLeaky")}
    for seed in range(seeds):
        for name, (interval, back) in VARIANTS.items():
            rows[name].append(ours(neuron(interval), back, train, test, epochs, seed)[:2])
            print(f"seed {seed}, {name}: {100 * rows[name][-1][0]:.2f} %, {rows[name][-1][1]:.3f} CPU s an epoch", flush=True)
        try:
            rows["snnTorch RLeaky"].append(theirs(train, test, epochs, seed))
        except ImportError as error:
            print(f"snnTorch is not compared: {error} (`pip install torch snntorch`)")
    for name, found in rows.items():
        if found:
            right, seconds = np.array(found).T
            print(f"{name}: {100 * right.mean():.2f} % ({', '.join(f'{100 * x:.2f}' for x in right)}), "
                  f"{np.median(seconds):.3f} CPU s an epoch")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("data/japanese_vowels.npz"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=30)
    args = parser.parse_args()
    train, test = nn.load_sequences(args.data)
    train, test = train.scaled_as(train), test.scaled_as(train)
    table(train, test, args.seeds, args.epochs)


if __name__ == "__main__":
    main()
