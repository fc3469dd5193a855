"""One switching probability worked out by two processes, each on a core of its own; on a cluster the same lines serve.

    python scripts/two_processes.py                      # two processes on this machine
    python scripts/two_processes.py --processes 1        # the same numbers from one
    srun --ntasks 64 python scripts/two_processes.py --slurm

Every process runs `work`; process 0 prints. The count of switched samples is the same for any number of processes.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import time


def work(samples: int) -> None:
    """The same in every process: `switching_probability` divides the samples among them and joins the counts."""
    import jax

    import mtjax as mtj

    device, pulse = mtj.presets.perpendicular_sot(), mtj.Pulse(1e-4, 3e-9)
    probability = {}
    for part in ("first, compilation included", "again"):
        before = time.perf_counter()
        p = mtj.switching_probability(device, pulse, method=mtj.MonteCarlo(samples, jax.random.key(0)), relax=2e-9)
        switched = round(float(p.value) * samples)
        probability[part] = time.perf_counter() - before
    if jax.process_index() == 0:
        found = {"processes": jax.process_count(), "samples": samples, "switched": switched, "seconds": probability}
        print(json.dumps(found), flush=True)


def start_all(processes: int, samples: int) -> int:
    """This program once for every process; returns the first exit code that is not 0."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, __file__, "--processes", str(processes), "--samples", str(samples), "--port", str(port)]
    runs = [subprocess.Popen([*command, "--number", str(number)]) for number in range(processes)]
    return next((code for code in [run.wait() for run in runs] if code), 0)


def main() -> None:
    """Start the processes, or be one of them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--samples", type=int, default=100_000)
    parser.add_argument("--slurm", action="store_true", help="be one of the processes that Slurm started")
    parser.add_argument("--number", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.number is None and not args.slurm:
        sys.exit(start_all(args.processes, args.samples))
    if args.number is not None and hasattr(os, "sched_setaffinity"):  # before jax starts its threads
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[args.number % len(cores)]})
    import mtjax as mtj

    if args.slurm:
        mtj.start_processes()
    elif args.processes > 1:
        mtj.start_processes(f"127.0.0.1:{args.port}", args.processes, args.number)
    work(args.samples)


if __name__ == "__main__":
    main()
