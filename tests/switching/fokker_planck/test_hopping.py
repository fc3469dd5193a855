"""Hopping rates against Brown's formula, the eigenvalues of the generator, and the time-dependent solution."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import mtjax as mtj
from mtjax.switching import FokkerPlanck, rates
from mtjax.switching.fokker_planck import flow_of, stencil
from mtjax.switching.fokker_planck.axial import matrix


@pytest.mark.parametrize(("delta", "within"), [(20.0, 0.06), (40.0, 0.03), (60.0, 0.02)])
def test_rate_approaches_browns_formula(delta, within):
    device = mtj.presets.perpendicular_stt(delta=delta)
    slowest = float(rates(device).slowest) * float(device.relaxation_time)
    brown = 2 * np.sqrt(delta / np.pi) * np.exp(-delta)
    assert slowest == pytest.approx(brown * (1 - 1 / delta), rel=1.2 / delta**2 + 1e-3)
    assert slowest == pytest.approx(brown, rel=within)


@pytest.mark.parametrize("delta", [20.0, 40.0, 60.0])
def test_rate_follows_the_published_series_of_high_barriers(delta):
    """tau = tau_N sqrt(pi) e^delta / (2 delta^1.5) (1 + 1/delta + 7/(4 delta^2) + ...) (Coffey and Kalmykov, as recalled)."""
    device = mtj.presets.perpendicular_stt(delta=delta)
    slowest = float(rates(device).slowest) * float(device.relaxation_time)
    brown = 2 * np.sqrt(delta / np.pi) * np.exp(-delta)
    assert slowest == pytest.approx(brown / (1 + 1 / delta + 7 / (4 * delta**2)), rel=7 / delta**3 + 1e-5)


@pytest.mark.parametrize("delta", [0.05, 0.2])
def test_lowest_eigenvalue_follows_the_published_series_of_low_barriers(delta):
    """lambda_1 / D = 2 - 4 delta / 5 + 96 delta^2 / 875 + ... (Brown 1963, as recalled)."""
    device = mtj.presets.perpendicular_stt(delta=delta)
    flow, _ = flow_of(device, jnp.zeros(()), device.temperature, 2)
    eigenvalues = np.sort(-np.linalg.eigvals(np.asarray(matrix(stencil(16, 0, 2), flow))).real)
    assert eigenvalues[1] / float(flow.D) == pytest.approx(2 - 4 * delta / 5 + 96 / 875 * delta**2, abs=0.01 * delta**3)


@pytest.mark.parametrize(("delta", "overdrive", "within"), [(12.0, 0.0, 1e-3), (20.0, 0.0, 2e-5), (15.0, 0.3, 1e-2)])
def test_rate_equals_the_lowest_eigenvalue(delta, overdrive, within):
    device = mtj.presets.perpendicular_stt(delta=delta)
    current = jnp.asarray(overdrive * device.critical_current)
    flow, _ = flow_of(device, current, device.temperature, 2)
    eigenvalues = np.sort(-np.linalg.eigvals(np.asarray(matrix(stencil(80, 0, 2), flow))).real)
    found = rates(device, current)
    assert found.slowest * 1e-9 == pytest.approx(eigenvalues[1], rel=within)
    if overdrive:
        assert found.out > 10 * found.back


def test_long_times_join_the_time_dependent_solution():
    device = mtj.presets.perpendicular_stt(delta=12.0)
    times = np.array([55.0, 65.0, 300.0, 3e4]) * float(device.relaxation_time)
    found = [FokkerPlanck(lmax=64).probability(device, mtj.Pulse(0.0, 0.0), jnp.asarray(t)).value for t in times]
    expected = rates(device).switched(times)
    np.testing.assert_allclose(found, expected, rtol=2e-2)
    assert found[3] == pytest.approx(float(expected[3]), rel=1e-3)


def test_retention_of_years_has_a_finite_gradient():
    def probability(delta):
        device = mtj.presets.perpendicular_stt(delta=delta)
        return jnp.log(rates(device).switched(3.15e8))

    slope = jax.grad(probability)(60.0)
    assert slope == pytest.approx(float(probability(60.1) - probability(59.9)) / 0.2, rel=1e-4)
    assert -1.1 < slope < -0.9


def test_rates_need_two_wells():
    device = mtj.presets.perpendicular_stt(delta=20.0)
    with pytest.raises(Exception, match="two wells"):
        rates(device, 2 * device.critical_current)
    with pytest.raises(Exception, match="axis of symmetry"):
        jax.jit(rates)(mtj.presets.perpendicular_sot())
