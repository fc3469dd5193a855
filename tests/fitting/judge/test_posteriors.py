"""Profile, posterior, comparison, design and joint fits against other ways to the same numbers, on one instant law."""

import dataclasses
import sys

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from counted import CURRENTS, DEVICE, ENGINE, WIDTHS, counted, probability
from scipy import stats

from mtjax import BackHopping, LogNormal, Misread, MonteCarlo, Normal, UniaxialAnisotropy
from mtjax.fitting import (
    AbstractFit,
    AbstractLikelihood,
    Fit,
    LikelihoodFit,
    SwitchingData,
    candidates,
    compare,
    coordinates,
    design,
    fit,
    fit_logistic,
    identifiability,
    maximise,
    measured_with,
    posterior,
    profile,
)
from mtjax.fitting.binomial import fisher_information
from mtjax.fitting.counts import Problem, least_deviance


@pytest.fixture(scope="module")
def found():
    return fit(DEVICE, counted(), where=("Bk", "alpha"), method=ENGINE, relax=0.0)


@pytest.fixture(scope="module")
def few():
    switched = np.random.default_rng(4).binomial(5, probability())
    data = SwitchingData(current=CURRENTS, width=WIDTHS, switched=switched, trials=5)
    return fit(DEVICE, data, where=("Bk", "alpha"), method=ENGINE, relax=0.0)


# joint fits


def test_devices_share_some_quantities_and_have_others_of_their_own():
    """Two devices in one fit give what two separate fits with the shared quantity held would; labels name them."""
    parts = [counted(probability(Bk=Bk), seed=i) for i, Bk in enumerate((0.19, 0.22))]
    data = SwitchingData(
        current=np.tile(CURRENTS, 2), width=np.tile(WIDTHS, 2), trials=100,
        switched=np.concatenate([p.switched for p in parts]), device_id=["A"] * 16 + ["B"] * 16,
    )  # fmt: skip
    joint = fit(DEVICE, data, where=("alpha",), each=("Bk",), method=ENGINE, relax=0.0)
    assert joint.estimates.names == ("alpha", "Bk[A]", "Bk[B]")
    for i, (label, Bk) in enumerate((("A", 0.19), ("B", 0.22))):
        one = joint.estimates[f"Bk[{label}]"]
        assert abs(one.value - Bk) < 4 * one.stderr
        shown = joint.device_of(label)
        assert float(shown[UniaxialAnisotropy].Bk) == one.value
        np.testing.assert_allclose(
            joint.predict(CURRENTS, WIDTHS, group=label).p,
            probability(Bk=one.value, alpha=joint.estimates["alpha"].value), rtol=1e-6,
        )  # fmt: skip
        assert len(data.select(device_id=label)) == len(parts[i])
    with pytest.raises(ValueError, match="must be one of A, B, but is 'C'"):
        joint.device_of("C")
    with pytest.raises(ValueError, match="`each=..., by='device_id'`"):
        fit(DEVICE, data, where=("alpha",), method=ENGINE, relax=0.0)


@pytest.mark.slow
def test_a_prior_weighs_like_a_measurement(found):
    """A prior as sharp as the data halves the variance and pulls half way, to first order."""
    one = found.estimates["Bk"]
    factor = float(np.exp(np.sqrt(found.spread[0, 0])))
    away = one.value * factor
    pulled = fit(DEVICE, found.data, where=("Bk",), priors={"Bk": LogNormal(away, factor)}, method=ENGINE, relax=0.0)
    alone = fit(DEVICE, found.data, where=("Bk",), method=ENGINE, relax=0.0)
    w = alone.spread[0, 0] / (alone.spread[0, 0] + np.log(factor) ** 2)
    np.testing.assert_allclose(
        np.log(pulled.estimates.value[0] / alone.estimates.value[0]), w * np.log(away / alone.estimates.value[0]), rtol=0.05
    )
    np.testing.assert_allclose(pulled.spread[0, 0], 1 / (1 / alone.spread[0, 0] + 1 / np.log(factor) ** 2), rtol=0.05)
    assert pulled.dof == 16 - round(1 - w)


