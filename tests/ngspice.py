"""Runs ngspice."""

import shutil
import subprocess

import numpy as np
import pytest

from mtjax.circuit.model import model_of

needs_ngspice = pytest.mark.skipif(shutil.which("ngspice") is None, reason="ngspice is not installed (apt-get install ngspice)")


def pins_of(device, **places):
    """The pins of a device in order: t2 and the noise at ground, others by their own names or as `places` says."""
    grounded = {"t2": "0", "nx": "0", "ny": "0", "nz": "0", **places}
    return " ".join(grounded.get(pin, pin) for pin, _ in model_of(device, "ngspice").terminals)


def run(folder, text, status=0):
    """What ngspice prints."""
    (folder / "test.cir").write_text(text)
    found = subprocess.run(
        ["ngspice", "-b", "test.cir"],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert found.returncode == status, (found.stdout + found.stderr)[-2000:]
    return found.stdout


def transient(folder, subcircuit, circuit, signals, step, duration):
    """Times, shape (n,), and signals, shape (signals, n), of a run with equal steps."""
    lines = [
        "* a test", subcircuit, circuit, ".options method=trap trtol=1e6 reltol=1e-5 numdgt=12",
        ".control", "set wr_singlescale", f"save {' '.join(signals)}", f"tran {step} {duration} 0 {step}",
        f"wrdata out.txt {' '.join(signals)}", "quit 0", ".endc", ".end", "",
    ]  # fmt: skip
    run(folder, "\n".join(lines))
    rows = np.loadtxt(folder / "out.txt")
    return rows[:, 0], rows[:, 1:].T
