"""How finely a problem must be resolved: chosen from the numbers of device and pulse where they are known."""

from __future__ import annotations

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from mtjax.constants import KB, NS
from mtjax.devices import Device
from mtjax.pulses import AbstractPulse, Applied, extremes
from mtjax.switching.fokker_planck.drift import flow_of
from mtjax.switching.fokker_planck.generator import Flow, harmonics_of

LADDER = (16, 20, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384)
"""Values of l_max that are tried."""
LEGENDRE_LADDER = (*LADDER, 512, 768, 1024)
"""With an axis of symmetry, where there is one coefficient for every l."""
DEGREES = (2, 3, 4, 5, 6, 8, 10, 12, 16)
"""Degrees of the drift's potentials that are tried."""


class Survey(NamedTuple):
    """What is found out about a device before it is solved.

    - `axisymmetric`: about its start direction; `degree`: of the drift's potentials; `pattern`: which are not zero.
    - `rungs`: a first guess of l_max and m_max.
    - `speeds`: the largest drift without a current and with the strongest; `D`: diffusion; 1/ns.
    """

    axisymmetric: bool
    degree: int
    pattern: tuple
    rungs: tuple[int, int]
    speeds: tuple[float, float]
    D: float


def survey(device: Device, peak: Any, tolerance: float) -> Survey:
    """What is needed to solve `device` for currents (A), or `Applied`, up to `peak`, the torque expanded to `tolerance`.

    Raises `ValueError` where the torque is not smooth enough for the largest degree.
    """
    for highest in (8, 16):
        flows, speeds, symmetric, stiffness = _examined(device, peak, highest)
        phi, psi, D = (np.asarray(x) for x in (flows.phi, flows.psi, flows.D))
        still, driven = float(speeds[0]), float(speeds[1:].max())
        degree = _degree(phi, psi, highest, tolerance)
        if degree is not None:
            number = len(harmonics_of(degree))
            pattern = pattern_of({"phi": phi[..., :number], "psi": psi[..., :number]})
            rungs = _first_rungs(phi, psi, D, stiffness)
            return Survey(bool(symmetric), degree, pattern, rungs, (still, driven), float(D.max()))
    raise ValueError(f"The torque must be smooth enough for harmonics up to degree {DEGREES[-1]}, but is not.")


@eqx.filter_jit
def _examined(device: Device, peak: Any, degree: int) -> tuple[Flow, jax.Array, jax.Array, jax.Array]:
    """The flows without a current and at the peaks, their speeds, the symmetry of `device`, and its stiffness over kT."""
    flows, speeds = jax.vmap(lambda i: flow_of(device, i, device.temperature, degree))(extremes(peak))
    stiffness = jnp.abs(device.stiffness) * (device.moment / KB) / device.temperature
    return flows, speeds, symmetric_at(device, peak), jnp.sort(stiffness)


def symmetric_at(device: Device, peak: Any) -> Array:
    """Whether `device` has an axis of symmetry under currents (A), or `Applied`, of the kind of `peak`, whatever their size."""
    return device.is_axisymmetric_at(extremes(peak.tried)) if isinstance(peak, Applied) else device.is_axisymmetric


def _degree(phi: np.ndarray, psi: np.ndarray, highest: int, tolerance: float) -> int | None:
    """The smallest degree beyond which the potentials fall below `tolerance` of the largest."""
    order = np.array([l for l, _ in harmonics_of(highest)])
    size = np.max([np.hypot(part[:, 0], part[:, 1]) for part in (phi, psi)], axis=(0, 1)) * order
    fits = (degree for degree in DEGREES if not np.any(size[order > degree] > tolerance * size.max()))
    return next((degree for degree in fits if degree < highest), None)


def pattern_of(potentials: dict[str, np.ndarray]) -> tuple:
    """Which potentials (currents, parts, harmonics) differ from zero at any of the currents, as `Stencil` wants it."""
    sizes = {kind: np.max(np.abs(values), axis=0) for kind, values in potentials.items()}
    largest = max(float(size.max()) for size in sizes.values())
    floor = largest * (1e-12 if sizes["phi"].dtype == np.float64 else 1e-6)
    return tuple((kind, int(i), int(part)) for kind, size in sizes.items() for part, i in np.argwhere(size > floor))


def _first_rungs(phi: np.ndarray, psi: np.ndarray, D: np.ndarray, stiffness: jax.Array) -> tuple[int, int]:
    """A first guess of l_max and m_max: from the width of the well, and from the finest filaments of the drive."""
    soft, stiff = (float(value) for value in stiffness)
    drive = np.sqrt(max(np.max(np.sum((p - p[:1]) ** 2, axis=(1, 2))) for p in (phi, psi)))
    lmax = rung(max(20, 4.5 * np.sqrt(stiff), 2.2 * np.sqrt(drive / np.min(D))))
    return lmax, min(rung(0.6 * lmax), rung(9 * np.sqrt(max(soft, 1.0))))


def rung(guess: float, ladder: tuple[int, ...] = LADDER) -> int:
    """The first value of the `ladder` that is not below `guess`, or its end."""
    return next((value for value in ladder if value >= guess - 0.5), ladder[-1])


def edges_of(pulse: AbstractPulse, times: Array) -> tuple[Array, Array]:
    """Times between which the drive is smooth, s, and the places among them of `times`."""
    last = jnp.max(times)
    inner = jnp.clip(pulse.breakpoints, 0.0, last)
    edges = jnp.sort(jnp.concatenate([jnp.zeros(1, last.dtype), inner, jnp.ravel(times)]))
    return edges, jnp.searchsorted(edges, times)


def pieces_of(device: Device, pulse: AbstractPulse, edges: np.ndarray) -> int:
    """Steps per stretch such that current and temperature are straight lines over each; 1 if they are constant.

    To 0.2 % of the current's peak (or of that of the voltage and the field) and of the temperature's largest rise.
    """
    history = device.history(pulse)
    signals: list[tuple[Any, Any]] = [(waveform, waveform.peak) for waveform in pulse.waveforms]
    if history is not None:
        signals.append((history, history.hottest - history.ambient))
    return max(_pieces_of(signal, max(float(size), 1e-300), edges) for signal, size in signals)


_PLACES = np.array([1e-6, 0.13, 0.31, 0.5, 0.74, 1 - 1e-6])
"""Where a stretch is looked at: unevenly, since a sine is zero at the ends and the middle of its period."""


def _pieces_of(signal: Any, size: float, edges: np.ndarray) -> int:
    stretches = [(a, b) for a, b in zip(edges[:-1], edges[1:], strict=True) if b - a > 1e-9 * max(edges[-1], NS)]

    values = jax.jit(jax.vmap(signal))

    def bend(pieces):
        worst = 0.0
        for a, b in stretches:
            t = a + (b - a) * (np.arange(pieces)[:, None] + _PLACES) / pieces
            y = np.asarray(values(jnp.asarray(t.ravel())), float).reshape(t.shape) / size
            curved = np.max(np.abs(y - y[:, :1] - (y[:, -1:] - y[:, :1]) * _PLACES))
            worst = max(worst, curved, np.ptp(y) if pieces == 1 else 0.0)
        return worst

    return next((pieces for pieces in (1, 8, 16, 32, 64, 128) if bend(pieces) < 0.002), 256)


def rounding(dtype: Any) -> float:
    """The smallest probability that arithmetic of this type can tell."""
    return 1e-14 if np.dtype(dtype) == np.float64 else 2e-5
