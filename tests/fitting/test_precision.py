"""What is worked out in double precision can be used in a session of single precision, without a warning."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from counted import ENGINE
from scipy import constants

import mtjax as mtj
from mtjax.fitting import design, fit_logistic, posterior, profile

SETTINGS = {"current": [9e-6, 10e-6, 11e-6, 12e-6], "width": 100e-9, "switched": [3, 16, 69, 99], "trials": 100}


@pytest.fixture(autouse=True)
def single():
    with jax.enable_x64(False):
        yield


@pytest.fixture(scope="module")
def found():
    with jax.enable_x64(False):
        data = mtj.SwitchingData(**SETTINGS)
        device = mtj.presets.perpendicular_stt(40.0)
        return mtj.fit(device, data, where=("Bk",), lapse=mtj.Misread(0.01, 0.01), method=ENGINE, relax=0.0)


def numbers(tree):
    """Precisions of the arrays of jax in an object."""
    return {x.dtype for x in jax.tree.leaves(tree) if isinstance(x, jax.Array)}


def test_the_fitted_device_is_one_of_the_session(found):
    device = found.device
    assert numbers((device, found.lapse)) == {np.dtype("float32")}
    given = mtj.presets.perpendicular_stt(40.0)
    ratio = found.estimates["Bk"].value / float(given.Bk)
    assert float(device.Bk / given.Bk) == pytest.approx(ratio, rel=1e-5)
    assert float(device.delta) == pytest.approx(40 * ratio, rel=1e-5)
    current_of_alpha_Bk = 2 * constants.e * 1e6 * 1.2e-9 * np.pi / 4 * 40e-9**2 / (constants.hbar * 0.6)
    assert float(device.critical_current) == pytest.approx(current_of_alpha_Bk * 0.01 * float(device.Bk), rel=1e-4)
    assert "critical current" in str(device)


def test_it_switches_as_the_fit_predicts(found):
    p = mtj.switching_probability(found.device, mtj.Pulse(10.5e-6, 100e-9), relax=0.0, method=ENGINE)
    (expected, _) = found.lapse.observed(p.value[None], p.complement[None], np.array([10.5e-6]))
    assert float(expected[0]) == pytest.approx(float(found.predict(10.5e-6, 100e-9).p[0]), rel=1e-4)


def test_the_likelihood_can_be_worked_out_and_differentiated(found):
    value, slope = jax.jit(jax.value_and_grad(found.likelihood))(jnp.asarray(found.at))
    assert -2 * float(value) == pytest.approx(found.deviance, rel=1e-3)
    assert slope.dtype == np.float32
    assert np.all(np.abs(slope) < 0.1)


def test_a_saved_fit_is_loaded_equal_and_usable(found, tmp_path):
    found.save(tmp_path / "fit.json")
    again = mtj.Fit.load(tmp_path / "fit.json")
    assert [x.dtype for x in jax.tree.leaves(again.model.device)] == [x.dtype for x in jax.tree.leaves(found.model.device)]
    assert eqx.tree_equal(again.device, found.device)
    np.testing.assert_array_equal(again.fitted().p, found.fitted().p)


def test_what_is_derived_from_a_fit_holds_no_double_precision_of_jax(found):
    logistic = fit_logistic(mtj.SwitchingData(**SETTINGS))
    plan = design(found, lambda d: d[mtj.UniaxialAnisotropy].Bk, trials=200, draws=2)
    derived = (logistic, plan, profile(found, "Bk"), found.fitted(), found.residuals())
    assert numbers(derived) <= {np.dtype("float32")}
    assert plan.value == pytest.approx(float(found.device[mtj.UniaxialAnisotropy].Bk), rel=1e-5)
    assert float(logistic.likelihood(logistic.at)) == pytest.approx(-logistic.deviance / 2, rel=1e-3)


@pytest.mark.slow
def test_draws_hold_no_double_precision_of_jax():
    drawn = posterior(fit_logistic(mtj.SwitchingData(**SETTINGS)), key=jax.random.key(0), samples=20, warmup=20, chains=1)
    assert numbers(drawn) <= {np.dtype("float32")}
    assert np.all(np.isfinite(drawn.draws))
