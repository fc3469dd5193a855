"""Two wells on the full sphere: how they exchange population, whatever the symmetry of the device.

Without a current the slow mode g of the backward equation is flat in both wells and changes between them, and Boltzmann's
density rho is stationary, so that with shares u and d of the wells, and g brought to 1 and 0 in them, its decay rate is

    rate = D <|grad g|^2> / (u d),   <...> weighted with rho:

positive numbers only, of full relative accuracy however high the barrier. It needs g to be well resolved wherever rho counts,
and under a current rho is not known; so the eigenvalue itself is taken where double precision tells it, that is, down to about
1e-11 of the fastest one, and the formula only for slower rates without a current. All in logarithms.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from mtjax.constants import KB
from mtjax.devices import Device, downhill
from mtjax.dynamics import rate as llg_rate
from mtjax.pulses import is_nothing
from mtjax.quantities import Scalar, is_known
from mtjax.switching.fokker_planck.density import Density, axes_of, excess_energy, start_density
from mtjax.switching.fokker_planck.drift import flow_of
from mtjax.switching.fokker_planck.generator import Flow, Stencil, apply, stencil
from mtjax.switching.fokker_planck.harmonics import legendre
from mtjax.switching.fokker_planck.resolution import LADDER, rung
from mtjax.switching.fokker_planck.slow_modes import left_mode, slow_modes
from mtjax.vector import Vector, frame, points

_BELOW = 9.0
"""Energy below the saddle, over kT, from which on the slow mode counts as flat: leaves out exp(-9) of the rate."""
_BETWEEN = (0.35, 0.65)
_FLOOR = 1e-11
_AGREE = 0.01
_SHARE = 1e-12
"""Smallest share of a well that is told under a current."""
_UNTOLD = 3
"""How many truncations may leave a rate below the rounding errors before it is given up."""
_RK4 = 0.3
"""Angle (rad) by which the fastest precession turns in a step without noise."""
_BESIDE = 0.03
"""How far beside the bottom of a well (rad, along two directions) it begins."""
_ONE_WELL = "at this current one is left, and nothing is slow"
_NO_OTHER = "nothing is slow, and in these fields no barrier stands between two minima of the energy"


class TwoWells(NamedTuple):
    """The slow motion between two wells at constant current.

    - `log_rate`: logarithm of the rate of the slow mode (1/ns).
    - `share`: of the starting well (m.start > 0) in the stationary density; `log_odds`: logarithm of it over that of the other.
    - `start`, `other`: the densities of either well, coefficients (re, im) of shape (m, l).
    - `membership`: (re, im) such that the sum of products with a density's is the share that belongs to the starting well.
    - `gap`: decay rate of the next mode, 1/ns; `noise`: what `rate` is uncertain by, 1/ns (0 where it is of full accuracy).
    """

    log_rate: Scalar
    share: Scalar
    log_odds: Scalar
    start: tuple[Array, Array]
    other: tuple[Array, Array]
    membership: tuple[Array, Array]
    gap: Scalar
    noise: Scalar

    @property
    def rate(self) -> Scalar:
        """Of the slow mode, 1/ns."""
        return jnp.exp(self.log_rate)

    @property
    def exist(self) -> Bool[Array, ""]:
        """Whether there are two wells: something is much slower than all the rest."""
        return (self.rate < self.gap / 4) | (self.gap <= 0)

    def inside(self, parts: tuple[Array, Array]) -> Scalar:
        """The share of a density `parts` (re, im) that belongs to the starting well."""
        return jnp.sum(self.membership[0] * parts[0]) + jnp.sum(self.membership[1] * parts[1])

    def later(self, parts: tuple[Array, Array], time: Array) -> tuple[Array, Array]:
        """The density a long `time` (ns) after `parts`, when all that is faster than the slow mode has died out."""
        inside = self.inside(parts)
        total = jnp.sqrt(4 * jnp.pi) * parts[0][0, 0]
        decay, moved = jnp.exp(-self.rate * time), -jnp.expm1(-self.rate * time)
        start = inside * decay + total * self.share * moved
        other = (total - inside) * decay + total * (1 - self.share) * moved
        return tuple(start * a + other * b for a, b in zip(self.start, self.other, strict=True))  # type: ignore[return-value]

    def faded(self, parts: tuple[Array, Array], time: Array) -> tuple[Array, Array]:
        """As `later` where there is one well only: what is left of `parts` beside the stationary density dies out."""
        decay, still = jnp.exp(-self.rate * time), self.later(parts, jnp.asarray(jnp.inf))
        return tuple(a + (x - a) * decay for a, x in zip(still, parts, strict=True))  # type: ignore[return-value]


def wells(device: Device, current: Any, shape: Stencil) -> TwoWells:
    """The two wells of `device` at a constant `current` (A), with derivatives in every number (shapes under current: none).

    Raises an error in single precision.
    """
    if device.start.dtype != jnp.float64:
        raise ValueError(
            "Hopping rates of a device without an axis of symmetry need double precision: switch it on with "
            'jax.config.update("jax_enable_x64", True).'
        )
    nothing = is_nothing(current)
    if is_known(nothing) and not bool(nothing):
        return driven_wells(device, current, shape)
    driven = driven_wells(device, current, shape)
    slow = nothing & (driven.rate < 10 * driven.noise)
    return jax.lax.cond(slow, lambda: still_wells(device, shape), lambda: driven)


def resolved(problems: list[tuple[Device, Array]], degree: int, rungs: tuple[int, int]) -> tuple[int, int]:
    """l_max and m_max at which the rates of all `problems` (device, current in A) no longer change by 1 %.

    Raises `ValueError` where there are not two wells, where the rates are too small to be told, or at the end of the ladder of
    truncations.
    """
    lmax, mmax = rungs
    coarse, untold = None, 0
    while True:
        shape = stencil(lmax, min(lmax, mmax), degree)
        fine = [_checked(device, current, shape) for device, current in problems]
        pairs = [(a, b) for a, b in zip(coarse or (), fine, strict=False) if a is not None and b is not None]
        if len(pairs) == len(fine) and all(abs(a - b) < _AGREE for a, b in pairs):
            return lmax, min(lmax, mmax)
        untold = untold + 1 if None in fine else 0
        if untold == _UNTOLD:
            raise ValueError(
                "The hopping rates at this current are below what double precision tells, about 1e-11 of the fastest rate: "
                "smaller ones can be found without a current, or about an axis of symmetry."
            )
        if lmax >= LADDER[-1]:
            raise ValueError(
                f"The hopping rates are not resolved with l_max = {lmax}: the barrier or the damping is too extreme."
            )
        coarse, lmax, mmax = fine, rung(1.2 * lmax), rung(1.2 * mmax)


def _checked(device: Device, current: Any, shape: Stencil) -> float | None:
    """Logarithm of the slow rate (1/ns), or `None` where it cannot be told apart from the errors of this truncation."""
    found = wells(device, current, shape)
    if np.isnan(found.gap):
        raise ValueError("`rates` needs two wells that exchange: here the slowest motion is a damped swing.")
    if not found.exist and not has_two_wells(device, current):
        raise ValueError(f"`rates` needs two wells: {_ONE_WELL if np.any(np.asarray(current)) else _NO_OTHER}.")
    return float(found.log_rate) if found.noise == 0 or found.rate > found.noise else None


def require_resolvable(device: Device) -> None:
    """Raise `ValueError` where a well of `device` is too narrow for the harmonics that can be taken."""
    stiffness = float(jnp.max(device.stiffness) * (device.moment / KB) / device.temperature)
    needed = 4.5 * np.sqrt(stiffness)
    if needed > LADDER[-1]:
        raise ValueError(
            f"The hopping rates are not resolved with l_max = {LADDER[-1]}: without an axis of symmetry a well as narrow as "
            f"this, with a stiffness of {stiffness:.0f} kT, needs {needed:.0f}."
        )


@eqx.filter_jit
def has_two_wells(device: Device, current: Any) -> Bool[Array, ""]:
    """Whether a magnetisation without noise, begun beside the bottom of either well, stays on its side under a `current` (A).

    It is followed for ten relaxation times of the softest direction; no gradient passes through.
    """
    drive, magnet = device.drive(current), device.magnet
    still = device.drive(0.0)
    sides = jnp.array([1.0, -1.0], device.start.dtype)
    minima = [downhill(lambda m: device.energy(m, still), side * device.start) for side in (1.0, -1.0)]
    bottoms = jnp.stack([minimum.m for minimum in minima])
    soft, stiff = (f(jnp.stack([minimum.stiffness for minimum in minima])) for f in (jnp.min, jnp.max))
    fields = jax.vmap(lambda m: device.field(Vector.of(m), drive).array())(jnp.concatenate([bottoms, points(64)]))
    strongest = jnp.maximum(jnp.max(jnp.linalg.norm(fields, axis=1)), stiff)
    step = _RK4 / strongest
    number = jnp.minimum(10 / (magnet.alpha * jnp.maximum(soft, 1e-3 * stiff)) / step, 1e6).astype(int)

    def slope(m):
        return llg_rate(m, device.field(m, drive), magnet.alpha)

    def onward(_, m):
        a = slope(m)
        b = slope(m + a * (step / 2))
        c = slope(m + b * (step / 2))
        d = slope(m + c * step)
        return (m + (a + 2 * b + 2 * c + d) * (step / 6)).normalised()

    def end(m):
        e1, e2 = frame(m)
        return jax.lax.fori_loop(0, number, onward, Vector.of(m + _BESIDE * (e1 + e2)).normalised()).array()

    ends = jax.vmap(end)(bottoms)
    return jnp.all(sides * (bottoms @ device.start) > 0) & jnp.all(sides * (ends @ device.start) > 0)


def driven_wells(device: Device, current: Any, shape: Stencil) -> TwoWells:
    """As `wells`, by the eigenvectors of the generator; no derivative passes through the shapes of the wells' densities."""
    flow, _ = flow_of(device, current, device.temperature, shape.degree)
    axes = axes_of(device)
    zero = jnp.zeros((shape.mmax + 1, shape.lmax + 1), axes.dtype)

    def up(re, im):
        return Density(re, im, axes, jax.lax.stop_gradient(device.start)).unswitched

    functional = jnp.concatenate(shape.pack(jax.lax.complex(*jax.grad(up, argnums=(0, 1))(zero, zero))))
    right, left, still, back, rates = _call(_driven, shape, 2 * shape.size, 4, flow, functional)
    halves = tuple(v.reshape(2, shape.size) for v in (right, left, still))

    def moved(x):
        """The generator times x, where only the generator has a derivative."""
        return jnp.concatenate(apply(shape, flow, (x[0], x[1])))

    rate = -(left @ moved(halves[0])) / (left @ right)
    share = functional @ still - back @ moved(halves[2])
    r = right / (functional @ right)
    member = left / (left @ r)
    middle = jax.lax.stop_gradient(share)
    member_of = _squares(shape, member)
    constant = np.sqrt(4 * np.pi) * (middle - member @ still)
    member_of = (member_of[0].at[0, 0].add(constant), member_of[1])
    start, other = (_squares(shape, still + weight * r) for weight in (1 - middle, -middle))
    noise = jax.lax.stop_gradient(_FLOOR * flow.D * shape.lmax**2)
    told = jnp.clip(share, _SHARE, 1 - _SHARE)
    log_rate = jnp.log(jnp.maximum(rate, jnp.finfo(rate.dtype).tiny))
    return TwoWells(log_rate, share, jnp.log(told) - jnp.log1p(-told), start, other, member_of, rates[1], noise)


