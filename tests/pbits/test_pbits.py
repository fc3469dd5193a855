"""P-bits against the stationary state of all their states, listed one by one with numpy, and against closed forms."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import mtjax as mtj
from mtjax.pbits import JunctionLaw, Network, Spreads, TanhLaw, blocks_of, clocked, sample, total_variation

LAW = TanhLaw(1e-9)
ADDER = -0.5 * np.outer(WEIGHTS := np.array([1, 1, 1, -1, -2]), WEIGHTS) * (1 - np.eye(5))
"""a + b + c = s + 2 d: E = (sum of weight times bit)^2."""
KEY = jax.random.key(3)


def random_graph(number, seed, scale=0.4):
    draw = np.random.default_rng(seed)
    J = np.triu(draw.normal(0, scale, (number, number)) * (draw.random((number, number)) < 0.5), 1)
    return J + J.T, draw.normal(0, 0.3, number)


def stationary(J, h, law):
    """Where the master equation of all states rests, from its rates alone."""
    J, h = np.asarray(J, float), np.asarray(h, float)
    number = len(h)
    every = 2.0 * ((np.arange(2**number)[:, None] >> np.arange(number)) & 1) - 1
    up, down = (np.exp(np.asarray(rate)) for rate in law.log_rates(jnp.asarray(every @ J + h)))
    flow = np.zeros((2**number, 2**number))
    for code, m in enumerate(every):
        for bit in range(number):
            flow[code ^ (1 << bit), code] = up[code, bit] if m[bit] < 0 else down[code, bit]
    flow -= np.diag(flow.sum(axis=0))
    flow[0] = 1.0
    return np.linalg.solve(flow, np.eye(2**number)[0])


@pytest.fixture(scope="module")
def junction():
    return JunctionLaw.of(mtj.presets.perpendicular_stt(4.0), points=9)


def test_listed_states_are_those_of_boltzmann():
    J, h = random_graph(6, 0)
    every = np.array([[1 if code >> bit & 1 else -1 for bit in range(6)] for code in range(64)])
    weight = np.exp([sum(J[i, j] * m[i] * m[j] for i in range(6) for j in range(i)) + h @ m for m in every])
    np.testing.assert_allclose(np.asarray(Network(J, h, LAW).boltzmann()), weight / weight.sum(), rtol=1e-10)
    np.testing.assert_allclose(stationary(J, h, LAW), weight / weight.sum(), rtol=1e-8)


@pytest.mark.parametrize(("J", "h"), [(ADDER, np.zeros(5)), random_graph(5, 1)], ids=["full adder", "random graph"])
def test_free_running_bits_have_the_distribution_of_all_states(J, h):
    """Some 2e5 flips: the noise of the total variation of 32 states is below 0.01; couplings 5 % off would give 0.02 and more."""
    found = sample(Network(J, h, LAW), events=200_000, key=KEY).distribution()
    assert total_variation(found, stationary(J, h, LAW)) < 0.012
    assert total_variation(found, np.full(32, 1 / 32)) > 0.2


def test_a_junction_follows_its_own_rates(junction):
    """Not quite Boltzmann's, since its odds are not quite exponential in the current."""
    J, h = random_graph(5, 2, scale=0.5)
    record = sample(Network(J, h, junction), events=200_000, key=KEY)
    assert total_variation(record.distribution(), stationary(J, h, junction)) < 0.012


def test_a_junctions_table_is_the_rates_of_the_device(junction):
    device = mtj.presets.perpendicular_stt(4.0)
    for x in (0.4, 2.0):
        found = mtj.rates(device, float(junction.centre + junction.unit * x))
        up, down = junction.log_rates(jnp.asarray(x))
        assert float(up) == pytest.approx(float(found.log_back), abs=0.06)
        assert float(down) == pytest.approx(float(found.log_out), abs=0.06)
    assert float(junction.share_up(jnp.asarray(0.05))) == pytest.approx(1 / (1 + np.exp(-0.1)), abs=2e-3)
    assert float(junction.centre) == pytest.approx(0.0, abs=1e-12)


def test_one_bit_is_a_telegraph_signal(junction):
    x = 0.4
    up, down = (float(jnp.exp(rate)) for rate in junction.log_rates(jnp.asarray(x)))
    record = sample(Network([[0.0]], [x], junction), events=100_000, key=KEY)
    mean_cycle = 1 / up + 1 / down
    assert record.flips_per_second == pytest.approx(2 / mean_cycle, rel=0.02)
    power = float((junction.centre + junction.unit * x) ** 2 * 5e3)
    assert record.joules_per_flip == pytest.approx(power * mean_cycle / 2, rel=0.02)
    lags = np.array([0.3, 1.0, 2.0]) / (up + down)
    np.testing.assert_allclose(record.autocorrelation(lags), np.exp(-lags * (up + down)), atol=0.02)
    assert record.distribution()[1] == pytest.approx(up / (up + down), abs=0.01)


