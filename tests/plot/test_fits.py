"""The picture of a fit: what is drawn, and the band against many repeated measurements."""

import numpy as np
import pytest
from scipy import stats

from mtjax import SpinTransferTorque, UniaxialAnisotropy, presets
from mtjax.fitting import Prediction, SwitchingData, fit
from mtjax.plot import plot_fits
from mtjax.plot.fits import predictive_band, wilson
from mtjax.switching import ThermalActivation


@pytest.fixture(scope="module")
def found():
    data = SwitchingData(
        current=np.tile(np.linspace(8e-6, 12e-6, 6), 2), width=np.repeat([5e-8, 2e-7], 6),
        switched=[0, 2, 9, 30, 45, 50, 1, 9, 31, 46, 50, 50], trials=50,
    )  # fmt: skip
    where = lambda d: (d[UniaxialAnisotropy].Bk, d[SpinTransferTorque].polarisation)  # noqa: E731
    return fit(presets.perpendicular_stt(40.0), data, where=where, method=ThermalActivation(), relax=0.0)


def test_axes_say_what_they_show_with_units(found, tmp_path):
    figure = plot_fits({"P->AP": found})
    (axes,) = figure.axes
    assert axes.get_xlabel() == "pulse current (uA)"
    assert axes.get_ylabel() == "switching probability"
    assert "P->AP" in axes.get_title()
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert {"50 ns", "200 ns"} <= set(labels)
    x = np.concatenate([line.get_xdata() for line in axes.lines])
    assert 7 < x.min() < 8.1
    assert 11.9 < x.max() < 13
    figure.savefig(tmp_path / "fit.png")
    assert (tmp_path / "fit.png").stat().st_size > 5000


def test_the_interval_is_wilsons(found):
    """Both ends are one standard error, at the end, away from the measured fraction."""
    data = found.data
    for end in wilson(data)[:, 1:5]:
        p = data.probability[1:5]
        np.testing.assert_allclose((p - end) ** 2, end * (1 - end) / data.trials[1:5], rtol=1e-9)


def test_the_band_holds_95_percent_of_repetitions(found):
    """Repetitions with new parameters from the covariance and new counts, drawn another way."""
    at = found.predict([1e-5], 1e-7)
    low, high = predictive_band(found, at, 50)[:, 0]
    random = np.random.default_rng(3)
    moves = random.multivariate_normal(np.zeros(2), found.covariance, 20_000) @ at.dp[0]
    counts = stats.binom.rvs(50, np.clip(at.p[0] + moves, 0, 1), random_state=random)
    inside = np.mean((counts / 50 >= low) & (counts / 50 <= high))
    assert 0.94 < inside < 0.985  # both ends are counted in


def test_the_band_stays_low_where_a_probability_is_smaller_than_its_error(found):
    """1e-6 with an error ten times as large: of 50 trials none switches."""
    slope = np.array([[1e-5 / np.sqrt(found.covariance[0, 0]), 0.0]])
    low, high = predictive_band(found, Prediction(np.array([1e-6]), np.array([1 - 1e-6]), slope, -slope), 50)[:, 0]
    assert low == high == 0
