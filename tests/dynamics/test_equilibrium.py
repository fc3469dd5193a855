"""Thermal equilibrium of both solvers, in both precisions, at the default step.

With 40,000 samples a 5 % error of the temperature moves each mean by more than 8 standard errors.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import integrate, stats

import mtjax as mtj
from mtjax.constants import KB
from mtjax.dynamics import StartWell, StepPath

SAMPLES = 40_000
SPLIT, HEUN, COARSE = mtj.SplitStep(), mtj.Heun(), mtj.SplitStep(normal=mtj.three_point)


def some(*fast):
    """Each solver in each precision; all but the `fast` ones are slow."""
    pairs = [(p, s) for s in (SPLIT, HEUN, COARSE) for p in ("float32", "float64")]
    marked = [pytest.param(*pair, marks=[] if pair in fast else pytest.mark.slow) for pair in pairs]
    return pytest.mark.parametrize(("precision", "solver"), marked, indirect=["precision"])


def z_score(sample, expected):
    sample = np.asarray(sample, np.float64)
    return (sample.mean() - expected) / (sample.std() / sample.size**0.5)


@some(("float32", SPLIT), ("float64", HEUN), ("float64", COARSE))
@pytest.mark.parametrize(("delta", "expected"), [(2.0, 0.531316), (8.0, 0.862079)])
def test_boltzmann_variance_in_a_uniaxial_well(precision, solver, delta, expected):
    moment = 8e5 * 2e-24
    layer = mtj.FreeLayer(mtj.EllipticCylinder(50e-9, 50e-9, 2e-24 / (np.pi * 625e-18)), Ms=8e5, alpha=0.2)
    device = mtj.Device(layer, (mtj.UniaxialAnisotropy(2 * delta * KB * 300 / moment),))
    assert float(device.delta) == pytest.approx(delta, rel=1e-5)
    sol = mtj.simulate(
        device, duration=3 * device.relaxation_time, samples=SAMPLES, key=jax.random.key(1), save=1, solver=solver,
    )  # fmt: skip
    assert sol.ms.dtype == precision
    assert float(jnp.max(jnp.abs(jnp.sum(sol.ms**2, -1) - 1))) < 1e-5
    assert abs(z_score(sol.ms[:, 0, 2] ** 2, expected)) < 4


@some(("float64", SPLIT), ("float32", HEUN))
@pytest.mark.parametrize(("kelvin", "expected"), [(100.0, 0.66095), (300.0, 0.30352), (500.0, 0.18896)])
def test_langevin(precision, solver, kelvin, expected):
    """mumax+ values: Ms 8e5 A/m, 0.05 T, 1e-25 m^3; asymmetric, so that a wrong sign of the field shows."""
    layer = mtj.FreeLayer(mtj.EllipticCylinder(10e-9, 10e-9, 1e-25 / (np.pi * 25e-18)), Ms=8e5, alpha=0.2)
    device = mtj.Device(layer, (mtj.AppliedField((0, 0, 0.05)),), temperature=kelvin)
    duration = 6 / (0.2 * 176e9 * 0.05)
    sol = mtj.simulate(
        device, duration=duration, samples=SAMPLES, key=jax.random.key(2), save=1, start=(1.0, 0.0, 0.0), solver=solver
    )
    assert abs(z_score(sol.ms[:, 0, 2], expected)) < 4


def test_equilibrium_start_is_boltzmann_in_a_tilted_biaxial_well():
    """Means over the drawn starts against quadrature of exp(-E/kT) on the hemisphere."""
    device = mtj.presets.sengupta2016()
    device = eqx.tree_at(
        lambda d: d.terms,
        device,
        (*device.terms, mtj.AppliedField((-0.005, 0.006, 0.05)), mtj.SecondOrderAnisotropy(0.1)),
    )
    well = StartWell.of(device)
    draws = jax.vmap(lambda n: well.draw(StepPath(jax.random.key(3), n)))(jnp.arange(100_000)).array()
    u, wu = np.polynomial.legendre.leggauss(400)
    u, wu = (u + 1) / 2, wu / 2  # cosine to the start direction, x
    phi = 2 * np.pi * np.arange(800) / 800
    s = np.sqrt(1 - u**2)[:, None]
    grid = np.stack([u[:, None] + 0 * phi, s * np.cos(phi), s * np.sin(phi)], -1).reshape(-1, 3)
    energy = jax.vmap(lambda m: device.energy(mtj.Vector.of(m), device.drive(0.0)))(grid)
    p = np.exp(-np.asarray(energy - energy.min()) * float(device.moment) / (KB * 300)) * np.repeat(wu, phi.size)
    p /= p.sum()
    for observable in (
        lambda m: m[:, 0],
        lambda m: m[:, 1],
        lambda m: m[:, 2],
        lambda m: m[:, 1] ** 2,
        lambda m: m[:, 2] ** 2,
    ):
        assert abs(z_score(observable(np.asarray(draws)), p @ observable(grid))) < 4


def test_equilibrium_is_stationary():
    device = mtj.presets.perpendicular_sot(delta=40.0)
    sol = mtj.simulate(device, duration=2e-9, samples=SAMPLES, key=jax.random.key(4), save=2)
    for component in range(3):
        before, after = np.asarray(sol.ms[:, 0, component]), np.asarray(sol.ms[:, 1, component])
        error = np.hypot(before.std(), after.std()) / SAMPLES**0.5
        assert abs(before.mean() - after.mean()) < 4 * error


def test_increments_are_gaussian_and_never_repeat():
    key, steps = jax.random.key(5), jnp.arange(100_000.0) + 1e9
    w = jax.vmap(StepPath(key, 7).evaluate)(steps).array()
    for component in np.asarray(w).T:
        assert stats.kstest(component, "norm").pvalue > 1e-4
        assert abs(component.var() - 1) < 4 * (2 / component.size) ** 0.5
    assert np.unique(np.asarray(w), axis=0).shape[0] == steps.size  # at t / dt = 1e9


def test_three_point_numbers_have_five_gaussian_moments():
    """Over all 2^21 words: moments 0, 1, 0, 3, 0, within the resolution of the words."""
    values = np.asarray(mtj.three_point(jnp.arange(2**21, dtype=jnp.uint32)), np.float64)
    moments = [np.mean(values**n) for n in range(1, 6)]
    np.testing.assert_allclose(moments, [0, 1, 0, 3, 0], atol=3e-6)


def test_increments_are_independent_across_steps_samples_keys_and_components():
    def draw(seed, sample, first):
        steps = jnp.arange(200_000.0) + first
        return np.asarray(jax.vmap(StepPath(jax.random.key(seed), sample).evaluate)(steps).array())

    base = draw(0, 0, 0)
    others = [draw(1, 0, 0), draw(0, 1, 0), draw(0, 0, 1), draw(0, 2**31, 0), np.roll(base, 1, axis=1)]
    for other in others:
        correlations = base.T @ other / base.shape[0] if other is not others[-1] else np.mean(base * other, axis=0)
        assert np.max(np.abs(correlations)) < 4.5 / base.shape[0] ** 0.5


def test_gilbert_relaxation_of_the_mean_against_quadrature():
    """<mz> of a free layer in a field relaxes to the Langevin function: the exact value by quadrature."""
    x = 3.0
    exact = integrate.quad(lambda u: u * np.exp(x * u), -1, 1)[0] / integrate.quad(lambda u: np.exp(x * u), -1, 1)[0]
    layer = mtj.FreeLayer(mtj.EllipticCylinder(20e-9, 20e-9, 1e-9), Ms=8e5, alpha=0.3)
    field = x * KB * 300 / float(layer.Ms * layer.shape.volume)
    device = mtj.Device(layer, (mtj.AppliedField((field, 0, 0)),))
    sol = mtj.simulate(
        device, duration=8 / (0.3 * 176e9 * field), samples=SAMPLES, key=jax.random.key(6), save=1, start=(0, 0, 1)
    )
    assert abs(z_score(sol.ms[:, 0, 0], exact)) < 4