def test_slow_synapses_spoil_the_distribution_and_fast_ones_do_not():
    wanted = stationary(ADDER, np.zeros(5), LAW)
    found = [
        total_variation(
            sample(Network(ADDER, np.zeros(5), LAW, delay=d * 1e-9), events=200_000, key=KEY).distribution(), wanted
        )
        for d in (3.0, 0.3, 0.03, 0.003)
    ]
    assert found == sorted(found, reverse=True)
    assert found[0] > 0.3
    assert found[-1] < 0.02


def test_a_delayed_pair_is_the_limit_of_a_chain_of_stages():
    """One bit drives another, which does not drive back: the copy's correlation is delayed, not lost."""
    delay, J = 0.5e-9, np.array([[0.0, 0.8], [0.8, 0.0]])
    record = sample(Network(J, [0.0, 0.0], LAW, delay=delay), events=200_000, key=KEY)
    codes, held = record.codes()[0], np.asarray(record.held[0])
    m = 2.0 * ((codes[:, None] >> np.arange(2)) & 1) - 1
    # d<m0 m1>/dt = 0 needs <m0 m1> = <m1(t) tanh x1(t)> of the neighbour a delay ago, by simulation with small steps
    draw, steps = np.random.default_rng(0), 40
    dt, now = delay / steps, np.ones((400, 2))
    past, total, count = [now.copy()] * steps, 0.0, 0
    for n in range(6000):
        seen = past[n % steps]
        past[n % steps] = now.copy()
        rate = (1 - now * np.tanh(0.8 * seen[:, ::-1])) * dt / 1e-9
        now = np.where(draw.random(now.shape) < rate, -now, now)
        if n > 1000:
            total, count = total + np.mean(now[:, 0] * now[:, 1]), count + 1
    assert np.sum(m[:, 0] * m[:, 1] * held) / held.sum() == pytest.approx(total / count, abs=0.02)


@pytest.mark.parametrize("case", ["full adder", "bipartite"])
def test_clocked_bits_have_it_too(case):
    J, h = (ADDER, np.zeros(5)) if case == "full adder" else random_graph(6, 4)
    if case == "bipartite":
        J = J * (np.arange(6)[:, None] % 2 != np.arange(6) % 2)
    network = Network(J, h, LAW)
    assert len(blocks_of(network)) == (5 if case == "full adder" else 2)
    found = np.asarray(clocked(network, 4000, samples=64, key=KEY))[:, 100:]
    codes = (found @ (1 << np.arange(len(h)))).ravel()
    assert total_variation(np.bincount(codes, minlength=2 ** len(h)) / len(codes), network.boltzmann()) < 0.01


def test_a_short_clock_leaves_bits_as_they_are():
    found = clocked(Network([[0.0]], [0.3], LAW), 1, samples=20_000, key=KEY, start=[-1.0], period=0.4e-9)
    rest, rate = 1 / (1 + np.exp(-0.6)), 2e9
    assert float(np.mean(found)) == pytest.approx(rest * (1 - np.exp(-0.4e-9 * rate)), abs=4 * 0.5 / np.sqrt(20_000))


def test_a_spread_is_compensated():
    J, h = ADDER, np.zeros(5)
    wanted, spread = stationary(J, h, LAW), Spreads.draw(5, 0.1, key=jax.random.key(8))
    apart = Network(J, h, LAW, spread=spread)
    gained, offset = np.asarray(spread.gain), np.asarray(spread.offset)
    spoiled = stationary(J * gained[:, None], h * gained + offset, LAW)
    found = [
        total_variation(sample(n, events=200_000, key=KEY).distribution(), wanted) for n in (apart, apart.compensated(spread))
    ]
    assert found[0] == pytest.approx(total_variation(spoiled, wanted), abs=0.012)
    assert found[0] > 0.05
    assert found[1] < 0.012


def test_annealing_finds_the_ground_state():
    J, h = random_graph(12, 5, scale=1.0)
    network = Network(J, h, LAW)
    every = np.asarray(mtj.pbits.states(12))
    lowest = float(np.min(network.energy(every)))
    found = clocked(network, 300, samples=32, key=KEY, beta=jnp.linspace(0.1, 5.0, 300))
    assert float(np.min(network.energy(2.0 * found[:, -1] - 1))) == pytest.approx(lowest)