def test_bounds_hold_and_are_said(found):
    top = found.estimates["alpha"].value * 0.97
    low = eqx.tree_at(lambda d: d.layer.alpha, DEVICE, jnp.asarray(0.006))
    tight = fit(low, found.data, where=("Bk", "alpha"), bounds={"alpha": (0.002, top)}, method=ENGINE, relax=0.0)
    assert tight.estimates["alpha"].value == pytest.approx(top, rel=2e-3)
    assert any(said.startswith("alpha ran to the end of its range, 0.0") for said in tight.warnings)
    space = coordinates(("a", "b"), ("", ""), (2.0, 0.0), bounds={"a": (1.0, 4.0)})
    assert space.logarithmic == (True, False)
    x = np.linspace(-50, 50, 7)
    inside = np.array([np.asarray(space.bound(jnp.array([v, v]))) for v in x])
    assert np.all((inside >= space.lower) & (inside <= space.upper))
    np.testing.assert_allclose(space.free(np.asarray(space.bound(jnp.array([0.3, -0.2])))), [0.3, -0.2], atol=1e-9)
    np.testing.assert_allclose(jax.jacfwd(space.bound)(jnp.zeros(2)), np.eye(2), atol=2e-3)  # no bound is near
    with pytest.raises(ValueError, match="must lie within its bounds 1 ... 4, but is 5"):
        coordinates(("a",), ("",), (5.0,), bounds={"a": (1.0, 4.0)})
    with pytest.raises(ValueError, match="but not of 'c'"):
        coordinates(("a",), ("",), (5.0,), priors={"c": Normal(0.0, 1.0)})
    with pytest.raises(ValueError, match="a lower and a higher value"):
        coordinates(("a",), ("",), (5.0,), bounds={"a": (4.0, 1.0)})


def test_a_search_goes_on_from_its_checkpoint(found, tmp_path, capsys):
    path = tmp_path / "search.json"
    first = fit(DEVICE, found.data, where=("Bk", "alpha"), method=ENGINE, relax=0.0, checkpoint=path)
    np.testing.assert_array_equal(first.estimates.value, found.estimates.value)
    again = fit(DEVICE, found.data, where=("Bk", "alpha"), method=ENGINE, relax=0.0, checkpoint=path, progress=True)
    np.testing.assert_array_equal(again.estimates.value, found.estimates.value)
    assert "1 steps" not in capsys.readouterr().err
    path.write_text("{")
    with pytest.raises(ValueError, match="must be one that mtjax wrote"):
        fit(DEVICE, found.data, where=("Bk", "alpha"), method=ENGINE, relax=0.0, checkpoint=path)


def test_a_step_that_the_engine_refuses_is_taken_back(found):
    """An engine that fails above Bk = 0.25 T counts as a very bad fit there, and does not end the least_deviance."""

    def refuse(Bk):
        return eqx.error_if(Bk, Bk > 0.25, "too far")

    problem = Problem(found.likelihood, found.space)
    far = jnp.asarray(found.at) + jnp.array([1.0, 0.0])
    fine = problem.local(jnp.asarray(found.at))
    assert float(jnp.sum(fine.residuals**2)) == pytest.approx(found.deviance)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(least_deviance, "linearised", lambda model, c, rows: refuse(jnp.exp(c[0])))
        refused = problem.local(jnp.asarray(far))
    assert np.all(np.asarray(refused.residuals) > 1e3)
    assert np.all(np.asarray(refused.slopes) == 0)


# lapses


def test_back_hopping_is_found_and_its_lack_is_criticised(found):
    hopping = BackHopping(probability=0.3, end=12.5e-6, spread=0.3e-6)
    p, _ = hopping.observed(probability(), 1 - probability(), CURRENTS)
    data = counted(np.asarray(p), trials=400)
    plain = fit(DEVICE, data, where=("Bk", "alpha"), method=ENGINE, relax=0.0)
    assert any("does not describe" in s for s in plain.warnings)
    assert not any("back-hopping" in s for s in plain.warnings)  # the data stand still, but do not fall
    start = BackHopping(probability=0.2, end=12e-6, spread=0.5e-6)
    better = fit(DEVICE, data, where=("Bk", "alpha"), lapse=start, method=ENGINE, relax=0.0)
    off = (better.estimates.value - [0.2, 0.01, 0.3, 12.5e-6, 0.3e-6]) / better.estimates.stderr
    assert np.all(np.abs(off) < 4), better
    assert better.p_value > 0.01
    assert float(better.lapse.probability) == better.estimates["BackHopping.probability"].value
    verdict = compare({"macrospin": plain, "with back-hopping": better}).verdict
    assert verdict == "The data favour with back-hopping; macrospin is not supported at all."


def test_lapses_by_hand():
    p, q, at = jnp.array([0.2, 0.9]), jnp.array([0.8, 0.1]), jnp.array([1.0, 2.0])
    seen, unseen = Misread(missed=0.1, false=0.05).observed(p, q, at)
    np.testing.assert_allclose(seen, [0.2 * 0.9 + 0.8 * 0.05, 0.9 * 0.9 + 0.1 * 0.05])
    np.testing.assert_allclose(seen + unseen, 1.0)
    seen, unseen = BackHopping(probability=0.4, end=2.0, spread=0.1).observed(p, q, at)
    np.testing.assert_allclose(seen, [0.2 * (1 - 0.4 / (1 + np.exp(-10))), 0.9 * 0.8])
    np.testing.assert_allclose(seen + unseen, 1.0)


