"""Pictures of the Fokker-Planck solver: the density on the sphere under a pulse, and write error rates.

Run `python scripts/fokker_planck_pictures.py OUT_DIRECTORY`.
"""

import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

import mtjax as mtj
from mtjax.switching import FokkerPlanck, evolve

SAMPLES = 20_000
plt.rcParams["axes.prop_cycle"] = plt.cycler(color=["#0072B2", "#D55E00", "#009E73", "#CC79A7"])


def write_error_rates(path):
    device = mtj.presets.perpendicular_stt(delta=40.0)
    widths = jnp.linspace(1.0, 15.0, 29) * device.relaxation_time
    first = mtj.Pulse(2 * device.critical_current, widths[-1])
    method = FokkerPlanck(relative=False).planned(device, first)

    @jax.jit
    def error_rates(overdrive):
        def one(width):
            pulse = mtj.Pulse(overdrive * device.critical_current, width)
            return method.probability(device, pulse, jnp.asarray(0.0)).complement

        return jax.lax.map(one, widths)

    figure, axes = plt.subplots(figsize=(5.5, 4.0), layout="constrained")
    for overdrive, style in zip((1.5, 1.75, 2.0, 2.5), ("-", "--", "-.", ":"), strict=True):
        rates = np.array(error_rates(jnp.asarray(overdrive)))
        shown = np.where(rates > 1e-13, rates, np.nan)
        (line,) = axes.semilogy(1e9 * widths, shown, style, label=f"$I = {overdrive}\\,I_c$")
        reach = np.flatnonzero((rates > 20 / SAMPLES) & (rates < 0.95))[::3]
        found = [sampled(device, overdrive, widths[n]) for n in reach]
        x, y, error = 1e9 * np.array(widths[reach]), *np.array(found).reshape(-1, 2).T
        axes.errorbar(x, y, 2 * error, fmt="o", ms=4, color=line.get_color(), mfc="white")
        z = (y - rates[reach]) / np.sqrt(rates[reach] * (1 - rates[reach]) / SAMPLES)
        print(f"I = {overdrive} Ic: {SAMPLES} samples a point, z =", np.round(z, 2), flush=True)
    axes.set(xlabel="pulse width (ns)", ylabel="write error rate", ylim=(1e-13, 2.0))
    axes.legend(title="lines: Fokker-Planck\nrings: Monte Carlo, 2 s.e.", fontsize=8, title_fontsize=8)
    figure.savefig(path, dpi=130)


def sampled(device, overdrive, width):
    """Write error rate and its standard error by Monte Carlo."""
    pulse = mtj.Pulse(overdrive * device.critical_current, width)
    method = mtj.MonteCarlo(samples=SAMPLES, key=jax.random.key(int(1e12 * width)))
    found = mtj.switching_probability(device, pulse, method=method)
    return float(found.complement), float(found.stderr)


def density_on_the_sphere(path):
    device = mtj.presets.perpendicular_sot(delta=20.0)
    pulse = mtj.Pulse(1.1 * device.critical_current, 1e-9)
    times = jnp.array([0.0, 0.2e-9, 1e-9, 3e-9])
    density = evolve(device, pulse, times, method=FokkerPlanck(lmax=80, mmax=48, relative=False))
    theta, phi = np.linspace(0.01, np.pi - 0.01, 90), np.linspace(-np.pi, np.pi, 180)
    s = np.sin(theta)[:, None]
    m = np.stack([s * np.cos(phi), s * np.sin(phi), np.cos(theta)[:, None] + 0 * phi], axis=-1)
    values = np.asarray(jax.lax.map(density, jnp.asarray(m.reshape(-1, 3), density.re.dtype)))
    figure, panels = plt.subplots(1, 4, figsize=(12, 2.4), layout="constrained", subplot_kw={"projection": "mollweide"})
    stages = ("before the pulse", "during it", "at its end", "2 ns later")
    for panel, frame, time, mean, stage in zip(panels, values.T, times, density.mean, stages, strict=True):
        shown = np.clip(frame.reshape(theta.size, phi.size), 1e-4, None)
        image = panel.pcolormesh(phi, np.pi / 2 - theta, shown, cmap="cividis", norm="log", shading="gouraud", rasterized=True)
        image.set_clim(1e-4, 10)
        panel.set(xticks=[], yticks=[])
        panel.set_title(f"{1e9 * time:.1f} ns, {stage}\n$\\langle m_z\\rangle$ = {mean[2]:.2f}", fontsize=10)
    figure.colorbar(image, ax=panels, label="probability (1/sr)", shrink=0.8)
    figure.savefig(path, dpi=80)


def main():
    jax.config.update("jax_enable_x64", True)  # noqa: FBT003
    out = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    out.mkdir(parents=True, exist_ok=True)
    write_error_rates(out / "write_error_rates.png")
    density_on_the_sphere(out / "density_on_the_sphere.png")


if __name__ == "__main__":
    main()
