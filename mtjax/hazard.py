"""The fast law: populations of a cell's two wells under trains of pulses, without picosecond steps."""

from __future__ import annotations

from importlib.resources import as_file, files
from os import PathLike

import equinox as eqx
import interpax
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from mtjax.constants import KB, NS
from mtjax.device import Device
from mtjax.fields import AppliedField, ExchangeBias, UniaxialAnisotropy
from mtjax.grains import Grains
from mtjax.hazard_table import Axes, tabulate
from mtjax.methods import AbstractMethod, Probability
from mtjax.pulses import AbstractPulse
from mtjax.torques import SpinOrbitTorque
from mtjax.types import Numbers, Scalar, Vector, as_scalar, is_known

MEMORY = 1.6
"""Times alpha: memory of a well, in units of 1/(gamma' Bk)."""
_NODES = 12
_BATCH = 64


class HazardLaw(AbstractMethod):
    """Switching hazard of a perpendicular cell under spin-orbit torque, as a function of drive, bias and barrier.

    The temperature enters through Ms(T) and Bk(T), which set all three. Between the breakpoints of the pulse the hazards of
    leaving and of coming back are integrated along T(t), and the edge is added; the populations of the two wells follow
    exactly. During a pulse a hazard comes into force with the delay in which a well fills its tail, 1 - exp(-u / memory), so
    that the last moments of a pulse count less. `memory` is the one number that is not from the equation: 1.6 / alpha,
    chosen so that a single heated pulse comes out right.

    Left out: the shape of the distribution within a well between pulses (intervals must be longer than a few relaxation
    times), exchange bias across the current or along the easy axis, coupling to neighbours, edges that are not steep.

    As a method of `switching_probability` it takes microseconds instead of seconds. Differentiable in every number of
    device and pulse. Outside the table the values at its border hold.

    - `alpha`: Gilbert damping of the cells.
    - `delta`, `bias`, `drive`: barriers over kT, in-plane bias and damping-like field over Bk.
    - `log_out`: logarithm of the hazard over gamma' Bk; `log_edge`: of what the start of a pulse adds; shape (delta, bias,
      drive).
    """

    alpha: Scalar
    delta: Float[Array, " delta"]
    bias: Float[Array, " bias"]
    drive: Float[Array, " drive"]
    log_out: Float[Array, "delta bias drive"]
    log_edge: Float[Array, "delta bias drive"]

    @staticmethod
    def tabulated(alpha: float, axes: Axes | None = None, *, finer: float = 1.0) -> HazardLaw:
        """Made from the Fokker-Planck equation (`mtjax.hazard_table`): minutes; keep it with `save`."""
        axes = Axes() if axes is None else axes
        return HazardLaw.of(alpha, axes.delta, axes.bias, axes.both, *tabulate(alpha, MEMORY / alpha, axes, finer=finer))

    @staticmethod
    def of(alpha: ArrayLike, *arrays: Numbers) -> HazardLaw:
        """From numbers, in the default precision."""
        alpha, delta, bias, drive, log_out, log_edge = [jnp.asarray(a, jnp.result_type(float)) for a in (alpha, *arrays)]
        return HazardLaw(alpha, delta, bias, drive, log_out, log_edge)

    @staticmethod
    def stored() -> HazardLaw:
        """The table of `tabulated(0.05)`, the damping of `presets.kurenkov2019`, which comes with the package."""
        with as_file(files("mtjax") / "hazard_0.05.npz") as path:
            return HazardLaw.load(path)

    def save(self, path: str | PathLike[str]) -> None:
        """Write the table to a `.npz` file."""
        np.savez(path, **{name: np.asarray(getattr(self, name)) for name in _NAMES})

    @staticmethod
    def load(path: str | PathLike[str]) -> HazardLaw:
        """Read what `save` wrote."""
        with np.load(path) as file:
            return HazardLaw.of(*(file[name] for name in _NAMES))

    @property
    def name(self) -> str:
        """What it is called when a result is printed."""
        return "tabulated switching hazards"

    def probability(self, device: Device, pulse: AbstractPulse, relax: Scalar) -> Probability:
        """Probability that `device` is on the other side `relax` seconds after the end of `pulse`.

        Raises `ValueError` where `device` is not a cell as described above, or has another damping.
        """
        up = self.populations(device, pulse, (pulse.end + relax)[None])[0]
        return Probability(1 - up, up, None, self)

    def populations(
        self, cell: Device, pulse: AbstractPulse, times: Float[ArrayLike, " times"], *, start: ArrayLike = 1.0
    ) -> Float[Array, " times"]:
        """Probability of m.start > 0 at `times` (s, increasing), `start` at time 0. Raises as `probability` does."""
        _check(cell, self.alpha)
        return _populations(self, cell, pulse, as_scalar(times), as_scalar(start))

    def _populations(self, cell: Device, pulse: AbstractPulse, times: Array, start: Array) -> Array:
        ends = jnp.sort(jnp.concatenate([jnp.clip(pulse.breakpoints, 0.0, jnp.max(times)), times]))
        begins = jnp.concatenate([jnp.zeros(1), ends[:-1]])
        fluxes = self._fluxes(cell, pulse, begins, ends)

        def onward(up, flux):
            total = jnp.sum(flux)
            share = -jnp.expm1(-total) / jnp.where(total > 0, total, 1.0)
            up = up - share * (flux[0] * up - flux[1] * (1 - up))
            return up, up

        _, after = jax.lax.scan(onward, start.astype(ends.dtype), fluxes)
        return after[jnp.searchsorted(ends, times, side="right") - 1]

    def _fluxes(self, cell: Device, pulse: AbstractPulse, begins: Array, ends: Array) -> Float[Array, "stretches 2"]:
        """Integrated hazards of leaving and of coming back in every stretch."""
        history = cell.history(pulse)
        scale = jnp.inf if history is None else jnp.min(history.heating.time)
        points, weights = np.polynomial.legendre.leggauss(_NODES)
        length = (ends - begins)[:, None]
        # Evenly spaced in the logarithm of the time, so that fast cooling at the start of a long wait is seen.
        bend = jnp.log1p(length / scale) if history is not None else jnp.zeros_like(length)
        safe = jnp.where(bend > 1e-6, bend, 1e-6)
        u = (points + 1) / 2
        t = begins[:, None] + length * jnp.expm1(safe * u) / jnp.expm1(safe)
        w = weights / 2 * length * safe * jnp.exp(safe * u) / jnp.expm1(safe)
        current = jax.vmap(jax.vmap(pulse))(t)
        at_nodes, _, unit = self.rates(cell, current, _temperatures(cell, history, t))
        on = current != 0
        delay = jnp.where(on, -jnp.expm1(-(ends[:, None] - t) / NS * unit * self.alpha / MEMORY), 1.0)
        _, at_begins, _ = self.rates(cell, current[:, 0], _temperatures(cell, history, begins))
        edges = jnp.where((length > 0) & on[:, :1], at_begins, 0.0)
        return jnp.sum(at_nodes * (w * delay / NS)[..., None], axis=1) + edges

    def rates(self, cell: Device, current: Array, temperature: Array) -> tuple[Array, Array, Array]:
        """Hazards (1/ns) and edges for leaving and coming back, shape (..., 2), and gamma' Bk (1/ns).

        - `current`, `temperature`: A, K; of one shape.
        """
        delta, bias, drive, unit = reduced(cell, current, temperature)
        both = jnp.stack([drive, -drive], axis=-1)
        delta, bias = (jnp.broadcast_to(x[..., None], both.shape) for x in (delta, bias))
        hazard, edge = (jnp.exp(self._look(table, delta, bias, both)) for table in (self.log_out, self.log_edge))
        return unit[..., None] * hazard, edge, unit

    def _look(self, table: Array, delta: Array, bias: Array, drive: Array) -> Array:
        axes = (self.delta, self.bias, self.drive)
        x, y, z = (jnp.clip(at, axis[0], axis[-1]).ravel() for at, axis in zip((delta, bias, drive), axes, strict=True))
        return interpax.interp3d(x, y, z, *axes, table, method="monotonic").reshape(drive.shape)

    def __str__(self) -> str:
        """Ranges."""
        ranges = [
            f"{n} {float(a[0]):g} to {float(a[-1]):g}"
            for n, a in zip(_NAMES[1:4], (self.delta, self.bias, self.drive), strict=True)
        ]
        return f"HazardLaw for alpha = {float(self.alpha):g}: " + ", ".join(ranges)