# uncertainty


def test_a_profile_is_the_likelihood_maximised_by_hand(found):
    """alpha scanned for every Bk; with many trials the interval is Fisher's to a few percent."""
    by = profile(found, "Bk")
    k, n = found.data.switched, found.data.trials

    def deviance(Bk):
        alphas = found.estimates["alpha"].value * np.exp(np.linspace(-0.6, 0.6, 4001))
        u = (CURRENTS / (1e-5 * Bk / 0.2) - 1)[:, None] * alphas * 1000 + (np.log(WIDTHS / 100e-9) / 4)[:, None]
        return -2 * np.max(np.sum(stats.binom.logpmf(k[:, None], n[:, None], 1 / (1 + np.exp(-u))), axis=0))

    rise = np.array([deviance(Bk) for Bk in by.value]) - deviance(found.estimates["Bk"].value)
    np.testing.assert_allclose(by.rise, rise, atol=2e-3)
    np.testing.assert_allclose(by.interval(0.95), found.estimates.interval(0.95)[0], rtol=0.003)
    assert str(by).startswith("Bk by profile likelihood, 68%: ")


@pytest.mark.slow
def test_the_profile_of_few_data_is_lopsided(few):
    low, high = profile(few, "alpha").interval(0.95)
    fisher = few.estimates.interval(0.95)[1]
    assert low < few.estimates["alpha"].value < high
    assert abs(np.log(high / fisher[1])) + abs(np.log(low / fisher[0])) > 0.1


@pytest.fixture(scope="module")
def drawn(few):
    return posterior(few, key=jax.random.key(1), samples=600, warmup=200, chains=2)


def test_the_posterior_is_that_of_a_grid(few, drawn):
    """Mean and spread of log alpha by the sampler, and by summing over a grid: within four standard errors."""
    assert drawn.warnings == ()
    x = np.log(drawn.draws[..., 1]).ravel()
    k, n = few.data.switched, few.data.trials
    a, b = np.meshgrid(np.linspace(-1.5, 1.5, 301), np.linspace(-3.5, 2.0, 551), indexing="ij")
    u = (CURRENTS / (1e-5 * np.exp(a)[..., None]) - 1) * np.exp(b)[..., None] * 10 + np.log(WIDTHS / 100e-9) / 4
    log_p = np.sum(-k * np.logaddexp(0, -u) - (n - k) * np.logaddexp(0, u), axis=-1)
    weight = np.exp(log_p - log_p.max())
    grid = b + np.log(0.01)
    mean = np.sum(weight * grid) / weight.sum()
    sd = np.sqrt(np.sum(weight * (grid - mean) ** 2) / weight.sum())
    effective = drawn.effective[1]
    assert abs(x.mean() - mean) < 4 * sd / np.sqrt(effective)
    assert abs(x.std() - sd) < 4 * sd / np.sqrt(effective)


@pytest.mark.slow
def test_without_numpyro_there_is_no_posterior(found, monkeypatch):
    monkeypatch.setitem(sys.modules, "numpyro", None)
    with pytest.raises(ImportError, match=r"A posterior needs numpyro, which is missing: pip install 'mtjax\[fit\]'"):
        posterior(found, key=jax.random.key(0))


@pytest.mark.slow
def test_many_data_give_fishers_intervals(found):
    draws = posterior(found, key=jax.random.key(0), samples=600, warmup=200, chains=2)
    assert draws.warnings == ()
    np.testing.assert_allclose(draws.interval(0.95), found.estimates.interval(0.95), rtol=0.02)


def test_what_is_said_of_draws(drawn):
    assert "R-hat" in str(drawn)
    bad = dataclasses.replace(drawn, r_hat=drawn.r_hat + 0.1, divergences=2)
    assert any("disagree" in s for s in bad.warnings)
    assert any("2 trajectories diverged" in s for s in bad.warnings)


def test_what_is_determined_is_said(found):
    said = identifiability(found)
    assert said[0] == f"Bk is known to {100 * found.estimates['Bk'].stderr / found.estimates['Bk'].value:.2g} %."
    loose = fit(DEVICE, found.data, where=("Bk", "polarisation"), method=ENGINE, relax=0.0)
    said = identifiability(loose)
    assert said[0] == "Bk alone is not known (it could be anything)."
    assert any(s.startswith("Bk / polarisation is known to 0.") for s in said), said


# comparison


