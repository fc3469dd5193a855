"""How fast a cell leaves its well, for every drive, bias and barrier: tabulated from the Fokker-Planck equation.

In units of Bk and 1/(gamma' Bk) a uniaxial cell with an in-plane bias h along m x sigma under a damping-like torque b is
fixed by (delta, h, b) and the damping. Under constant b the populations of its two wells follow

    d(up)/du = -out up + back down,

where out + back is the slowest eigenvalue (`mtjax.switching.fokker_planck.slow_modes`). A pulse that starts abruptly adds to
the integral of `out` once, which follows from the populations after a pulse, read when the cell has come to rest. Turning the
cell by 180 degrees about the bias exchanges the wells and the sign of b, so that back(b) = out(-b).
"""

from __future__ import annotations

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from mtjax.constants import KB, SPIN_FIELD
from mtjax.devices import AppliedField, Device, EllipticCylinder, ExchangeBias, FreeLayer, SpinOrbitTorque, UniaxialAnisotropy
from mtjax.quantities import in_double
from mtjax.switching.fokker_planck import Flow, Stencil, ellipse, exchange, exponential, flow_of, start_density, stencil
from mtjax.vector import Vector

LENGTH, REST = 160.0, 60.0
"""Length of the pulses whose edges are measured, and of the rest before they are read, 1/(gamma' Bk)."""
TRANSIT, SLOW_TRANSIT = 0.6, 2.0
"""Times alpha: how long a switching cell is on its way, below and beyond the threshold, 1/(gamma' Bk).

Below, the Fokker-Planck equation gives 8 to 16 where alpha = 0.05. The second is chosen: see `HazardLaw`."""
_CERTAIN = 1e-5
_SMALLEST = 1e-12
"""Rates below this are not read off the equation but continued in the barrier (Arrhenius)."""
_CLEAR = 2.0
"""Onset up to which the slowest mode is the exchange between two wells."""
_STRONG = 0.35
"""Drive over Bk beyond which the mean rate bounds that of the mode."""
_LEAST = 1e-4
_MS, _THICKNESS, _WIDTH = 1e6, 1e-9, 1e-7


class Axes(NamedTuple):
    """Where the table has its points: barriers over kT, biases and drives over Bk; the drives symmetric about 0."""

    delta: tuple[float, ...] = (6.0, 9.0, 13.0, 18.0, 25.0, 35.0, 50.0)
    bias: tuple[float, ...] = (0.04, 0.08, 0.11, 0.15, 0.20)
    drive: tuple[float, ...] = (0.0, 0.1, 0.18, 0.24, 0.27, 0.3, 0.33, 0.36, 0.39, 0.43, 0.52, 0.65)

    @property
    def both(self) -> Float[np.ndarray, " n"]:
        """Drives of both signs, ascending."""
        positive = np.array(self.drive)
        return np.concatenate([-positive[:0:-1], positive])


class Tables(NamedTuple):
    """What `HazardLaw` looks up, each of shape (delta, bias, drive).

    - `log_out`: logarithm of the hazard, in units of gamma' Bk; `log_edge`: of what the start of a pulse adds.
    - `log_transit`: logarithm of the time that a switching cell is on its way, lost when the pulse ends, 1/(gamma' Bk).
    """

    log_out: np.ndarray
    log_edge: np.ndarray
    log_transit: np.ndarray


@in_double
def tabulate(alpha: float, axes: Axes, *, finer: float = 1.0) -> Tables:
    """All tables for a damping `alpha`; minutes, in double precision whatever the setting.

    - `finer`: factor on the truncation of the harmonics, to see what it changes.
    """
    rows = [_row(delta, axes, alpha, finer) for delta in axes.delta]
    switched, out, onset = (np.stack(parts) for parts in zip(*rows, strict=True))
    return combined(switched, out, onset, alpha, axes)


def combined(switched: np.ndarray, out: np.ndarray, onset: np.ndarray, alpha: float, axes: Axes) -> Tables:
    """Tables from switched fractions after a pulse, slow rates and onsets, all (delta, bias, drive).

    The edge is what the probability after a pulse needs beyond the rate. Where two wells are not told apart any more (beyond
    the threshold, or against the drive) the rate is the mean one, or all is put into the edge.
    """
    middle, drive = out.shape[-1] // 2, axes.both
    flux = np.maximum(_cumulative(switched) - REST * out[..., middle : middle + 1], 0.0)
    two_wells = (np.abs(onset) < _CLEAR) & (drive >= 0)
    transit = np.where(two_wells | (drive < 0), TRANSIT, SLOW_TRANSIT) / alpha
    settled = LENGTH - transit * -np.expm1(-LENGTH / transit)
    mean = np.maximum(flux, 1e-9) / settled
    rate = np.where(two_wells, out, np.clip(np.minimum(out, mean), _LEAST * flux / LENGTH, None))
    rate = np.where(drive > _STRONG, np.minimum(rate, mean), rate)
    edge = flux - rate * settled
    edge[..., middle] = 0.0
    known = np.where((rate > _SMALLEST) | (drive < 0), np.maximum(rate, 1e-30), np.nan)
    return Tables(_continued(np.log(known), np.array(axes.delta)), np.log(np.maximum(edge, 1e-12)), np.log(transit))


