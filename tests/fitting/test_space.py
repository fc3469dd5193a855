"""Coordinates and priors: densities against scipy, under jit too, and what no prior can be."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

import mtjax as mtj

PRIORS = {
    "normal": (mtj.Normal, stats.norm(0.5, 0.1)),
    "lognormal": (mtj.LogNormal, stats.lognorm(np.log(1.2), scale=0.5)),
}


@pytest.mark.parametrize("name", PRIORS)
def test_densities_are_those_of_scipy_made_under_jit_too(name):
    """Up to a constant: differences of the logarithms."""
    kind, law = PRIORS[name]
    spread = 0.1 if kind is mtj.Normal else 1.2

    def density(middle, spread, value):
        return kind(middle, spread).log_density(value)

    values = jnp.array([0.4, 0.5, 0.7])
    for function in (density, jax.jit(density)):
        found = jnp.stack([function(0.5, spread, v) for v in values])
        np.testing.assert_allclose(np.diff(found), np.diff(law.logpdf(values)), rtol=1e-5)
    slope = jax.jit(jax.grad(density))(0.5, spread, 0.6)
    ahead, behind = (density(0.5 + h, spread, 0.6) for h in (1e-3, -1e-3))
    assert float(slope) == pytest.approx(float(ahead - behind) / 2e-3, rel=1e-3)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: mtj.Normal(0.0, -1.0), "`deviation` of Normal must be finite and positive, but is -1"),
        (lambda: mtj.LogNormal(0.0, 1.2), "factor above 1 and a median that is not 0"),
        (lambda: mtj.LogNormal(1.0, 1.0), "factor above 1"),
        (lambda: mtj.LogNormal(float("nan"), 1.2), "median"),
        (lambda: mtj.coordinates(["delta"], [""], [float("nan")]), "`start` must be finite"),
    ],
)
def test_priors_and_starts_that_are_none_are_refused(make, sentence):
    with pytest.raises(ValueError, match=sentence) as error:
        make()
    assert "\n" not in str(error.value)


def test_a_quantity_stays_in_the_range_that_its_device_allows():
    """A polarisation lies between -1 and 1; a Bk has no such end."""
    device = mtj.presets.perpendicular_stt(40.0)
    polarisation, Bk = mtj.devices.by_names(device, ("polarisation", "Bk"))
    assert (polarisation.ends, Bk.ends) == ((-1.0, 1.0), (-np.inf, np.inf))
    for start in (0.6, -0.6, 0.0):
        space = mtj.coordinates(["polarisation"], [""], [start], ends=[polarisation.ends])
        far = np.array([float(space.value(space.bound(jnp.array([x])))[0]) for x in (-1e3, 1e3)])
        assert np.all(np.abs(far) <= 1 + 1e-6)
        assert np.max(np.abs(far)) > 0.99
        assert "polarisation ran to the end of its range" in space.edge_remarks(space.upper)[0]
    with pytest.raises(ValueError, match=r"The bounds of polarisation must lie within -1 ... 1, but are 0.1 and 2\."):
        mtj.coordinates(["polarisation"], [""], [0.6], ends=[polarisation.ends], bounds={"polarisation": (0.1, 2.0)})
    with pytest.raises(ValueError, match=r"The start of polarisation must lie within its bounds -1 ... 1, but is 3\."):
        mtj.coordinates(["polarisation"], [""], [3.0], ends=[polarisation.ends])
