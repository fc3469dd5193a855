"""Splitting against another code's: pytams (PyPI).  python scripts/rare_events_pytams.py [--trajectories 64 --repeats 10]

A perpendicular device of delta 40 under 0.7 of its critical current for 6 relaxation times, as m.start alone in relaxation
times: du = (1 - u^2) (u - i) dt and Brownian motion on the sphere, in steps of numpy's. Prints the probability to end switched
by pytams, whose score is m.start and, at the end, the outcome; and, where mtjax can be imported, by `mtj.Splitting` and by the
walk along the angle. Without pytams it says so.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

try:
    from pytams.fmodel import ForwardModelBaseClass
    from pytams.tams import TAMS
except ImportError:
    ForwardModelBaseClass, TAMS = object, None

DELTA, DRIVE, DURATION, STEP = 40.0, 0.7, 6.0, 0.05
GRID = np.linspace(0.0, 1.0, 20_001)
CUMULATED = np.cumsum(np.exp(DELTA * (GRID**2 - 1)))


class Angle(ForwardModelBaseClass):
    """The device by m.start, its score by it."""

    def _init_model(self, a_id, params):
        self.random = np.random.default_rng([params["model"]["seed"], a_id])
        self.u = float(np.interp(self.random.random(), CUMULATED / CUMULATED[-1], GRID))

    def _advance(self, step, time, dt, noise, need_end_state):
        u = drifted(self.u, dt / 2)
        size, along = np.sqrt(dt / DELTA), np.sqrt(max(1 - u * u, 0.0))
        u = (u + size * noise[0] * along) / np.sqrt(1 + size**2 * (noise[0] ** 2 + noise[1] ** 2))
        self.u = drifted(u, dt / 2)
        return dt

    def get_current_state(self):
        return self.u

    def set_current_state(self, state):
        self.u = state

    def make_noise(self):
        return self.random.standard_normal(2)

    def score(self):
        ended = self._time > DURATION - STEP / 2
        return 1.0 if ended and self.u < 0 else 0.45 * (1 - self.u)


def drifted(u, dt):
    """m.start after `dt` without noise, by the midpoint rule."""
    middle = u + dt / 2 * (1 - u * u) * (u - DRIVE)
    return u + dt * (1 - middle * middle) * (middle - DRIVE)


def by_pytams(trajectories, seed):
    with tempfile.TemporaryDirectory() as folder:
        settings = Path(folder) / "input.toml"
        settings.write_text(
            f"[tams]\nntrajectories = {trajectories}\nnsplititer = {200 * trajectories}\n"
            "walltime = 3600.0\nloglevel = 'ERROR'\n[runner]\ntype = 'asyncio'\nnworker_iter = 2\n"
            f"[model]\nseed = {seed}\n"
            f"[trajectory]\nend_time = {DURATION - STEP / 2}\nstep_size = {STEP}\ntargetscore = 0.95\n"
        )
        return TAMS(fmodel_t=Angle, a_args=["-i", str(settings)]).compute_probability()


def by_mtjax():
    import jax

    jax.config.update("jax_enable_x64", True)  # noqa: FBT003
    import mtjax as mtj
    from mtjax.switching.fokker_planck.axial_tail import tail

    device = mtj.presets.perpendicular_stt(DELTA)
    pulse = mtj.Pulse(DRIVE * device.critical_current, DURATION * device.relaxation_time)
    found = mtj.switching_probability(device, pulse, method=mtj.Splitting(samples=4000, key=jax.random.key(0)))
    print(f"mtjax: {float(found.value):.3g} +- {float(found.stderr):.1g} by splitting", flush=True)
    print(f"mtjax: {np.exp(float(tail(device, pulse).log_value)):.4g} by the walk along the angle", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trajectories", type=int, default=64)
    parser.add_argument("--repeats", type=int, default=10)
    options = parser.parse_args()
    if TAMS is None:
        print("pytams is not installed: not compared")
    else:
        begin = time.process_time()
        found = np.array([by_pytams(options.trajectories, seed) for seed in range(options.repeats)])
        error = np.std(found, ddof=1) / len(found) ** 0.5
        print(f"pytams: {np.mean(found):.3g} +- {error:.1g}, {time.process_time() - begin:.0f} CPU seconds", flush=True)
    try:
        by_mtjax()
    except ImportError:
        print("mtjax is not installed here: not compared")


if __name__ == "__main__":
    main()
