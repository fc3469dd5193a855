"""Hopping rates without an axis of symmetry: against the axial ones, Kramers' formula at a saddle, and the solution in time."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import mtjax as mtj
from mtjax.constants import KB
from mtjax.switching import FokkerPlanck, Plan, rates, solve
from mtjax.switching.fokker_planck.two_wells import has_two_wells

GAMMA = 1.760859630e11


@pytest.mark.slow
@pytest.mark.parametrize(("delta", "overdrive"), [(60.0, 0.0), (20.0, 0.3), (20.0, 0.0)])
def test_rates_on_the_sphere_equal_those_about_an_axis(delta, overdrive):
    device = mtj.presets.perpendicular_stt(delta=delta)
    current = overdrive * device.critical_current
    found, expected = rates(device, current, lmax=72, mmax=3), rates(device, current)
    assert found.out == pytest.approx(float(expected.out), rel=2e-3)
    if overdrive:
        assert found.back < 1e-6 * found.out
    else:
        assert found.back == pytest.approx(float(expected.back), rel=2e-3)


def biaxial(delta=12.0, alpha=0.5, ratio=3.0, **other):
    """Easy along x, hard along z, `ratio` times stiffer out of the plane than in it; a spin-orbit torque along x."""
    shape = mtj.EllipticCylinder(40e-9, 40e-9, 1.5e-9)
    Ms = 8e5
    Bk = 2 * delta * KB * 300.0 / (Ms * float(shape.volume))
    terms = (
        mtj.UniaxialAnisotropy(Bk, axis=(1.0, 0.0, 0.0)),
        mtj.UniaxialAnisotropy(-ratio * Bk, axis=(0.0, 0.0, 1.0)),
        mtj.SpinOrbitTorque(theta_sh=0.3, width=40e-9, thickness=3e-9, sigma=(-1.0, 0.0, 0.0)),
    )
    layer = mtj.FreeLayer(shape, Ms=Ms, alpha=alpha)
    return mtj.Device(layer=layer, terms=terms, start=(1.0, 0.0, 0.0), **other), Bk


def kramers(Bk, alpha, ratio, delta):
    """Rate out of one well over two saddles, 1/s (Brown 1979; Coffey et al., J. Phys.: Condens. Matter 13, 2001)."""
    valley, ridge = (Bk, Bk + ratio * Bk), (-Bk, ratio * Bk)
    difference, product = ridge[1] - ridge[0], ridge[0] * ridge[1]
    growth = (-alpha * sum(ridge) + np.sqrt(alpha**2 * difference**2 - 4 * product)) / 2
    attempts = GAMMA / (1 + alpha**2) * growth / (2 * np.pi) * np.sqrt(valley[0] * valley[1] / -product)
    return 2 * attempts * np.exp(-delta)


@pytest.mark.parametrize(
    "delta", [14.0, pytest.param(28.0, marks=pytest.mark.slow), pytest.param(56.0, marks=pytest.mark.slow)]
)
def test_rates_approach_kramers_formula_at_a_saddle(delta):
    device, Bk = biaxial(delta, alpha=1.0)
    found = rates(device, lmax=64 if delta < 20 else None, mmax=40 if delta < 20 else None)
    assert found.out == pytest.approx(kramers(Bk, 1.0, 3.0, delta), rel=1.5 / delta)
    assert found.back == pytest.approx(float(found.out), rel=1e-3)


@pytest.mark.slow
def test_gradients_of_rates_equal_central_differences():
    device, _ = biaxial(10.0)
    tilted = eqx.tree_at(lambda d: d.terms, device, (*device.terms, mtj.AppliedField((0.002, 0.001, 0.0))))

    def log_rate(x, current):
        changed = eqx.tree_at(
            lambda d: (d.terms[0].Bk, d.layer.alpha), tilted, (x * tilted.terms[0].Bk, x * tilted.layer.alpha)
        )
        return jnp.log(rates(changed, current, lmax=40, mmax=24).out)

    for current in (0.0, 0.2 * float(device.critical_current)):
        expected = (log_rate(1.001, current) - log_rate(0.999, current)) / 0.002
        assert jax.grad(log_rate)(1.0, current) == pytest.approx(float(expected), rel=1e-4)
        assert abs(expected) > 1


@pytest.mark.parametrize("overdrive", [0.3, pytest.param(0.0, marks=pytest.mark.slow)])
def test_hopping_joins_the_solution_in_time(overdrive):
    device, _ = biaxial(6.0)
    pulse = mtj.Pulse(overdrive * device.critical_current, 80 * device.relaxation_time)
    short = FokkerPlanck(plan=Plan(24, 20), tolerance=1.0)
    found = [solve(device, pulse, pulse.end, method).checked() for method in (short, FokkerPlanck(lmax=24, mmax=20))]
    np.testing.assert_allclose(found[1], found[0], rtol=1e-7)
    assert 0.02 < found[0][0] < 0.98
    named = FokkerPlanck(lmax=24, mmax=20).planned(device, pulse, 0.0).name
    assert "spherical harmonics and hopping rates" in named


def test_the_second_well_goes_with_the_current():
    device, _ = biaxial(6.0)
    assert has_two_wells(device, jnp.asarray(0.0))
    assert not has_two_wells(device, 3 * device.critical_current)


@pytest.mark.slow
def test_one_well_only_is_refused():
    device, _ = biaxial(6.0)
    with pytest.raises(ValueError, match="two wells"):
        rates(device, 3 * device.critical_current)


@pytest.mark.slow
def test_retention_of_a_spin_orbit_device_is_found_for_years():
    device = mtj.presets.perpendicular_sot()
    year = 3.156e7
    found = mtj.switching_probability(device, mtj.Pulse(0.0, 0.0), relax=year)
    assert found.value == pytest.approx(float(rates(device).switched(year)), rel=1e-2)
    assert "hopping" in found.method.name