@eqx.filter_jit
def _populations(law: HazardLaw, cell: Device, pulse: AbstractPulse, times: Array, start: Array) -> Array:
    return law._populations(cell, pulse, times, start)


_NAMES = ("alpha", "delta", "bias", "drive", "log_out", "log_edge")


def reduced(cell: Device, current: Array, temperature: Array) -> tuple[Array, Array, Array, Array]:
    """Barrier over kT, bias and drive over Bk, and gamma' Bk (1/ns), at currents (A) and temperatures (K)."""
    cold = cell.layer.magnet()
    torque, anisotropy = cell[SpinOrbitTorque], cell[UniaxialAnisotropy]
    m = Vector.of(cell.start)
    field = sum((Vector.of(t.B) for t in cell.terms if isinstance(t, AppliedField | ExchangeBias)), 0.0 * m)
    along = m.cross(Vector.of(torque.sigma)) @ field

    def at(current, temperature):
        magnet = cell.layer.warmed(cold, temperature)
        Bk = anisotropy.Bk * magnet.softening
        drive = torque.damping_like(m, magnet, cell.drive(current, temperature)) / Bk
        delta = (magnet.moment / KB) * Bk / (2 * temperature)
        return delta, jnp.abs(along) / Bk, jnp.sign(along) * drive, magnet.gamma * Bk

    return jnp.vectorize(at)(current, temperature)


