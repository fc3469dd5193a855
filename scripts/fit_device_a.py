"""Fit the measured SOT junction "device A", both directions.  python scripts/fit_device_a.py [--out DIR] [--picture FILE]

Its stack is unknown: the model is the preset `perpendicular_sot` (20 mT in the plane, as in the experiment) on a write path of
776 ohm, with alpha 0.3 and as much field-like as damping-like torque (assumed: with the preset's 0.05 and none the macrospin
does not reach P_sw = 1 at any current). The efficiency of the torque and the anisotropy field are fitted, both with a prior
that is stated: within a factor of 3 of the preset's values (68 %). 50 trials a point, as its notes say. Then AP->P again with
a back-hopping part that begins as one reads it off the data, beside a logistic curve. The device always begins with the
preset's values. Fits that lie in --out already are read, not made
again.
"""

import argparse
import time
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

import mtjax as mtj
from mtjax.fitting import compare, fit_logistic, identifiability
from mtjax.plot import COLOURS, plot_fit

jax.config.update("jax_enable_x64", True)  # noqa: FBT003
DATA = Path(__file__).parents[2] / "shared" / "data" / "sot_mtj_psw_0p75ns" / "device_a.csv"
HOPPING = mtj.BackHopping(probability=0.2, end=1.06, spread=0.02)
"""Height, end (V) and width of the plateau, as one reads them off the data."""


def model():
    """The device from which every search starts."""
    return eqx.tree_at(
        lambda d: (d.write_resistance, d.layer.alpha, d[mtj.SpinOrbitTorque].field_like_ratio),
        mtj.presets.perpendicular_sot(),
        (jnp.asarray(776.0), jnp.asarray(0.3), jnp.asarray(1.0)),
    )


def fitted(label, data, folder, **options):
    """The fit in `folder`, made where it is not there."""
    file = folder / f"{label.replace('>', '').replace(' ', '_')}.json"
    if file.is_file():
        return mtj.Fit.load(file)
    begin, Bk = time.process_time(), float(model()[mtj.UniaxialAnisotropy].Bk)
    priors = {"theta_sh": mtj.LogNormal(0.3, 3.0), "Bk": mtj.LogNormal(Bk, 3.0)}
    found = mtj.fit(model(), data, where=("theta_sh", "Bk"), priors=priors, progress=True, **options)
    found.save(file)
    print(f"{label}: fitted in {time.process_time() - begin:.0f} CPU s")
    return found


def picture(fits):
    """Both directions, AP->P with and without the back-hopping part."""
    figure = Figure(figsize=(9.6, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    plain = fits["AP->P"]
    for axes, label in ((left, "P->AP"), (right, "AP->P with back-hopping")):
        plot_fit(axes, fits[label])
        axes.set_title(f"{label}: deviance {fits[label].deviance:.1f} on {fits[label].dof}", fontsize="medium")
    x = np.linspace(plain.data.amplitude.min(), plain.data.amplitude.max(), 48)
    alone = np.clip(plain.predict(x, plain.data.width[0]).p, 0, 1)
    right.plot(
        x, alone, color=COLOURS[1], ls="--", lw=1.4, label=f"macrospin alone, deviance {plain.deviance:.0f} on {plain.dof}"
    )
    right.set_ylabel("")
    right.legend(frameon=False, fontsize="small", loc="lower right")
    return figure


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--out", type=Path, default=Path("device-a"))
    parser.add_argument("--picture", type=Path, help="where the picture goes; by default into --out")
    arguments = parser.parse_args()
    out = arguments.out
    out.mkdir(parents=True, exist_ok=True)
    data = mtj.SwitchingData.read_csv(arguments.data, trials=50)
    up, down = (data.select(direction=d) for d in ("P->AP", "AP->P"))
    fits = {"P->AP": fitted("P->AP", up, out), "AP->P": fitted("AP->P", down, out)}
    label = "AP->P with back-hopping"
    fits[label] = fitted(label, down, out, lapse=HOPPING)
    for label, found in fits.items():
        print(label, found, *identifiability(found), "", sep="\n")
    for direction, part in (("P->AP", up), ("AP->P", down)):
        candidates = {f"macrospin{k.removeprefix(direction)}": f for k, f in fits.items() if k.startswith(direction)}
        print(direction, compare({"logistic curve": fit_logistic(part), **candidates}), "", sep="\n")
    picture(fits).savefig(arguments.picture or out / "device_a.png", dpi=110)


if __name__ == "__main__":
    main()