def test_given_blocks_are_the_two_layers_of_a_restricted_machine():
    """Under jit too, where the couplings are traced; chains start where they are told."""
    J = np.zeros((5, 5))
    J[:3, 3:] = np.random.default_rng(1).normal(0, 0.7, (3, 2))
    J, h, start = J + J.T, np.full(5, 0.1), -np.ones((64, 5))

    @jax.jit
    def found(J):
        return clocked(Network(J, h, LAW), 3000, samples=64, key=KEY, blocks=[[3, 4], [0, 1, 2]], start=start)

    codes = (np.asarray(found(J))[:, 100:] @ (1 << np.arange(5))).ravel()
    assert total_variation(np.bincount(codes, minlength=32) / len(codes), stationary(J, h, LAW)) < 0.01


def test_gates_are_least_where_their_table_holds():
    """The energy of a multiplier of 2 by 2 bits: 0 for the sixteen products, at least 1 for every other state."""
    gates, x, y, product = mtj.pbits.multiplier(2, 2)
    J, h = gates.arrays()
    every = np.asarray(mtj.pbits.states(len(h)))
    energy = -np.einsum("si,ij,sj->s", every, J, every) / 2 - every @ h
    bits = (every > 0).astype(int)
    X, Y, P = (bits[:, places] @ (1 << np.arange(len(places))) for places in (x, y, product))
    low = energy < energy.min() + 1e-9
    assert low.sum() == 16
    assert set(zip(X[low].tolist(), Y[low].tolist(), strict=True)) == {(a, b) for a in range(4) for b in range(4)}
    np.testing.assert_array_equal(P[low], X[low] * Y[low])
    assert np.min(energy[~low]) == pytest.approx(energy.min() + 1)


def test_a_multiplier_run_backwards_factorises():
    gates, x, y, product = mtj.pbits.multiplier(3, 3)
    wires = gates.clamped({bit: 35 >> k & 1 for k, bit in enumerate(product)}, LAW)
    found = clocked(wires.network, 600, samples=32, key=KEY, beta=jnp.linspace(0.2, 5.0, 600))
    bits = wires.all_bits(found[:, -1])
    X, Y, P = (bits[:, places] @ (1 << np.arange(len(places))) for places in (x, y, product))
    assert set(P) == {35}
    right = X * Y == 35
    assert np.mean(right) > 0.5
    assert set(X[right]) == {5, 7}


SYMMETRIC = np.array([[0.0, 1.0], [1.0, 0.0]])
REFUSED = [
    (lambda: Network([[0.0, 1.0], [0.5, 0.0]], [0.0, 0.0], LAW), "must be symmetric, but from"),
    (lambda: Network([[1.0, 0.0], [0.0, 0.0]], [0.0, 0.0], LAW), "must have a diagonal of zeros, but it holds 1"),
    (lambda: Network(SYMMETRIC, [0.0, 0.0, 0.0], LAW), r"`couplings` must have shape \(3, 3\)"),
    (lambda: Network([[0.0, 1.0]], [0.0], LAW), "`couplings` of PbitNetwork must be an array"),
    (lambda: Network(SYMMETRIC, [0.0, 0.0], LAW, spread=Spreads.none(3)), "`spread` must be of 2 bits, but is of 3"),
    (lambda: Network(SYMMETRIC, [0.0, 0.0], "tanh"), "`law` of PbitNetwork must"),
    (lambda: sample(Network(SYMMETRIC, [0.0, 0.0], LAW), events=10, key=KEY, start=[1.0]), r"`start` must have shape \(2,\)"),
    (lambda: clocked(Network(SYMMETRIC, [0.0, 0.0], LAW), 3, key=KEY, beta=[1.0, 2.0]), r"`beta` must be one number or have shape \(3,\)"),
    (lambda: clocked(Network(SYMMETRIC, [0.0, 0.0], LAW), 3, key=KEY, blocks=[[0]]), "`blocks` must hold each of the 2 bits once"),
    (lambda: mtj.pbits.multiplier(2, 2)[0].clamped({0: 2}, LAW), "must be one of 12 and be 0 or 1, but bit 0 is to be 2"),
    (lambda: Network(np.zeros((21, 21)), np.zeros(21), LAW).boltzmann(), "at most 20 bits .* but has 21"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "sentence"), REFUSED, ids=[row[1][:24] for row in REFUSED])
def test_what_does_not_fit_is_refused(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()


def test_a_device_without_rates_is_refused():
    device = mtj.presets.perpendicular_stt(4.0)
    falling = dataclasses.replace(device, terms=(mtj.UniaxialAnisotropy(-0.05), device.terms[1]))
    with pytest.raises(ValueError, match="`device` must have rates, that is two wells"):
        Network(SYMMETRIC, [0.0, 0.0], falling)
