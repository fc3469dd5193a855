"""Fits of sampled probabilities against exact ones, of an instant engine that stands in for trajectories."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from counted import DEVICE, ENGINE, counted

from mtjax import FokkerPlanck, Misread, MonteCarlo, UniaxialAnisotropy, presets
from mtjax.fitting import Fit, design, fit, posterior, profile
from mtjax.fitting.counts import sampled
from mtjax.fitting.counts.linearised import linearised
from mtjax.fitting.counts.model import with_method
from mtjax.fitting.counts.sampled import FEW
from mtjax.quantities import in_double

WHERE = ("Bk", "alpha")
START = eqx.tree_at(lambda d: (d[UniaxialAnisotropy].Bk, d.layer.alpha), DEVICE, (jnp.asarray(0.28), jnp.asarray(0.007)))


@pytest.fixture
def drawn(monkeypatch):
    """Uniform numbers of every row and sample below the instant engine's probability: the same at every place."""
    calls, kept = [], {}

    def numbers_of(seed, rows, number):
        if (seed, rows, number) not in kept:
            kept[seed, rows, number] = np.stack([np.random.default_rng((seed, row)).random(number) for row in range(rows)])
        return kept[seed, rows, number]

    exact = eqx.filter_jit(jax.vmap(lambda model, c, row: model(c, row)[0], in_axes=(None, 0, None)))

    def fractions(model, places, rows, samples):
        calls.append(samples)
        number = FEW * -(-samples // FEW)
        uniforms = numbers_of(int(jax.random.bits(model.method.key)), len(rows), number)
        p = np.asarray(exact(with_method(model, ENGINE), jnp.asarray(places), rows))
        switched = np.sum(uniforms < p[:, :, None], axis=2)
        return (switched + 0.5) / (number + 1)

    monkeypatch.setattr(sampled, "_fractions", fractions)
    return calls


def by_sampling(data, seed, samples=4096, **more):
    method = MonteCarlo(samples=samples, key=jax.random.key(seed))
    return fit(START, data, where=WHERE, method=method, relax=0.0, **more)


def test_fits_by_sampling_are_as_far_from_the_exact_ones_as_they_say(drawn):
    """Six fits from a start 40 % off: 100 trials and 4096 samples add 2.4 % to the variance, 1.2 % to the errors."""
    offs, ratios = [], []
    for seed in range(6):
        data = counted(seed=seed)
        exact = fit(DEVICE, data, where=WHERE, method=ENGINE, relax=0.0)
        found = by_sampling(data, seed)
        assert found.warnings == ()
        offs.append((found.at - exact.at) / np.sqrt(np.diag(exact.spread)))
        ratios.append(found.estimates.stderr / exact.estimates.stderr)
        assert abs(found.deviance - exact.deviance) < 3
    assert np.sqrt(np.mean(np.square(offs))) < 0.3  # 0.16 by the samples, 0.2 where the search ends
    assert np.all(np.abs(np.mean(ratios, axis=0) - 1.012) < 0.03)


@in_double
def test_slopes_and_lapses_are_those_of_the_exact_engine(drawn):
    """65,536 samples, 2048 of them for the slopes: 5 % of the largest slope is over 4 sigma."""
    found = by_sampling(counted(trials=1000, seed=1), 0, samples=65536, lapse=Misread())
    model, rows = found.model, found.likelihood.rows
    at = linearised(model, found.at, rows)
    exact = linearised(with_method(model, ENGINE), found.at, rows)
    np.testing.assert_allclose(at.p, exact.p, atol=0.01)
    for ours, right in zip((at.dp.T, at.dq.T), (exact.dp.T, exact.dq.T), strict=True):
        for slope, theirs in zip(ours, right, strict=True):
            np.testing.assert_allclose(slope, theirs, atol=0.08 * np.max(np.abs(theirs)))


def test_a_start_from_which_all_pulses_switch_is_left(drawn):
    """An anisotropy that is five times too small: all pulses switch, and no row says anything there."""
    weak = eqx.tree_at(lambda d: d[UniaxialAnisotropy].Bk, START, jnp.asarray(0.04))
    data = counted(seed=3)
    method = MonteCarlo(samples=4096, key=jax.random.key(0))
    found = fit(weak, data, where=WHERE, method=method, relax=0.0)
    assert found.warnings == ()
    assert found.estimates["Bk"].value == pytest.approx(0.2, rel=0.1)


def test_too_few_samples_are_said(drawn):
    found = by_sampling(counted(trials=100_000, seed=2), 2, samples=FEW)
    exact = fit(DEVICE, found.data, where=WHERE, method=ENGINE, relax=0.0)
    (said,) = [s for s in found.warnings if s.startswith("Sampling makes standard errors up to 20 times larger")]
    assert said.endswith("give `MonteCarlo` more samples.")
    assert found.warnings == (said,)  # what sampling adds to the deviance is not taken for a fault of the model
    assert np.all(np.abs(found.estimates.value - exact.estimates.value) / found.estimates.stderr < 4)


def test_a_fit_by_sampling_is_kept_resumed_and_used(drawn, tmp_path):
    path, data = tmp_path / "search.json", counted(seed=2)
    first = by_sampling(data, 3, checkpoint=path)
    first.save(tmp_path / "fit.json")
    assert eqx.tree_equal(Fit.load(tmp_path / "fit.json"), first)
    done = len(drawn)
    again = by_sampling(data, 3, checkpoint=path)
    assert eqx.tree_equal(dataclasses.replace(again, model=first.model), first)
    assert len(drawn) - done < done
    plan, exact = (design(f, "Bk", trials=500, draws=2) for f in (first, _exactly(first)))
    assert plan.after == pytest.approx(exact.after, rel=0.1)
    for what in (lambda: profile(first, "Bk"), lambda: posterior(first, key=jax.random.key(0))):
        with pytest.raises(ValueError, match="a likelihood without noise, but this fit is by Monte Carlo"):
            what()


def _exactly(found):
    return eqx.tree_at(lambda f: f.model, found, with_method(found.model, ENGINE))


@pytest.mark.slow
def test_a_spin_orbit_device_is_fitted_by_default_as_by_the_density():
    """By sampling, since that is cheaper: within half a standard error of Fokker-Planck's estimates."""
    from mtjax.fitting import measured

    device, current = presets.perpendicular_sot(), 0.82e-4 * np.linspace(0.8, 1.25, 6)
    data = measured(device, current, 1e-9, trials=100, seed=0, method=FokkerPlanck())
    found = fit(device, data, where=("theta_sh", "Bk"))
    exact = fit(device, data, where=("theta_sh", "Bk"), method=FokkerPlanck())
    assert isinstance(found.method, MonteCarlo)
    assert np.all(np.abs(found.estimates.value - exact.estimates.value) < 0.5 * exact.estimates.stderr)
    assert np.all(np.abs(found.estimates.stderr / exact.estimates.stderr - 1) < 0.15)