def still_wells(device: Device, shape: Stencil) -> TwoWells:
    """As `wells`, without a current: Boltzmann's densities, and the rate by the formula above."""
    flow, _ = flow_of(device, jnp.zeros(()), device.temperature, shape.degree)
    body, across, weights = _grid(shape.lmax, shape.mmax)
    fields, g_coefficients, rates = _still_fields(shape, flow, weights.size)
    axes = axes_of(device)
    m = jnp.asarray(body) @ axes
    excess = excess_energy(device, m)
    log_rho = jnp.log(weights) - excess
    up = m @ jax.lax.stop_gradient(device.start) > 0
    log_up, log_down = (jax.nn.logsumexp(jnp.where(side, log_rho, -jnp.inf)) for side in (up, ~up))
    inside = [
        jax.lax.stop_gradient(jnp.where(side, jnp.exp(log_rho - log), 0.0)) for side, log in ((up, log_up), (~up, log_down))
    ]
    (h, slope_h, means), (k, slope_k, _) = (_membership(fields[i : i + 3], inside) for i in (0, 3))
    saddle = jax.lax.stop_gradient(_saddle(h, excess))
    near = jax.lax.stop_gradient(excess) > saddle - _BELOW
    rho_near = jnp.where(near, jnp.exp(jnp.where(near, saddle + log_rho, 0.0)), 0.0)
    precession = _precession(device, m, jnp.asarray(across) @ axes)
    D = flow.D
    flux = jnp.sum(rho_near * (D * jnp.sum(slope_k * slope_h, axis=0) - (k - 0.5) * jnp.sum(precession * slope_h, axis=0)))
    value = D * jnp.sum(rho_near * jnp.sum(slope_h**2, axis=0))
    # The first is stationary in h and k, so that their derivatives are not needed; the second is more accurate.
    log_flux = jnp.log(flux) + jax.lax.stop_gradient(jnp.log(value / flux))
    log_rate = log_flux - saddle + jnp.logaddexp(log_up, log_down) - log_up - log_down
    share = jax.nn.sigmoid(log_up - log_down)
    start, other = (_one_well(device, side, shape) for side in (1, -1))
    scale = 1 / (means[0] - means[1])
    double = jnp.asarray(np.where(np.arange(shape.mmax + 1) == 0, 1.0, 2.0)[:, None])
    member = (g_coefficients[0] * scale * double, g_coefficients[1] * scale * double)
    member = (member[0].at[0, 0].add(-means[1] * scale * np.sqrt(4 * np.pi)), member[1])
    return TwoWells(log_rate, share, log_up - log_down, start, other, member, rates[1], jnp.zeros_like(log_rate))


