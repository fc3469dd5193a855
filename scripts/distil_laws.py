"""The laws of sengupta2016 from Fokker-Planck and of a warm kurenkov2019 from hazards, as stored in `mtjax/nn/laws/stored`.

    python scripts/distil_laws.py [--law sengupta2016] [--out mtjax/nn/laws/stored]

20 values make a series of degree 9 in the current; 10 others check it. 325 values make one of degree 10 and 5 in current and
temperature; 60 others check it. Without `--out` the new law is compared
with the stored one and nothing is written.
"""

import argparse
import time
from pathlib import Path

import jax

jax.config.update("jax_enable_x64", True)  # noqa: FBT003

import numpy as np  # noqa: E402

import mtjax as mtj  # noqa: E402
from mtjax import nn  # noqa: E402

FIXED = {"lmax": 256, "mmax": 96, "relative": False}
HOW = (
    "sengupta2016(), 0.5 ns pulses, read 3 relaxation times later: 20 Fokker-Planck values (l_max 256, m_max 96), "
    "checked at 10 others; scripts/distil_laws.py"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, help="folder to write the law to")
    parser.add_argument("--law", choices=("sengupta2016", "kurenkov2019", "both"), default="both")
    args = parser.parse_args()
    for name, make in (("sengupta2016", cold), ("kurenkov2019", warm)):
        if args.law in (name, "both"):
            start = time.perf_counter()
            law, difference = make()
            print(f"{law}\nin {time.perf_counter() - start:.0f} s; largest difference to the stored law: {difference:.1e}")
            if args.out:
                law.save(args.out / f"{name}.json")


def cold() -> tuple[nn.ChebyshevLaw, float]:
    method = mtj.FokkerPlanck(**FIXED)
    law = nn.distil(
        mtj.presets.sengupta2016(), 0.5e-9, domain=(0.0, 150e-6), degree=9, nodes=20, method=method, checks=10, progress=False
    )
    drives = np.linspace(0, 150e-6, 301)
    difference = np.max(np.abs(np.asarray(law.psw(drives)) - np.asarray(nn.sengupta2016_law().psw(drives))))
    return nn.ChebyshevLaw(law.coefficients, law.ranges, error=law.error, provenance=HOW), float(difference)


def warm() -> tuple[nn.ChebyshevLaw, float]:
    cell = mtj.presets.kurenkov2019_neuron().cell
    law = nn.distil_heated(cell, 5e-9, domain=(0.1e-3, 0.6e-3), temperatures=(300.0, 410.0))
    places = np.meshgrid(np.linspace(0.1e-3, 0.6e-3, 51), np.linspace(300.0, 410.0, 56))
    return law.law, float(np.max(np.abs(np.asarray(law.psw(*places) - nn.kurenkov2019_law().psw(*places)))))


if __name__ == "__main__":
    main()
