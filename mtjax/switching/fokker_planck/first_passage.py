"""First passage without sampling: the Fokker-Planck equation with an absorbing region, for devices with an axis of symmetry.

The angle from the start direction is cut into cells from 0 to the edge of the region. What flows from one cell to the next is
that of a straight piece of drift solved exactly (Scharfetter and Gummel, IEEE Trans. Electron Devices 16, 64, 1969): no cell
ever holds less than nothing, and what leaves the last one is collected, not found as a difference from 1.
"""

from __future__ import annotations

from typing import Annotated, Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from mtjax.checks import Count, Within, checked
from mtjax.constants import NS
from mtjax.devices import Device
from mtjax.printing import Shown
from mtjax.pulses import AbstractPulse
from mtjax.quantities import Numbers, Scalar, as_scalar, is_known
from mtjax.switching.fokker_planck.axial import dense_exponential
from mtjax.switching.fokker_planck.axial_mode import slope_down
from mtjax.switching.fokker_planck.concrete import known
from mtjax.switching.fokker_planck.density import boltzmann
from mtjax.switching.fokker_planck.resolution import edges_of, pieces_of, symmetric_at

_CELLS = 200
_ASYMMETRIC = "`survival` needs a device with an axis of symmetry, and fields along it."


class Survival(Shown):
    """Who has reached a region by a time, and who has not.

    - `survived`, `passed`: probabilities at the times asked for; neither is computed as 1 minus the other.
    - `rate`: probability per second of passing at just those times, 1/s: the distribution of first-passage times.

    >>> import mtjax as mtj
    >>> device = mtj.presets.perpendicular_stt(40.0)
    >>> pulse = mtj.Pulse(2.0 * device.critical_current, 5e-9)
    >>> found = mtj.survival(device, pulse, [1e-9, 5e-9])
    >>> [round(float(p), 2) for p in found.survived + found.passed]
    [1.0, 1.0]
    """

    survived: Float[Array, "*times"]
    passed: Float[Array, "*times"]
    rate: Float[Array, "*times"]


@checked
def survival(
    device: Device,
    pulse: AbstractPulse,
    times: Annotated[Numbers, Within(least=0.0, unit="s")],
    *,
    level: Annotated[ArrayLike, Within(least=-1.0, most=1.0, single=True)] = 0.0,
    cells: Annotated[int, Within(least=8)] = _CELLS,
    pieces: Count | None = None,
) -> Survival:
    """Probability that a `device` with an axis of symmetry has not had m.start <= `level` by `times` under a `pulse`.

    It starts in thermal equilibrium in its well, m.start > 0 (and above `level`). With `level` near the other well's bottom
    this is the distribution of dwell times. Differentiable in all numbers.

    - `times`: at least 0, increasing, shape (n,) or a number, s.
    - `level`: edge of the absorbing region, between -1 and 1.
    - `cells`: the error falls with their square: 6e-4 of the rate with 200 at delta 40.
    - `pieces`: time steps per smooth stretch of the pulse (1 where the current is constant); `None` chooses, and must be
      replaced under `jit`, where the pulse is not known.

    Raises an error where the device has no axis of symmetry, and `ValueError` where `level` is not between -1 and 1, or
    where `pieces` is missing under `jit`.
    For other devices: `mtjax.first_passage` by sampling, or `mtjax.rates(...).survival`.

    >>> import mtjax as mtj
    >>> device = mtj.presets.perpendicular_stt(40.0)
    >>> pulse = mtj.Pulse(2.0 * device.critical_current, 5e-9)
    >>> found = mtj.survival(device, pulse, [1e-9, 5e-9])
    >>> [round(float(p), 2) for p in found.survived]
    [1.0, 0.49]
    """
    level, times = as_scalar(level), as_scalar(times)
    if is_known(level) and not -1 < float(level) < 1:
        raise ValueError(f"`level` must be between -1 and 1, but is {float(level)}.")
    if is_known(times) and not (np.all(np.asarray(times) >= 0) and np.all(np.diff(np.ravel(times)) >= 0)):
        raise ValueError(f"`times` must be at least 0 and increase, but are {np.asarray(times)} s.")
    if pieces is None:
        found = [pieces_of(d, p, np.asarray(edges_of(p, t)[0])) for d, p, t in known((device, pulse, times))]
        if not found:
            raise ValueError("`survival` must be given `pieces` under `jit`, where the pulse is not known, but is not.")
        pieces = max(found)
    return _survival(device, pulse, times, level, cells, pieces)


