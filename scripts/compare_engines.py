"""Fokker-Planck against Monte Carlo, the two engines that share no code beyond the device: z-scores.

    python scripts/compare_engines.py [--samples 200000]

Ten currents of `sengupta2016`, ten of `perpendicular_sot`, and one device with everything switched on (uniaxial and
second-order anisotropy, demagnetisation, tilted field, exchange bias, VCMA, spin-orbit torque with a field-like part,
spin-transfer torque with Slonczewski's angular factor) under a pulse with finite edges. About five minutes.
"""

import argparse
import time

import jax
import numpy as np

import mtjax as mtj


def everything_on() -> mtj.Device:
    """A device with every term of the package."""
    layer = mtj.FreeLayer(mtj.EllipticCylinder(45e-9, 35e-9, 1.2e-9), Ms=7e5, alpha=0.1)
    return mtj.Device(
        layer,
        (
            mtj.UniaxialAnisotropy(1.0),
            mtj.SecondOrderAnisotropy(0.03),
            mtj.Demagnetisation(),
            mtj.AppliedField((0.02, -0.01, -0.01)),
            mtj.ExchangeBias((0.01, 0.005, 0.0)),
            mtj.VCMA(30e-15, 1e-9),
            mtj.SpinOrbitTorque(theta_sh=0.2, width=60e-9, thickness=4e-9, sigma=(0.0, -1.0, 0.0), field_like_ratio=0.3),
            mtj.SpinTransferTorque(polarisation=0.5, asymmetry=1.1, sigma=(0.2, 0.0, -1.0)),
        ),
        write_resistance=2e3,
    )


def cases():
    """Name, device and pulses."""
    yield "sengupta2016", mtj.presets.sengupta2016(), [mtj.Pulse(i * 1e-6, 0.5e-9) for i in np.linspace(40, 121, 10)]
    yield "perpendicular_sot", mtj.presets.perpendicular_sot(), [mtj.Pulse(i * 1e-6, 1e-9) for i in np.linspace(130, 220, 10)]
    device = everything_on()
    yield "everything on", device, [mtj.Pulse(135e-6, 1e-9, rise=0.1e-9, fall=0.2e-9)]


def main() -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=200_000)
    parser.add_argument("--only", help="one of the cases")
    args = parser.parse_args()
    worst = 0.0
    with jax.enable_x64(True):
        in_double = list(cases())
    for number, (name, device, pulses) in enumerate(cases()):
        if args.only not in {None, name}:
            continue
        for n, pulse in enumerate(pulses):
            key = jax.random.key(100 * number + n)
            sampled = mtj.switching_probability(device, pulse, method=mtj.MonteCarlo(samples=args.samples, key=key))
            p, error = float(sampled.value), float(sampled.stderr)
            before = time.perf_counter()
            with jax.enable_x64(True):
                _, device64, pulses64 = in_double[number]
                exact = mtj.switching_probability(
                    device64, pulses64[n], method=mtj.FokkerPlanck(relative=False, tolerance=2e-4)
                )
            seconds = time.perf_counter() - before
            z = (p - float(exact.value)) / error
            worst = max(worst, abs(z))
            amplitude = float(pulse.amplitude) * 1e6
            print(
                f"{name:18s} {amplitude:6.1f} uA   Fokker-Planck {float(exact.value):.5f} ({seconds:.1f} s, "
                f"l_max {exact.method.plan.lmax})   Monte Carlo {p:.5f} +- {error:.5f}   z = {z:+.2f}",
                flush=True,
            )
    print(f"largest |z| = {worst:.2f}")


if __name__ == "__main__":
    main()
