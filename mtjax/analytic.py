"""Closed forms of macrospin physics: answers to hold simulations against, and quick estimates.

Plain functions of floats or arrays (they broadcast), SI and tesla at the face, differentiable in every
argument. "Recalled" marks a published formula cited from memory; the tests say what it was checked against.
"""

from __future__ import annotations

import math

import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float, Real

from mtjax.constants import GAMMA
from mtjax.numerics import gauss_legendre
from mtjax.quantities import as_scalar

Floats = Real[ArrayLike, "*#batch"]
Result = Float[Array, "*#batch"]


def precession(t: Floats, field: Floats, alpha: Floats, *, gamma: Floats = GAMMA) -> Float[Array, "*#batch 3"]:
    """Damped precession of a single spin that starts along x in a field along z, axes (..., 3).

        m = (cos b / cosh(alpha b), sin b / cosh(alpha b), tanh(alpha b)),  b = gamma B t / (1 + alpha^2)

    - `t`: time, s
    - `field`: B, T
    - `alpha`: Gilbert damping
    - `gamma`: gyromagnetic ratio, rad/(s T)

    Solves dm/dt = -gamma/(1 + alpha^2) [m x B + alpha m x (m x B)] exactly.

    >>> import mtjax as mtj
    >>> m = mtj.analytic.precession(1e-9, field=0.1, alpha=0.05)
    >>> print(f"mz = {m[2]:.3f} after 1 ns")
    mz = 0.706 after 1 ns
    """
    b = as_scalar(gamma) * field * t / (1 + as_scalar(alpha) ** 2)
    damped = alpha * b
    # 1/cosh without the overflow (and NaN derivative) of cosh at long times
    transverse = 2 * jnp.exp(-jnp.logaddexp(damped, -damped))
    return jnp.stack([jnp.cos(b) * transverse, jnp.sin(b) * transverse, jnp.tanh(damped)], axis=-1)


def attempt_frequency(delta: Floats, Bk: Floats, alpha: Floats, h: Floats = 0.0, *, gamma: Floats = GAMMA) -> Result:
    """Attempt frequency of one well of a uniaxial particle, 1/s.

        f0 = alpha gamma Bk / (1 + alpha^2) sqrt(delta/pi) (1 - h^2) (1 + h)

    - `delta`: barrier at zero field over kB T
    - `Bk`: anisotropy field, T
    - `alpha`: Gilbert damping
    - `h`: field along the axis over Bk, |h| < 1, positive along the magnetisation of the well
    - `gamma`: gyromagnetic ratio, rad/(s T)

    Brown, Phys. Rev. 130, 1677 (1963), the high-barrier limit.

    >>> import mtjax as mtj
    >>> print(f"{mtj.analytic.attempt_frequency(delta=40.0, Bk=0.2, alpha=0.01) / 1e9:.2f} /ns")
    1.26 /ns
    """
    rate = as_scalar(alpha) * gamma * Bk / (1 + as_scalar(alpha) ** 2)
    return rate * jnp.sqrt(as_scalar(delta) / math.pi) * (1 - as_scalar(h) ** 2) * (1 + as_scalar(h))


def neel_brown_rate(delta: Floats, Bk: Floats, alpha: Floats, h: Floats = 0.0, *, gamma: Floats = GAMMA) -> Result:
    """Rate at which thermal fluctuations take a uniaxial particle out of one well, 1/s.

        f0 exp(-delta (1 + h)^2)

    Arguments as for `attempt_frequency`, `gamma` too; `h` > 0 holds the particle in its well. The slowest mode of the two
    wells decays at the sum of their rates. Brown, Phys. Rev. 130, 1677 (1963); at finite barriers and h = 0
    too large by a share of about 1/delta, and meaningless where delta (1 - |h|)^2 is not large.

    >>> import mtjax as mtj
    >>> rate = mtj.analytic.neel_brown_rate(delta=40.0, Bk=0.2, alpha=0.01)
    >>> print(f"retention of {1 / rate / 3.156e7:.1f} years")
    retention of 5.9 years
    """
    return attempt_frequency(delta, Bk, alpha, h, gamma=gamma) * jnp.exp(-as_scalar(delta) * (1 + as_scalar(h)) ** 2)


def lowered_barrier(delta: Floats, share: Floats, exponent: Floats) -> Result:
    """Barrier over kT under a current: delta (1 - I/Ic)^exponent, and 0 from the critical current on.

    - `delta`: barrier without current over kB T
    - `share`: the current over the critical one, I/Ic
    - `exponent`: 2 for a perpendicular spin, 1 in many in-plane junctions

    >>> import mtjax as mtj
    >>> print(f"{mtj.analytic.lowered_barrier(40.0, share=0.5, exponent=2.0):.0f} kT at half the critical current")
    10 kT at half the critical current
    """
    left = jnp.maximum(1 - as_scalar(share), 0.0)
    return as_scalar(delta) * jnp.where(left > 0, jnp.where(left > 0, left, 1.0) ** exponent, 0.0)


