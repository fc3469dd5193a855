"""A bilayer beside cmtj's: resonances at eight fields, and the time of a spin-diode map of 100 fields x 100 frequencies.

python scripts/coupled_layers.py --cmtj /path/to/python      # of an environment with `pip install cmtj`

Both run one after the other on one core. cmtj's map is its `VSD_procedure` in the time domain (30 ns in steps of 1 ps a point),
timed for three points and scaled to 10,000. Its Smit-Beljers solver gives the equilibrium and the equation for the
frequencies, whose roots are taken here, since it rounds them to 10 MHz.
"""

import json
import os
import subprocess
import sys
import time
from typing import Annotated

import numpy as np
import tyro

FIELDS = (0.02, 0.05, 0.08, 0.11, 0.14, 0.18, 0.25, 0.32)
"""Along the direction at 90 degrees to the layers' anisotropy, T."""
J, J2, MS, THICKNESS, KV = -2e-4, -2e-5, (1.1e6, 9e5), (1.5e-9, 2.2e-9), (2e3, 1e3)

PEER = """
import json, sys, time
import numpy as np
import sympy
from cmtj import Junction, Layer, ScalarDriver, CVector
from cmtj.models.general_sb import OMEGA, LayerSB, Solver
from cmtj.utils import VectorObj, constants
from cmtj.utils.procedures import VSD_procedure
p = json.loads(sys.argv[1])
mu0, g = constants.Constants.mu0(), 2 * np.pi * constants.Constants.gamma()
Kv = [VectorObj(np.pi / 2, 0.0, K) for K in p["Kv"]]
layers = [LayerSB(_id=i, thickness=p["t"][i], Kv=Kv[i], Ks=0.0, Ms=p["Ms"][i]) for i in range(2)]
found, begin = [], time.process_time()
for B in p["fields"]:
    solver = Solver(layers=layers, J1=[p["J"]], J2=[p["J2"]], H=VectorObj(np.pi / 2, np.pi / 2, B / mu0))
    phi = np.arcsin(min(B / 0.5, 0.99))
    place = np.array([np.pi / 2, phi, np.pi / 2, np.pi - phi])
    eq, _ = solver.solve(place, max_steps=1e5, learning_rate=1e-3, adam_tol=1e-12)
    hessian, values = solver.create_energy_hessian(eq)
    roots = np.roots([complex(c) for c in sympy.Poly(hessian.subs(values).det(method="berkowitz"), OMEGA).all_coeffs()])
    found.append(sorted(float(root.real) / 1e9 for root in roots if root.real > 1e6)[:2])
seconds = time.process_time() - begin
demag = [CVector(0, 0, 0), CVector(0, 0, 0), CVector(0, 0, 1)]
free = [Layer(name, CVector(s, 0.1, 0), CVector(1, 0, 0), mu0 * p["Ms"][i], p["t"][i], 2.8e-15, demag, damping=0.01)
        for i, (name, s) in enumerate((("free", 1), ("bottom", -1)))]
junction = Junction(free, 100.0, 200.0)
junction.setIECDriver("free", "bottom", ScalarDriver.getConstantDriver(p["J"]))
begin = time.process_time()
VSD_procedure(junction, np.array([[0, 1e5, 0]]), np.array([5e9, 6e9, 7e9]), 1e-12, Rtype="Rz", disable_tqdm=True)
print(json.dumps({"f": found, "sb": seconds, "vsd": (time.process_time() - begin) / 3, "gamma": g}))
"""


def main(cmtj: Annotated[str, tyro.conf.arg(help="python with cmtj")]) -> None:
    given = {"J": J, "J2": J2, "Ms": MS, "t": THICKNESS, "Kv": KV, "fields": FIELDS}
    done = subprocess.run([cmtj, "-W", "ignore", "-c", PEER, json.dumps(given)], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    theirs = json.loads(done.stdout.splitlines()[-1])
    ours = resonances(theirs["gamma"])
    print(f"{'field':>8} {'cmtj, GHz':>20} {'here, GHz':>20} {'difference':>12}")
    for B, a, b in zip(FIELDS, theirs["f"], ours, strict=True):
        worst = max(abs(x / y - 1) for x, y in zip(a, b, strict=True)) if len(a) == 2 else np.nan
        print(f"{B * 1e3:5.0f} mT {a[0]:9.4f} {a[-1]:9.4f}  {b[0]:9.4f} {b[1]:9.4f}  {worst:11.2%}")
    first, again = diode_map(theirs["gamma"])
    map_there = theirs["vsd"] * 1e4
    print(f"eight fields by Smit and Beljers in cmtj: {theirs['sb']:.1f} s of one core")
    print(f"map of 100 x 100: cmtj {map_there:.0f} s, here {again:.3f} s and {first:.1f} s with compilation")
    print(f"ratio {map_there / again:.0f}")


def stack_of(gamma: float, alpha: float):
    import mtjax as mtj

    def layer(Ms, thickness, Kv, side):
        film = mtj.FreeLayer(mtj.EllipticCylinder(60e-9, 60e-9, thickness), Ms=Ms, alpha=alpha, gyromagnetic_ratio=gamma)
        terms = (mtj.Demagnetisation((0.0, 0.0, 1.0)), mtj.UniaxialAnisotropy(2 * Kv / Ms, (1.0, 0.0, 0.0)))
        return mtj.Device(film, terms, start=(side, 0.1, 0.0))

    layers = tuple(layer(*row) for row in zip(MS, THICKNESS, KV, (1.0, -1.0), strict=True))
    torque = mtj.MutualSpinTransfer(0.5)
    return mtj.Stack(layers, (mtj.InterlayerExchange(J, J2), torque))


def resonances(gamma: float) -> np.ndarray:
    import mtjax as mtj

    fields = np.asarray(FIELDS)[:, None] * np.eye(3)[1]
    return np.asarray(mtj.resonance.modes(stack_of(gamma, 1e-6), field=fields).frequencies) / 1e9


def diode_map(gamma: float) -> tuple[float, float]:
    """CPU seconds of the map, with compilation and without."""
    import jax

    import mtjax as mtj

    fields, f = np.linspace(0.02, 0.2, 100)[:, None] * np.eye(3)[1], np.linspace(1e9, 20e9, 100)
    stack, times = stack_of(gamma, 0.01), []

    def readout(ms):
        return 150.0 - 50.0 * ms[0] @ ms[1]

    for _ in range(2):
        begin = time.process_time()
        jax.block_until_ready(mtj.resonance.spin_diode(stack, f, amplitude=1e-5, field=fields, readout=readout).voltage)
        times.append(time.process_time() - begin)
    return times[0], times[1]


if __name__ == "__main__":
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    os.environ["JAX_ENABLE_X64"] = "1"
    tyro.cli(main)
