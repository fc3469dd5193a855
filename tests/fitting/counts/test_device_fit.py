"""Fits against scipy's optimum of the same likelihood written down apart, finite differences, and known truths."""

import itertools
import json
import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from counted import DEVICE, ENGINE, probability
from places import SHARED
from scipy import constants, optimize, stats

from mtjax import AppliedField, SpinOrbitTorque, SpinTransferTorque, UniaxialAnisotropy, presets
from mtjax.devices import all_parameters, by_names, by_where
from mtjax.fitting import Fit, Prediction, SwitchingData, fit, identifiability
from mtjax.fitting.binomial import chi_square_tail, deviances, fisher_information, residual_slopes, residuals, runs_tail
from mtjax.fitting.counts.linearised import linearised
from mtjax.fitting.counts.model import compose, settings_of, with_method
from mtjax.fitting.counts.start import least_move, midpoint
from mtjax.switching import AbstractMethod, FokkerPlanck, Probability, ThermalActivation, least_resolved

DEVICE_A = SHARED / "data" / "sot_mtj_psw_0p75ns" / "device_a.csv"
WIDTH, TRIALS = 100e-9, 200
CURRENTS = np.linspace(7.5e-6, 12.5e-6, 15)
LAW = ThermalActivation()


def both(device):
    return device[UniaxialAnisotropy].Bk, device[SpinTransferTorque].polarisation


def law(Bk, polarisation, currents=CURRENTS):
    """The thermally activated law of `presets.perpendicular_stt`, written down apart from the package."""
    Ms, alpha, t, area = 1e6, 0.01, 1.2e-9, math.pi / 4 * (40e-9) ** 2
    gamma, e, hbar, k = (
        constants.physical_constants["electron gyromag. ratio"][0],
        constants.e,
        constants.hbar,
        constants.k,
    )
    delta = Bk * Ms * area * t / (2 * k * 300.0)
    critical = alpha * Bk * 2 * e * Ms * t * area / (hbar * polarisation)
    attempts = alpha * gamma * Bk / (1 + alpha**2) * np.sqrt(delta / np.pi)
    return attempts * WIDTH * np.exp(-delta * np.maximum(1 - currents / critical, 0.0) ** 2)


def log_likelihood(theta, switched):
    expected = law(*theta)
    return np.sum(switched * np.log(-np.expm1(-expected)) - (TRIALS - switched) * expected)


@pytest.fixture(scope="module")
def device():
    return presets.perpendicular_stt(40.0)


@pytest.fixture(scope="module")
def truth(device):
    return np.array([float(x) for x in both(device)])


def counted(switched):
    return SwitchingData(current=CURRENTS, width=WIDTH, switched=switched, trials=TRIALS)


@pytest.fixture(scope="module")
def sample(truth):
    return counted(np.random.default_rng(1).binomial(TRIALS, -np.expm1(-law(*truth))))


@pytest.fixture(scope="module")
def found(device, sample):
    return fit(device, sample, where=both, method=LAW, relax=0.0)


# the pieces of the likelihood


def test_deviance_by_hand():
    k, n, p = np.array([3.0, 0.0, 10.0, 5.0]), np.full(4, 10.0), np.array([0.5, 0.1, 0.8, 0.5])
    by_hand = [2 * (3 * math.log(0.6) + 7 * math.log(1.4)), -20 * math.log(0.9), -20 * math.log(0.8), 0.0]
    np.testing.assert_allclose(deviances(k, n, p, 1 - p), by_hand, atol=1e-14)
    np.testing.assert_array_equal(np.sign(residuals(k, n, p, 1 - p)), [-1, -1, 1, 0])


def test_an_impossible_count_costs_much_but_not_infinitely_much():
    one, none = np.array([1.0]), np.array([0.0])
    assert 1300 < deviances(one, 10 * one, none, one)[0] < 1500
    assert deviances(none, 10 * one, none, one)[0] == 0


