"""Hopping rates against Brown's formula, the eigenvalues of the generator, and the time-dependent solution."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import linalg

import mtjax as mtj
from mtjax.switching import FokkerPlanck, Plan, rates, solve
from mtjax.switching.fokker_planck import flow_of, stencil
from mtjax.switching.fokker_planck.axial import matrix
from mtjax.switching.fokker_planck.axial_mode import dead_time, slope_down


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


@pytest.mark.parametrize(("delta", "expected"), [(0.5, 1.62703), (2.0, 0.80768), (5.0, 0.13541), (10.0, 0.0028822)])
def test_lowest_eigenvalue_of_low_barriers(delta, expected):
    """Over D, from expansions in spherical harmonics by others (five digits)."""
    device = mtj.presets.perpendicular_stt(delta=delta)
    D = float(device.magnet.diffusion(device.temperature)) * 1e9
    assert float(rates(device).slowest) / D == pytest.approx(expected, rel=4e-5)


def finite_volumes(slope, D, cells=6000):
    """Smallest eigenvalue other than 0 (1/ns) of the walk along the angle from pi to 0 with `slope` of the logarithm of the density."""
    walls = np.linspace(np.pi, 0.0, cells + 1)
    middles = (walls[1:] + walls[:-1]) / 2
    h = np.pi / cells
    at = lambda x: -np.array([slope(v) for v in x])  # noqa: E731
    log_middles = np.concatenate([[0.0], np.cumsum(h * at(walls[1:-1]))])
    weight = np.exp(log_middles) * np.sin(middles) * h
    across = np.exp((log_middles[1:] + log_middles[:-1]) / 2) * np.sin(walls[1:-1]) / h
    diagonal = (np.append(across, 0) + np.insert(across, 0, 0)) / weight
    beside = -across / np.sqrt(weight[1:] * weight[:-1])
    return D * linalg.eigh_tridiagonal(diagonal, beside, select="i", select_range=(1, 1))[0][0]


def cone():
    layer = mtj.FreeLayer(mtj.EllipticCylinder(40e-9, 40e-9, 1.5e-9), Ms=1e6, alpha=0.02)
    return mtj.Device(layer, (mtj.UniaxialAnisotropy(-0.05), mtj.SecondOrderAnisotropy(0.12)))


@pytest.mark.parametrize(
    ("device", "drive"),
    [(cone(), 0.0), (mtj.presets.perpendicular_stt(delta=4.0), 0.4), (mtj.presets.perpendicular_stt(delta=25.0), 0.6)],
    ids=["cone", "low", "driven"],
)
def test_rates_against_finite_volumes(device, drive):
    current = jnp.asarray(drive * float(device.critical_current) if drive else 0.0)
    slope, D = slope_down(device, current, device.temperature)
    expected = finite_volumes(jax.jit(slope), float(D))
    assert float(rates(device, current).slowest) * 1e-9 == pytest.approx(expected, rel=2e-4)


@pytest.mark.parametrize(("n", "expected"), [(59.9, 0.6790), (60.1, 0.6803), (120.0, 0.9068)])
@pytest.mark.parametrize("rest", [0.0, 3.0])
def test_long_pulses(n, expected, rest):
    """Values of an independent solution; a rest after the pulse changes little."""
    device = mtj.presets.perpendicular_stt(delta=20.0)
    tau = device.relaxation_time
    pulse = mtj.Pulse(0.6 * device.critical_current, n * tau)
    found = mtj.switching_probability(device, pulse, relax=rest * tau)
    assert float(found.value) == pytest.approx(expected, abs=5e-4)


@pytest.mark.parametrize(("delta", "drive"), [(3.0, 0.2), (8.0, 0.9), (20.0, 0.6), (20.0, 1.2), (40.0, 0.5)])
def test_both_sides_of_the_join_and_far_beyond_agree_with_the_whole_solution(delta, drive):
    device = mtj.presets.perpendicular_stt(delta=delta)
    current = jnp.asarray(drive * float(device.critical_current))
    join = float(dead_time(device, current))
    for time in (0.99 * join, 1.01 * join, 3 * join, 20 * join):
        pair = [
            solve(
                device, mtj.Pulse(current, time), time, FokkerPlanck(plan=Plan(128, 0, axisymmetric=True, hopping=hops))
            ).value
            for hops in (False, True)
        ]
        assert float(pair[1]) == pytest.approx(float(pair[0]), abs=2e-6)


def test_a_long_pulse_has_the_slope_of_differences():
    def probability(amplitude):
        device = mtj.presets.perpendicular_stt(delta=20.0)
        pulse = mtj.Pulse(amplitude * device.critical_current, 200 * device.relaxation_time)
        return solve(device, pulse, pulse.end, FokkerPlanck(plan=Plan(96, 0, axisymmetric=True, hopping=True))).value

    slope = jax.jit(jax.grad(probability))(0.5)
    step = 1e-3
    assert float(slope) == pytest.approx(float(probability(0.5 + step) - probability(0.5 - step)) / (2 * step), rel=1e-4)


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
