"""Fokker-Planck: published error rates, an independent sketch, Boltzmann, gradients by differences."""

import sys

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from places import SHARED

import mtjax as mtj
from mtjax.constants import GAMMA, KB, SPIN_FIELD
from mtjax.switching import FokkerPlanck, Plan, evolve, solve
from mtjax.switching.fokker_planck import Flow, stencil
from mtjax.switching.fokker_planck.chebyshev import Ellipse, _series
from mtjax.switching.fokker_planck.density import boltzmann
from mtjax.switching.fokker_planck.generator import _PIECE, apply, apply_in_pieces

REFERENCE = SHARED / "reference" / "fokker_planck_sphere.py"
BK, WIDTH, THICKNESS = 0.5, 50e-9, 3e-9


def reference():
    if not REFERENCE.is_file():
        pytest.skip("the independent sketch ../shared/reference/fokker_planck_sphere.py is absent")
    sys.path.insert(0, str(REFERENCE.parent))
    import fokker_planck_sphere

    return fokker_planck_sphere


def dot(delta=40.0, alpha=0.05, field=(0.1, 0.0, 0.0), field_like=0.0, sigma=(0.0, 1.0, 0.0), **other):
    """A perpendicular dot of anisotropy 0.5 T with the barrier `delta` at 300 K; `field` in units of Bk."""
    t = 1e-9
    diameter = np.sqrt(4 / np.pi * 2 * delta * KB * 300.0 / (BK * 1e6 * t))
    layer = mtj.FreeLayer(mtj.EllipticCylinder(diameter, diameter, t), Ms=1e6, alpha=alpha)
    torque = mtj.SpinOrbitTorque(theta_sh=0.3, width=WIDTH, thickness=THICKNESS, sigma=sigma, field_like_ratio=field_like)
    terms = (mtj.UniaxialAnisotropy(BK), mtj.AppliedField(BK * jnp.asarray(field)), torque)
    return mtj.Device(layer=layer, terms=terms, **other)


def current(damping_like):
    """Current (A) that gives a damping-like field, in units of Bk."""
    return damping_like * BK * 1e6 * 1e-9 * WIDTH * THICKNESS / (SPIN_FIELD * 0.3)


def seconds(time, alpha=0.05):
    """A time in units of 1 / (gamma' Bk)."""
    return time * (1 + alpha**2) / (GAMMA * BK)


WRITE_ERRORS = [
    (1.5, (4, 10), (2.0856e-1, 3.7819e-4)),
    (2.0, (8, 15), (3.0722e-6, 2.155e-12)),
    pytest.param(1.5, (6, 8), (2.6409e-2, 3.1675e-3), marks=pytest.mark.slow),
    pytest.param(2.0, (4, 12), (1.0015e-2, 9.389e-10), marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("overdrive", "times", "published"), WRITE_ERRORS)
def test_write_error_rates_of_the_published_legendre_solution(overdrive, times, published):
    device = mtj.presets.perpendicular_stt(delta=40.0)
    for time, expected in zip(times, published, strict=True):
        pulse = mtj.Pulse(overdrive * device.critical_current, time * device.relaxation_time)
        found = FokkerPlanck().probability(device, pulse, jnp.asarray(0.0))
        assert found.complement == pytest.approx(float(expected), rel=1e-3 if expected > 1e-6 else 0.05)
        assert "Legendre" in found.method.name


def test_full_sphere_agrees_with_legendre_polynomials():
    device = mtj.presets.perpendicular_stt(delta=15.0)
    pulse = mtj.Pulse(1.4 * device.critical_current, 3 * device.relaxation_time)
    flat = FokkerPlanck().probability(device, pulse, jnp.asarray(1e-9))
    full = FokkerPlanck(plan=Plan(48, 4)).probability(device, pulse, jnp.asarray(1e-9))
    assert flat.value == pytest.approx(float(full.value), abs=1e-8)
    assert 0.05 < flat.value < 0.95


def random_case(seed):
    """A dot, its pulse and its relaxation, as arguments of ours and of the sketch."""
    rng = np.random.default_rng(seed)
    alpha, delta = rng.uniform(0.05, 0.4), rng.uniform(4.0, 12.0)
    field, sigma = rng.uniform(-0.25, 0.25, 3), rng.normal(size=3)
    sigma /= np.linalg.norm(sigma)
    drive, ratio = rng.uniform(-0.8, 0.8), rng.uniform(-0.5, 0.5)
    return alpha, delta, field, sigma, drive, ratio, rng.uniform(4.0, 15.0), rng.uniform(0.0, 8.0)


def sketched(alpha, delta, field, sigma, drive, ratio, on, off, lmax=40):
    ref = reference()
    u, w = np.polynomial.legendre.leggauss(60)
    phi = np.arange(120) * np.pi / 60
    special = pytest.importorskip("scipy.special")
    theta = np.arccos((u[:, None] + 1) / 2) + 0 * phi
    m = np.stack([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)], -1)
    P = np.exp(2 * delta * (m[..., 2] ** 2 / 2 + m @ field - 0.5))
    P /= np.sum(w[:, None] / 2 * P) * np.pi / 60
    c = np.array(
        [
            np.sum(w[:, None] / 2 * P * np.conj(special.sph_harm_y(l, k, theta, phi + 0 * theta))) * np.pi / 60
            for l in range(lmax + 1)
            for k in range(-l, l + 1)
        ]
    )
    generators = [ref.generator(lmax, alpha, delta, field, h, ratio * h, sigma) for h in (drive, 0.0)]
    for generator, time in zip(generators, (on, off), strict=True):
        c = ref.evolve(generator, c, time, 2 * lmax) if time > 0 else c
    return float((ref.lower_half(lmax) @ c).real)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, range(1, 20)])
