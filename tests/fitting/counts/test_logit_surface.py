"""Fits by sampling: logistic regression against its own scatter, and fits of sampled probabilities against exact ones."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from counted import DEVICE, ENGINE, counted

from mtjax import MonteCarlo, UniaxialAnisotropy
from mtjax.fitting import Fit, design, fit, posterior, profile
from mtjax.fitting.counts.logit_surface import Probes, regress
from mtjax.fitting.counts.model import linearised, with_method

WHERE = ("Bk", "alpha")
THETA = np.array([[0.3, 2.0, -1.0], [-2.0, 1.0, 3.0], [1.5, -2.0, 0.5]])
MIDDLE, ROOT = np.array([0.5, -1.0]), np.array([[0.2, 0.0], [0.1, 0.3]])
SAMPLES = 400


def probes(seed, variance, number=20):
    """Binomial fractions of three logits that are straight in x, and slopes with the noise of a score of that variance."""
    random = np.random.default_rng(seed)
    x = random.standard_normal((number, 2))
    p = 1 / (1 + np.exp(-(THETA[:, 0] + x @ THETA[:, 1:].T)))
    fractions = random.binomial(SAMPLES, p) / SAMPLES
    noise = np.sqrt(p * (1 - p) * variance / SAMPLES)[:, :, None] * random.standard_normal((number, 3, 2))
    slopes = ((p * (1 - p))[:, :, None] * THETA[:, 1:] + noise) @ np.linalg.inv(ROOT)
    return Probes(MIDDLE + x @ ROOT.T, fractions, slopes, np.ones(number), SAMPLES)


@pytest.mark.parametrize("variance", [1e5, 0.1])
def test_a_surface_is_as_far_off_as_its_parts_say(variance):
    """60 surfaces, 9 numbers each: the mean square of the offsets in standard errors, chi-square of 540, |z| < 4."""
    found = [regress(probes(seed, variance), MIDDLE, ROOT) for seed in range(60)]
    off = np.array([(s.theta - THETA) / np.sqrt(np.sum(s.parts**2, axis=0)) for s in found])
    assert abs(np.mean(off**2) - 1) < 4 * np.sqrt(2 / off.size) + 3 * 2 / 20  # errors from 20 probes: rough by 2 dof in 20
    assert np.all(np.abs(off.mean(axis=0)) < 4 / np.sqrt(len(found)))
    by_score = 1 / (1 + variance)  # a slope is worth 1 / variance by the score, mean square of x = 1 by differences
    assert np.mean([s.by_score for s in found]) == pytest.approx(by_score, abs=0.03)


def test_slopes_without_noise_are_taken_as_they_are():
    """Even one place then gives the surface's slopes there, in the coordinates' units."""
    found = regress(probes(1, 1e-6), MIDDLE, ROOT)
    at = found.at(MIDDLE + ROOT @ np.array([0.3, -0.4]))
    u = THETA @ [1.0, 0.3, -0.4]
    p = 1 / (1 + np.exp(-u))
    np.testing.assert_allclose(at.p, p, atol=0.02)
    np.testing.assert_allclose(at.dp, (at.p * at.q)[:, None] * THETA[:, 1:] @ np.linalg.inv(ROOT), rtol=0.03, atol=1e-3)
    np.testing.assert_allclose(at.p + at.q, 1.0)


def test_noise_of_slopes_is_not_taken_for_information():
    """Eight probes of five samples: noisy slopes give a sixth too much information, over 6 sigma; with their noise off, |z| < 4."""
    trials, exact = np.full(3, 50.0), np.zeros((2, 2))
    p = 1 / (1 + np.exp(-THETA[:, 0]))
    for n, w, b in zip(trials, p * (1 - p), THETA[:, 1:] @ np.linalg.inv(ROOT), strict=True):
        exact += n * w * np.outer(b, b)

    def few(seed):
        every = probes(seed, 1e5, number=8)
        thin = np.random.default_rng(seed).binomial(5, every.p) / 5
        return regress(every._replace(p=thin, samples=5, scored=np.zeros(8)), MIDDLE, ROOT)

    def excess(surfaces):
        ratios = [np.trace(np.linalg.solve(exact, s.information(trials, MIDDLE))) / 2 for s in surfaces]
        return (np.mean(ratios) - 1) / (np.std(ratios) / np.sqrt(len(ratios)))

    found = [few(seed) for seed in range(400)]
    assert abs(excess(found)) < 4
    assert excess([s._replace(parts=0 * s.parts) for s in found]) > 6


@pytest.fixture
def sampled(monkeypatch):
    """Binomial counts of the instant engine stand in for trajectories, with slopes as noisy as a score's."""
    calls = []

    def draw(self, number, c):
        calls.append(number)
        random = np.random.default_rng(int(jax.random.bits(jax.random.fold_in(self.method.key, number))))
        at = linearised(with_method(self.likelihood.model, ENGINE), jnp.asarray(c), self.likelihood.rows)
        p, N = np.asarray(at.p), self.method.samples
        noise = np.sqrt(p * (1 - p) * 1e4 / N)[:, None] * random.standard_normal(at.dp.shape)
        return [(random.binomial(N, p) / N).tolist(), (np.asarray(at.dp) + noise).tolist() if self.by_score else None]

    monkeypatch.setattr("mtjax.fitting.counts.sampled._Prober._sampled", draw)
    return calls


