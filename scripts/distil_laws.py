"""The law of sengupta2016 from Fokker-Planck, as it is stored in the package (`mtjax/nn/laws/stored`).

    python scripts/distil_laws.py [--out mtjax/nn/laws/stored]

20 values make a series of degree 9 in the current; 10 others check it. Without `--out` the new law is compared with the
stored one and nothing is written.
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
    args = parser.parse_args()
    start, method = time.perf_counter(), mtj.FokkerPlanck(**FIXED)
    law = nn.distil(
        mtj.presets.sengupta2016(), 0.5e-9, domain=(0.0, 150e-6), degree=9, nodes=20, method=method, checks=10, progress=False
    )
    law = nn.ChebyshevLaw(law.coefficients, law.ranges, error=law.error, provenance=HOW)
    print(f"{law}\nin {time.perf_counter() - start:.0f} s")
    drives = np.linspace(0, 150e-6, 301)
    difference = np.max(np.abs(np.asarray(law.psw(drives)) - np.asarray(nn.sengupta2016_law().psw(drives))))
    print(f"largest difference to the stored law: {difference:.1e}")
    if args.out:
        law.save(args.out / "sengupta2016.json")


if __name__ == "__main__":
    main()