def test_random_devices_agree_with_the_sketch(seed):
    for one in [seed] if isinstance(seed, int) else seed:
        alpha, delta, field, sigma, drive, ratio, on, off = case = random_case(one)
        device = dot(delta, alpha, field, ratio, sigma)
        method = FokkerPlanck(lmax=40, mmax=40, relative=False, tolerance=1.0)
        pulse = mtj.Pulse(current(drive), seconds(on, alpha))
        found = method.probability(device, pulse, jnp.asarray(seconds(off, alpha)))
        assert found.value == pytest.approx(sketched(*case), abs=1e-4)


def test_spin_orbit_switching_converges_to_the_known_probability():
    found = FokkerPlanck(lmax=100, mmax=60, relative=False, tolerance=0.01).probability(
        dot(), mtj.Pulse(current(0.6), seconds(60.0)), jnp.asarray(seconds(20.0))
    )
    assert found.value == pytest.approx(0.8137, abs=5e-4)


def biaxial(**other):
    """A flat ellipse in a tilted field: nothing is symmetric."""
    layer = mtj.FreeLayer(mtj.EllipticCylinder(40e-9, 30e-9, 2e-9), Ms=2e5, alpha=0.3)
    field = mtj.AppliedField((0.002, 0.001, 0.004))
    terms = (mtj.Demagnetisation((0.05, 0.12, 0.83)), field, mtj.SecondOrderAnisotropy(0.01, axis=(1.0, 0.0, 0.0)))
    return mtj.Device(layer=layer, terms=terms, start=(1.0, 0.0, 0.0), **other)


@pytest.mark.slow
def test_long_times_lead_to_boltzmann_and_nothing_is_lost():
    device = biaxial()
    density = evolve(device, mtj.Pulse(0.0, 0.0), jnp.array([0.1e-9, 1e-6]), method=FokkerPlanck(lmax=48, mmax=48))
    rng = np.random.default_rng(0)
    m = jnp.asarray(rng.normal(size=(500, 3)))
    m = m / jnp.linalg.norm(m, axis=1, keepdims=True)
    found = jax.vmap(density)(m)
    expected = boltzmann(device, m)
    ratio = found[:, 1] / expected
    np.testing.assert_allclose(ratio / jnp.mean(ratio), 1.0, atol=1e-6)
    assert np.ptp(np.asarray(expected)) > 0.5
    np.testing.assert_allclose(density.total, 1.0, atol=1e-10)
    assert np.all(np.asarray(found[:, 0]) > -1e-6 * np.max(np.asarray(found[:, 0])))
    np.testing.assert_allclose(density.switched + density.unswitched, 1.0, atol=1e-12)


def test_mean_of_a_driven_density_equals_the_quadrature_of_its_values():
    method = FokkerPlanck(plan=Plan(24, 16), relative=False, tolerance=1.0)
    density = evolve(dot(6.0, 0.3), mtj.Pulse(current(0.5), 1e-9), jnp.array([0.05e-9]), method=method)
    u, w = np.polynomial.legendre.leggauss(26)
    phi = (np.arange(52) + 0.5) * np.pi / 26
    s = np.sqrt(1 - u**2)[:, None]
    m = np.stack([s * np.cos(phi), s * np.sin(phi), u[:, None] + 0 * phi], -1).reshape(-1, 3)
    P = np.asarray(jax.vmap(density)(jnp.asarray(m)))[:, 0] * np.repeat(w, 52) * np.pi / 26
    np.testing.assert_allclose(density.mean[0], P @ m, atol=1e-9)
    assert np.min(np.abs(P @ m)) > 0.01


