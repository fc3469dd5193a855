"""Spikes of encoders against what defines them."""

import jax
import numpy as np
import pytest

from mtjax import nn


def test_rates_are_probabilities():
    """40,000 slots: 5 % off at 0.3 would be 6.5 standard errors."""
    x = np.array([[0.0, 0.3], [0.7, 1.0]])
    mean = np.asarray(nn.rate_spikes(x, 40_000, key=jax.random.key(0))).mean(axis=0)
    assert np.all(np.abs(mean - x) <= 4 * np.sqrt(x * (1 - x) / 40_000))


def test_latency_is_longer_for_less():
    spikes = np.asarray(nn.latency_spikes([1.0, 0.75, 0.0, 0.2], 9, least=0.0))
    assert spikes.argmax(axis=0)[:2].tolist() == [0, 2]
    assert spikes.sum(axis=0).tolist() == [1, 1, 0, 1]


def test_delta_spikes_follow_a_signal_within_the_threshold():
    """The sum of the spikes times what each frame moved the reference by stays within the threshold of the signal."""
    signal = np.cumsum(np.random.default_rng(0).normal(0, 0.1, (200, 2)), axis=0)
    spikes, reference = np.asarray(nn.delta_spikes(signal, 0.3)), signal[0].copy()
    for now, (up, down) in zip(signal, spikes.reshape(200, 2, 2), strict=True):
        assert np.all(up * down == 0)
        assert np.all((now - reference >= 0.3) == (up == 1))
        assert np.all((reference - now >= 0.3) == (down == 1))
        reference = np.where((up + down) > 0, now, reference)
    assert spikes.sum() > 10


def test_what_is_no_probability_is_refused():
    with pytest.raises(ValueError, match="`x` must be between 0 and 1"):
        nn.rate_spikes([1.5], 3, key=jax.random.key(0))
    with pytest.raises(ValueError, match="`threshold` must be finite and positive"):
        nn.delta_spikes([[0.0]], 0.0)
