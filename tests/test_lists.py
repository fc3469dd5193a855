"""Lists of numbers are taken wherever numbers are asked for, and give what arrays give."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import mtjax as mtj
from mtjax.fitting import Stays, candidates, design, measured_with, read_stays
from mtjax.nn.elements.plastic import Response

DEVICE, LAW = mtj.presets.perpendicular_stt(40.0), mtj.ThermalActivation()
CURRENTS, SWITCHED = [9e-6, 10e-6, 11e-6, 12e-6], [3, 16, 69, 99]
TRACE = [0, 0, 0, 1, 1, 1, 1, 0, 0, 1, 1, 1, 1, 1, 1, 0, 0, 0]
HEAVY = [[[1.0, 2.0], [0.5, -1.0]], [[1.0, 0.0], [0.0, 1.0]]]


@pytest.fixture(scope="module")
def found():
    data = mtj.SwitchingData(current=CURRENTS, width=100e-9, switched=SWITCHED, trials=100)
    return mtj.fit(DEVICE, data, where=("Bk",), method=LAW)


@pytest.fixture(scope="module")
def network():
    return mtj.nn.from_sigmoid(HEAVY, [[0.0, 0.0], [0.1, 0.2]], mtj.nn.perpendicular_law())


@pytest.fixture(scope="module")
def synapses():
    none = jnp.zeros((2, 4, 1))
    up, down, same = (Response(none + a, none + b) for a, b in ((1, 1), (0, 0), (1, 0)))
    return mtj.nn.PlasticSynapses(jnp.eye(2, 4)[..., None], none + 1, before=up, after=down, alone=same)


def same(make, *lists):
    """Whether `make` gives the same numbers for lists and for arrays of them."""
    one, other = make(*lists), make(*(np.asarray(x, float) for x in lists))
    for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True):
        np.testing.assert_array_equal(np.asarray(a), np.asarray(b))
    return one


def test_an_experiment():
    data = same(lambda i, w: mtj.measured(DEVICE, i, w, trials=100, seed=0, method=LAW), CURRENTS, [100e-9] * 4)
    assert data.switched.tolist() == SWITCHED


def test_a_design(found):
    plan = same(lambda *c: design(found, "Bk", trials=50, amplitudes=c[0], widths=c[1], draws=1), [1e-5, 1.1e-5], [1e-7, 2e-7])
    assert set(plan.amplitude) <= {1e-5, 1.1e-5}
    assert len(same(lambda i: candidates(found, i), CURRENTS)) == 4
    more = same(lambda n: measured_with(found, plan, n), [1] * len(plan.trials))
    assert more.switched[-1] == 1


def test_traces_loops_and_axes():
    times = [1e-6 * n for n in range(len(TRACE))]
    assert same(lambda t, s: read_stays(t, s, bias=1e-5), times, TRACE).up.tolist() == pytest.approx([4e-6, 6e-6])
    assert same(lambda a, b: Stays(a, b, 1e-5), [1e-3, 2e-3], [3e-3]).down.tolist() == [3e-3]
    assert same(mtj.Loop, [0, 1, 2, 3, 4], [1, 1, 1, 2, 2]).bracket(1) == (2.0, 3.0)
    assert same(lambda x: mtj.Axis("current", x), CURRENTS).values.tolist() == CURRENTS


def test_networks(network):
    uniforms = network.draw(jax.random.key(0), 4)
    same(lambda x: network(x, uniforms=uniforms), [1, 0])
    hardware = mtj.nn.Hardware.of(mtj.presets.perpendicular_stt(20.0), 10e-9, reset_current=30e-6)
    cost = same(lambda x: mtj.nn.mean_over(network, x, hardware, steps=4, key=jax.random.key(0)), [[1, 0], [0, 1]])
    assert cost.total > 0


def test_unsupervised_learning(synapses):
    learnt = same(lambda x: mtj.nn.learn(synapses, x, events=5, key=jax.random.key(0)), [[1, 1, 0, 0], [0, 0, 1, 1]])
    assert learnt.winners.shape == (5,)


def test_laws_rates_and_films():
    law = mtj.nn.perpendicular_law()
    drives = same(law.drive_at, [0.1, 0.9])
    np.testing.assert_allclose(same(law.psw, drives.tolist()), [0.1, 0.9], rtol=1e-5)
    hopping = mtj.Rates(jnp.asarray(1e3), jnp.asarray(2e3))
    assert same(hopping.survival, [0.0, 1e-3]).tolist() == pytest.approx([1.0, np.exp(-1)])
    assert same(hopping.switched, [0, 1]).tolist() == pytest.approx([0.0, 1 / 3])
    film = mtj.presets.kurenkov2019_neuron()
    assert same(film.current, [1e11, 2e11]).shape == (2,)
    assert float(same(film.hall, [1] * film.number)) > 0
