"""How finely a problem must be resolved: chosen from the numbers of device and pulse where they are known."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from mtjax.constants import KB, NS
from mtjax.density import axes_of
from mtjax.device import Device
from mtjax.generator import Flow, drift_flow, harmonics_of
from mtjax.llg import rate
from mtjax.pulses import AbstractPulse
from mtjax.types import Vector

LADDER = (32, 48, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384)
"""Values of l_max that are tried."""
DEGREES = (2, 4, 8, 12, 16)
"""Degrees of the drift's potentials that are tried."""


def flow_of(device: Device, current: Any, temperature: Any, degree: int) -> tuple[Flow, jax.Array]:
    """Drift potentials and diffusion of `device` at a current (A) and temperature (K), and the largest speed (1/ns)."""
    magnet, drive = device.layer.magnet(), device.drive(current, temperature)
    axes = axes_of(device)

    def velocity(points):
        def at(point):
            m = Vector.of(point @ axes)
            return axes @ (magnet.gamma * rate(m, device.field(m, drive), magnet.alpha)).array()

        return jax.vmap(at, in_axes=1, out_axes=1)(points)

    phi, psi, v = drift_flow(velocity, degree, axes.dtype)
    return Flow(phi, psi, magnet.diffusion(drive.temperature)), jnp.sqrt(jnp.max(jnp.sum(v**2, axis=0)))


def known(tree: Any) -> Iterator[Any]:
    """Versions of `tree` with concrete numbers: itself, or what it is differentiated at, or up to three of its batch.

    Yields nothing where a number is not known yet, as under `jit`.
    """
    leaves, structure = jax.tree.flatten(tree)
    rows = [[_peek(leaf, place) for place in (0.0, 0.5, 1.0)] for leaf in leaves]
    if any(value is None for row in rows for value in row):
        return
    several = any(not np.array_equal(row[0], value, equal_nan=True) for row in rows for value in row)
    for place in range(3 if several else 1):
        yield jax.tree.unflatten(structure, [jnp.asarray(row[place]) for row in rows])


def _peek(x: Any, place: float) -> np.ndarray | None:
    """The number behind a tracer of `grad` or `vmap` (of the batch, the one at the relative `place`)."""
    if not isinstance(x, jax.core.Tracer):
        return np.asarray(x)
    inner = getattr(x, "primal", None)
    if inner is not None:
        return _peek(inner, place)
    inner, axis = getattr(x, "val", None), getattr(x, "batch_dim", None)
    if inner is None or not isinstance(axis, int):
        return None
    batch = _peek(inner, place)
    return None if batch is None else np.take(batch, round(place * (batch.shape[axis] - 1)), axis=axis)


class Survey(NamedTuple):
    """What is asked of a device before it is solved: flows of the highest degree at some currents."""

    flows: Flow
    speeds: jax.Array
    axisymmetric: jax.Array
    stiffness: jax.Array


@eqx.filter_jit
def survey(device: Device, currents: jax.Array) -> Survey:
    """The flows at `currents` (A; the first one 0), the symmetry of `device`, and its stiffness over kT."""
    flows, speeds = jax.vmap(lambda i: flow_of(device, i, device.temperature, DEGREES[-1]))(currents)
    stiffness = jnp.abs(device.stiffness) * (device.moment / KB) / device.temperature
    return Survey(flows, speeds, device.is_axisymmetric, jnp.sort(stiffness))


def degree_of(found: Survey, tolerance: float) -> int:
    """The smallest degree beyond which the potentials fall below `tolerance` of the largest."""
    order = np.array([l for l, _ in harmonics_of(DEGREES[-1])])
    size = (
        np.max(
            [np.hypot(part[:, 0], part[:, 1]) for part in map(np.asarray, (found.flows.phi, found.flows.psi))],
            axis=(0, 1),
        )
        * order
    )
    for degree in DEGREES:
        if not np.any(size[order > degree] > tolerance * size.max()):
            return degree
    raise ValueError(
        f"The torque must be smooth enough for harmonics up to degree {DEGREES[-1]}, but those beyond it still reach "
        f"{size[order > DEGREES[-1] - 2].max() / size.max():.1e} of the largest."
    )


def pattern_of(found: Survey, degree: int) -> tuple:
    """Which potentials up to `degree` differ from zero at any of the currents, as `Stencil` wants it."""
    number = len(harmonics_of(degree))
    sizes = {
        kind: np.max(np.abs(np.asarray(getattr(found.flows, kind))), axis=0)[:, :number] for kind in ("phi", "psi")
    }
    largest = max(float(size.max()) for size in sizes.values())
    floor = largest * (1e-12 if sizes["phi"].dtype == np.float64 else 1e-6)
    return tuple(
        (kind, i, part)
        for kind, size in sizes.items()
        for part in (0, 1)
        for i in range(number)
        if size[part, i] > floor
    )


def first_rung(found: Survey) -> int:
    """A first guess of l_max: from the width of the well, and from the finest filaments that diffusion lets live."""
    D = float(np.min(np.asarray(found.flows.D)))
    phi, psi = (np.asarray(part) for part in (found.flows.phi, found.flows.psi))
    drive = np.sqrt(max(np.max(np.sum((p - p[:1]) ** 2, axis=(1, 2))) for p in (phi, psi)))
    return _rung(max(4.5 * np.sqrt(float(found.stiffness[1])), 2.2 * np.sqrt(drive / D)))


def first_columns(found: Survey) -> int:
    """A first guess of m_max."""
    return min(_rung(0.6 * first_rung(found)), _rung(9 * np.sqrt(max(float(found.stiffness[0]), 1.0))))


def _rung(guess: float) -> int:
    return next_rung(min(guess, LADDER[-1]) - 1) or LADDER[-1]


def next_rung(lmax: float) -> int | None:
    """The next value of the ladder, `None` at its end."""
    return next((rung for rung in LADDER if rung > lmax), None)


def pieces_of(pulse: AbstractPulse, edges: np.ndarray) -> int:
    """Steps per stretch such that the pulse is a straight line over each, to 1 % of its peak; 1 if it is constant."""
    peak = max(float(pulse.peak), 1e-300)
    stretches = [(a, b) for a, b in zip(edges[:-1], edges[1:], strict=True) if b - a > 1e-9 * max(edges[-1], NS)]

    def bend(pieces):
        worst = 0.0
        for a, b in stretches:
            t = a + (b - a) * (np.arange(pieces)[:, None] + np.array([1e-6, 0.5, 1 - 1e-6])) / pieces
            I = np.asarray(jax.vmap(pulse)(jnp.asarray(t.ravel()))).reshape(t.shape) / peak
            curved = np.max(np.abs(I[:, 0] - 2 * I[:, 1] + I[:, 2]))
            worst = max(worst, curved, np.ptp(I) if pieces == 1 else 0.0)
        return worst

    return next((pieces for pieces in (1, 8, 16, 32, 64, 128) if bend(pieces) < 0.01), 256)
