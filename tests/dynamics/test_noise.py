"""Uniform numbers: frequencies and dependence within and between streams, by chi-square at |z| < 5."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mtjax.dynamics import uniforms

KEYS = {
    "split": lambda number: jax.random.split(jax.random.key(0), number),
    "counted": lambda number: jax.vmap(jax.random.key)(jnp.arange(number)),
    "folded": lambda number: jax.vmap(lambda i: jax.random.fold_in(jax.random.key(7), i))(jnp.arange(number)),
}
SIZE = 4096


def z(counts):
    """Of the chi-square of counts that should be alike."""
    counts = np.asarray(counts, float).ravel()
    expected = counts.sum() / counts.size
    dof = counts.size - 1
    return (np.sum((counts - expected) ** 2) / expected - dof) / np.sqrt(2 * dof)


def pairs(a, b, bins=16):
    """How often both fall into each pair of bins."""
    return np.histogram2d(a.ravel(), b.ravel(), bins=bins, range=[[0, 1], [0, 1]])[0]


@pytest.fixture(params=KEYS)
def drawn(request):
    """4 million numbers, shape (1024, 4096): a stream a row."""
    return np.asarray(jax.vmap(lambda k: uniforms(k, (SIZE,)))(KEYS[request.param](1024)))


def test_all_values_are_as_frequent(drawn):
    assert abs(z(np.histogram(drawn, bins=4096, range=(0, 1))[0])) < 5
    words = np.round(drawn * 2**23 - 0.5).astype(np.uint32)
    ones = np.array([np.sum((words >> bit) & 1) for bit in range(23)])
    assert np.all(np.abs(ones - words.size / 2) < 5 * np.sqrt(words.size / 4))
    fine = words & 0xFFF
    assert abs(z(np.bincount(fine.ravel(), minlength=4096))) < 5


@pytest.mark.parametrize("lag", [1, 2, 3, 16, 24, 1024])
def test_numbers_of_a_stream_are_independent(drawn, lag):
    assert abs(z(pairs(drawn[:, :-lag], drawn[:, lag:]))) < 5


@pytest.mark.parametrize("lag", [1, 2, 4, 256])
def test_streams_are_independent(drawn, lag):
    assert abs(z(pairs(drawn[:-lag], drawn[lag:]))) < 5
    assert abs(z(pairs(drawn[:-lag, :-1], drawn[lag:, 1:]))) < 5


def test_counts_of_a_stream_and_of_an_element_scatter_as_coins_do(drawn):
    """Spikes of probability 0.1: their numbers per stream and per element have the binomial variance."""
    spikes = drawn < 0.1
    for axis in (0, 1):
        counts = spikes.sum(axis=axis)
        n = spikes.shape[axis]
        ratio = counts.var(ddof=1) / (n * 0.09)
        assert abs(ratio - 1) < 5 * np.sqrt(2 / (counts.size - 1))


def test_no_number_is_0_or_1_and_the_shape_is_free():
    u = np.asarray(uniforms(jax.random.key(0), (3, 1000, 7)))
    assert u.shape == (3, 1000, 7)
    assert 0 < u.min() < 1e-3
    assert 1 - 1e-3 < u.max() < 1