def _membership(fields: Float[Array, "3 n"], inside: list[Array]) -> tuple[Array, Array, list[Scalar]]:
    """A slow mode brought to the mean 1 in the starting well and 0 in the other, its slopes, and its means before that."""
    means = [jnp.sum(weight * fields[0]) for weight in inside]
    scale = 1 / (means[0] - means[1])
    return (fields[0] - means[1]) * scale, fields[1:] * scale, means


def _saddle(membership: Array, excess: Array) -> Scalar:
    """The lowest energy over kT where the slow mode is half way between the wells."""
    low, high = _BETWEEN
    return jnp.min(jnp.where((membership > low) & (membership < high), excess, jnp.inf))


def _precession(device: Device, m: Float[Array, "n 3"], across: Float[Array, "2 n 3"]) -> Float[Array, "2 n"]:
    """The drift that leaves the energy alone, along the two directions `across`, 1/ns."""
    magnet, drive = device.magnet, device.drive(0.0)

    def at(m):
        m = Vector.of(m)
        return -magnet.gamma * m.cross(device.field(m, drive)).array()

    return jnp.einsum("knc,nc->kn", across, jax.vmap(at)(m))


def _one_well(device: Device, side: int, shape: Stencil) -> tuple[Array, Array]:
    """Boltzmann's density on one side."""
    here = start_density(device, shape.lmax, shape.mmax, side=side)
    return here.re, here.im


