"""The pulse of a bench in ngspice beside `simulate`, without noise and with it: docs/circuit_pulse.png.

python scripts/circuit_picture.py
"""

import dataclasses
import subprocess
import tempfile
from pathlib import Path

import jax
import matplotlib.pyplot as plt
import numpy as np

import mtjax as mtj

jax.config.update("jax_enable_x64", True)
ROOT = Path(__file__).parents[1]
DEVICE = mtj.presets.perpendicular_stt(40.0)
CURRENT, WIDTH, DELAY, DURATION = 40e-6, 5e-9, 2e-9, 10e-9
START = np.array([0.15, 0.0, np.sqrt(1 - 0.15**2)])


def spiced(noise: int, seed: int, step: float) -> np.ndarray:
    """Time, current (A), mz and resistance (ohm), shape (n, 4)."""
    begin = " ".join(f"m{i}0={x}" for i, x in zip("xyz", START, strict=True))
    lines = [
        mtj.circuit.export(DEVICE, "ngspice", bench=False, step=step),
        f"I1 0 t1 PULSE(1u {CURRENT} {DELAY} 10f 10f {WIDTH})",
        f"X1 t1 0 mx my mz nx ny nz mtj noise={noise} {begin}",
        f"Xn nx ny nz mtj_noise seed={seed} tstep={step}",
        ".options method=trap trtol=1e6", ".control", "set wr_singlescale", "save v(mz) v(t1)",
        f"tran {step} {DURATION} 0 {step}", "wrdata out.txt v(mz) v(t1)", "quit 0", ".endc", ".end", "",
    ]  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "a.cir").write_text("* picture\n" + "\n".join(lines))
        subprocess.run(["ngspice", "-b", "a.cir"], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, check=True)
        return np.loadtxt(Path(folder, "out.txt"))


cold = dataclasses.replace(DEVICE, temperature=0.0)
pulse = mtj.Pulse(CURRENT - 1e-6, WIDTH, delay=DELAY) + mtj.Pulse(1e-6, DURATION)
wanted = mtj.simulate(cold, pulse, DURATION, start=START, solver=mtj.Adaptive(), save=101)
figure, (upper, lower) = plt.subplots(2, 1, figsize=(6, 4.6), sharex=True, layout="constrained")
for seed in range(1, 6):
    rows = spiced(1, seed, 2.6e-12)
    label = {"label": "ngspice, 300 K, five seeds"} if seed == 1 else {}
    upper.plot(rows[:, 0] * 1e9, rows[:, 1], color="C0", alpha=0.35, linewidth=0.7, **label)
rows = spiced(0, 1, 1e-13)
upper.plot(rows[:, 0] * 1e9, rows[:, 1], color="C3", label="ngspice, no noise")
upper.plot(wanted.ts * 1e9, wanted.ms[0, :, 2], "k.", markersize=3, label="mtj.simulate, 0 K")
upper.axvspan(DELAY * 1e9, (DELAY + WIDTH) * 1e9, color="0.92", zorder=0)
upper.set_ylabel("$m_z$")
upper.legend(frameon=False, fontsize=8, loc="lower left")
lower.plot(rows[:, 0] * 1e9, rows[:, 2] * 1e3, color="C3")
lower.set(xlabel="time (ns)", ylabel="voltage of the junction (mV)")
figure.savefig(ROOT / "docs" / "circuit_pulse.png", dpi=150)
off = np.max(np.abs(np.interp(np.asarray(wanted.ts), rows[:, 0], rows[:, 1]) - np.asarray(wanted.ms[0, :, 2])))
print(f"largest difference of mz without noise: {off:.1e}")
