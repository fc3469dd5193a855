"""How fast a cell leaves its well, for every drive, bias and barrier: tabulated from the Fokker-Planck equation.

In units of Bk and 1/(gamma' Bk) a uniaxial cell with an in-plane bias h along m x sigma under a damping-like torque b is
fixed by (delta, h, b) and the damping. Under constant b the populations of its two wells follow

    d(up)/du = -out up + back down,

and each pulse adds once, for its two edges, a number to the integral of `out`: negative where the density needs time to
settle under the torque, positive where it spills over while it comes to rest. Both follow from the populations after pulses
of different lengths, each read after the cell has come to rest. Turning the cell by 180 degrees about the bias exchanges the
wells and the sign of b, so that back(b) = out(-b).
"""

from __future__ import annotations

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from mtjax.constants import KB, SPIN_FIELD
from mtjax.density import equilibrium
from mtjax.device import Device
from mtjax.fields import AppliedField, UniaxialAnisotropy
from mtjax.generator import Flow, Stencil, stencil
from mtjax.layer import FreeLayer
from mtjax.propagate import ellipse, exponential
from mtjax.shapes import EllipticCylinder
from mtjax.torques import SpinOrbitTorque
from mtjax.truncation import flow_of

TIMES = (40.0, 80.0, 160.0)
"""Lengths of the pulses, 1/(gamma' Bk); then `REST` without current."""
REST = 60.0
_CERTAIN = 1e-5
_REMEMBERED = 2e-3
_LEAST_SLOPE = 1e-3
_SMALLEST = 1e-11
"""Probabilities below this are not read off the equation but continued in the barrier (Arrhenius)."""
_MS, _THICKNESS, _WIDTH = 1e6, 1e-9, 1e-7


class Axes(NamedTuple):
    """Where the table has its points: barriers over kT, biases and drives over Bk; the drives symmetric about 0."""

    delta: tuple[float, ...] = (6.0, 9.0, 13.0, 18.0, 25.0, 35.0, 50.0)
    bias: tuple[float, ...] = (0.04, 0.11, 0.20)
    drive: tuple[float, ...] = (0.0, 0.1, 0.18, 0.24, 0.3, 0.36, 0.43, 0.52, 0.65)

    @property
    def both(self) -> Float[np.ndarray, " n"]:
        """Drives of both signs, ascending."""
        positive = np.array(self.drive)
        return np.concatenate([-positive[:0:-1], positive])


def tabulate(alpha: float, axes: Axes, *, finer: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """log(out), out in units of gamma' Bk, and the edges, each of shape (delta, bias, drive).

    - `finer`: factor on the truncation of the harmonics, to see what it changes.

    Takes minutes, in double precision whatever the setting.
    """
    with jax.enable_x64(True):  # noqa: FBT003
        switched = [np.asarray(_row(delta, np.array(axes.bias), axes.both, alpha, finer)) for delta in axes.delta]
        return hazards(np.stack(switched), np.array(axes.delta), axes.both)


def hazards(switched: np.ndarray, delta: np.ndarray, drive: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """log(out) and edges from the probabilities after pulses of the lengths `TIMES`, shape (delta, bias, drive, times)."""
    flux = _cumulative(switched)
    middle = drive.size // 2
    at_rest = (flux[:, :, middle, 2] - flux[:, :, middle, 1]) / (TIMES[2] - TIMES[1])
    flux = flux - REST * at_rest[:, :, None, None]
    out, edge = _slopes(flux, 1 - switched - switched[:, :, ::-1])
    known = (switched[..., 2] > _SMALLEST) & (out > 0)
    log_out = np.log(np.where(known, out, 1.0), where=known, out=np.full_like(out, np.nan))
    return _continued(log_out, delta), np.where(known, edge, 0.0)


def _cumulative(switched: np.ndarray) -> np.ndarray:
    """Integral of `out` that gives these probabilities, with those of the opposite drive for the way back."""
    switched = np.maximum(switched, 1e-30)
    both = switched + switched[:, :, ::-1]
    total = np.where(both < 1 - _CERTAIN, -np.log1p(-np.minimum(both, 1 - _CERTAIN)), -np.log(_CERTAIN))
    return total * switched / both


def _slopes(flux: np.ndarray, memory: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Hazard and edge from the two longest pulses after which the cell still remembers where it started."""
    t = np.array(TIMES)
    out, edge = flux[..., 0] / t[0], np.zeros_like(flux[..., 0])
    for i in (0, 1):
        usable = memory[..., i + 1] > _REMEMBERED
        slope = (flux[..., i + 1] - flux[..., i]) / (t[i + 1] - t[i])
        slope = np.maximum(slope, _LEAST_SLOPE * flux[..., i + 1] / t[i + 1])
        out = np.where(usable, slope, out)
        edge = np.where(usable, flux[..., i + 1] - slope * t[i + 1], edge)
    return out, edge


def _continued(values: np.ndarray, delta: np.ndarray) -> np.ndarray:
    """Missing values along the first axis: on the straight line through the two before."""
    values = values.copy()
    for i in range(2, values.shape[0]):
        slope = (values[i - 1] - values[i - 2]) / (delta[i - 1] - delta[i - 2])
        values[i] = np.where(np.isnan(values[i]), values[i - 1] + slope * (delta[i] - delta[i - 1]), values[i])
    return values


def _row(delta: float, bias: np.ndarray, drive: np.ndarray, alpha: float, finer: float) -> Array:
    """Switched fraction for every bias and drive at one barrier, shape (bias, drive, times)."""
    lmax = int(finer * min(40 + 1.2 * delta, 90))
    shape = stencil(lmax, int(0.7 * lmax), 2, None)
    return jax.block_until_ready(_solved(shape, delta, jnp.asarray(bias), jnp.asarray(drive), alpha))


@eqx.filter_jit
def _solved(shape: Stencil, delta, bias: Array, drive: Array, alpha) -> Array:
    def of_bias(h):
        cell = reduced_cell(delta, h, alpha)
        start = equilibrium(cell, shape.lmax, shape.mmax)
        state = shape.pack(start.re + 1j * start.im)

        def read(state):
            rested = _onward(shape, cell, 0.0, REST, state)
            halves = eqx.tree_at(lambda d: (d.re, d.im), start, tuple(shape.square(part) for part in rested))
            return halves.switched

        weights = jax.grad(read)(state)

        def of_drive(b):
            here, seen = state, []
            for length in np.diff([0.0, *TIMES]):
                here = _onward(shape, cell, b, length, here)
                seen.append(weights[0] @ here[0] + weights[1] @ here[1])
            return jnp.stack(seen)

        return jax.lax.map(of_drive, drive)

    return jax.lax.map(of_bias, bias)


def _onward(shape: Stencil, cell: Device, b, length, state):
    """The state `length` / (gamma' Bk) later under a drive `b`."""
    flow, speed = flow_of(cell, b, cell.temperature, 2)
    rate = cell.layer.magnet().gamma
    flow = Flow(flow.phi / rate, flow.psi / rate, flow.D / rate)
    return exponential(shape, 4, flow, jnp.asarray(length), ellipse(shape, flow, speed / rate), state)


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
