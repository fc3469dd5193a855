"""Lapses: probabilities by hand, and shares that are none."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import mtjax as mtj


def test_observed_probabilities_by_hand_and_under_jit():
    p, amplitude = jnp.array([0.0, 0.25, 1.0]), jnp.array([1.0, 1.0, 1.0])

    def seen(share):
        misread = mtj.Misread(share, 2 * share).observed(p, 1 - p, amplitude)
        return *misread, *mtj.BackHopping(share, end=1.0, spread=0.1).observed(p, 1 - p, amplitude)

    for found in (seen(0.1), jax.jit(seen)(0.1)):
        expected = ([0.2, 0.375, 0.9], [0.8, 0.625, 0.1], [0.0, 0.2375, 0.95], [1.0, 0.7625, 0.05])
        np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: mtj.Misread(-0.2, 0.1), "`missed` of Misread must be between 0 and 1, but is -0.2"),
        (lambda: mtj.Misread(0.2, 3.0), "`false` of Misread must be between 0 and 1, but is 3"),
        (lambda: mtj.Misread(false=float("nan")), "false"),
        (lambda: mtj.BackHopping(1.5), "`probability` of BackHopping must be between 0 and 1, but is 1.5"),
        (lambda: mtj.BackHopping(0.5, end=-1.0), "end"),
    ],
)
def test_shares_lie_between_0_and_1(make, message):
    with pytest.raises(ValueError, match=message) as error:
        make()
    assert "\n" not in str(error.value)
