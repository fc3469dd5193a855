"""The fast law: the slow mode against closed-form rates, populations against a two-state solution, dynamics (slow)."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from heated import NOMINAL, heated_cell

import mtjax as mtj
from mtjax.generator import apply, stencil
from mtjax.hazard_table import Axes, _problem, reduced_cell
from mtjax.rates import rates
from mtjax.spectrum import _kept, exchange, generator_matrix


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


def flat_law(out, edge):
    """A table with the same hazard (over gamma' Bk) and edge everywhere."""
    axes = Axes()
    shape = (len(axes.delta), len(axes.bias), axes.both.size)
    log_out, log_edge = np.full(shape, np.log(out)), np.full(shape, np.log(edge))
    return mtj.HazardLaw.of(0.05, axes.delta, axes.bias, axes.both, log_out, log_edge)


def test_constant_hazards_against_two_states_by_hand():
    law, cell = flat_law(1e-3, 1e-12), heated_cell(rise=0.0)
    unit = float(cell.layer.magnet().gamma) * 0.3  # gamma' Bk, 1/ns
    times = jnp.array([3e-9, 40e-9])
    up = law.populations(cell, mtj.Pulse(0.0, 1e-9), times)
    np.testing.assert_allclose(up, (1 + np.exp(-2e-3 * unit * np.array([3.0, 40.0]))) / 2, rtol=1e-6)
    memory = 1.6 / 0.05
    u = 5 * unit
    integral = 1e-3 * (u - memory * (1 - np.exp(-u / memory)))
    up = law.populations(cell, mtj.Pulse(NOMINAL, 5e-9), jnp.array([5e-9]))
    np.testing.assert_allclose(up, (1 + np.exp(-2 * integral)) / 2, rtol=1e-6)


def test_law_is_kept_in_a_file_and_refuses_other_devices(tmp_path):
    law = flat_law(1e-3, 1e-3)
    law.save(tmp_path / "law.npz")
    again = mtj.HazardLaw.load(tmp_path / "law.npz")
    np.testing.assert_array_equal(again.log_out, law.log_out)
    with pytest.raises(ValueError, match="HazardLaw holds for cells"):
        mtj.switching_probability(mtj.presets.perpendicular_stt(), mtj.Pulse(1e-4, 1e-9), method=law)


@pytest.mark.slow
def test_law_of_a_heated_cell_against_the_full_dynamics():
    """The table takes ten minutes. Within 0.025 of 8,000 trajectories (0.02 and one standard error)."""
    law, cell = mtj.HazardLaw.tabulated(0.05), heated_cell()
    for number, interval in ((1, 10), (2, 3), (2, 10), (5, 10), (5, 50)):
        pulse = mtj.Train(mtj.Pulse(NOMINAL, 5e-9), number, (5 + interval) * 1e-9)
        duration = number * (5 + interval) * 1e-9 + 20e-9
        with jax.enable_x64(False):
            sol = mtj.simulate(heated_cell(), pulse, duration, samples=8000, key=jax.random.key(0), save=1)
        p = float(mtj.switching_probability(cell, pulse, method=law, relax=duration - pulse.end).value)
        assert abs(p - float(jnp.mean(sol.ms[:, 0, 2] < 0))) < 0.025
