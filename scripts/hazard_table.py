"""Makes the stored table of the fast law, `mtjax/switching/hazard_0.05.npz`, from the Fokker-Planck equation.

    python scripts/hazard_table.py [--alpha 0.05] [--out mtjax/switching/hazard_0.05.npz]

About nine minutes on one core, in double precision. A slow test holds the stored table against the equation.
"""

import argparse
from pathlib import Path

import mtjax as mtj

mtj.configure_cpu(fused=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--alpha", type=float, default=0.05, help="Gilbert damping")
    parser.add_argument("--out", type=Path, default=Path("mtjax/switching/hazard_0.05.npz"), help="file of the table")
    args = parser.parse_args()
    law = mtj.HazardLaw.tabulated(args.alpha)
    law.save(args.out)
    print(f"{args.out}: {law}")


if __name__ == "__main__":
    main()
