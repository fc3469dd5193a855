"""Updates of p-bits a second, beside thrml's (pip install thrml), on the same graph, one after the other in one process.

    taskset -c 0 python scripts/speed_of_pbits.py          # on one core

Gibbs sampling by two blocks of a square lattice that closes on itself, couplings 0.3, float32, all samples kept by both; best
of three runs, compiled before. Then free-running p-bits, which thrml does not have.
"""

import os
import sys
import time

os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")

import jax
import jax.numpy as jnp
import numpy as np

import mtjax as mtj

SIDE, SWEEPS, COUPLING = 32, 2000, 0.3


def lattice(side: int) -> list[tuple[int, int]]:
    places = np.arange(side * side).reshape(side, side)
    return [(int(a), int(b)) for axis in (0, 1) for a, b in zip(places.ravel(), np.roll(places, -1, axis).ravel(), strict=True)]


def best_of_three(run) -> float:
    """CPU seconds."""
    jax.block_until_ready(run(0))
    times = []
    for n in range(1, 4):
        begin = time.process_time()
        jax.block_until_ready(run(n))
        times.append(time.process_time() - begin)
    return min(times)


def ours(chains: int) -> float:
    J = np.zeros((SIDE**2, SIDE**2), np.float32)
    for a, b in lattice(SIDE):
        J[a, b] = J[b, a] = COUPLING
    network = mtj.pbits.Network(J, np.zeros(SIDE**2, np.float32), mtj.pbits.TanhLaw(1e-9))
    return best_of_three(lambda n: mtj.pbits.clocked(network, SWEEPS, samples=chains, key=jax.random.key(n)))


def thrml(chains: int) -> float:
    from thrml import Block, SamplingSchedule, SpinNode, sample_states
    from thrml.models import IsingEBM, IsingSamplingProgram, hinton_init

    nodes = [SpinNode() for _ in range(SIDE**2)]
    edges = [(nodes[a], nodes[b]) for a, b in lattice(SIDE)]
    model = IsingEBM(nodes, edges, jnp.zeros(len(nodes)), jnp.full(len(edges), COUPLING), jnp.array(1.0))
    colour = np.add.outer(np.arange(SIDE), np.arange(SIDE)).ravel() % 2
    blocks = [Block([node for node, c in zip(nodes, colour, strict=True) if c == k]) for k in (0, 1)]
    program = IsingSamplingProgram(model, blocks, clamped_blocks=[])
    schedule = SamplingSchedule(n_warmup=0, n_samples=SWEEPS, steps_per_sample=1)

    def one(key):
        first, then = jax.random.split(key)
        return sample_states(then, program, schedule, hinton_init(first, model, blocks, ()), [], [Block(nodes)])

    run = jax.jit(jax.vmap(one))
    return best_of_three(lambda n: run(jax.random.split(jax.random.key(n), chains)))


def free(number: int, events: int) -> float:
    draw = np.random.default_rng(0)
    J = np.triu(draw.normal(0, 0.3, (number, number)), 1)
    network = mtj.pbits.Network(J + J.T, np.zeros(number), mtj.pbits.TanhLaw(1e-9))
    return best_of_three(lambda n: mtj.pbits.sample(network, events=events, key=jax.random.key(n)).held)


if __name__ == "__main__":
    for chains in (1, 16):
        updates = SIDE**2 * SWEEPS * chains
        found = {"mtjax": ours(chains), "thrml": thrml(chains)}
        said = ", ".join(f"{name} {updates / seconds / 1e6:.1f}" for name, seconds in found.items())
        print(f"{SIDE} x {SIDE} spins, {chains} chains, M updates a CPU second: {said}", file=sys.stdout, flush=True)
    for number in (16, 256):
        seconds = free(number, 100_000)
        print(f"free-running, {number} bits: {100_000 / seconds / 1e6:.2f} M flips a CPU second")
