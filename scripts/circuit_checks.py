"""Junctions in ngspice against Boltzmann's distribution and against this package's switching probabilities.

    python scripts/circuit_checks.py [equilibrium] [switching]      # both: some 25 minutes of one core

Equilibrium: <1 - (m.start)^2> of three presets, 10 seeds each, 20,000 relaxation times a device. Switching: the share of 400
pulses at 5 currents, of two presets, beside `switching_probability` (20,000 samples) after the same times.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

import jax
import numpy as np

import mtjax as mtj
from mtjax.circuit.expected import equilibrium_spread
from mtjax.circuit.model import model_of

jax.config.update("jax_enable_x64", True)
SEEDS, SPAN, RUNS = 10, 20_000.0, 400
CURRENTS = {
    "perpendicular_stt": np.array([40, 46, 53, 61, 70]) * 1e-6,
    "perpendicular_sot": np.array([90, 96, 102, 110, 125]) * 1e-6,
}


def run(text: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "check.cir")
        path.write_text(text)
        command = ["ngspice", "-b", str(path)]
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False).stdout


def circuit(device, drive: str, control: list[str]) -> str:
    pins = [pin for pin, _ in model_of(device, "ngspice").terminals]
    lines = [
        mtj.circuit.export(device, "ngspice", bench=False),
        ".param amplitude=0 seed=1",
        drive,
        *(["Rt3 t3 0 1e12"] if "t3" in pins else []),
        f"X1 {' '.join('0' if pin == 't2' else pin for pin in pins)} mtj",
        "Xn nx ny nz mtj_noise seed={seed}",
        ".options method=trap trtol=1e6",
        ".control",
        *control,
        "quit 0",
        ".endc",
        ".end",
    ]
    return "\n".join(lines) + "\n"


def axis_of(device) -> str:
    return f"v(m{'xyz'[int(np.argmax(np.abs(device.start)))]})"


def equilibrium(name: str) -> None:
    device = getattr(mtj.presets, name)()
    step, wanted, axis = model_of(device, "ngspice").step, equilibrium_spread(device), axis_of(device)
    span = SPAN * float(device.relaxation_time) / SEEDS
    found = []
    for seed in range(1, SEEDS + 1):
        control = [
            f"alterparam seed={seed}", "reset", "save v(mx) v(my) v(mz)", f"tran {step} {span:.3e} 0 {step}",
            f"let q=1-{axis}*{axis}/(v(mx)*v(mx)+v(my)*v(my)+v(mz)*v(mz))", "print mean(q)",
        ]  # fmt: skip
        found.append(float(re.search(r"mean\(q\) = (\S+)", run(circuit(device, "I1 0 t1 0", control)))[1]))
    mean, error = np.mean(found) / wanted, np.std(found, ddof=1) / np.sqrt(SEEDS) / wanted
    print(f"{name}: <1 - (m.start)^2> over Boltzmann's {wanted:.5f}: {mean:.4f} +- {error:.4f}", flush=True)


def switching(name: str) -> None:
    device = getattr(mtj.presets, name)()
    step, tau = model_of(device, "ngspice").step, float(device.relaxation_time)
    width, wait, relax = float(f"{2 * tau:.1e}"), 3 * tau, float(mtj.settling_time(device))
    for current in CURRENTS[name]:
        method = mtj.MonteCarlo(samples=20_000, key=jax.random.key(1))
        p = mtj.switching_probability(device, mtj.Pulse(current, width), method=method)
        end = wait + width + max(relax, 2 * step)
        loop = [
            "setplot new", "set scratch=$curplot", "let k=1", "let switched=0", f"dowhile k le {RUNS}", 'set k="$&k"',
            f"alterparam amplitude={current}", "alterparam seed=$k", "reset", "save v(mx) v(my) v(mz)",
            f"tran {step} {end} 0 {step}", f"let c={axis_of(device)}", "let over=c[length(c)-1] lt 0", 'set over="$&over"',
            "set run=$curplot", "setplot $scratch", "let switched=switched+$over", "let k=k+1", "destroy $run", "end",
            "echo switched: $&switched",
        ]  # fmt: skip
        pulse = f"I1 0 t1 PULSE(0 {{amplitude}} {wait} 10f 10f {width})"
        share = float(re.search(r"switched: (\S+)", run(circuit(device, pulse, loop)))[1]) / RUNS
        error = np.sqrt(p.value * (1 - p.value) / RUNS + p.error**2)
        print(
            f"{name} {current * 1e6:.0f} uA: {share:.4f}, mtjax {p.value:.4f}: {(share - p.value) / error:+.1f} sigma",
            flush=True,
        )


if __name__ == "__main__":
    asked = sys.argv[1:] or ["equilibrium", "switching"]
    if "switching" in asked:
        for name in CURRENTS:
            switching(name)
    if "equilibrium" in asked:
        for name in ("sengupta2016", "perpendicular_sot", "perpendicular_stt"):
            equilibrium(name)