def _squares(shape: Stencil, flat: Array) -> tuple[Array, Array]:
    """Real and imaginary parts (m, l) of a flat vector."""
    re, im = jnp.split(flat, 2)
    return shape.square(re), shape.square(im)


def _call(function, shape: Stencil, length: int, number: int, *args):
    """`function(shape, ...)` on the host, no derivative: `number` vectors of a `length`, and two rates."""
    like = [jax.ShapeDtypeStruct((length,), np.float64)] * number + [jax.ShapeDtypeStruct((2,), np.float64)]
    frozen = jax.lax.stop_gradient(args)
    return jax.pure_callback(lambda *a: function(shape, *a), like, *frozen, vmap_method="sequential")


def _on_host(flow: Flow) -> Flow:
    return jax.tree.map(np.asarray, flow)


def _driven(shape: Stencil, flow: Flow, functional) -> list[np.ndarray]:
    return list(slow_modes(shape, _on_host(flow), np.asarray(functional)))


def _still_fields(shape: Stencil, flow: Flow, number: int) -> tuple[Array, tuple[Array, Array], Array]:
    """Values and slopes along theta and phi of the slow mode and of its time-reversed twin, the mode, and two rates."""
    length = (shape.mmax + 1) * (shape.lmax + 1)
    like = [jax.ShapeDtypeStruct((6, number), np.float64), jax.ShapeDtypeStruct((2, length), np.float64)]
    like.append(jax.ShapeDtypeStruct((2,), np.float64))
    found = jax.pure_callback(
        lambda flow: _still(shape, _on_host(flow)), like, jax.lax.stop_gradient(flow), vmap_method="sequential"
    )
    re, im = found[1].reshape(2, shape.mmax + 1, shape.lmax + 1)
    return found[0], (re, im), found[2]


