"""Advice is true: back-hopping only where data fall, a failed search only where it failed, scatter named as scatter."""

import re

import numpy as np
import pytest

from mtjax.fitting import Prediction, SwitchingData, coordinates
from mtjax.fitting.binomial import deviances
from mtjax.fitting.counts import criticism
from mtjax.fitting.counts.least_deviance import Minimum

V = np.linspace(0.4, 1.0, 25)


def curve(middle, width, v=V):
    return 1 / (1 + np.exp(-(v - middle) / width))


def at(p, slopes=None):
    slopes = np.zeros((len(p), 1)) if slopes is None else slopes
    return Prediction(p, 1 - p, slopes, -slopes)


def data_of(p, trials, v=V, **labels):
    return SwitchingData(voltage=v, width=1e-9, switched=np.round(p * trials), trials=trials, **labels)


def misfit(p, model, trials):
    data = data_of(p, trials)
    each = np.asarray(deviances(data.switched, data.trials, model, 1 - model))
    return " ".join(criticism._misfit(data, each, at(model), len(p) - 2))


@pytest.mark.parametrize("trials", [100, 10_000])
def test_back_hopping_is_not_suspected_where_data_rise(trials):
    """A curve shallower than the model's falls short of it above the threshold, and a plateau does too."""
    model = curve(0.65, 0.02)
    for p in (curve(0.65, 0.08), np.minimum(curve(0.65, 0.02), 0.7)):
        assert not criticism._fallen(data_of(p, trials), at(model))


def test_back_hopping_is_suspected_where_data_fall():
    p = curve(0.65, 0.03) * (1 - 0.4 * curve(0.85, 0.02))
    said = criticism._fallen(data_of(p, 200), at(curve(0.65, 0.03)))
    assert len(said) == 1
    assert "Strong pulses switch less often than weaker ones: 0.975 at 0.775 V, but 0.6 at 0.975 V" in said[0]
    assert said[0].endswith("as after back-hopping: try `lapse=BackHopping(end=1)`.")


def test_falls_between_curves_and_by_chance_are_none():
    rng = np.random.default_rng(3)
    p, model = curve(0.65, 0.03), curve(0.65, 0.03)
    for _ in range(200):
        assert not criticism._fallen(data_of(rng.binomial(100, p) / 100, 100), at(model))
    two = np.concatenate([curve(0.5, 0.03), curve(0.9, 0.03)])
    data = data_of(two, 200, v=np.tile(V, 2), device_id=["A"] * 25 + ["B"] * 25)
    assert not criticism._fallen(data, at(np.tile(curve(0.5, 0.03), 2)))


def test_scatter_of_ten_thousand_trials_is_named_as_such():
    rng = np.random.default_rng(5)
    p = np.clip(curve(0.65, 0.05) + rng.normal(0, 0.02, 25), 0, 1)
    said = misfit(p, curve(0.65, 0.05), 10_000)
    assert "does not describe the data to the precision of 10000 trials" in said
    assert "scatter without a trend, of the measurement rather than of the model" in said
    assert re.search(r"off by 0\.01\d \(root mean square\) where the trials alone scatter by 0\.003\d", said), said


def test_a_small_smooth_misfit_of_many_trials_is_named_as_such():
    said = misfit(curve(0.65, 0.055), curve(0.65, 0.05), 10_000)
    assert "does not describe the data to the precision of 10000 trials" in said
    assert "a smooth difference that the model lacks" in said


def test_a_large_misfit_is_no_matter_of_precision():
    for trials in (100, 10_000):
        said = misfit(curve(0.65, 0.15), curve(0.65, 0.05), trials)
        assert "The model does not describe the data: deviance" in said
        assert "precision" not in said
    assert misfit(curve(0.65, 0.05), curve(0.65, 0.05), 100) == ""


SPACE = coordinates(["middle", "width"], ["V", "V"], [0.65, 0.05])


def test_a_search_has_failed_only_where_there_is_something_left_to_gain():
    """At the least deviance of a logistic curve nothing is left; beside it, what the deviance is higher by."""
    trials, best = 1000, (0.65, 0.05)
    data, gains, deviance = data_of(curve(*best), trials), [], []
    for middle, width in (best, (0.655, 0.05), (0.65, 0.052)):
        p = curve(middle, width)
        slopes = -(p * (1 - p) / width)[:, None] * np.stack([np.full(25, middle), V - middle], axis=1)
        gains.append(criticism._left_to_gain(data, at(p, slopes), SPACE, np.log([middle, width])))
        deviance.append(float(np.sum(np.asarray(deviances(data.switched, data.trials, p, 1 - p)))))
    assert gains[0] < 0.5
    np.testing.assert_allclose(gains[1:], np.array(deviance[1:]) - deviance[0], rtol=0.1)
    assert min(gains[1:]) > 3


@pytest.mark.parametrize(("converged", "number"), [(True, 0), (False, 1)])
def test_what_is_said_of_a_search_follows(converged, number):
    found = Minimum(np.log([0.65, 0.05]), 1.0, converged=False)
    assert len(criticism._search(SPACE, found, converged=converged)) == number