def _cumulative(switched: np.ndarray) -> np.ndarray:
    """Integral of `out` that gives these probabilities, with those of the opposite drive for the way back."""
    switched = np.maximum(switched, 1e-30)
    both = switched + switched[..., ::-1]
    total = np.where(both < 1 - _CERTAIN, -np.log1p(-np.minimum(both, 1 - _CERTAIN)), -np.log(_CERTAIN))
    return total * switched / both


def _continued(values: np.ndarray, delta: np.ndarray) -> np.ndarray:
    """Missing values along the first axis: on the straight line through the two before."""
    values = values.copy()
    for i in range(2, values.shape[0]):
        slope = (values[i - 1] - values[i - 2]) / (delta[i - 1] - delta[i - 2])
        values[i] = np.where(np.isnan(values[i]), values[i - 1] + slope * (delta[i] - delta[i - 1]), values[i])
    return values


def _row(delta: float, axes: Axes, alpha: float, finer: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Switched fraction, rate and onset at one barrier, each of shape (bias, drive)."""
    lmax = int(finer * min(36 + 0.8 * delta, 70))
    shape = stencil(lmax, int(0.7 * lmax), 2, None)
    switched = _solved(shape, delta, jnp.asarray(axes.bias), jnp.asarray(axes.both), alpha)
    found = [[exchange(shape, *_problem(shape, delta, h, b, alpha)) for b in axes.drive] for h in axes.bias]
    out, back, onset = (np.array([[getattr(e, name) for e in row] for row in found]) for name in ("out", "back", "onset"))
    mirrored = np.concatenate([back[:, :0:-1], out], axis=1)
    return np.asarray(switched), mirrored, np.concatenate([onset[:, :0:-1], onset], axis=1)


@eqx.filter_jit
def _start_and_flow(shape: Stencil, delta, bias, drive, alpha):
    cell = reduced_cell(delta, bias, alpha)
    start = start_density(cell, shape.lmax, shape.mmax)
    return jnp.concatenate(shape.pack(start.re + 1j * start.im)), _reduced_flow(cell, drive)[0]


def _problem(shape: Stencil, delta: float, bias: float, drive: float, alpha: float) -> tuple[Flow, np.ndarray]:
    start, flow = _start_and_flow(shape, *map(jnp.asarray, (delta, bias, drive, alpha)))
    return flow, np.asarray(start)


@eqx.filter_jit
def _solved(shape: Stencil, delta, bias: Array, drive: Array, alpha) -> Array:
    def of_bias(h):
        cell = reduced_cell(delta, h, alpha)
        start = start_density(cell, shape.lmax, shape.mmax)
        state = shape.pack(start.re + 1j * start.im)

        def read(state):
            rested = _onward(shape, cell, 0.0, REST, state)
            halves = eqx.tree_at(lambda d: (d.re, d.im), start, tuple(shape.square(part) for part in rested))
            return halves.switched

        weights = jax.grad(read)(state)

        def of_drive(b):
            after = _onward(shape, cell, b, LENGTH, state)
            return weights[0] @ after[0] + weights[1] @ after[1]

        return jax.lax.map(of_drive, drive)

    return jax.lax.map(of_bias, bias)


def _onward(shape: Stencil, cell: Device, b, length, state):
    """The state `length` / (gamma' Bk) later under a drive `b`."""
    flow, speed = _reduced_flow(cell, b)
    return exponential(shape, 4, flow, jnp.asarray(length), ellipse(shape.lmax, flow.D, speed), state)


def _reduced_flow(cell: Device, drive) -> tuple[Flow, Array]:
    """Drift and diffusion, and the largest speed, in units of gamma' Bk."""
    flow, speed = flow_of(cell, drive, cell.temperature, 2)
    rate = cell.layer.magnet().gamma
    return Flow(flow.phi / rate, flow.psi / rate, flow.D / rate), speed / rate


def reduced_cell(delta, bias, alpha) -> Device:
    """A cell with Bk = 1 T in which a current of 1 A makes a damping-like field of 1 T that switches from +z to -z."""
    area = 2 * delta * (KB / _MS) * 300.0 / _THICKNESS
    across = jnp.sqrt(4 / np.pi * area)
    theta = _MS * _THICKNESS * _WIDTH * _WIDTH / SPIN_FIELD
    terms = (
        UniaxialAnisotropy(1.0),
        AppliedField(jnp.stack([jnp.asarray(bias), jnp.zeros(()), jnp.zeros(())])),
        SpinOrbitTorque(theta_sh=theta, width=_WIDTH, thickness=_WIDTH, sigma=(0.0, -1.0, 0.0)),
    )
    return Device(FreeLayer(EllipticCylinder(across, across, _THICKNESS), Ms=_MS, alpha=alpha), terms)


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
