"""How time and memory grow with the number of trajectories, what a second core brings, and what a gradient costs.

    python scripts/scaling.py                 # all of it; writes docs/scaling.png
    python scripts/scaling.py --part cores    # or: size, gradient

- size: 10^3 to 10^6 trajectories of 10 ns, each number in a process of its own; processor seconds (compilation apart) and peak
  memory.
- cores: two devices of jax against one, and two processes against one, each with a core of its own (left alone, XLA runs parts
  of one device's work on other cores too, at almost twice the processor seconds), by the clock. Needs two cores that nobody
  else uses: the load of the machine is printed before.
- gradient: processor seconds of value and gradient over those of the value, for every engine.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

SIZES = (1_000, 3_162, 10_000, 31_623, 100_000, 316_228, 1_000_000)
DURATION = 10e-9
PICTURE = Path(__file__).parents[1] / "docs" / "scaling.png"


def one_size(samples: int) -> dict:
    """Seconds and peak memory of an ensemble, in this process, on one core."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # before jax starts its threads
    import jax

    import mtjax as mtj

    device, pulse = mtj.presets.perpendicular_sot(), mtj.Pulse(1e-4, 3e-9)

    def run(duration):
        sol = mtj.simulate(device, pulse, duration, samples=samples, save=1, key=jax.random.key(0), dt=10e-12)
        return jax.block_until_ready(sol.ms)

    run(10e-12)  # one step: compiles
    cpu, wall = time.process_time(), time.perf_counter()
    ends = run(DURATION)
    seconds = {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    return {"samples": samples, **seconds, "GB": peak, "switched": float((ends[:, 0, 2] < 0).mean())}


def on_devices(devices: int, samples: int) -> dict:
    """Seconds by the clock of an ensemble on so many devices and cores, in this process."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:devices])
    import mtjax as mtj

    mtj.configure_cpu(devices=devices)
    import jax

    device, pulse = mtj.presets.perpendicular_sot(), mtj.Pulse(1e-4, 3e-9)

    def run(duration):
        return jax.block_until_ready(mtj.simulate(device, pulse, duration, samples=samples, save=1, key=jax.random.key(0)).ms)

    run(10e-12)
    before = time.perf_counter()
    ends = run(5e-9)
    return {"devices": devices, "wall": time.perf_counter() - before, "switched": int((ends[:, 0, 2] < 0).sum())}


def gradients() -> None:
    """Value and gradient over value."""
    import jax

    import mtjax as mtj

    jax.config.update("jax_enable_x64", True)
    sot, stt = mtj.presets.perpendicular_sot(), mtj.presets.perpendicular_stt()
    engines = {
        "Fokker-Planck, Legendre": (stt, 4e-5, 5e-9, mtj.FokkerPlanck().planned(stt, mtj.Pulse(4e-5, 5e-9))),
        "Fokker-Planck, sphere": (sot, 1.1e-4, 1e-9, mtj.FokkerPlanck().planned(sot, mtj.Pulse(1.1e-4, 1e-9), 2e-9)),
        "Monte Carlo, score": (sot, 1.1e-4, 1e-9, mtj.MonteCarlo(20_000, jax.random.key(0))),
    }
    for name, (device, current, width, method) in engines.items():

        def probability(device, current, width=width, method=method):
            return mtj.switching_probability(device, mtj.Pulse(current, width), method=method, relax=2e-9).value

        value, both = jax.jit(probability), jax.jit(jax.value_and_grad(probability, argnums=(0, 1), allow_int=True))
        alone, together = (least(lambda f=f, d=device, i=current: f(d, i)) for f in (value, both))
        print(f"{name:26s} value {alone:8.3f} s, with the gradient {together:8.3f} s: {together / alone:.2f}x", flush=True)


def least(function, times: int = 5) -> float:
    """The fewest processor seconds of several runs, after one that compiles."""
    import jax

    jax.block_until_ready(function())
    found = []
    for _ in range(times):
        before = time.process_time()
        jax.block_until_ready(function())
        found.append(time.process_time() - before)
    return min(found)


def child(*arguments: object) -> dict:
    """What this script prints with these arguments in a process of its own."""
    run = subprocess.run([sys.executable, __file__, *map(str, arguments)], capture_output=True, text=True, check=True)
    return json.loads(run.stdout.splitlines()[-1])


def sizes(largest: int) -> None:
    """The table and the picture."""
    rows = []
    for samples in (n for n in SIZES if n <= largest):
        rows.append(child("--child", "size", "--number", samples))
        each = rows[-1]["cpu"] / samples * 1e6
        text = "{samples:9d} trajectories: {cpu:8.2f} s of processor, {GB:.2f} GB".format(**rows[-1])
        print(f"{text}, {each:.1f} us each", flush=True)
    draw(rows)


def draw(rows: list[dict]) -> None:
    """Time and peak memory against the number, both logarithmic."""
    from matplotlib.figure import Figure

    from mtjax.plot import COLOURS

    figure = Figure(figsize=(9, 3.8), layout="constrained", dpi=150)
    left, right = figure.subplots(1, 2)
    n = [row["samples"] for row in rows]
    left.loglog(n, [row["cpu"] for row in rows], "o-", color=COLOURS[0], label="measured")
    left.loglog(n, [rows[-1]["cpu"] / n[-1] * x for x in n], ":", color=COLOURS[6], label="proportional to the number")
    left.set(xlabel="trajectories of 10 ns", ylabel="processor time (s)")
    right.semilogx(n, [row["GB"] for row in rows], "s-", color=COLOURS[1], label="peak of the process")
    right.axhline(1.5, color=COLOURS[6], ls=":", label="1.5 GB")
    right.set(xlabel="trajectories of 10 ns", ylabel="memory (GB)", ylim=(0, 1.6))
    for axes in (left, right):
        axes.grid(alpha=0.25)
        axes.legend(frameon=False, fontsize="small")
    figure.savefig(PICTURE)
    print(f"written: {PICTURE}")


def cores(samples: int, times: int) -> None:
    """Two against one, in turn, the best of several."""
    print(f"load of this machine before: {os.getloadavg()[0]:.1f} (ratios mean something below 1 only)")
    devices = {n: [] for n in (1, 2)}
    processes = {n: [] for n in (1, 2)}
    script = Path(__file__).with_name("two_processes.py")
    for _ in range(times):
        for n in (1, 2):
            devices[n].append(child("--child", "devices", "--number", n, "--samples", samples))
            command = [sys.executable, str(script), "--processes", str(n), "--samples", str(samples)]
            run = subprocess.run(command, capture_output=True, text=True, check=True)
            processes[n].append(json.loads(next(line for line in run.stdout.splitlines() if line.startswith("{"))))
    for name, found in {"devices": devices, "processes": processes}.items():
        assert len({row["switched"] for rows in found.values() for row in rows}) == 1
        one, two = (min(row["wall"] if "wall" in row else row["seconds"]["again"] for row in found[n]) for n in (1, 2))
        print(f"two {name} against one: {one:.2f} s / {two:.2f} s = {one / two:.2f}x, the same count", flush=True)


def main() -> None:
    """Run the parts that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--part", choices=("size", "cores", "gradient"), help="one of them")
    parser.add_argument("--largest", type=int, default=SIZES[-1], help="largest number of trajectories")
    parser.add_argument("--samples", type=int, default=200_000, help="trajectories of the comparison of cores")
    parser.add_argument("--times", type=int, default=3, help="repetitions of the comparison of cores")
    parser.add_argument("--child", choices=("size", "devices"), help=argparse.SUPPRESS)
    parser.add_argument("--number", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        print(json.dumps(one_size(args.number) if args.child == "size" else on_devices(args.number, args.samples)))
        return
    if args.part in (None, "gradient"):
        gradients()
    if args.part in (None, "cores"):
        cores(args.samples, args.times)
    if args.part in (None, "size"):
        sizes(args.largest)


if __name__ == "__main__":
    main()
