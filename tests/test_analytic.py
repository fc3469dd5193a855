"""Closed forms against quadrature, direct integration, linear stability and the Fokker-Planck equation."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import integrate, linalg, optimize, special

from mtjax import analytic
from mtjax.constants import GAMMA, KB

jax.config.update("jax_enable_x64", val=True)


def llg(m, field, alpha):
    """dm/dt over gamma."""
    torque = np.cross(m, field)
    return -(torque + alpha * np.cross(m, torque)) / (1 + alpha**2)


def legendre_generator(delta, c, modes):
    """d<P_n>/dtau = sum_m G[n, m] <P_m> for d(mz)/dtau = (mz + c)(1 - mz^2) + noise, tau in relaxation times.

    A field along z has c = h, an axial spin torque c = -I/Ic.
    """
    n = np.arange(modes + 2)
    down, up = np.eye(modes + 2, k=-1), np.eye(modes + 2, k=1)  # row n picks P_(n-1), P_(n+1)
    times_u = np.diag((n + 1) / (2 * n + 1)) @ up + np.diag(n / (2 * n + 1)) @ down
    slope = np.diag(n * (n + 1) / (2 * n + 1)) @ (down - up)
    generator = slope @ (times_u + c * np.eye(modes + 2)) - np.diag(n * (n + 1)) / (2 * delta)
    return generator[:modes, :modes]


def fokker_planck_write_error_rate(tau, i, delta, modes=200):
    """Probability of mz > 0 after a pulse, from the thermal well around mz = 1."""
    u, w = np.polynomial.legendre.leggauss(400)
    u, w = (u + 1) / 2, w / 2
    p = np.polynomial.legendre.legvander(u, modes - 1)
    start = w * np.exp(-delta * (1 - u**2))
    moments = linalg.expm(legendre_generator(delta, -i, modes) * tau) @ (p.T @ (start / start.sum()))
    return (w @ p) @ ((2 * np.arange(modes) + 1) / 2 * moments)


@pytest.mark.parametrize("field", [0.5, -0.2])
def test_precession_solves_the_equation_of_motion(field):
    t = np.linspace(0, 1e-9, 6)
    equation = lambda _, m: GAMMA * llg(m, np.array([0, 0, field]), 0.1)  # noqa: E731
    solution = integrate.solve_ivp(equation, (0, t[-1]), [1.0, 0, 0], t_eval=t, method="DOP853", rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(analytic.precession(t, field, 0.1), solution.y.T, atol=1e-9)


def test_precession_stays_finite_for_ever():
    value, slope = jax.jvp(lambda b: analytic.precession(1e-3, b, 0.1), (0.5,), (1.0,))
    np.testing.assert_allclose(value, [0, 0, 1], atol=1e-12)
    np.testing.assert_allclose(slope, 0, atol=1e-12)


@pytest.mark.parametrize(("h", "deltas"), [(0.0, (8.0, 12.0, 18.0)), (0.1, (8.0, 12.0, 16.0))])
def test_neel_brown_rates_are_the_slowest_fokker_planck_mode(h, deltas):
    alpha, Bk = 0.02, 0.3
    relaxation_time = (1 + alpha**2) / (alpha * GAMMA * Bk)

    def excess(delta):
        mode = np.sort(-np.linalg.eigvals(legendre_generator(delta, h, 80)).real)[1] / relaxation_time
        rates = analytic.neel_brown_rate(delta, Bk, alpha, jnp.array([h, -h]))
        return float(rates.sum() / mode) - 1

    # First-order in 1/delta: the quadratic through three barriers must come out of the origin.
    through = np.polyfit(1 / np.array(deltas), [excess(d) for d in deltas], 2)
    assert abs(excess(deltas[-1])) < 2.5 / deltas[-1]
    assert abs(through[-1]) < 0.02


def test_neel_brown_probability_solves_the_two_well_equation():
    delta, Bk, alpha, h = 10.0, 0.3, 0.02, 0.05
    out, back = (float(analytic.neel_brown_rate(delta, Bk, alpha, s)) for s in (h, -h))
    t = np.linspace(0, 3 / out, 5)
    wells = integrate.solve_ivp(lambda _, p: out * (1 - p) - back * p, (0, t[-1]), [0.0], t_eval=t, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(analytic.neel_brown_probability(t, delta, Bk, alpha, h), wells.y[0], atol=1e-8)
    # In the long run Boltzmann decides, the wells differing by 4 delta h in energy.
    odds = float(analytic.neel_brown_probability(1e3 / out, delta, Bk, alpha, h))
    assert odds / (1 - odds) == pytest.approx(np.exp(-4 * delta * h) * (1 + h) / (1 - h), rel=1e-6)


def test_attempt_frequency_is_the_rate_without_its_barrier():
    f0 = analytic.attempt_frequency(40.0, 0.3, 0.01)
    assert float(f0) == pytest.approx(float(analytic.neel_brown_rate(40.0, 0.3, 0.01)) * np.exp(40), rel=1e-12)


@pytest.mark.parametrize("degrees", [5.0, 30.0, 45.0, 80.0, 135.0])
def test_stoner_wohlfarth_field_is_where_the_energy_minimum_vanishes(degrees):
    angle = np.deg2rad(degrees)
    # Energy -cos^2(theta)/2 - b cos(theta - angle'), the field pointing against the easy direction theta = 0.
    theta = np.linspace(-np.pi / 2, np.pi / 2, 200_001)
    against = np.pi - angle if degrees < 90 else angle

    def held(b):
        torque = np.sin(theta) * np.cos(theta) + b * np.sin(theta - against)
        stiffness = np.cos(2 * theta) + b * np.cos(theta - against)
        turns = np.flatnonzero(np.diff(np.sign(torque)))
        return 1.0 if np.any(stiffness[turns] > 0) else -1.0

    expected = optimize.bisect(held, 0.3, 1.1, xtol=1e-7)
    assert float(analytic.stoner_wohlfarth_switching_field(angle, 0.4)) == pytest.approx(0.4 * expected, abs=1e-5)


def test_stoner_wohlfarth_gradient_is_finite_on_the_axes():
    assert float(jax.grad(analytic.stoner_wohlfarth_switching_field)(0.0, 0.4)) == 0
    assert float(analytic.stoner_wohlfarth_switching_field(0.0, 0.4)) == pytest.approx(0.4)


@pytest.mark.parametrize("x", [-3.0, 1e-4, 0.7, 1.999, 2.001, 50.0])
def test_langevin_is_the_boltzmann_mean(x):
    weight = lambda u: np.exp(x * u - abs(x))  # noqa: E731
    mean = integrate.quad(lambda u: u * weight(u), -1, 1, epsabs=1e-15)[0] / integrate.quad(weight, -1, 1, epsabs=1e-15)[0]
    assert float(analytic.langevin(x)) == pytest.approx(mean, rel=1e-10, abs=1e-13)


def test_langevin_values_of_mumax():
    x = 8e5 * 0.05 * 1e-25 / (KB * np.array([100.0, 300.0, 500.0]))
    np.testing.assert_allclose(analytic.langevin(x), [0.66095, 0.30352, 0.18896], atol=1e-5)


def test_langevin_at_zero():
    assert float(analytic.langevin(0.0)) == 0
    assert float(jax.grad(analytic.langevin)(0.0)) == pytest.approx(1 / 3)


def test_uniaxial_mz2_has_the_known_values():
    np.testing.assert_allclose(analytic.uniaxial_mz2(jnp.array([2.0, 8.0])), [0.5313, 0.8621], atol=5e-5)


@pytest.mark.parametrize("delta", [0.5, 8.0, 39.9, 40.1, 3e3])
def test_uniaxial_mz2_agrees_with_dawson(delta):
    root = np.sqrt(delta)
    expected = 1 / (2 * root * special.dawsn(root)) - 1 / (2 * delta)
    assert float(analytic.uniaxial_mz2(delta)) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("delta", [0.5, 30.0, 1e3])
def test_uniaxial_mz2_of_an_easy_plane_agrees_with_erf(delta):
    expected = 1 / (2 * delta) - np.exp(-delta) / (np.sqrt(np.pi * delta) * special.erf(np.sqrt(delta)))
    assert float(analytic.uniaxial_mz2(-delta)) == pytest.approx(expected, rel=1e-11)


def test_sot_critical_field_is_the_strongest_static_torque_to_first_order():
    # In equilibrium B_DL = Bk sin cos - Bx cos of the tilt; its maximum is the last one.
    Bk, step = 0.5, 1e-4

    def exact(Bx):
        return -optimize.minimize_scalar(
            lambda a: Bx * np.cos(a) - Bk * np.sin(2 * a) / 2,
            bounds=(0, 1.5),
            method="bounded",
            options={"xatol": 1e-10},
        ).fun

    assert float(analytic.sot_critical_field(Bk, 0.0)) == pytest.approx(exact(0.0))
    slope = jax.grad(analytic.sot_critical_field, argnums=1)(Bk, 0.0)
    assert float(slope) == pytest.approx((exact(step) - exact(-step)) / (2 * step), rel=1e-6)


def test_sot_critical_field_against_macrospin_ramps():
    Bx = jnp.array([0.02, 0.05, 0.10, 0.15])
    np.testing.assert_allclose(analytic.sot_critical_field(0.5, Bx), [0.236, 0.216, 0.182, 0.152], atol=0.009)


@pytest.mark.parametrize("Bperp", [0.0, 0.9])
def test_antidamping_thresholds_are_where_small_precession_grows(Bperp):
    alpha, Bk = 0.03, 0.05

    def growth(B_DL):
        def flow(m):
            field = np.array([Bk * m[0], 0, -Bperp * m[2]]) + B_DL * np.cross(m, [-1.0, 0, 0])
            return llg(m, field, alpha)

        step, east = 1e-6, np.array([1.0, 0, 0])
        jacobian = [(flow(east + step * e) - flow(east - step * e))[1:] / (2 * step) for e in np.eye(3)[1:]]
        return np.linalg.eigvals(np.array(jacobian).T).real.max()

    threshold = optimize.brentq(growth, 0, 1, xtol=1e-14)
    assert float(analytic.antidamping_critical_field(alpha, Bk, Bperp)) == pytest.approx(threshold, rel=1e-6)
    if Bperp == 0:
        assert float(analytic.stt_critical_field(alpha, Bk)) == pytest.approx(threshold, rel=1e-6)


@pytest.mark.parametrize(
    ("i", "low", "taus", "expected"),
    [
        (1.5, 0.28, [4, 6, 8, 10], [2.0856e-1, 2.6409e-2, 3.1675e-3, 3.7819e-4]),
        (2.0, 0.06, [4, 8, 12, 15], [1.0015e-2, 3.0722e-6, 9.389e-10, 2.155e-12]),
    ],
)
def test_write_error_rates_against_a_fokker_planck_code(i, low, taus, expected):
    ratio = analytic.write_error_rate(np.array(taus), i, 40.0) / np.array(expected)
    assert np.all((ratio > 1 - low) & (ratio < 1))
    over = analytic.butler_write_error_rate(np.array(taus), i, 40.0) / np.array(expected)
    assert np.all((over > 1.5) & (over < 4))


def test_write_error_rate_becomes_exact_at_high_barriers():
    def excess(delta):
        return float(analytic.write_error_rate(5.0, 2.0, delta)) / fokker_planck_write_error_rate(5.0, 2.0, delta) - 1

    assert abs(excess(40.0)) < 0.06
    assert abs(excess(200.0)) < 0.012


def test_butler_becomes_exact_where_the_motion_is_linear():
    # Growth exp((i - 1) tau) from the pole up to a linearised equator pi/2: two Gaussian angles, by simulation-free moments.
    tau, i, delta = 2.0, 1.5, 60.0
    spread = integrate.solve_ivp(
        lambda _, v: 2 * (i - 1) * v + 1 / delta, (0, tau), [1 / (2 * delta)], rtol=1e-10, atol=1e-14
    ).y[0, -1]
    expected = -np.expm1(-((np.pi / 2) ** 2) / (2 * spread))
    assert float(analytic.butler_write_error_rate(tau, i, delta)) == pytest.approx(expected, rel=1e-7)


FUNCTIONS = [
    (lambda *a: analytic.precession(*a)[1] + analytic.precession(*a)[2], (1e-11, 0.5, 0.1)),
    (analytic.neel_brown_rate, (10.0, 0.3, 0.02, 0.1)),
    (analytic.neel_brown_probability, (1e-6, 10.0, 0.3, 0.02, 0.1)),
    (analytic.stoner_wohlfarth_switching_field, (0.5, 0.3)),
    (analytic.langevin, (0.7,)),
    (analytic.langevin, (3.0,)),
    (analytic.uniaxial_mz2, (8.0,)),
    (analytic.uniaxial_mz2, (60.0,)),
    (analytic.uniaxial_mz2, (-5.0,)),
    (analytic.antidamping_critical_field, (0.01, 0.1, 0.9)),
    (analytic.write_error_rate, (6.0, 1.7, 40.0)),
    (analytic.butler_write_error_rate, (6.0, 1.7, 40.0)),
]


@pytest.mark.parametrize(("function", "at"), FUNCTIONS)
def test_gradients_agree_with_central_differences(function, at):
    slopes = jax.grad(function, argnums=tuple(range(len(at))))(*at)
    for k, slope in enumerate(slopes):
        step = 1e-5 * at[k]
        up, down = ([*at[:k], at[k] + s, *at[k + 1 :]] for s in (step, -step))
        assert float(slope) == pytest.approx(float(function(*up) - function(*down)) / (2 * step), rel=1e-6)


@pytest.mark.parametrize(("function", "at"), FUNCTIONS)
def test_float32(function, at):
    single = function(*(jnp.float32(a) for a in at))
    assert single.dtype == jnp.float32
    assert float(single) == pytest.approx(float(function(*at)), rel=3e-5)