def test_slopes_of_residuals_are_differences():
    k, n = np.array([3.0, 0.0, 10.0, 5.0]), np.full(4, 10.0)

    def at(x):
        p = 1 / (1 + np.exp(-(np.array([-0.3, -2.0, 1.5, 0.0]) + x)))
        return p, 1 - p

    p, q = at(0.0)
    prediction = Prediction(p, q, (p * q)[:, None], -(p * q)[:, None])
    h = 1e-4
    slope = (residuals(k, n, *at(h)) - residuals(k, n, *at(-h))) / (2 * h)
    np.testing.assert_allclose(residual_slopes(k, n, prediction)[:, 0], slope, rtol=1e-6)


def test_fisher_information_is_the_variance_of_the_score():
    n, p, dp = 7, 0.3, np.array([0.2, -0.5])
    k = np.arange(n + 1)
    score = (k / p - (n - k) / (1 - p))[:, None] * dp
    variance = np.einsum("k,ki,kj->ij", stats.binom.pmf(k, n, p), score, score)
    at = Prediction(np.array([p]), np.array([1 - p]), dp[None], -dp[None])
    np.testing.assert_allclose(fisher_information(np.array([7.0]), at), variance, rtol=1e-12)


class Rough(AbstractMethod):
    """An engine whose errors are far larger than the smallest probabilities, which they can make negative."""

    @property
    def name(self):
        return "a rough engine"

    def probability(self, device, pulse, relax):
        u = 100 * (pulse.amplitude / 1e-5 - 1) * device.temperature / 300
        error = 1e-7 * jnp.cos(100 * u)
        return Probability(jax.nn.sigmoid(u) - error, jax.nn.sigmoid(-u) + error, None, self)


def test_errors_of_an_engine_do_not_pass_for_information(device, sample):
    model = compose(
        device, by_names(device, ("temperature",)), (), (), lapse=None, bounds=None, priors=None, method=Rough(), relax=0.0,
        of_voltage=False,
    )  # fmt: skip
    c, rows = model.space.at(model.space.start), settings_of(sample, "device_id", ())

    def information(model):
        at = linearised(model, jnp.asarray(c), rows)
        return float(fisher_information(sample.trials, at)[0, 0])

    u = 100 * (CURRENTS / 1e-5 - 1)
    p, temperature = 1 / (1 + np.exp(-u)), float(model.space.scale(model.space.start)[0])
    honest = np.sum(TRIALS * u**2 * p * (1 - p)) * (temperature / 300) ** 2
    assert information(model) > 1e9 * honest
    assert information(with_method(model, Rough(), 1e-4)) == pytest.approx(honest, rel=0.02)


def test_only_engines_with_an_absolute_error_have_a_least_probability():
    assert 0 < least_resolved(FokkerPlanck(relative=False), 50) < 1e-3 / 50
    assert least_resolved(FokkerPlanck(), 50) == least_resolved(Rough(), 50) == 0


def test_tail_of_chi_square():
    np.testing.assert_allclose(chi_square_tail(96.6, 14), stats.chi2.sf(96.6, 14), rtol=1e-9)
    assert chi_square_tail(1.0, 0) == 1.0


def test_runs_by_listing_all_orders():
    def runs(signs):
        return 1 + sum(a != b for a, b in itertools.pairwise(signs))

    orders = list(set(itertools.permutations([1] * 4 + [-1] * 5)))
    for r in (2, 3, 5, 6):
        example = next(o for o in orders if runs(o) == r)
        share = sum(runs(o) <= r for o in orders) / len(orders)
        np.testing.assert_allclose(runs_tail(np.array(example)), share, rtol=1e-12)
    assert runs_tail(np.ones(20)) == 1.0


# the fit


def test_the_optimum_is_that_of_scipy(found, sample, truth):
    options = {"xatol": 1e-9, "fatol": 1e-9, "maxiter": 4000}
    best = optimize.minimize(
        lambda x: -log_likelihood(truth * x, sample.switched), np.ones(2), method="Nelder-Mead", options=options
    )
    np.testing.assert_allclose(found.estimates.value, truth * best.x, atol=2e-3 * found.estimates.stderr.min())
    p = sample.probability
    free = np.sum([stats.binom.logpmf(k, TRIALS, x) for k, x in zip(sample.switched, p, strict=True)])
    fitted = np.sum(stats.binom.logpmf(sample.switched, TRIALS, -np.expm1(-law(*(truth * best.x)))))
    np.testing.assert_allclose(found.deviance, 2 * (free - fitted), rtol=1e-5)
    assert found.dof == 13
    np.testing.assert_allclose(found.p_value, stats.chi2.sf(found.deviance, 13), rtol=1e-9)
    assert found.warnings == ()


