"""Temperature against closed forms, the heated cell against an independent sketch and against Fokker-Planck."""

import importlib.util

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from heated import NOMINAL, heated_cell
from places import SHARED
from scipy import integrate, signal

import mtjax as mtj

REFERENCE = SHARED / "reference" / "heated_cell.py"
TRAIN = mtj.Train(mtj.Pulse(2e-3, 5e-9), 3, 8e-9)


def test_temperature_of_a_train_by_hand():
    heating = mtj.JouleHeating(resistance=[1e5, 2e4], time=[9e-9, 1e-9])
    history = heating.history(TRAIN, 500.0, 300.0)
    rise = np.zeros(2)
    for on, length in ((1, 5e-9), (0, 3e-9), (1, 5e-9), (0, 3e-9), (1, 5e-9), (0, 7e-9)):
        keep = np.exp(-length / np.array([9e-9, 1e-9]))
        rise = rise * keep + on * (2e-3) ** 2 * 500 * np.array([1e5, 2e4]) * (1 - keep)
    assert float(history(28e-9)) == pytest.approx(300 + rise.sum(), rel=1e-10)


@pytest.mark.parametrize(
    "pulse", [mtj.Pulse(1e-3, 4e-9, rise=2e-9, fall=1e-9), mtj.Sine(1e-3, 4e8, 6e-9), mtj.PiecewiseLinear([0, 3e-9], [0, 1e-3])]
)
def test_temperature_of_other_waveforms_against_quadrature(pulse):
    history = mtj.JouleHeating(1.5e5, 9e-9).history(pulse, 1e3, 300.0)
    t = 7e-9
    edges = np.unique(np.append(np.clip(np.asarray(pulse.breakpoints), 0, t), [0, t]))
    parts = [
        integrate.quad(lambda s: float(pulse(s)) ** 2 * np.exp(-(t - s) / 9e-9) / 9e-9, a, b, epsrel=1e-9)[0]
        for a, b in zip(edges[:-1], edges[1:], strict=True)
    ]
    assert float(history(t)) - 300 == pytest.approx(1.5e5 * 1e3 * sum(parts), rel=1e-4)


@jax.jit
def hottest(history):
    return history.hottest


COOLING = np.array([1e5, 5e4]), np.array([9e-9, 3e-11])


@pytest.mark.parametrize(
    "pulse",
    [
        mtj.Sine(1e-3, 1e8, 1e-8),
        mtj.Sine(1e-3, 4e8, 6e-9, phase=0.3, delay=2e-9),
        mtj.Sine(1e-3, 1e9, 61e-9),
        mtj.Sine(1e-3, 1e10, 20e-9),
        mtj.Train(mtj.Sine(1e-3, 1e8, 2.3e-9), 3, 4e-9),
        mtj.Pulse(7e-4, 8e-9) + mtj.Sine(4e-4, 3e8, 9e-9).shifted(1e-9),
        -0.8 * mtj.PiecewiseLinear([0, 2e-9, 5e-9, 6e-9], [1e-3, -1e-3, 1.2e-3, 0.0]),
        mtj.Pulse(1e-3, 4e-9, rise=2e-9, fall=3e-9),
        mtj.Pulse(1e-3, 4e-9),
    ],
)
def test_the_highest_temperature_is_that_of_a_dense_sampling(pulse):
    """I^2 R through an exponential filter, mode by mode: a slow one and one that follows the ripple."""
    resistance, time = COOLING
    found = float(hottest(mtj.JouleHeating(resistance, time).history(pulse, 1e3, 300.0)))
    assert found == pytest.approx(300 + densest(pulse, 1e3 * resistance, time), abs=0.05)


def densest(pulse, scale, time, number=200_000):
    """Highest sum of filtered squares of the current at the edges of equal steps, the current that of their middles."""
    dt = float(pulse.end) / number
    squares = np.asarray(jax.vmap(pulse)((jnp.arange(number) + 0.5) * dt)) ** 2
    keep = np.exp(-dt / time)
    modes = [signal.lfilter([1 - k], [1, -k], squares) for k in keep]
    return np.max(scale @ np.array(modes))


def test_the_highest_temperature_has_the_slopes_of_its_quantities():
    def highest(amplitude):
        return mtj.JouleHeating(1.5e5, 9e-9).history(mtj.Sine(amplitude, 1e8, 1e-8), 1e3, 300.0).hottest

    rise = float(highest(1e-3)) - 300
    assert float(jax.jit(jax.grad(highest))(1e-3)) == pytest.approx(2 * rise / 1e-3, rel=1e-6)