def neel_brown_probability(
    t: Floats, delta: Floats, Bk: Floats, alpha: Floats, h: Floats = 0.0, *, gamma: Floats = GAMMA
) -> Result:
    """Probability that a uniaxial particle is found in the other well after a time `t`, returns included.

        r / (r + r') (1 - exp(-(r + r') t)),  r = rate(h) out of the first well, r' = rate(-h) back

    - `t`: time, s

    Other arguments as for `neel_brown_rate`.

    >>> import mtjax as mtj
    >>> p = mtj.analytic.neel_brown_probability(1e-3, delta=14.0, Bk=0.2, alpha=0.01)
    >>> print(f"in the other well after 1 ms with probability {p:.3f}")
    in the other well after 1 ms with probability 0.355
    """
    out = neel_brown_rate(delta, Bk, alpha, h, gamma=gamma)
    back = neel_brown_rate(delta, Bk, alpha, -as_scalar(h), gamma=gamma)
    return out / (out + back) * -jnp.expm1(-(out + back) * t)


def stoner_wohlfarth_switching_field(angle: Floats, Bk: Floats) -> Result:
    """Field at which a uniaxial particle switches at zero temperature, T: the astroid.

        B = Bk (|cos angle|^(2/3) + |sin angle|^(2/3))^(-3/2)

    - `angle`: between field and easy axis, rad
    - `Bk`: anisotropy field, T

    Stoner and Wohlfarth, Phil. Trans. R. Soc. A 240, 599 (1948). The astroid has cusps along the axes: the
    derivative returned exactly there is 0, the mean of its two sides.

    >>> import math
    >>> import mtjax as mtj
    >>> fields = [mtj.analytic.stoner_wohlfarth_switching_field(math.radians(angle), Bk=0.2) for angle in (0.0, 10.0, 45.0)]
    >>> print(", ".join(f"{field * 1e3:.0f} mT" for field in fields))
    200 mT, 135 mT, 100 mT
    """
    angle = as_scalar(angle)
    return as_scalar(Bk) * (_two_thirds(jnp.cos(angle)) + _two_thirds(jnp.sin(angle))) ** -1.5


def _two_thirds(x: Result) -> Result:
    """|x|^(2/3), of derivative 0 at 0."""
    safe = jnp.where(x == 0, 1, jnp.abs(x))
    return jnp.where(x == 0, 0, safe ** (2 / 3))


def langevin(x: Floats) -> Result:
    """Mean magnetisation along a field of a free moment: coth(x) - 1/x.

    - `x`: moment times field over kB T, Ms V B / kB T

    Below |x| = 2, where the two terms cancel, the continued fraction x/(3 + x^2/(5 + x^2/(7 + ...))).

    >>> import mtjax as mtj
    >>> x = 8e5 * 1e-25 * 0.05 / (mtj.constants.KB * 300.0)
    >>> print(f"{mtj.analytic.langevin(x):.4f} at 0.05 T and 300 K")
    0.3035 at 0.05 T and 300 K
    """
    x = as_scalar(x)
    small = jnp.where(jnp.abs(x) < 2, x, 1)
    large = jnp.where(jnp.abs(x) < 2, 2, x)
    tail = jnp.full_like(x, 25)
    for odd in range(23, 2, -2):
        tail = odd + small**2 / tail
    return jnp.where(jnp.abs(x) < 2, small / tail, 1 / jnp.tanh(large) - 1 / large)


def uniaxial_mz2(delta: Floats) -> Result:
    """Boltzmann mean of mz^2 for the energy -delta kB T mz^2.

        int_0^1 u^2 exp(delta u^2) du / int_0^1 exp(delta u^2) du

    - `delta`: barrier over kB T; negative for an easy plane

    By 64 Gauss points over the part of (0, 1) that carries weight; relative error below 1e-12 in float64 for
    delta above -1000. It tends to 1/3 at delta = 0 and to 1 - 1/delta for high barriers.

    >>> import mtjax as mtj
    >>> print(f"<mz^2> = {mtj.analytic.uniaxial_mz2(8.0):.4f} at a barrier of 8 kT")
    <mz^2> = 0.8621 at a barrier of 8 kT
    """
    delta = as_scalar(delta)
    x, w = (jnp.asarray(a, delta.dtype) for a in gauss_legendre(64))
    # exp(-40) is nothing: for delta > 40 keep to u > 1 - 40/delta, or the points would miss the peak
    down = jnp.minimum(1, 40 / jnp.maximum(delta, 1))[..., None] * x
    excess = down * (2 - down)
    weight = w * jnp.exp(jnp.where(delta > 0, 0, delta)[..., None] - delta[..., None] * excess)
    return 1 - jnp.sum(weight * excess, axis=-1) / jnp.sum(weight, axis=-1)