GRADIENTS = {
    "Bk": lambda x: (eqx.tree_at(lambda d: d.terms[0].Bk, dot(6.0, 0.2), x * BK), mtj.Pulse(current(0.5), 0.15e-9)),
    "alpha": lambda x: (
        eqx.tree_at(lambda d: d.layer.alpha, dot(6.0, 0.2), x * 0.2),
        mtj.Pulse(current(0.5), 0.15e-9),
    ),
    "theta_sh": lambda x: (
        eqx.tree_at(lambda d: d.terms[2].theta_sh, dot(6.0, 0.2), x * 0.3),
        mtj.Pulse(current(0.5), 0.15e-9),
    ),
    "Ms": lambda x: (eqx.tree_at(lambda d: d.layer.Ms, dot(6.0, 0.2), x * 1e6), mtj.Pulse(current(0.5), 0.15e-9)),
    "temperature": lambda x: (
        eqx.tree_at(lambda d: d.temperature, dot(6.0, 0.2), x * 300.0),
        mtj.Pulse(current(0.5), 0.15e-9),
    ),
    "field": lambda x: (dot(6.0, 0.2, field=jnp.array([0.1, 0.05, 0.02]) * x), mtj.Pulse(current(0.5), 0.15e-9)),
    "amplitude": lambda x: (dot(6.0, 0.2), mtj.Pulse(current(0.5) * x, 0.15e-9, rise=0.02e-9, fall=0.03e-9)),
    "width": lambda x: (dot(6.0, 0.2), mtj.Pulse(current(0.5), 0.15e-9 * x, rise=0.02e-9, fall=0.03e-9)),
}


@pytest.mark.parametrize("name", [n if n == "Bk" else pytest.param(n, marks=pytest.mark.slow) for n in GRADIENTS])
def test_gradients_equal_central_differences(name):
    method = FokkerPlanck(plan=Plan(16, 12, pieces=4), relative=False, tolerance=1.0)

    def probability(x):
        device, pulse = GRADIENTS[name](x)
        return solve(device, pulse, pulse.end + 0.05e-9, method).value

    backward = jax.jit(jax.grad(probability))(1.0)
    step = 1e-3
    values = [jax.jit(probability)(1.0 + k * step) for k in (-2, -1, 1, 2)]
    expected = (values[0] - 8 * values[1] + 8 * values[2] - values[3]) / (12 * step)
    assert backward == pytest.approx(float(expected), rel=1e-5)
    if name == "amplitude":
        assert jax.jvp(probability, (1.0,), (1.0,))[1] == pytest.approx(float(backward), rel=1e-9)


@pytest.mark.slow
def test_gradient_of_the_legendre_solution_equals_central_differences():
    device = mtj.presets.perpendicular_stt(delta=30.0)

    def error_rate(x):
        pulse = mtj.Pulse(1.5 * x * device.critical_current, 5 * device.relaxation_time)
        return jnp.log(FokkerPlanck().probability(device, pulse, jnp.asarray(0.0)).complement)

    expected = (error_rate(1 + 1e-4) - error_rate(1 - 1e-4)) / 2e-4
    assert jax.grad(error_rate)(1.0) == pytest.approx(float(expected), rel=1e-5)


@pytest.mark.slow
def test_batches_of_currents_and_devices_equal_single_solutions():
    method = FokkerPlanck(plan=Plan(32, 24), relative=False, tolerance=1.0)

    def probability(drive, field):
        return method.probability(
            dot(6.0, 0.2, field=jnp.array([field, 0.0, 0.0])), mtj.Pulse(current(drive), 0.1e-9), jnp.asarray(0.0)
        ).value

    drives, fields = jnp.array([0.3, 0.5, 0.7]), jnp.array([0.1, 0.0, -0.2])
    single = [probability(d, f) for d, f in zip(drives, fields, strict=True)]
    np.testing.assert_allclose(jax.vmap(probability)(drives, fields), single, atol=1e-13)


@pytest.mark.slow
def test_torque_with_an_angular_factor_is_resolved_by_itself():
    device = mtj.presets.perpendicular_stt(delta=15.0)
    device = eqx.tree_at(lambda d: d.terms[1].asymmetry, device, jnp.asarray(1.6))
    device = eqx.tree_at(lambda d: d.terms[1].sigma, device, jnp.array([0.3, 0.1, -1.0]) / np.sqrt(1.1))
    pulse = mtj.Pulse(1.2 * device.critical_current, 2 * device.relaxation_time)
    coarse, fine = (
        method.probability(device, pulse, jnp.asarray(0.0))
        for method in (FokkerPlanck(lmax=40, mmax=32), FokkerPlanck(plan=Plan(40, 32, degree=12)))
    )
    assert coarse.method.plan.degree > 2
    assert coarse.value == pytest.approx(float(fine.value), rel=1e-3)


