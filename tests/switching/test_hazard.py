"""The fast law: the slow mode against closed-form rates, populations against a two-state solution, dynamics (slow)."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from heated import NOMINAL, heated_cell

import mtjax as mtj
from mtjax.switching import rates
from mtjax.switching.fokker_planck import exchange, stencil
from mtjax.switching.fokker_planck.generator import apply
from mtjax.switching.fokker_planck.slow_modes import _kept, generator_matrix
from mtjax.switching.hazard_table import Axes, _problem, reduced_cell


def test_sparse_matrix_is_the_generator():
    shape = stencil(14, 9, 2, None)
    flow, _ = _problem(shape, 9.0, 0.11, 0.3, 0.05)
    x = np.zeros(2 * shape.size)
    kept = _kept(shape)
    x[kept] = np.random.default_rng(0).normal(size=kept.size)
    y = np.concatenate(apply(shape, flow, (jnp.asarray(x[: shape.size]), jnp.asarray(x[shape.size :]))))
    np.testing.assert_allclose(generator_matrix(shape, flow) @ x[kept], y[kept], atol=1e-12)


def test_slowest_mode_without_bias_against_the_rates_of_an_axisymmetric_device():
    shape = stencil(44, 6, 2, None)
    flow, start = _problem(shape, 13.0, 0.0, 0.0, 0.05)
    found = exchange(shape, flow, start)
    cell = reduced_cell(13.0, 0.0, 0.05)
    exact = rates(mtj.Device(cell.layer, cell.terms[:1]))
    unit = float(cell.layer.magnet().gamma) * 1e9
    assert found.out * unit == pytest.approx(float(exact.out), rel=1e-3)
    assert found.back == pytest.approx(found.out, rel=1e-6)


TRANSIT = 20.0


def flat_law(out, edge):
    """A table with the same hazard (over gamma' Bk), edge and transit time everywhere."""
    axes = Axes()
    shape = (len(axes.delta), len(axes.bias), axes.both.size)
    tables = (np.full(shape, np.log(x)) for x in (out, edge, TRANSIT))
    return mtj.HazardLaw.of(0.05, axes.delta, axes.bias, axes.both, *tables)


def test_constant_hazards_against_two_states_by_hand():
    law, cell = flat_law(1e-3, 1e-12), heated_cell(rise=0.0)
    unit = float(cell.layer.magnet().gamma) * 0.3  # gamma' Bk, 1/ns
    np.testing.assert_allclose(law.rates(cell, NOMINAL, 300.0), 1e-3 * unit * 1e9, rtol=1e-6)
    times = jnp.array([3e-9, 40e-9])
    up = law.populations(cell, mtj.Pulse(0.0, 1e-9), times)
    np.testing.assert_allclose(up, (1 + np.exp(-2e-3 * unit * np.array([3.0, 40.0]))) / 2, rtol=1e-6)
    u = 5 * unit
    integral = 1e-3 * (u - TRANSIT * (1 - np.exp(-u / TRANSIT)))
    up = law.populations(cell, mtj.Pulse(NOMINAL, 5e-9), jnp.array([5e-9, 5e-9]))
    np.testing.assert_allclose(up, (1 + np.exp(-2 * integral)) / 2, rtol=1e-6)


def test_a_table_has_a_damping():
    with pytest.raises(ValueError, match="`alpha` of HazardLaw must be finite and positive, but is -1"):
        mtj.HazardLaw.of(-1.0, *[np.ones(3)] * 3, *[np.ones((3, 3, 3))] * 3)


def test_law_is_kept_in_a_file_and_refuses_other_devices(tmp_path):
    law = flat_law(1e-3, 1e-3)
    law.save(tmp_path / "law.npz")
    again = mtj.HazardLaw.load(tmp_path / "law.npz")
    np.testing.assert_array_equal(again.log_out, law.log_out)
    with pytest.raises(ValueError, match="HazardLaw holds for cells"):
        mtj.switching_probability(mtj.presets.perpendicular_stt(), mtj.Pulse(1e-4, 1e-9), method=law)


def train_of(number, interval, most=10):
    """One of at most `most` pulses, so that all share a compilation."""
    return mtj.Steps(np.where(np.arange(most) < number, NOMINAL, 0.0), 5e-9, (5 + interval) * 1e-9)


def by_law(number, interval):
    return float(
        mtj.switching_probability(heated_cell(), train_of(number, interval), method=mtj.HazardLaw.stored(), relax=0.0).value
    )


def test_pulses_far_apart_are_independent_and_heat_leaks_with_the_cooling_time():
    p1 = by_law(1, 200)
    assert by_law(10, 200) == pytest.approx(1 - (1 - p1) ** 10, rel=1e-4)
    assert by_law(10, 10) > 4 * (1 - (1 - p1) ** 10)

    def heat(interval):
        """Logarithm of the hazard of the second pulse over that of a cold one."""
        return np.log(np.log1p(-by_law(2, interval)) / np.log1p(-p1) - 1)

    assert heat(12) / heat(21) == pytest.approx(np.e, rel=0.2)


def test_reading_during_a_pulse_changes_nothing_later():
    law, pulse = mtj.HazardLaw.stored(), train_of(2, 3)
    often = law.populations(heated_cell(), pulse, jnp.array([2e-9, 4e-9, 10e-9, 40e-9]))
    once = law.populations(heated_cell(), pulse, jnp.full(4, 40e-9))
    assert float(often[-1]) == pytest.approx(float(once[0]), rel=2e-3)
    assert np.all(np.diff(often) < 0)


@jax.jit
@jax.value_and_grad
def pair_change(x, delay, sign):
    """Change of <m_z> of an even mixture; `x`: factors on the heating and on the drive."""
    cell = heated_cell(rise=150.0 * x[0], drive=0.060 * x[1])
    up = mtj.HazardLaw.stored().populations(cell, mtj.opposite_pair(sign * NOMINAL, 5e-9, delay), jnp.array([80e-9]), start=0.5)
    return 2 * up[0] - 1


def test_learning_window_and_its_gradient_against_differences():
    one, h = jnp.ones(2), 1e-3 * jnp.eye(2)
    later, slopes = pair_change(one, 8e-9, 1.0)
    assert later > 0.4
    for delay, sign in ((-8e-9, 1.0), (8e-9, -1.0)):
        assert float(pair_change(one, delay, sign)[0]) == pytest.approx(-float(later), rel=1e-6)
    assert abs(pair_change(one, 60e-9, 1.0)[0]) < 0.01 * later
    differences = [float(pair_change(1 + e, 8e-9, 1.0)[0] - pair_change(1 - e, 8e-9, 1.0)[0]) / 2e-3 for e in h]
    np.testing.assert_allclose(slopes, differences, rtol=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize(("number", "interval"), [(1, 10), (2, 3), (3, 3), (2, 10), (5, 10), (10, 10), (5, 50)])
def test_law_of_a_heated_cell_against_the_full_dynamics(number, interval):
    """Within 0.02 of 20,000 trajectories."""
    with jax.enable_x64(False):
        pulse, duration = train_of(number, interval), number * (5 + interval) * 1e-9 + 20e-9
        sol = mtj.simulate(heated_cell(), pulse, duration, samples=20_000, key=jax.random.key(0), save=1, dt=1e-11)
    assert abs(by_law(number, interval) - float(jnp.mean(sol.ms[:, 0, 2] < 0))) < 0.02


@pytest.mark.slow
def test_stored_table_is_what_the_equation_gives():
    axes, law = Axes(delta=(13.0,), bias=(0.11,), drive=(0.0, 0.18, 0.27)), mtj.HazardLaw.stored()
    made = mtj.HazardLaw.tabulated(0.05, axes)
    here = [int(np.argmin(np.abs(law.drive - b))) for b in axes.both]
    for name in ("log_out", "log_edge", "log_transit"):
        np.testing.assert_allclose(getattr(made, name)[0, 0], getattr(law, name)[2, 2][np.array(here)], atol=1e-3)