def test_covariance_is_the_inverse_curvature_at_data_without_noise(device, truth):
    expected = TRIALS * -np.expm1(-law(*truth))
    perfect = fit(device, counted(expected), where=both, method=LAW, relax=0.0)
    np.testing.assert_allclose(perfect.estimates.value, truth, rtol=1e-4)
    assert perfect.deviance < 1e-6
    h = 1e-4 * truth
    steps = h * np.eye(2)
    curvature = np.array([
        [
            sum(a * b * log_likelihood(truth + a * s + b * t, expected) for a in (1, -1) for b in (1, -1))
            / (4 * np.sum(s) * np.sum(t))
            for s in steps
        ]
        for t in steps
    ])  # fmt: skip
    np.testing.assert_allclose(perfect.covariance, np.linalg.inv(-curvature), rtol=2e-3)
    np.testing.assert_allclose(perfect.estimates.stderr, np.sqrt(np.diag(perfect.covariance)), rtol=1e-12)


@pytest.mark.parametrize("factors", [(2.5, 0.4), (0.3, 1.0), (1.0, 1.6)])
def test_a_distant_start_leads_to_the_same_place(device, sample, found, factors):
    start = eqx.tree_at(both, device, tuple(x * f for x, f in zip(both(device), factors, strict=True)))
    other = fit(start, sample, where=("Bk", "polarisation"), method=LAW, relax=0.0)
    np.testing.assert_allclose(other.estimates.value, found.estimates.value, atol=2e-3 * found.estimates.stderr.min())
    np.testing.assert_allclose(other.deviance, found.deviance, rtol=1e-6)


@pytest.mark.slow
def test_several_starts_agree(device, sample, found):
    np.testing.assert_allclose(
        fit(device, sample, where=both, method=LAW, relax=0.0, starts=3).deviance, found.deviance, rtol=1e-6
    )


def test_the_fitted_device_holds_the_estimates_and_nothing_else_changed(device, found):
    np.testing.assert_array_equal([float(x) for x in both(found.device)], found.estimates.value)
    back = eqx.tree_at(both, found.device, both(device))
    assert eqx.tree_equal(back, device)
    assert found.estimates["Bk"].unit == "T"
    with pytest.raises(KeyError, match="Bk, polarisation, but not alpha"):
        found.estimates["alpha"]


def test_predictions_and_their_slopes(found):
    at = found.predict(CURRENTS[:4], WIDTH)
    np.testing.assert_allclose(at.p, -np.expm1(-law(*found.estimates.value)[:4]), rtol=1e-4)
    h = 1e-5
    up, down = (-np.expm1(-law(found.estimates.value[0] * (1 + s), found.estimates.value[1])[:4]) for s in (h, -h))
    np.testing.assert_allclose(at.dp[:, 0], (up - down) / (2 * h * found.estimates.value[0]), rtol=1e-3)
    np.testing.assert_allclose(at.dq, -at.dp, rtol=1e-9)
    assert np.sum(found.residuals() ** 2) == pytest.approx(found.deviance)


@pytest.mark.parametrize("repeats", [30, pytest.param(120, marks=pytest.mark.slow)])
def test_intervals_hold_the_truth_as_often_as_they_say(repeats):
    """Standard errors that are 0.7 of the right ones would be 5 sigma away in 30 repeats.

    In 120 a coverage of 0.55 for 0.68, or 0.85 for 0.95, would be 3 and 5 sigma away.
    """
    truth = np.array([0.2, 0.01])
    random = np.random.default_rng(5)
    p = probability(*truth, currents=CURRENTS, widths=WIDTH)
    fits = [
        fit(DEVICE, counted(random.binomial(TRIALS, p)), where=("Bk", "alpha"), method=ENGINE, relax=0.0)
        for _ in range(repeats)
    ]
    off = np.array([np.linalg.solve(np.linalg.cholesky(f.covariance), f.estimates.value - truth) for f in fits])
    assert abs(np.sum(off**2) - off.size) < 4 * np.sqrt(2 * off.size)
    for level in (0.68, 0.95):
        inside = np.array(
            [(f.estimates.interval(level)[:, 0] < truth) & (truth < f.estimates.interval(level)[:, 1]) for f in fits]
        )
        sigma = np.sqrt(level * (1 - level) / len(fits))
        assert np.all(np.abs(inside.mean(0) - level) < 3 * sigma), inside.mean(0)
    uniform = np.sort([f.p_value for f in fits])
    assert stats.kstest(uniform, "uniform").pvalue > 1e-3


