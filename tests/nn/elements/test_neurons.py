"""Neurons: on their law against the stochastic LLG, and against closed forms."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import mtjax as mtj
from mtjax import nn

WIDTH = 0.5e-9


def uniforms(n, seed=0):
    return jax.random.uniform(jax.random.key(seed), (n,), minval=1e-7)


def run(neuron, x, steps, seed=0):
    """Spikes, shape (steps, n), and states after every time-step."""
    state, fired, states = neuron.init(x.shape), [], []
    for t in range(steps):
        out, state = neuron(x, state, uniforms=uniforms(x.size, seed + t), estimator=nn.StraightThrough())
        fired.append(out)
        states.append(state)
    return fired, states


@pytest.fixture(scope="module")
def sampler():
    return nn.TrajectorySampler(mtj.presets.sengupta2016(), WIDTH)


def test_spikes_of_the_device_have_the_probability_of_its_law(sampler):
    """6,000 devices at each of three currents: 5 % off in P would be 1.8, 3.5 and 9 standard errors, together 8."""
    law, currents = nn.sengupta2016_law(), jnp.repeat(jnp.array([55e-6, 70e-6, 95e-6]), 6000)
    found = np.asarray(eqx.filter_jit(sampler)(currents, uniforms(currents.size))).reshape(3, -1).mean(axis=1)
    p = np.asarray(law.psw(currents[::6000]))
    z = (found - p) / np.sqrt(p * (1 - p) / 6000)
    assert np.all(np.abs(z) < 4)
    assert abs(np.sum(z)) / 3**0.5 < 4


@pytest.mark.slow
def test_a_device_in_the_loop_fires_by_trajectories_and_learns_by_its_law(sampler):
    law = nn.sengupta2016_law()
    plain = nn.ClockedNeuron.of(law, p=0.3)
    looped = eqx.tree_at(lambda n: n.sampler, plain, sampler, is_leaf=lambda x: x is None)
    x, u = jnp.linspace(-2.0, 2.0, 40), uniforms(40)

    def total(neuron, x):
        fired, _ = neuron(x, None, uniforms=u, estimator=nn.StraightThrough())
        return jnp.sum(fired.spikes), fired

    slopes, fired = eqx.filter_jit(jax.grad(lambda x: total(looped, x), has_aux=True))(x)
    np.testing.assert_array_equal(fired.spikes, sampler(plain.current(x), u))
    assert not np.array_equal(fired.spikes, total(plain, x)[1].spikes)  # other noise than the law's draw
    h = 1e-4
    difference = (law.psw(plain.current(x + h)) - law.psw(plain.current(x - h))) / (2 * h)
    np.testing.assert_allclose(slopes, difference, rtol=1e-5, atol=1e-8)


def test_a_clocked_neuron_is_biased_and_scaled_as_asked():
    neuron = nn.ClockedNeuron.of(nn.sengupta2016_law(), p=0.3, slope=2.0)
    h = 1e-4
    assert float(jax.nn.sigmoid(neuron.logit(jnp.array(0.0)))) == pytest.approx(0.3, abs=1e-6)
    slope = (neuron.logit(jnp.array(h)) - neuron.logit(jnp.array(-h))) / (2 * h)
    assert float(slope) == pytest.approx(2.0, rel=1e-5)
    assert neuron.current(jnp.array([-1e3, 1e3])).tolist() == pytest.approx([0.0, 150e-6])  # the driver's limits


def test_an_integrating_neuron_warms_cools_and_starts_again():
    """Without spikes the rise before pulse n is rise_1 (1 - r^(n-1))/(1 - r) with r = exp(-interval / cooling time)."""
    law = nn.sengupta2016_law()
    neuron = nn.IntegratingNeuron(law, law.drive_at(1e-3), 1e-6)
    x = jnp.zeros(1)
    state, silent = neuron.init(x.shape), []
    for _ in range(6):
        fired, state = neuron(x, state, uniforms=jnp.ones(1), estimator=nn.StraightThrough())
        silent.append((float(state[0]), float(fired.logit[0])))
    r = np.exp(-5 / 9)
    once = 400.0 * float(neuron.bias) ** 2 * WIDTH / 3e-17 * r
    np.testing.assert_allclose([s for s, _ in silent], once * (1 - r ** np.arange(1, 7)) / (1 - r), rtol=1e-6)
    assert np.all(np.diff([z for _, z in silent]) > 0)  # it integrates: each pulse is likelier to make it fire
    after, state = neuron(x, state, uniforms=jnp.zeros(1) + 1e-7, estimator=nn.StraightThrough())
    assert after.spikes[0] == 1
    assert state[0] == 0


def test_an_integrating_neuron_fires_more_at_short_intervals():
    law = nn.sengupta2016_law()

    def rate(interval):
        neuron = nn.IntegratingNeuron(law, law.drive_at(0.05), 1e-6, interval=interval, heat_capacity=1e-17)
        return np.mean([f.spikes for f in run(neuron, jnp.zeros(2000), 5)[0]])

    assert rate(3e-9) > 1.5 * rate(100e-9)
    assert rate(100e-9) == pytest.approx(0.05, abs=4 * (0.05 * 0.95 / 10_000) ** 0.5)


@pytest.mark.slow
def test_an_integrating_neuron_in_the_loop_sees_the_current_of_its_law(sampler):
    law = nn.sengupta2016_law()
    neuron = nn.IntegratingNeuron(law, 50e-6, 1e-6, softening=100.0, sampler=sampler)
    warm = jnp.full(300, 40.0)
    fired, _ = neuron(jnp.zeros(300), warm, uniforms=uniforms(300), estimator=nn.StraightThrough())
    np.testing.assert_array_equal(fired.spikes, sampler(jnp.full(300, 70e-6), uniforms(300)))


@pytest.mark.parametrize("x", [-1.0, 0.0, 0.6])
def test_a_p_bit_is_in_equilibrium_and_forgets(x):
    """P(up) = sigmoid(2 I/unit) in time; correlation over one interval exp(-(interval/time) cosh(I/unit))."""
    neuron = nn.FreeRunningNeuron(interval=1e-9)
    n, steps = 4000, 12
    sides = np.array([f.spikes for f in run(neuron, jnp.full(n, x), steps)[0]])[4:]
    p = 1 / (1 + np.exp(-2 * x * 2.5 / 5))
    memory = np.exp(-np.cosh(x * 2.5 / 5))
    effective = n * (steps - 4) * (1 - memory) / (1 + memory)
    assert abs(sides.mean() - p) < 4 * np.sqrt(p * (1 - p) / effective)
    now, then = sides[1:] - p, sides[:-1] - p
    assert np.mean(now * then) / (p * (1 - p)) == pytest.approx(memory, abs=0.03)


@pytest.mark.slow
def test_a_p_bit_in_the_loop_has_the_equilibrium_of_its_energy():
    """A perpendicular spin under spin-transfer torque is in equilibrium with the density exp(delta (mz^2 - 2 i mz))."""
    delta, n = 3.0, 6000
    device = mtj.presets.perpendicular_stt(delta=delta)
    critical, tau = float(device.critical_current), float(device.relaxation_time)
    interval = 30 * tau
    sampler = nn.TrajectorySampler(device, interval, relax=0.0)
    neuron = nn.FreeRunningNeuron(critical / (2 * delta), critical, interval=interval, sampler=sampler)
    i = 0.08
    fired, _ = run(neuron, jnp.full(n, i), 3)  # 5 % off in P would be 5 standard errors
    z = np.linspace(-1, 1, 20_001)
    weight = np.exp(delta * (z**2 - 2 * i * z))
    p = weight[z < 0].sum() / weight.sum()
    assert abs(np.mean(fired[-1].spikes) - p) < 4 * np.sqrt(p * (1 - p) / n)
    assert float(jax.nn.sigmoid(jnp.mean(fired[-1].logit))) == pytest.approx(p, abs=0.06)  # wells taken as points
    assert p > 0.6


def test_neurons_refuse_what_no_device_has():
    law = nn.sengupta2016_law()
    with pytest.raises(ValueError, match="`scale`"):
        nn.ClockedNeuron(law, 70e-6, -1e-6)
    with pytest.raises(ValueError, match="`cooling_time`"):
        nn.IntegratingNeuron(law, 70e-6, 1e-6, cooling_time=0.0)
    with pytest.raises(ValueError, match="`correlation_time`"):
        nn.FreeRunningNeuron(correlation_time=-1e-9)
    with pytest.raises(ValueError, match="`bias` of IntegratingNeuron must be finite"):
        nn.IntegratingNeuron(law, float("nan"), 1e-6)
    device = mtj.presets.sengupta2016()
    for name, sampler in {
        "width": lambda: nn.TrajectorySampler(device, -WIDTH),
        "relax": lambda: nn.TrajectorySampler(device, WIDTH, relax=-1.0),
        "dt": lambda: nn.TrajectorySampler(device, WIDTH, dt=0.0),
    }.items():
        with pytest.raises(ValueError, match=f"`{name}` of TrajectorySampler must be finite and"):
            sampler()
    image = nn.Conv.make(3, 1, 2, key=jax.random.key(0))
    with pytest.raises(ValueError, match="`size` of Pooled must be finite and at least 1, but is 0"):
        nn.Pooled(image, 0)
    with pytest.raises(ValueError, match="`squares` of Conv must be finite and at least 1, but is 0"):
        nn.Conv(image.weight, image.bias, squares=0)
    for name in ("inputs", "outputs", "gain"):
        with pytest.raises(ValueError, match=f"`{name}` must be finite and positive, but is 0"):
            nn.Dense.make(**{"inputs": 3, "outputs": 3, "gain": 1.0, name: 0}, key=jax.random.key(0))
    for name in ("wire", "asymmetry"):
        with pytest.raises(ValueError, match=f"`{name}` of Crossbar must be finite and at least"):
            nn.Crossbar(**{name: -2.0})
