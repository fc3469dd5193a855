"""The picture of the guide to coupled layers: resonances of a synthetic antiferromagnet, and its spin-diode map.

python scripts/coupled_pictures.py      # writes docs/coupled_layers.png
"""

from pathlib import Path

import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np

import mtjax as mtj

FILE = Path(__file__).parents[1] / "docs" / "coupled_layers.png"


def stack() -> mtj.Stack:
    """That of the guide."""
    thin, thick = (mtj.FreeLayer(mtj.EllipticCylinder(60e-9, 60e-9, t), Ms=1.2e6, alpha=0.02) for t in (2e-9, 3e-9))
    plane = mtj.Demagnetisation((0.0, 0.0, 1.0))
    right, left = mtj.Device(thin, (plane,), start=(1.0, 0.1, 0.0)), mtj.Device(thick, (plane,), start=(-1.0, 0.1, 0.0))
    return mtj.Stack((right, left), (mtj.InterlayerExchange(-3e-4), mtj.MutualSpinTransfer(0.6)))


def main() -> None:
    fields, frequencies = np.linspace(0.02, 0.5, 97), np.linspace(1e9, 25e9, 121)
    across = fields[:, None] * np.eye(3)[1]
    found = mtj.resonance.modes(stack(), field=across)
    diode = mtj.resonance.spin_diode(
        stack(), frequencies, amplitude=10e-6, field=across, readout=lambda ms: 1500.0 - 500.0 * ms[0] @ ms[1]
    )
    figure, (left, right) = plt.subplots(1, 2, figsize=(9.0, 3.6), layout="constrained", sharey=True)
    left.plot(fields * 1e3, found.frequencies / 1e9, ".-", markersize=3)
    left.set(xlabel="field across the layers (mT)", ylabel="frequency (GHz)", title="resonances", ylim=(0, 25))
    image = diode.voltage.T * 1e6
    most = float(jnp.max(jnp.abs(image)))
    shown = right.pcolormesh(fields * 1e3, frequencies / 1e9, image, cmap="RdBu", vmin=-most, vmax=most, shading="nearest")
    right.set(xlabel="field across the layers (mT)", title="rectified voltage at 10 uA")
    figure.colorbar(shown, label="uV")
    figure.savefig(FILE, dpi=110)


if __name__ == "__main__":
    main()