def test_film_on_oxide_against_finite_volumes():
    """100 nm of SiO2 in 400 slices under a film, by an implicit scheme."""
    heating = mtj.film_on_oxide(length=5e-6, width=2e-6, oxide=100e-9, film=20e-9, modes=6)
    n, area, t_end = 400, 1e-11, 6e-9
    dx = 100e-9 / n
    g = 1.4 * area / dx
    capacity = np.append(3e6 * area * 20e-9, np.full(n, 1.6e6 * area * dx))
    K = np.zeros((n + 1, n + 1))
    links = [(0, 1, 2 * g), *((i, i + 1, g) for i in range(1, n))]
    for i, j, c in links:
        K[i, i] += c
        K[j, j] += c
        K[i, j] -= c
        K[j, i] -= c
    K[n, n] += 2 * g
    steps = 600
    dt = t_end / steps
    inverse = np.linalg.inv(np.diag(capacity) + dt / 2 * K)
    T, source = np.zeros(n + 1), np.eye(n + 1)[0]
    for _ in range(steps):
        T = inverse @ ((np.diag(capacity) - dt / 2 * K) @ T + dt * source)
    history = heating.history(mtj.Pulse(1.0, 1e-7), 1.0, 0.0)
    assert float(history(t_end)) == pytest.approx(T[0], rel=2e-3)
    assert float(jnp.sum(heating.resistance)) == pytest.approx(100e-9 / 1.4 / area, rel=1e-9)
    assert float(heating.time[0]) == pytest.approx(8.5e-9, rel=0.01)  # "about 9 ns"
    assert float(mtj.film_on_oxide(length=1e-6, width=1e-6, oxide=300e-9, film=20e-9).time[0]) == pytest.approx(54e-9, rel=0.05)


@pytest.mark.slow
def test_a_uniform_temperature_is_the_same_as_the_device_at_that_temperature():
    """Ms, Bk, torque and noise at T: a cell held hot by its current (cooling at once) against one made for T."""
    law = mtj.BlochLaw(Tc=650.0)
    s = (1 - (400 / 650) ** 1.5) / (1 - (300 / 650) ** 1.5)
    assert float(law.magnetisation(400.0)) == pytest.approx(s)
    hot = eqx.tree_at(lambda d: d.temperature, heated_cell(rise=0.0), jnp.asarray(400.0))
    plain = eqx.tree_at(
        lambda d: (d.layer.Ms, d[mtj.UniaxialAnisotropy].Bk, d.layer.saturation, d.heating, d.temperature),
        heated_cell(), (jnp.asarray(7e5 * s), jnp.asarray(0.3 * s**1.2), None, None, jnp.asarray(400.0)),
        is_leaf=lambda x: x is None,
    )  # fmt: skip
    assert float(hot.delta) == pytest.approx(45 * s**2.2 * 300 / 400, rel=1e-6)
    assert float(hot.delta) == pytest.approx(float(plain.delta), rel=1e-6)
    options = {"duration": 1e-9, "samples": 64, "key": jax.random.key(0), "save": 1, "dt": 5e-12}
    one, two = (mtj.simulate(d, mtj.Pulse(2 * NOMINAL, 1e-9), **options) for d in (hot, plain))
    assert float(jnp.max(jnp.abs(one.ms - two.ms))) < 1e-9


SAMPLES = 8000
SKETCH = {  # (number, interval in ns): by ../shared/reference/heated_cell.py with steps of 5 ps, 20,000 samples
    (1, 50): 0.0119,
    (2, 3): 0.4760,
    (5, 10): 0.3981,
}


@pytest.mark.parametrize(
    ("number", "interval"), [case if case == (2, 3) else pytest.param(*case, marks=pytest.mark.slow) for case in SKETCH]
)
def test_heated_cell_of_the_independent_sketch(number, interval):
    expected = SKETCH[number, interval]
    with jax.enable_x64(False):
        pulse = mtj.Steps(np.where(np.arange(5) < number, NOMINAL, 0.0), 5e-9, (5 + interval) * 1e-9)
        duration = number * (5 + interval) * 1e-9 + 20e-9
        sol = mtj.simulate(heated_cell(), pulse, duration, samples=SAMPLES, key=jax.random.key(0), save=1)
        p = float(jnp.mean(sol.ms[:, 0, 2] < 0))
    error = (expected * (1 - expected) * (1 / SAMPLES + 1 / 20_000)) ** 0.5
    assert abs(p - expected) < 4 * error


