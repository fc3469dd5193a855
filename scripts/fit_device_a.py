"""Fit the measured SOT junction "device A", both directions.  python scripts/fit_device_a.py [--out DIR]

Its stack is unknown: the model is the preset `perpendicular_sot` (20 mT in the plane, as in the experiment) on a write path of
776 ohm, with alpha 0.3 and as much field-like as damping-like torque (assumed: with the preset's 0.05 and none the macrospin
does not reach P_sw = 1 at any current). The efficiency of the torque and the anisotropy field are fitted, both with a prior
that is stated: within a factor of 3 of the preset's values (68 %). 50 trials a point, as its notes say. Then AP->P again with
a back-hopping part, beside a logistic curve. Minutes on one core.
"""

import argparse
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
from matplotlib.figure import Figure

import mtjax as mtj
from mtjax.comparison import compare, fit_logistic
from mtjax.identifiability import identifiability
from mtjax.plot import plot_fits

jax.config.update("jax_enable_x64", True)  # noqa: FBT003
DATA = Path(__file__).parents[2] / "shared" / "data" / "sot_mtj_psw_0p75ns" / "device_a.csv"


def model():
    return eqx.tree_at(
        lambda d: (d.write_resistance, d.layer.alpha, d[mtj.SpinOrbitTorque].field_like_ratio),
        mtj.presets.perpendicular_sot(),
        (jnp.asarray(776.0), jnp.asarray(0.3), jnp.asarray(1.0)),
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--out", type=Path, default=Path("device-a"))
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    data = mtj.SwitchingData.read_csv(arguments.data, trials=50)
    device = model()
    Bk = float(device[mtj.UniaxialAnisotropy].Bk)
    settings = {
        "where": ("theta_sh", "Bk"),
        "priors": {"theta_sh": mtj.LogNormal(0.3, 3.0), "Bk": mtj.LogNormal(Bk, 3.0)},
        "progress": True,
    }
    up, down = (data.select(direction=d) for d in ("P->AP", "AP->P"))
    fits = {"P->AP": mtj.fit(device, up, **settings), "AP->P": mtj.fit(device, down, **settings)}
    hopping = mtj.BackHopping(probability=0.25, end=1.03, spread=0.03)
    fits["AP->P with back-hopping"] = mtj.fit(device, down, lapse=hopping, **settings)
    for label, found in fits.items():
        print(label, found, *identifiability(found), "", sep="\n")
        found.save(arguments.out / f"{label.replace('>', '').replace(' ', '_')}.json")
    for direction, part in (("P->AP", up), ("AP->P", down)):
        candidates = {f"macrospin {k.removeprefix(direction)}".strip(): f for k, f in fits.items() if k.startswith(direction)}
        print(direction, compare({"logistic curve": fit_logistic(part), **candidates}), "", sep="\n")
    figure: Figure = plot_fits(fits)
    figure.savefig(arguments.out / "device_a.png", dpi=80)


if __name__ == "__main__":
    main()
