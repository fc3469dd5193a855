"""Rare events: splitting against the density, with CPU seconds.  python scripts/rare_events.py [--samples 10000]

Write errors and unwanted switching at 1e-6 and 1e-9 of a perpendicular spin-orbit device and of an in-plane one by
`mtj.Splitting`; of the same by `FokkerPlanck` where it reaches; with an axis of symmetry also by
`mtjax.switching.fokker_planck.axial_tail`, which has no lower end. CPU seconds are those of a second call.
"""

import argparse
import time

import jax
import numpy as np

import mtjax as mtj
from mtjax.switching.fokker_planck.axial_tail import tail

jax.config.update("jax_enable_x64", True)  # noqa: FBT003

SOT, IN_PLANE = mtj.presets.perpendicular_sot(), mtj.presets.sengupta2016()
CASES = (
    ("perpendicular_sot, 44 uA, 1 ns", SOT, mtj.Pulse(44e-6, 1e-9), True),
    ("perpendicular_sot, 28 uA, 1 ns", SOT, mtj.Pulse(28e-6, 1e-9), True),
    ("sengupta2016, 10 uA, 0.5 ns", IN_PLANE, mtj.Pulse(10e-6, 0.5e-9), True),
    ("sengupta2016, 200 uA, 1.2 ns (write error)", IN_PLANE, mtj.Pulse(200e-6, 1.2e-9), False),
)


def timed(function):
    """What a second call returns, and its CPU seconds."""
    function()
    begin = time.process_time()
    found = function()
    return found, time.process_time() - begin


def by_splitting(device, pulse, samples):
    method = mtj.Splitting(samples=samples, key=jax.random.key(0))
    found, seconds = timed(lambda: mtj.switching_probability(device, pulse, method=method))
    return float(min(found.value, found.complement)), float(found.stderr), seconds


def by_density(device, pulse):
    """The smaller of value and complement, and seconds; `None` where no truncation is fine enough."""
    begin = time.process_time()
    try:
        found = mtj.switching_probability(device, pulse, method=mtj.FokkerPlanck(tolerance=2e-2))
    except ValueError:
        return None, time.process_time() - begin
    return float(min(found.value, found.complement)), time.process_time() - begin


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=10_000)
    samples = parser.parse_args().samples
    for name, device, pulse, by_both in CASES:
        p, error, seconds = by_splitting(device, pulse, samples)
        print(f"{name}: {p:.3g} +- {error / p:.0%} in {seconds:.1f} s by splitting, {samples} samples", flush=True)
        if by_both:
            exact, seconds = by_density(device, pulse)
            said = "not reached" if exact is None else f"{exact:.4g}, {(p - exact) / error:+.1f} standard errors away"
            print(f"    Fokker-Planck: {said}; {seconds:.0f} s cold", flush=True)
    device = mtj.presets.perpendicular_stt(40.0)
    for times in (8, 15, 40, 80):
        pulse = mtj.Pulse(2 * device.critical_current, times * device.relaxation_time)
        found, seconds = timed(lambda pulse=pulse: tail(device, pulse))
        exponent = float(found.log_complement) / np.log(10)
        print(
            f"perpendicular_stt, {times} relaxation times: write error 1e{exponent:.4f} to {found.error:.0e}, {seconds:.2f} s"
        )


if __name__ == "__main__":
    main()