@eqx.filter_jit
def _survival(device: Device, pulse: AbstractPulse, times: Array, level: Scalar, cells: int, pieces: int) -> Survival:
    warmth = device.history(pulse) or (lambda t: device.temperature)
    faces = jnp.linspace(0.0, 1.0, cells + 1, dtype=device.start.dtype) * jnp.arccos(level)
    edges, places = edges_of(pulse, times)

    def generator(t):
        return _generator(device, pulse(t), warmth(t), faces)

    def onward(contents, ends):
        begin, end = ends
        step = (end - begin) / pieces

        def piece(n, contents):
            return dense_exponential(generator(begin + (n + 0.5) * step), step / NS, contents)

        def advanced():
            return jax.lax.scan(lambda c, n: (piece(n, c), None), contents, jnp.arange(pieces))[0]

        after = jax.lax.cond(end > begin, advanced, lambda: contents)
        late = end - 1e-6 * (end - begin)
        return after, (after, (generator(late) @ after)[-1] / NS)

    first = _start(device, faces)
    _, (rest, rates) = jax.lax.scan(onward, first, (edges[:-1], edges[1:]))
    contents = jnp.concatenate([first[None], rest])[places]
    rates = jnp.concatenate([(generator(0.0) @ first)[-1:] / NS, rates])[places]
    survived = eqx.error_if(jnp.sum(contents[..., :-1], axis=-1), ~symmetric_at(device, pulse.peak), _ASYMMETRIC)
    return Survival(survived, contents[..., -1], rates)


def _weights(faces: Array) -> Array:
    """Solid angle of the cells over 2 pi."""
    return jnp.cos(faces[:-1]) - jnp.cos(faces[1:])


def _start(device: Device, faces: Array) -> Array:
    """What the cells hold in thermal equilibrium in the starting hemisphere, and 0 that have passed."""
    side = (jnp.cos(faces[1:]) + jnp.cos(faces[:-1])) / 2
    other = jnp.eye(3, dtype=device.start.dtype)[jnp.argmin(jnp.abs(device.start))]
    across = other - (other @ device.start) * device.start
    across = across / jnp.linalg.norm(across)
    m = side[:, None] * device.start + jnp.sqrt(1 - side**2)[:, None] * across
    share = jnp.clip(jnp.cos(faces[:-1]) / _weights(faces), 0.0, 1.0)
    held = _weights(faces) * share * boltzmann(device, m)
    return jnp.append(held / jnp.sum(held), 0.0)


def _generator(device: Device, current: Any, temperature: Array, faces: Array) -> Float[Array, "n n"]:
    """What flows between the cells, the last row and column standing for those that have passed, 1/ns."""
    slope, D = slope_down(device, current, temperature)
    step = faces[1] - faces[0]
    inner, last = faces[1:-1], faces[-1]
    tilt = jax.vmap(slope)(inner) * step
    conductance = D * jnp.sin(inner) / step
    w = _weights(faces)
    down = jnp.append(conductance * _bernoulli(-tilt), 2 * D * jnp.sin(last) / step * _bernoulli(-slope(last) * step / 2)) / w
    up = conductance * _bernoulli(tilt) / w[1:]
    out = jnp.diag(down, -1) + jnp.diag(jnp.append(up, 0.0), 1)
    return out - jnp.diag(jnp.sum(out, axis=0))


def _bernoulli(x: Array) -> Array:
    """x / (e^x - 1)."""
    near = jnp.abs(x) < 1e-4
    safe = jnp.where(near, 1.0, x)
    return jnp.where(near, 1 - x / 2 + x * x / 12, safe / jnp.expm1(safe))