def mean_mz(
    law: HazardLaw, grains: Grains, pulse: AbstractPulse, times: Float[ArrayLike, " times"], *, start: Numbers | None = None
) -> Float[Array, "times cells"]:
    """Expected m.start of every cell of `grains` under `pulse` at `times` (s, increasing), by `law`.

    `grains.hall` makes the Hall resistance of it.

    Within a well m.start = 1 - 1/(2 delta) - h^2/2, to leading order. Coupling between cells is left out.

    - `start`: states of the cells, +1 or -1 (or expectations in between), shape (cells,); `None`: all +1.
    """
    times = as_scalar(times)
    start = jnp.ones(grains.number) if start is None else as_scalar(start)
    return _means(law, grains, pulse, times, start)


@eqx.filter_jit
def _means(law: HazardLaw, grains: Grains, pulse: AbstractPulse, times: Array, start: Array) -> Array:
    def one(values):
        *cell_values, fixed, start = values
        cell = grains.one(*cell_values)
        up = law.populations(cell, pulse, times, start=(1 + start) / 2)
        delta, bias, _, _ = reduced(cell, jnp.zeros(()), as_scalar(cell.temperature))
        return jnp.where(fixed, start, 2 * up - 1) * (1 - 1 / (2 * delta) - bias**2 / 2)

    values = (grains.Bk, grains.volume, grains.bias, grains.fixed, start)
    return jax.lax.map(one, values, batch_size=_BATCH).T


def _temperatures(cell: Device, history, t: Array) -> Array:
    if history is None:
        return jnp.broadcast_to(cell.temperature, t.shape)
    return jnp.vectorize(history)(t)


def _check(cell: Device, alpha: Scalar) -> None:
    known = UniaxialAnisotropy | AppliedField | ExchangeBias | SpinOrbitTorque
    strangers = [type(term).__name__ for term in cell.terms if not isinstance(term, known)]
    if strangers:
        raise ValueError(
            "HazardLaw holds for cells of UniaxialAnisotropy, SpinOrbitTorque, AppliedField and ExchangeBias, but the "
            f"device has {', '.join(strangers)}."
        )
    mine = cell.layer.alpha
    if is_known(mine) and is_known(alpha) and not np.allclose(mine, alpha, rtol=1e-3):
        raise ValueError(f"The damping of the device must be that of the HazardLaw, {alpha}, but is {mine}.")
