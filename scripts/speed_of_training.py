"""Training and inference against snnTorch: the same networks on one core, in one process, by turns.

    pip install torch snntorch
    taskset -c 0 python scripts/speed_of_training.py [--rounds 3] [--batches 60]

CPU seconds per epoch of 60,000 images and images per CPU second, at 8 time-steps with direct coding. snnTorch runs as in its
tutorials (a loop over time-steps, every layer in it) and with the first layer, whose input does not change, taken out of the
loop as mtjax does it. Its neurons are leaky and deterministic: it draws no random numbers, mtjax one for every spike.
"""

import argparse
import os
import time

os.environ["OMP_NUM_THREADS"] = "1"

import mtjax as mtj

mtj.configure_cpu(fused=True)

import equinox as eqx  # noqa: E402
import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
import optax  # noqa: E402

from mtjax import nn  # noqa: E402
from mtjax.nn.learning.training import make_update, synapses_only  # noqa: E402

STEPS = 8
SHAPES = {"mlp": ((784,), 128), "conv": ((28, 28, 1), 64)}


def ours(name: str, images, labels):
    """A function that trains on one batch, and one that classifies it."""
    (shape, batch), law, key = SHAPES[name], nn.sengupta2016_law(), jax.random.key(0)
    net = nn.mlp((784, 300, 10), law, key=key) if name == "mlp" else nn.convnet(law, key=key)
    moving, fixed = eqx.partition(net, synapses_only(net))
    optimiser = optax.adam(1e-3)
    held = {"moving": moving, "state": optimiser.init(eqx.filter(moving, eqx.is_inexact_array)), "count": 0}
    update = make_update(optimiser, nn.Training(batch=batch, steps=STEPS))
    xs, ys, rows = jnp.asarray(images.reshape(-1, *shape)), jnp.asarray(labels), jnp.arange(batch)

    def train():
        held["count"] += 1
        k = jax.random.fold_in(key, held["count"])
        held["moving"], held["state"], loss = update(held["moving"], fixed, held["state"], xs, ys, rows, k)
        loss.block_until_ready()

    @eqx.filter_jit
    def classes(net, xs, key):  # as arguments, lest they be folded into the program
        def one(x, k):
            return net.scores(net(x, uniforms=net.draw(k, STEPS)).fired[-1].spikes)

        return jax.vmap(one)(xs, jax.random.split(key, batch)).argmax(axis=1)

    return train, lambda: classes(net, xs[:batch], key).block_until_ready()


def theirs(name: str, images, labels, *, hoisted: bool):
    """The same of snnTorch."""
    import snntorch
    import torch
    from snntorch import surrogate

    torch.set_num_threads(1)
    spikes = {"beta": 0.5, "spike_grad": surrogate.fast_sigmoid()}
    batch = SHAPES[name][1]
    x, y = torch.from_numpy(images[:batch].reshape(batch, 1, 28, 28)), torch.from_numpy(labels[:batch])
    if name == "mlp":
        x = x.reshape(batch, 784)
        synapses = [torch.nn.Linear(784, 300), torch.nn.Linear(300, 10)]
    else:
        pool = torch.nn.AvgPool2d(2)
        synapses = [
            torch.nn.Conv2d(1, 6, 5),
            torch.nn.Sequential(pool, torch.nn.Conv2d(6, 12, 5)),
            torch.nn.Sequential(pool, torch.nn.Flatten(), torch.nn.Linear(192, 10)),
        ]
    net = torch.nn.ModuleList(synapses)
    neurons = [snntorch.Leaky(**spikes) for _ in synapses[:-1]]
    optimiser = torch.optim.Adam(net.parameters(), 1e-3)

    def scores():
        states, total = [n.init_leaky() for n in neurons], 0.0
        first = synapses[0](x) if hoisted else None
        for _ in range(STEPS):
            now = x
            for i, neuron in enumerate(neurons):
                current = first if hoisted and i == 0 else synapses[i](now)
                now, states[i] = neuron(current, states[i])
            total = total + synapses[-1](now)
        return total / STEPS

    def train():
        loss = torch.nn.functional.cross_entropy(scores(), y)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    def classify():
        with torch.no_grad():
            scores().argmax(1)

    return train, classify


def cpu_seconds(function, number: int) -> float:
    start = time.process_time()
    for _ in range(number):
        function()
    return (time.process_time() - start) / number


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batches", type=int, default=60, help="per round")
    args = parser.parse_args()
    rng = np.random.default_rng(0)
    images, labels = rng.random((1000, 784), np.float32), rng.integers(0, 10, 1000)
    for name, (_, batch) in SHAPES.items():
        tools = {"mtjax": ours(name, images, labels)}
        try:
            tools["snnTorch"] = theirs(name, images, labels, hoisted=False)
            tools["snnTorch, first layer once"] = theirs(name, images, labels, hoisted=True)
        except ImportError as error:
            print(f"snnTorch is not compared: {error} (`pip install torch snntorch`)")
        found = {tool: ([], []) for tool in tools}
        for functions in tools.values():
            [cpu_seconds(f, 3) for f in functions]  # compile, warm up
        for _ in range(args.rounds):
            for tool, functions in tools.items():
                for f, list_ in zip(functions, found[tool], strict=True):
                    list_.append(cpu_seconds(f, args.batches))
        base = [np.median(x) for x in found["mtjax"]]
        for tool, (training, inference) in found.items():
            t, i = np.median(training), np.median(inference)
            print(
                f"{name}, batch {batch}, {tool}: {t * 60000 / batch:.2f} CPU s an epoch ({t / base[0]:.1f}x), "
                f"{batch / i:.0f} images a CPU second ({i / base[1]:.1f}x the time)",
                flush=True,
            )


if __name__ == "__main__":
    main()