def sot_critical_field(Bk: Floats, Bx: Floats) -> Result:
    """Damping-like field at which a perpendicular macrospin switches, sigma in plane across the field, T.

        B_DL = Bk/2 - Bx/sqrt(2)

    - `Bk`: effective perpendicular anisotropy field, demagnetisation deducted, T
    - `Bx`: field in the plane along the current, 0 < Bx << Bk, T

    For slow ramps, at zero temperature and to first order in Bx/Bk; abrupt pulses need less, by 9 to 17 % at
    alpha = 0.05. Lee et al., Appl. Phys. Lett. 102, 112410 (2013), recalled.

    >>> import mtjax as mtj
    >>> print(f"{mtj.analytic.sot_critical_field(Bk=0.5, Bx=0.05):.3f} T")
    0.215 T
    """
    return as_scalar(Bk) / 2 - as_scalar(Bx) / math.sqrt(2)


def antidamping_critical_field(alpha: Floats, Bk: Floats, Bperp: Floats) -> Result:
    """Damping-like field at which an in-plane macrospin along sigma becomes unstable ("type y"), T.

        B_DL = alpha (Bk + Bperp/2)

    - `alpha`: Gilbert damping
    - `Bk`: anisotropy field within the plane, T
    - `Bperp`: effective field that holds m in the plane, mu0 Meff, T

    The instability of the small precession, at zero temperature. Sun, Phys. Rev. B 62, 570 (2000), recalled;
    it follows from the linearised equation of motion.

    >>> import mtjax as mtj
    >>> print(f"{mtj.analytic.antidamping_critical_field(alpha=0.01, Bk=0.05, Bperp=1.0) * 1e3:.1f} mT")
    5.5 mT
    """
    return as_scalar(alpha) * (as_scalar(Bk) + as_scalar(Bperp) / 2)


def stt_critical_field(alpha: Floats, Bk: Floats) -> Result:
    """Damping-like field at which a macrospin along its uniaxial axis and the polariser becomes unstable, T.

        B_DL = alpha Bk

    - `alpha`: Gilbert damping
    - `Bk`: anisotropy field, T

    The case Bperp = 0 of `antidamping_critical_field`.

    >>> import mtjax as mtj
    >>> print(f"{mtj.analytic.stt_critical_field(alpha=0.01, Bk=0.2) * 1e3:.1f} mT")
    2.0 mT
    """
    return as_scalar(alpha) * Bk


def butler_write_error_rate(tau: Floats, i: Floats, delta: Floats) -> Result:
    """Probability that a perpendicular spin-transfer pulse above threshold fails, after Butler et al.

        W = 1 - exp(-(pi^2/4) delta (i - 1) / (i exp(2 tau (i - 1)) - 1))

    - `tau`: pulse width over the relaxation time (1 + alpha^2)/(alpha gamma Bk)
    - `i`: current over the critical current, > 1
    - `delta`: barrier over kB T

    The deterministic growth is taken as exponential up to the equator. For long pulses and high barriers W is then
    pi^2 / (4 s^2) times that of `write_error_rate`, s^2 given there: 2.6 and 1.6 times too high at i = 1.5 and 2, right near
    i = 3.5, 1.1, 1.4 and 1.5 times too low at i = 4, 10 and 30. Butler et al., IEEE Trans. Magn. 48, 4684 (2012), recalled.

    >>> import mtjax as mtj
    >>> print(f"{mtj.analytic.butler_write_error_rate(tau=8.0, i=2.0, delta=40.0):.1e}")  # the Fokker-Planck equation: 3.1e-06
    5.6e-06
    """
    tau, i, delta = as_scalar(tau), as_scalar(i), as_scalar(delta)
    decay = jnp.exp(-2 * tau * (i - 1))
    return _failing(math.pi**2 / 4 * delta * (i - 1) * decay / (i - decay))


def write_error_rate(tau: Floats, i: Floats, delta: Floats) -> Result:
    """Probability that a perpendicular spin-transfer pulse above threshold leaves m short of the equator.

        W = 1 - exp(-delta k s^2 exp(-r tau) / i),  k = i - 1,
        s^2 = 2^(2i/(i+1)) (k/i)^(2/(i+1)),  r = 2k + (3 - i)/(k delta)

    Arguments as for `butler_write_error_rate`. Derived here for long pulses and high barriers: thermal start
    and noise spread m around its pole with mean square angle i/(delta k); the exact flow
    d(theta)/d(tau) = (i - cos theta) sin theta takes the angle s exp(-k tau) to the equator; r is the slowest
    decay of the Fokker-Planck equation to first order in 1/delta. Against Fokker-Planck at delta 40: 6 % low
    at i = 2, down to W = 2e-12; 28 % low at i = 1.5. It needs k^2 delta >> 1, and tau > 1/k.

    >>> import mtjax as mtj
    >>> print(f"{mtj.analytic.write_error_rate(tau=8.0, i=2.0, delta=40.0):.1e}")  # the Fokker-Planck equation: 3.1e-06
    2.9e-06
    """
    tau, i, delta = as_scalar(tau), as_scalar(i), as_scalar(delta)
    k = i - 1
    angle2 = 2 ** (2 * i / (i + 1)) * (k / i) ** (2 / (i + 1))
    rate = 2 * k + (3 - i) / (k * delta)
    return _failing(delta * k / i * angle2 * jnp.exp(-rate * tau))


def _failing(x: Result) -> Result:
    """1 - exp(-x), accurate for small x."""
    return -jnp.expm1(-x)
