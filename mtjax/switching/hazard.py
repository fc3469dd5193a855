"""The fast law: populations of a cell's two wells under trains of pulses, without picosecond steps."""

from __future__ import annotations

from importlib.resources import as_file, files
from os import PathLike
from typing import Annotated

import equinox as eqx
import interpax
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from mtjax.checks import Within, checked
from mtjax.constants import NS
from mtjax.devices import AppliedField, Device, ExchangeBias, Grains, SpinOrbitTorque, UniaxialAnisotropy
from mtjax.files import read_arrays, write_arrays
from mtjax.pulses import AbstractPulse, require_current
from mtjax.quantities import Numbers, Scalar, as_scalar, is_known
from mtjax.switching.hazard_table import Axes, reduced, tabulate
from mtjax.switching.method import AbstractMethod, Probability

LAG = 0.45
"""Times alpha: how far the tail of a well follows behind the temperature, 1/(gamma' Bk)."""
_NODES = 12
_BATCH = 64
_INSTANT = 1e-12
"""Currents this long before and after a breakpoint tell whether the pulse changes there, s."""


class HazardLaw(AbstractMethod):
    """Switching hazard of a perpendicular cell under spin-orbit torque, as a function of drive, bias and barrier.

    The temperature enters through Ms(T) and Bk(T), which set all three. Between the breakpoints of the pulse the hazards of
    leaving and of coming back are integrated along T(t), and what an abrupt start adds (the kick of the drive) at the
    temperature of the start; the populations of the two wells follow exactly. A cell that is on its way when the pulse ends
    mostly falls back, so that a hazard counts by 1 - exp(-(time left) / transit); and the tail of a well follows the
    temperature with a lag.

    Two numbers are not from the equation: the lag, 0.45 / alpha, and the transit time beyond the threshold, 2 / alpha. They
    were chosen so that trains of pulses come out right for the cell of `presets.kurenkov2019` at 9 ns of cooling (within
    0.02 of the full dynamics; elsewhere the error reached 0.05: `scripts/heat_and_grains.py law`).

    Left out: the shape of the distribution within a well between pulses (intervals must be longer than a few relaxation
    times), exchange bias across the current or along the easy axis, coupling to neighbours, edges that are not steep.

    As a method of `switching_probability` it takes microseconds instead of seconds. Differentiable in every number of
    device and pulse. Outside the table the values at its border hold.

    - `alpha`: Gilbert damping of the cells.
    - `delta`, `bias`, `drive`: barriers over kT, in-plane bias and damping-like field over Bk.
    - `log_out`: logarithm of the hazard over gamma' Bk; `log_edge`: of what the start of a pulse adds; `log_transit`: of the
      transit time, 1/(gamma' Bk); shape (delta, bias, drive).

    >>> import mtjax as mtj
    >>> cell = mtj.presets.kurenkov2019_neuron().cell
    >>> law = mtj.HazardLaw.stored()
    >>> print(law)
    HazardLaw for alpha = 0.05: delta 6 to 50, bias 0.04 to 0.2, drive -0.65 to 0.65
    >>> rest, driven = law.rates(cell, [0.0, 0.8e-3], [300.0, 300.0])[:, 0]  # hazards of leaving the starting well
    >>> print(f"{rest:.1e} per second at rest, {driven:.1e} under 0.8 mA")
    1.6e-06 per second at rest, 1.8e+05 under 0.8 mA
    """

    alpha: Annotated[Scalar, Within(positive=True)]
    delta: Float[Array, " delta"]
    bias: Float[Array, " bias"]
    drive: Float[Array, " drive"]
    log_out: Float[Array, "delta bias drive"]
    log_edge: Float[Array, "delta bias drive"]
    log_transit: Float[Array, "delta bias drive"]

    @staticmethod
    def tabulated(alpha: float, axes: Axes | None = None, *, finer: float = 1.0) -> HazardLaw:
        """Made from the Fokker-Planck equation (`mtjax.switching.hazard_table`): minutes; keep it with `save`."""
        axes = Axes() if axes is None else axes
        return HazardLaw.of(alpha, axes.delta, axes.bias, axes.both, *tabulate(alpha, axes, finer=finer))

    @staticmethod
    def of(alpha: ArrayLike, *arrays: Numbers) -> HazardLaw:
        """From numbers, in the default precision."""
        return HazardLaw(*(jnp.asarray(a, jnp.result_type(float)) for a in (alpha, *arrays)))

    @staticmethod
    def stored() -> HazardLaw:
        """The table of `tabulated(0.05)`, the damping of `presets.kurenkov2019`, which comes with the package.

        Made by `scripts/hazard_table.py`.
        """
        with as_file(files("mtjax.switching") / "hazard_0.05.npz") as path:
            return HazardLaw.load(path)

    def save(self, path: str | PathLike[str]) -> None:
        """Write the table to a `.npz` file."""
        write_arrays(path, **{name: np.asarray(getattr(self, name)) for name in _NAMES})

    @staticmethod
    def load(path: str | PathLike[str]) -> HazardLaw:
        """Read what `save` wrote; raises `ValueError` where the file holds something else."""
        return HazardLaw.of(*read_arrays(path, _NAMES).values())

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
        self, cell: Device, pulse: AbstractPulse, times: Numbers, *, start: ArrayLike = 1.0
    ) -> Float[Array, " times"]:
        """Probability of m.start > 0 at `times` (s, increasing), `start` at time 0. Raises as `probability` does."""
        _check(cell, self.alpha)
        require_current(self, pulse)
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
        t, w = _nodes(history, begins, ends)
        current = jax.vmap(jax.vmap(pulse))(t)
        started = jax.vmap(pulse)(_before(begins)) != current[:, 0]
        stops = jax.vmap(pulse)(_after(ends)) != current[:, -1]
        log_transit, unit = self._at(self.log_transit, cell, current, _temperatures(cell, history, t))
        left = (ends[:, None] - t) / NS * unit
        counts = jnp.where(
            (stops[:, None] & (current != 0))[..., None], -jnp.expm1(-left[..., None] / jnp.exp(log_transit)), 1.0
        )
        earliest = jnp.where(started, begins, 0.0)[:, None]
        followed = jnp.maximum(t - LAG / self.alpha / unit * NS, earliest)
        log_out, unit = self._at(self.log_out, cell, current, _temperatures(cell, history, followed))
        log_edge, _ = self._at(self.log_edge, cell, current[:, 0], _temperatures(cell, history, begins))
        edges = jnp.where((started & (ends > begins) & (current[:, 0] != 0))[:, None], jnp.exp(log_edge), 0.0)
        return jnp.sum(jnp.exp(log_out) * counts * (w / NS * unit)[..., None], axis=1) + edges

    def rates(self, cell: Device, current: Numbers, temperature: Numbers) -> Float[Array, "*shape 2"]:
        """Hazards (1/s) of leaving and of coming back at currents (A) and temperatures (K) of one shape."""
        log_out, unit = self._at(self.log_out, cell, *jnp.broadcast_arrays(as_scalar(current), as_scalar(temperature)))
        return jnp.exp(log_out) * unit[..., None] / NS

    def _at(self, table: Array, cell: Device, current: Array, temperature: Array) -> tuple[Array, Array]:
        """What `table` says of leaving and of coming back, shape (..., 2), and gamma' Bk (1/ns)."""
        delta, bias, drive, unit = reduced(cell, current, temperature)
        both = jnp.stack([drive, -drive], axis=-1)
        places = (*(jnp.broadcast_to(x[..., None], both.shape) for x in (delta, bias)), both)
        axes = (self.delta, self.bias, self.drive)
        x, y, z = (jnp.clip(at, axis[0], axis[-1]).ravel() for at, axis in zip(places, axes, strict=True))
        return interpax.interp3d(x, y, z, *axes, table, method="monotonic").reshape(both.shape), unit

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