def test_a_logistic_curve_is_the_law_that_made_the_data(found):
    logistic = fit_logistic(found.data)
    assert isinstance(logistic, LikelihoodFit)
    np.testing.assert_allclose(logistic.estimates["width[100 ns]"].value, 1e-6, rtol=0.3)
    assert logistic.dof == 12
    assert logistic.deviance < found.deviance + 1e-6
    both = compare({"logistic": logistic, "sigmoid": found})
    aic = {"logistic": logistic.deviance + 8, "sigmoid": found.deviance + 4}
    assert list(both.names) == sorted(aic, key=lambda name: aic[name])
    np.testing.assert_allclose(both.aic, sorted(aic.values()))
    assert f"{abs(aic['logistic'] - aic['sigmoid']):.3g}" in str(both)
    header, *lines = str(compare({"a law" * 8: logistic, "sigmoid": found})).splitlines()[:3]
    assert all(line[header.index("quantities") :].split()[0] in "42" for line in lines)
    with pytest.raises(ValueError, match="at least two fits"):
        compare({"alone": found})


class Poisson(AbstractLikelihood):
    counts: np.ndarray
    kind = "counts"
    rows = 5
    calibrated = False

    def log_likelihood(self, values):
        return jnp.sum(self.counts * jnp.log(values[0]) - values[0])


def test_maximise_on_a_law_with_a_closed_form(tmp_path):
    counts = np.array([3.0, 7.0, 4.0, 6.0, 5.0])
    found = maximise(Poisson(counts), coordinates(("rate",), ("",), (1.0,)))
    np.testing.assert_allclose(found.estimates.value, 5.0, rtol=1e-6)
    np.testing.assert_allclose(found.estimates.stderr, np.sqrt(5.0 / 5), rtol=1e-5)
    curve = profile(found, "rate")
    np.testing.assert_allclose(curve.rise, 2 * (25 * np.log(5 / curve.value) + 5 * (curve.value - 5)), atol=1e-3)


# what to measure next


def test_a_design_is_the_best_of_all_allocations(found):
    """Against trying all pairs of candidates: for one quantity of two, two settings are enough."""
    plan = design(found, "alpha", trials=200, most=2, draws=0)
    assert plan.trials.sum() == 200
    at = found.predict_rows(candidates(found))
    scale = found.estimates.value
    at = at._replace(dp=at.dp * scale, dq=at.dq * scale)
    each = [np.asarray(fisher_information(np.ones(1), type(at)(*(x[i : i + 1] for x in at)))) for i in range(len(at.p))]
    now, best = np.linalg.inv(found.spread), np.inf
    for i in range(0, len(each), 2):
        for j in range(i, len(each), 2):
            for share in (0.3, 0.5, 0.7, 1.0):
                best = min(best, np.linalg.inv(now + 200 * (share * each[i] + (1 - share) * each[j]))[1, 1])
    assert plan.after / plan.value <= 1.01 * np.sqrt(best)
    assert plan.after < plan.even < plan.before
    assert plan.gain > 1
    again = measured_with(found, plan, plan.trials / 2)
    assert len(again) == 16 + len(plan.trials)
    assert "should bring the standard error of alpha from" in str(plan)
    with pytest.raises(ValueError, match="must be a fitted one .Bk, alpha., but is 'Ms'"):
        design(found, "Ms", trials=10)


def test_what_a_design_promises_comes_true(found):
    plan = design(found, "alpha", trials=3000, draws=0)
    p = probability(found.estimates["Bk"].value, found.estimates["alpha"].value, currents=plan.amplitude, widths=plan.width)
    both = measured_with(found, plan, plan.trials * p)
    after = fit(found.device, both, where=("Bk", "alpha"), method=ENGINE, relax=0.0)
    np.testing.assert_allclose(after.estimates["alpha"].stderr, plan.after, rtol=0.02)


def test_all_kinds_of_fits_are_saved_and_loaded_equal(found, tmp_path):
    logistic = fit_logistic(found.data)
    logistic.save(tmp_path / "fit.json")
    assert eqx.tree_equal(AbstractFit.load(tmp_path / "fit.json"), logistic)
    with pytest.raises(ValueError, match="must hold a Fit, but holds a LikelihoodFit"):
        Fit.load(tmp_path / "fit.json")


@pytest.mark.slow
def test_a_fit_by_monte_carlo_finds_the_truth():
    """By the score gradient; Fokker-Planck's estimate lies within four of its standard errors."""
    from mtjax.cli import demo

    data = demo.experiment(seed=1)
    exact = fit(demo.first_guess(), data, where=demo.parameters)
    device = demo.first_guess()
    method = MonteCarlo(samples=1000, key=jax.random.key(0))
    sampled = fit(device, data, where=demo.parameters, method=method)
    off = (sampled.estimates.value - exact.estimates.value) / sampled.estimates.stderr
    assert np.all(np.abs(off) < 4), (sampled, exact)
    assert np.all(sampled.estimates.stderr < 2 * exact.estimates.stderr)