START = eqx.tree_at(lambda d: (d[UniaxialAnisotropy].Bk, d.layer.alpha), DEVICE, (jnp.asarray(0.28), jnp.asarray(0.007)))


def by_sampling(data, seed, samples=1000, **more):
    method = MonteCarlo(samples=samples, key=jax.random.key(seed))
    return fit(START, data, where=WHERE, method=method, relax=0.0, **more)


def test_fits_by_sampling_are_as_far_from_the_exact_ones_as_they_say(sampled):
    """Ten fits from a start 40 % off: errors are Fisher's, a tenth more at most, and the distance is what sampling added."""
    offs, ratios = [], []
    for seed in range(10):
        data = counted(seed=seed)
        exact = fit(DEVICE, data, where=WHERE, method=ENGINE, relax=0.0)
        found = by_sampling(data, seed)
        assert found.warnings == ()
        offs.append((found.at - exact.at) / np.sqrt(np.diag(exact.spread)))
        ratios.append(found.estimates.stderr / exact.estimates.stderr)
        assert abs(found.deviance - exact.deviance) < 4
    assert np.sqrt(np.mean(np.square(offs))) < 0.4
    assert np.all(np.abs(np.mean(ratios, axis=0) - 1.02) < 0.06)
    assert np.all(np.abs(np.array(ratios) - 1) < 0.25)


def test_a_fit_by_sampling_is_saved_and_loaded_equal(sampled, tmp_path):
    found = by_sampling(counted(seed=4), 4)
    found.save(tmp_path / "fit.json")
    assert eqx.tree_equal(Fit.load(tmp_path / "fit.json"), found)


def test_too_few_samples_are_said(sampled):
    found = by_sampling(counted(trials=100_000, seed=1), 1, samples=100)
    exact = fit(DEVICE, found.data, where=WHERE, method=ENGINE, relax=0.0)
    (said,) = [s for s in found.warnings if s.startswith("Sampling makes standard errors up to")]
    assert said.endswith("give `MonteCarlo` more samples.")
    assert found.warnings == (said,)  # what sampling adds to the deviance is not taken for a fault of the model
    off = (found.estimates.value - exact.estimates.value) / found.estimates.stderr
    assert np.all(np.abs(off) < 4)
    assert np.all(found.estimates.stderr > 2 * exact.estimates.stderr)


def test_a_search_by_sampling_goes_on_from_its_checkpoint(sampled, tmp_path):
    path, data = tmp_path / "search.json", counted(seed=2)
    first = by_sampling(data, 3, checkpoint=path)
    done = len(sampled)
    again = by_sampling(data, 3, checkpoint=path)
    assert len(sampled) == done
    assert eqx.tree_equal(dataclasses.replace(again, model=first.model), first)
    by_sampling(data, 4, checkpoint=path)  # other random numbers: another problem
    assert len(sampled) > done
    unfit = (
        lambda: profile(first, "Bk"),
        lambda: posterior(first, key=jax.random.key(0)),
        lambda: design(first, "Bk", trials=100),
    )
    for what in unfit:
        with pytest.raises(ValueError, match="a likelihood without noise, but this fit is by Monte Carlo"):
            what()