def test_voltages_pass_through_the_write_resistance(device, sample):
    counts = {"width": WIDTH, "switched": sample.switched, "trials": TRIALS}
    columns = ({"current": CURRENTS}, {"voltage": CURRENTS * 5e3})
    ampere, volt = (fit(device, SwitchingData(**x, **counts), where=both, method=ENGINE, relax=0.0) for x in columns)
    np.testing.assert_allclose(volt.estimates.value, ampere.estimates.value, rtol=1e-5)


@pytest.mark.slow
def test_only_polarisation_over_resistance_matters(device, sample, found):
    volts = SwitchingData(voltage=CURRENTS * 5e3, width=WIDTH, switched=sample.switched, trials=TRIALS)
    fit_R = fit(device, volts, where=("write_resistance", "Bk"), method=LAW, relax=0.0)
    ratio = fit_R.estimates["write_resistance"].value / 5e3  # only polarisation / resistance matters
    np.testing.assert_allclose(0.6 / ratio, found.estimates["polarisation"].value, rtol=1e-3)


class Across(AbstractMethod):
    """A dot whose critical current falls with the field B along it: I_c ~ (Bk - sqrt(2) B) width / theta_sh (Lee et al., 2013)."""

    @property
    def name(self):
        return "a field along the current"

    def probability(self, device, pulse, relax):
        torque, B = device[SpinOrbitTorque], jnp.linalg.norm(device[AppliedField].B)
        critical = 4e3 * (device[UniaxialAnisotropy].Bk - jnp.sqrt(2.0) * B) * torque.width / torque.theta_sh
        u = 20 * (pulse.amplitude / critical - 1)
        return Probability(jax.nn.sigmoid(u), jax.nn.sigmoid(-u), None, self)


@pytest.fixture(scope="module")
def across():
    """A dot at two fields along the current; counts without noise."""
    device = presets.perpendicular_sot(40.0)
    currents, fields = np.tile(np.linspace(6e-5, 1.1e-4, 8), 2), np.repeat([0.01, 0.03], 8)
    critical = 4e3 * (float(device[UniaxialAnisotropy].Bk) - np.sqrt(2.0) * fields) * 50e-9 / 0.3
    counts = np.round(1e4 / (1 + np.exp(20 - 20 * currents / critical)))
    return device, SwitchingData(current=currents, width=1e-8, switched=counts, trials=1e4, field=fields)


def test_a_field_column_sets_the_strength_of_the_applied_field(across):
    """Three quantities, of which two only matter as a ratio: what remains is found, and the flat direction is named."""
    device, data = across
    found = fit(device, data, where=("theta_sh", "SpinOrbitTorque.width", "Bk"), method=Across(), relax=0.0)
    ratio = found.estimates["theta_sh"].value / found.estimates["SpinOrbitTorque.width"].value
    np.testing.assert_allclose(ratio, 0.3 / 50e-9, rtol=2e-3)
    assert found.deviance < 16
    (said,) = [s for s in found.warnings if "apart" in s]
    assert "do not determine theta_sh and SpinOrbitTorque.width apart" in said
    assert "times 2 and" in said
    assert "only theta_sh / SpinOrbitTorque.width is determined" in said
    words = identifiability(found)
    assert any(s.startswith("theta_sh / SpinOrbitTorque.width is known to 0.") for s in words), words
    assert "theta_sh alone is not known (it could be anything)." in words
    with pytest.raises(ValueError, match="one AppliedField, but this has 0"):
        fit(presets.perpendicular_stt(), data, where=both, method=LAW, relax=0.0)


# criticism