@pytest.mark.slow
@pytest.mark.parametrize(("delay", "expected"), [(-8, -0.469), (8, 0.443), (15, 0.073), (-200, 0.0)])
def test_pair_of_opposite_pulses_of_the_independent_sketch(delay, expected):
    """Change of the mean m_z from an even mixture of both states; the sketch's error is 0.008 (4,000 samples)."""
    switched = []
    with jax.enable_x64(False):
        pulse, duration = mtj.opposite_pair(NOMINAL, 5e-9, delay * 1e-9), (abs(delay) + 65) * 1e-9
        for number, sign in enumerate((-1.0, 1.0)):
            cell = heated_cell(start=(0.0, 0.0, sign))
            sol = mtj.simulate(cell, pulse, duration, samples=SAMPLES, key=jax.random.key(number), save=1, dt=1e-11)
            switched.append(float(jnp.mean(sol.ms[:, 0, 2] * sign < 0)))
    error = np.hypot(0.008, np.sqrt(sum(p * (1 - p) for p in switched) / SAMPLES))
    assert abs(switched[0] - switched[1] - expected) < 4 * error


@pytest.mark.slow
@pytest.mark.parametrize(("number", "interval"), [(1, 50), (5, 10)])
def test_fokker_planck_of_the_heated_cell_of_the_independent_sketch(number, interval):
    expected = SKETCH[number, interval]
    pulse = mtj.Train(mtj.Pulse(NOMINAL, 5e-9), number, (5 + interval) * 1e-9)
    p = mtj.switching_probability(heated_cell(), pulse, method=mtj.FokkerPlanck(), relax=20e-9)
    assert abs(float(p.value) - expected) < 4 * (expected * (1 - expected) / 20_000) ** 0.5


@pytest.mark.slow
def test_independent_program_at_other_parameters():
    """Cooling, heat, bias and drive all changed: one pulse, which switches nearly half, 8,000 samples each."""
    sketch = loaded_sketch()
    sketch.TAU, sketch.HEAT, sketch.BX, sketch.DRIVE, sketch.DT = 6.0, 170.0, 0.04, -0.055, 0.005
    with jax.enable_x64(False):
        cell = heated_cell(rise=170.0, cooling=6e-9, drive=0.055, bias=(0.04, 0.0, 0.0))
        pulse = mtj.Train(mtj.Pulse(NOMINAL, 5e-9), 1, 9e-9)
        theirs = float(sketch.probability_down(jax.random.key(1), SAMPLES, sketch.train(1, 4.0), 1.0))
        sol = mtj.simulate(cell, pulse, 29e-9, samples=SAMPLES, key=jax.random.key(2), save=1)
        ours = float(jnp.mean(sol.ms[:, 0, 2] < 0))
    assert 0.05 < theirs < 0.95
    assert abs(ours - theirs) < 4 * (2 * theirs * (1 - theirs) / SAMPLES) ** 0.5


def loaded_sketch():
    if not REFERENCE.is_file():
        pytest.skip(f"the independent program {REFERENCE} is not here")
    spec = importlib.util.spec_from_file_location("heated_cell_sketch", REFERENCE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_refusals():
    with pytest.raises(ValueError, match="same shape"):
        mtj.JouleHeating([1.0, 2.0], 1e-9)
    with pytest.raises(ValueError, match="`time`"):
        mtj.JouleHeating(1.0, 0.0)
    with pytest.raises(ValueError, match="`modes`"):
        mtj.film_on_oxide(length=1e-6, width=1e-6, oxide=1e-7, film=1e-8, modes=0)
    with pytest.raises(ValueError, match="`period`"):
        mtj.Steps([1.0], 2e-9, 1e-9)


@pytest.mark.slow
def test_fokker_planck_of_a_heated_cell_against_both_solvers():
    """A small barrier, so that few harmonics suffice; 40,000 samples each."""
    cell = heated_cell()
    shape = cell.layer.shape
    small = (shape.length * 0.6, shape.width * 0.6)  # delta 16
    cell = eqx.tree_at(lambda d: (d.layer.shape.length, d.layer.shape.width), cell, small)
    pulse = mtj.Train(mtj.Pulse(0.8 * NOMINAL, 2e-9), 2, 3e-9)
    exact = mtj.switching_probability(cell, pulse, relax=6e-9)
    assert float(cell.delta) == pytest.approx(45 * 0.36, rel=1e-6)
    assert 0.02 < float(exact.value) < 0.98
    unheated = eqx.tree_at(lambda d: d.heating, cell, None)
    for solver in (mtj.SplitStep(), mtj.Heun()):
        sol = mtj.simulate(cell, pulse, 5e-9 + 6e-9, samples=40_000, key=jax.random.key(1), save=1, solver=solver)
        found = mtj.switched_fraction(cell, sol)
        assert abs(float(found.value - exact.value)) < 4 * float(found.stderr)
    cold = mtj.switching_probability(unheated, pulse, relax=6e-9)
    assert float(exact.value) > 1.5 * float(cold.value)


def test_one_number_per_line():
    text = str(heated_cell())
    assert "time = 9 ns" in text
    assert "Tc = 650 K" in text
