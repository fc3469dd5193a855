"""Wells, barriers and relaxation of devices whose wells lie anywhere: closed forms, and a search by flooding."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import sparse, spatial
from scipy.sparse import csgraph

import mtjax as mtj
from mtjax.constants import GAMMA, KB


def device(*terms, Ms=1e6, **other):
    return mtj.Device(mtj.FreeLayer(mtj.EllipticCylinder(40e-9, 40e-9, 1.5e-9), Ms=Ms, alpha=0.01), terms, **other)


def cone(Bk, Bk2, **other):
    return device(mtj.UniaxialAnisotropy(Bk), mtj.SecondOrderAnisotropy(Bk2), **other)


@pytest.mark.parametrize("Bk", [-0.2, -0.4, -0.7])
@pytest.mark.parametrize("start", [(0, 0, 1), (1, 1, 1), (-0.9, 0.0, 0.1)])
def test_an_easy_cone_has_the_barrier_of_its_closed_form(Bk, start):
    found = cone(Bk, 0.8, start=start)
    K1, K2, V = Bk * 1e6 / 2, 0.8 * 1e6 / 4, float(found.layer.shape.volume)
    assert float(found.delta) == pytest.approx((K1 + 2 * K2) ** 2 * V / (4 * K2) / (KB * 300), rel=1e-9)
    height = np.sqrt(1 + Bk / 0.8)
    assert abs(float(found.bottom[2])) == pytest.approx(height, rel=1e-9)
    across = 2 * 0.8 * height**2 * (1 - height**2)
    np.testing.assert_allclose(found.stiffness, [0, across], atol=1e-12)
    assert float(found.relaxation_time) == pytest.approx((1 + 0.01**2) / (0.01 * GAMMA * across / 2), rel=1e-9)


def test_the_well_downhill_from_the_start_is_taken(precision):
    tilted = device(mtj.UniaxialAnisotropy(0.2, axis=(1, 0, 1)), start=(0.2, 0, 1))
    np.testing.assert_allclose(tilted.bottom, np.array([1, 0, 1]) / 2**0.5, atol=1e-6)
    hill = device(mtj.UniaxialAnisotropy(0.2, axis=(1, 0, 0)))
    for one in (tilted, hill):
        np.testing.assert_allclose(one.stiffness, [0.2, 0.2], rtol=1e-5)
        assert float(one.barrier) == pytest.approx(0.1, rel=1e-5)


class Cubic(mtj.AbstractEnergy):
    Bc: jax.Array = mtj.quantity("T")

    def energy(self, m, magnet, drive):
        return self.Bc / 2 * (m.x**2 * m.y**2 + m.y**2 * m.z**2 + m.z**2 * m.x**2)


@pytest.mark.parametrize(("Bc", "start", "barrier"), [(0.1, (0, 0, 1), 0.1 / 8), (-0.1, (1, 1, 1), 0.05 * (1 / 3 - 1 / 4))])
def test_cubic_anisotropy_lets_go_by_the_neighbouring_well(Bc, start, barrier):
    assert float(device(Cubic(Bc), start=start).barrier) == pytest.approx(barrier, rel=1e-9)


def flooded(energy, start, number=40_000):
    """The level at which water from the lowest point near `start` reaches the opposite one, above that point."""
    i = np.arange(number) + 0.5
    z, phi = 1 - 2 * i / number, np.pi * (1 + 5**0.5) * i
    m = np.stack([np.sqrt(1 - z**2) * np.cos(phi), np.sqrt(1 - z**2) * np.sin(phi), z], axis=-1)
    values = energy(m)
    tree = spatial.cKDTree(m)
    pairs = tree.query_pairs(2.6 * np.sqrt(4 * np.pi / number) / 2, output_type="ndarray")
    near = tree.query(start, 400)[1]
    low = near[np.argmin(values[near])]
    ends = tree.query([m[low], -m[low]])[1]
    heights = np.max(values[pairs], axis=1)
    below, above = values[low], values.max()
    for _ in range(30):
        level = (below + above) / 2
        kept = pairs[heights <= level]
        graph = sparse.coo_array((np.ones(len(kept)), kept.T), shape=(number, number))
        _, label = csgraph.connected_components(graph, directed=False)
        below, above = (below, level) if label[ends[0]] == label[ends[1]] else (level, above)
    return level - values[low]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_barriers_of_any_sum_of_terms_against_flooding(seed):
    rng = np.random.default_rng(seed)
    easy, hard, other = np.linalg.qr(rng.normal(size=(3, 3)))[0] + 0.1 * rng.normal(size=(3, 3))
    terms = (
        mtj.UniaxialAnisotropy(0.1, axis=easy),
        mtj.UniaxialAnisotropy(-0.5, axis=hard),
        mtj.SecondOrderAnisotropy(rng.uniform(-0.1, 0.2), axis=other),
        Cubic(rng.uniform(-0.1, 0.1)),
        mtj.AppliedField(0.02 * rng.normal(size=3)),
    )
    found = device(*terms, start=easy)

    def energy(m):
        value = sum(
            jax.vmap(lambda v, t=t: t.energy(mtj.Vector.of(v), found.magnet, found.drive(0.0)))(jnp.asarray(m))
            for t in terms[:-1]
        )
        return np.asarray(value)

    expected = flooded(energy, np.asarray(found.bottom))
    assert float(found.barrier) == pytest.approx(expected, rel=0.01)
    assert float(found.barrier) > 0.005


@pytest.mark.parametrize("B", [(0.02, 0.0, 0.0), (0.0, 0.0, 0.05), (0.01, 0.03, -0.02)])
def test_applied_fields_do_not_count(B):
    plain, field = cone(-0.3, 0.8), device(mtj.UniaxialAnisotropy(-0.3), mtj.SecondOrderAnisotropy(0.8), mtj.AppliedField(B))
    assert float(field.delta) == pytest.approx(float(plain.delta), rel=1e-12)
    assert float(field.relaxation_time) == pytest.approx(float(plain.relaxation_time), rel=1e-12)


def figures(x):
    Bk, Bk2, Ms, across = x
    terms = (mtj.UniaxialAnisotropy(Bk), mtj.SecondOrderAnisotropy(Bk2), mtj.UniaxialAnisotropy(across, axis=(1.0, 0.3, 0.2)))
    found = mtj.devices.figures(device(*terms, Ms=Ms * 1e6, start=(0.6, 0.0, 0.8)))
    return jnp.log(jnp.stack([found["delta"], found["relaxation_time"]]))


@pytest.mark.parametrize("at", [(-0.2, 0.8, 1.0, 0.05), (0.2, 0.1, 0.8, 0.1)], ids=["cone", "axis"])
def test_gradients_equal_central_differences(at):
    at, h = jnp.array(at), 1e-5
    expected = np.stack([(figures(at.at[i].add(h)) - figures(at.at[i].add(-h))) / (2 * h) for i in range(4)], axis=1)
    np.testing.assert_allclose(jax.jacrev(figures)(at), expected, atol=2e-7 * np.abs(expected).max())
    assert np.all(np.abs(expected[:, [0, 1, 3]]) > 0.1)


def test_an_easy_plane_has_no_second_well_and_says_so():
    plane = cone(-0.9, 0.8)
    for ask in (lambda: plane.delta, lambda: plane.barrier):
        with pytest.raises(ValueError, match="no second well"):
            ask()
    assert np.isnan(jax.jit(lambda d: d.delta)(plane))
    assert "no second well" in str(plane)
    assert float(plane.relaxation_time) == pytest.approx((1 + 0.01**2) / (0.01 * GAMMA * 0.05), rel=1e-9)


def test_a_batch_of_devices_may_have_wells_of_any_kind():
    one = jax.vmap(lambda Bk: mtj.devices.figures(cone(Bk, 0.8))["delta"])(jnp.array([-0.9, -0.4, 0.2]))
    assert np.isnan(one[0])
    assert float(one[1]) == pytest.approx(float(cone(-0.4, 0.8).delta), rel=1e-12)
    assert float(one[2]) == pytest.approx(float(cone(0.2, 0.8).delta), rel=1e-12)


def test_relaxation_takes_a_positive_time_in_every_device():
    for one in (cone(-0.2, 0.8), cone(-0.9, 0.8), device(mtj.AppliedField((0.0, 0.0, -0.1))), device()):
        assert float(one.relaxation_time) > 0
    assert float(device(mtj.AppliedField((0.0, 0.0, 0.1))).Bk) == pytest.approx(0.1)


def test_no_critical_current_is_told_at_the_axis_of_a_cone():
    terms = (mtj.UniaxialAnisotropy(-0.2), mtj.SecondOrderAnisotropy(0.8), mtj.SpinTransferTorque(0.6, sigma=(0, 0, -1)))
    assert np.isnan(device(*terms).critical_current)
    assert "critical current unknown: the start direction is a maximum" in str(device(*terms))