@pytest.mark.slow
def test_a_quantity_that_does_not_matter_is_named(across):
    device, data = across
    idle = fit(device, data, where=("theta_sh", "Bk", "write_resistance"), method=Across(), relax=0.0)
    assert any(s == "The data do not determine write_resistance." for s in idle.warnings)
    assert idle.estimates["write_resistance"].stderr > 1e3 * idle.estimates["write_resistance"].value
    np.testing.assert_allclose(idle.estimates["theta_sh"].value, 0.3, rtol=0.05)


def test_a_plateau_is_flagged(device, truth):
    p = np.minimum(-np.expm1(-law(*truth)), 0.7)
    found = fit(device, counted(np.round(TRIALS * p)), where=both, method=LAW, relax=0.0)
    assert found.p_value < 1e-10
    assert any("does not describe the data" in s and "uA" not in s for s in found.warnings)
    assert "warning: The model does not describe" in str(found)


@pytest.mark.slow
def test_a_trend_in_the_residuals_is_flagged(device, truth):
    """A curve slightly too flat: by the deviance alone nothing is wrong."""
    currents = np.linspace(7.5e-6, 12.5e-6, 60)
    p = 0.012 * np.sin(np.linspace(0, 4 * np.pi, 60)) + np.clip(-np.expm1(-law(*truth, currents)), 0.02, 0.98)
    data = SwitchingData(current=currents, width=WIDTH, switched=TRIALS * p, trials=TRIALS)
    warned = fit(device, data, where=both, method=LAW, relax=0.0).warnings
    assert any("runs test" in s for s in warned)


def test_a_step_is_not_enough_for_two_parameters(device):
    warned = fit(device, counted(np.where(CURRENTS < 1e-5, 0, TRIALS)), where=both, method=LAW, relax=0.0).warnings
    assert any(s.startswith("Only 0 of 15 settings switched sometimes") for s in warned)
    few = SwitchingData(current=CURRENTS, width=WIDTH, switched=np.linspace(0, 8, 15).round(), trials=8)
    assert any("only 8 trials" in s for s in fit(device, few, where=both, method=LAW, relax=0.0).warnings)


