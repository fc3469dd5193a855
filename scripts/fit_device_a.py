"""Fit the measured SOT junction "device A", both directions.  python scripts/fit_device_a.py [--out DIR]

Its stack is unknown: the model is the preset `perpendicular_sot` (20 mT in the plane, as in the experiment) on a write
path of 776 ohm, with alpha 0.3 and as much field-like as damping-like torque (assumed: with the preset's 0.05 and none the
macrospin does not reach P_sw = 1 at any current); the efficiency of the torque and the anisotropy field are fitted. 50 trials
a point, as its notes say. About two minutes a direction on two cores.
"""

import argparse
import sys
from pathlib import Path

from mtjax.cli import main

DATA = Path(__file__).parents[2] / "shared" / "data" / "sot_mtj_psw_0p75ns" / "device_a.csv"

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", default="device-a")
    model = [
        "--device",
        "perpendicular_sot",
        "--set",
        "write_resistance=776",
        "alpha=0.3",
        "field_like_ratio=1",
        "--parameters",
        "theta_sh",
        "Bk",
    ]
    sys.exit(main(["fit", str(DATA), *model, "--trials", "50", "--out", parser.parse_args().out, "--force"]))