def _still(shape: Stencil, flow: Flow) -> list[np.ndarray]:
    g, rates = left_mode(shape, flow)
    # Without a current the second potential is the precession: its sign is that of time.
    f, _ = left_mode(shape, eqx.tree_at(lambda f: f.psi, flow, -flow.psi))
    fields = np.concatenate([_values(part, shape.lmax, shape.mmax) for part in (g, f)])
    return [fields, np.stack([np.real(g).ravel(), np.imag(g).ravel()]), rates]


def _azimuths(mmax: int) -> np.ndarray:
    count = 4 * mmax if mmax else 1
    return (np.arange(count) + 0.5) * (2 * np.pi / count)


@cache
def _grid(lmax: int, mmax: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points (n, 3), directions of growing theta and phi there (2, n, 3), and weights (n,)."""
    u, w = np.polynomial.legendre.leggauss(2 * lmax)
    phi = _azimuths(mmax)
    c, phi = np.repeat(u, phi.size), np.tile(phi, u.size)
    s = np.sqrt(1 - c * c)
    body = np.stack([s * np.cos(phi), s * np.sin(phi), c], axis=-1)
    along_theta = np.stack([c * np.cos(phi), c * np.sin(phi), -s], axis=-1)
    along_phi = np.stack([-np.sin(phi), np.cos(phi), 0 * phi], axis=-1)
    weights = np.repeat(w, c.size // u.size) * (2 * np.pi * u.size / c.size)
    return body, np.stack([along_theta, along_phi]), weights


def _values(g: np.ndarray, lmax: int, mmax: int) -> np.ndarray:
    """Value and slopes along theta and phi on the grid, shape (3, n), of a real function with coefficients (m, l)."""
    u, _ = np.polynomial.legendre.leggauss(2 * lmax)
    s = np.sqrt(1 - u * u)
    order, degree = np.arange(mmax + 1)[:, None], np.arange(lmax + 1)
    functions = legendre(lmax + 1, mmax, tuple(u))
    ladder = np.sqrt(np.maximum((degree + 1) ** 2 - order**2, 0) * (2 * degree + 1) / (2 * degree + 3))
    slopes = (ladder[..., None] * functions[:, 1:] - (degree + 1)[:, None] * u * functions[:, :-1]) / s
    waves = np.where(order == 0, 1, 2) * np.exp(1j * order * _azimuths(mmax))
    plain = np.einsum("ml,mlu->um", g, functions[:, :-1])
    parts = (plain, np.einsum("ml,mlu->um", g, slopes), 1j * order.T * plain / s[:, None])
    return np.stack([np.real(part @ waves).ravel() for part in parts])