# input


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"relax": -1.0}, "`relax` must be finite and at least 0, but is -1.0 s"),
        ({"relax": float("nan")}, "`relax` must be finite and at least 0, but is nan s"),
        ({"starts": 0}, "`starts` must be finite and at least 1, but is 0"),
    ],
)
def test_options_out_of_range_are_refused(device, sample, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        fit(device, sample, where=("Bk",), method=LAW, **options)


def test_parameters_by_name_and_by_function(device):
    names = [p.name for p in all_parameters(device)]
    assert {"Ms", "alpha", "Bk", "polarisation", "temperature", "thickness"} <= set(names)
    assert len(set(names)) == len(names)
    assert by_where(device, both) == by_names(device, ["UniaxialAnisotropy.Bk", "terms[1].polarisation"])
    assert by_where(device, lambda d: d.layer.alpha)[0].name == "alpha"
    with pytest.raises(ValueError, match="no quantity of the device is called 'beta': try .*alpha"):
        by_names(device, ["beta"])
    with pytest.raises(ValueError, match="more than one quantity is called 'width': try EllipticCylinder.width, Spin"):
        by_names(presets.perpendicular_sot(), ["width"])
    for bad in (lambda d: d.delta, lambda d: d.start, lambda d: (d.layer.Ms, d.layer.Ms), lambda d: ()):
        with pytest.raises(ValueError, match="different scalar quantities that the device stores"):
            by_where(device, bad)


def test_several_directions_or_devices_are_refused(device):
    data = SwitchingData(current=[1e-5, 1e-5], width=WIDTH, switched=1, trials=2, direction=("P->AP", "AP->P"))
    with pytest.raises(ValueError, match="one direction, but these have AP->P, P->AP: choose"):
        fit(device, data, where=both, method=LAW, relax=0.0)


def test_the_start_is_moved_to_where_the_data_switch(device, sample):
    middle = midpoint(sample, device)
    expected = CURRENTS[np.searchsorted(sample.probability, 0.5) + np.array([-1, 0])]
    assert expected[0] <= middle <= expected[1]

    def strength(x):
        return eqx.tree_at(lambda d: d[SpinTransferTorque].polarisation, device, 0.6 * jnp.exp(x[0]))

    x = least_move(strength, 1, 4e-5)
    np.testing.assert_allclose(0.6 * np.exp(x), 0.6 * device.critical_current / 4e-5, rtol=2e-3)
    bare = eqx.tree_at(lambda d: d.terms, device, device.terms[:1])
    np.testing.assert_array_equal(least_move(lambda x: bare, 1, 4e-5), [0.0])


def test_a_saved_fit_is_loaded_again_equal(found, tmp_path):
    found.save(tmp_path / "fit.json")
    again = Fit.load(tmp_path / "fit.json")
    assert eqx.tree_equal(again, found)
    assert str(again) == str(found)
    plain = json.loads((tmp_path / "fit.json").read_text())
    assert plain["estimates"]["Bk"] == {
        "value": found.estimates["Bk"].value,
        "stderr": found.estimates["Bk"].stderr,
        "unit": "T",
    }
    (tmp_path / "other.json").write_text("{}")
    (tmp_path / "broken.json").write_text("{")
    for name, sentence in {"other": "must be a fit", "broken": "must be a JSON file", "none": "must exist"}.items():
        with pytest.raises(ValueError, match=sentence):
            Fit.load(tmp_path / f"{name}.json")
    foreign = (tmp_path / "fit.json").read_text().replace('"class": "Fit"', '"class": "os:system"')
    (tmp_path / "foreign.json").write_text(foreign)
    with pytest.raises(ValueError, match="one of mtjax's own, but is 'os:system'"):
        Fit.load(tmp_path / "foreign.json")


def test_a_fit_prints_as_a_table_with_units(found):
    lines = str(found).splitlines()
    assert lines[0].split() == ["estimate", "std.", "error", "95", "%", "interval"]
    assert lines[1].startswith("Bk ")
    assert " mT" in lines[1]
    assert lines[3].startswith("deviance ")
    assert "13 degrees of freedom" in lines[3]


@pytest.mark.slow
def test_intervals_of_a_quantity_that_may_change_its_sign(device, sample):
    """It starts at zero, so it is fitted as it is: symmetric intervals."""
    found = fit(device, sample, where=lambda d: (*both(d), d[SpinTransferTorque].field_like_ratio), method=LAW, relax=0.0)
    assert found.estimates.logarithmic == (True, True, False)
    low, high = found.estimates.interval(0.68)[2]
    assert low + high == pytest.approx(2 * found.estimates["field_like_ratio"].value)
    assert any("field_like_ratio" in s for s in found.warnings)  # this law does not know it


# Fokker-Planck, and the real device


@pytest.mark.slow
def test_fokker_planck_gives_the_truth_back():
    from mtjax.cli import demo

    found = fit(demo.first_guess(), demo.experiment(seed=1), where=demo.parameters)
    truth = np.array([float(x) for x in demo.parameters(demo.truth())])
    off = (found.estimates.value - truth) / found.estimates.stderr
    assert np.all(np.abs(off) < 4), found
    assert found.p_value > 1e-4


@pytest.mark.slow
@pytest.mark.skipif(not DEVICE_A.exists(), reason=f"the measured data are not at {DEVICE_A}")
@pytest.mark.parametrize(("direction", "described"), [("P->AP", True), ("AP->P", False)])
def test_device_a(direction, described):
    """A logistic curve with two parameters has deviance 11.2 on 10 (P->AP) and 96.6 on 14 (AP->P)."""
    data = SwitchingData.read_csv(DEVICE_A, trials=50).select(direction=direction)
    device = eqx.tree_at(
        lambda d: (d.write_resistance, d.layer.alpha, d[SpinOrbitTorque].field_like_ratio),
        presets.perpendicular_sot(),
        (jnp.asarray(776.0), jnp.asarray(0.3), jnp.asarray(1.0)),
    )
    found = fit(device, data, where=lambda d: (d[SpinOrbitTorque].theta_sh, d[UniaxialAnisotropy].Bk))
    flagged = any("does not describe the data" in s for s in found.warnings)
    assert flagged is not described
    assert (found.deviance < 15) is described


@pytest.fixture(autouse=True, scope="module")
def _fresh():
    yield
    jax.clear_caches()