_NAMES = ("alpha", "delta", "bias", "drive", "log_out", "log_edge", "log_transit")


@checked
def mean_mz(
    law: HazardLaw,
    grains: Grains,
    pulse: AbstractPulse,
    times: Annotated[Numbers, Within(least=0.0, unit="s")],
    *,
    start: Numbers | None = None,
) -> Float[Array, "times cells"]:
    """Expected m.start of every cell of `grains` under `pulse` at `times` (s, increasing), by `law`.

    `grains.hall` makes the Hall resistance of it.

    Within a well m.start = 1 - 1/(2 delta) - h^2/2, to leading order. Coupling between cells is left out.

    - `start`: states of the cells, +1 or -1 (or expectations in between), shape (cells,); `None`: all +1.

    >>> import mtjax as mtj
    >>> film = mtj.presets.kurenkov2019_neuron()
    >>> pulse = mtj.Pulse(film.current(5e11), 10e-9)
    >>> mz = mtj.mean_mz(mtj.HazardLaw.stored(), film, pulse, [0.0, 50e-9])
    >>> [round(float(R), 1) for R in film.hall(mz)]  # ohm, before and after
    [1.0, -0.9]
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


def _nodes(history, begins: Array, ends: Array) -> tuple[Array, Array]:
    """Times and weights of a quadrature in every stretch, shape (stretches, nodes), s.

    Evenly spaced in the logarithm of the time, so that fast cooling at the start of a long wait is seen.
    """
    points, weights = np.polynomial.legendre.leggauss(_NODES)
    length, u = (ends - begins)[:, None], (points + 1) / 2
    bend = jnp.zeros_like(length) if history is None else jnp.log1p(length / jnp.min(history.heating.time))
    bend = jnp.maximum(bend, 1e-6)
    t = begins[:, None] + length * jnp.expm1(bend * u) / jnp.expm1(bend)
    return t, jnp.asarray(weights / 2) * length * bend * jnp.exp(bend * u) / jnp.expm1(bend)


def _before(t: Array) -> Array:
    return t - jnp.maximum(_INSTANT, 4 * jnp.finfo(t.dtype).eps * t)


def _after(t: Array) -> Array:
    return t + jnp.maximum(_INSTANT, 4 * jnp.finfo(t.dtype).eps * t)


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