@pytest.mark.slow
def test_smooth_pulses_converge_with_the_number_of_steps():
    pulse = mtj.Sine(current(0.8), frequency=2e9, width=0.5e-9)
    values = [
        FokkerPlanck(lmax=32, mmax=24, plan=plan, relative=False, tolerance=1.0)
        .probability(dot(6.0, 0.2), pulse, jnp.asarray(0.0))
        .value
        for plan in (None, Plan(32, 24, pieces=128))
    ]
    assert values[0] == pytest.approx(float(values[1]), abs=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("current", [31e-6, 70e-6])
def test_an_elliptic_layer_agrees_with_sampling(current):
    device, pulse = mtj.presets.sengupta2016(), mtj.Pulse(current, 0.5e-9)
    found = mtj.switching_probability(device, pulse)
    sampled = mtj.switching_probability(device, pulse, method=mtj.MonteCarlo(20_000, jax.random.key(0)))
    assert abs(found.value - sampled.value) < 4 * jnp.sqrt(found.value * found.complement / 20_000)


@pytest.mark.parametrize("wrong", [{"tolerance": 0.0}, {"tolerance": float("nan")}, {"lmax": 0}, {"mmax": -1}])
def test_options_out_of_range_are_refused(wrong):
    (name,) = wrong
    with pytest.raises(ValueError, match=f"`{name}` of FokkerPlanck must be finite"):
        FokkerPlanck(**wrong)
    with pytest.raises(ValueError, match="`pieces` of Plan must be finite and at least 1, but is 0"):
        Plan(8, 8, pieces=0)


@pytest.mark.slow
def test_too_coarse_is_refused():
    pulse = mtj.Pulse(current(0.6), seconds(60.0))
    with pytest.raises(Exception, match="larger `lmax`"):
        FokkerPlanck(lmax=24, mmax=16).probability(dot(), pulse, jnp.asarray(0.0))


def test_too_small_is_refused():
    device = mtj.presets.perpendicular_stt(delta=60.0)
    with pytest.raises(Exception, match="double precision cannot tell"):
        FokkerPlanck(lmax=128).probability(device, mtj.Pulse(0.0, 1e-10), jnp.asarray(0.0))


@pytest.mark.slow
def test_single_precision_is_accurate_in_the_bulk_and_refuses_tails():
    with jax.enable_x64(False):  # noqa: FBT003
        device = mtj.presets.perpendicular_stt(delta=40.0)
        pulse = mtj.Pulse(1.5 * device.critical_current, 4 * device.relaxation_time)
        found = FokkerPlanck().probability(device, pulse, jnp.asarray(0.0))
        assert found.complement == pytest.approx(2.0856e-1, abs=2e-5)
        tail = mtj.Pulse(2 * device.critical_current, 8 * device.relaxation_time)
        with pytest.raises(Exception, match="jax_enable_x64"):
            FokkerPlanck().probability(device, tail, jnp.asarray(0.0))


def test_a_short_step_takes_few_terms_however_wide_the_spectrum_is():
    step, where = jnp.asarray(3.5e-3), Ellipse(jnp.asarray(163.0), jnp.asarray(1500.0))
    series, terms = _series(step, where)
    assert 10 < int(terms) < 40  # about z = 5 and what it takes to reach rounding
    assert np.all(np.isfinite(np.asarray(series)))


@pytest.mark.parametrize("adjoint", [False, True])
def test_a_product_in_pieces_is_the_product(adjoint):
    shape = stencil(56, 40, 2)
    random = np.random.default_rng(0)
    flow = Flow(*(jnp.asarray(random.standard_normal((2, 5))) for _ in range(2)), jnp.asarray(0.1))
    x = tuple(jnp.asarray(random.standard_normal(shape.size)) for _ in range(2))
    rows = jnp.asarray(shape.diagonals(x[0].dtype, adjoint=adjoint))
    assert rows.size > 2 * _PIECE  # several pieces
    whole, pieces = (f(shape, flow, x, rows, adjoint=adjoint) for f in (apply, apply_in_pieces))
    for a, b in zip(whole, pieces, strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-9, atol=1e-9 * float(jnp.max(jnp.abs(a))))
