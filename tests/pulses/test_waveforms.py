"""Waveforms against quadrature and differences."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import integrate

import mtjax as mtj
from mtjax.pulses import joule

PULSES = [
    mtj.Pulse(1e-4, 0.7e-9, delay=0.13e-9),
    mtj.Pulse(-1e-4, 0.7e-9, delay=0.1e-9, rise=0.2e-9, fall=0.3e-9),
    mtj.Train(mtj.Pulse(1e-4, 0.3e-9, rise=0.1e-9, fall=0.1e-9), number=3, period=0.45e-9),
    mtj.Sine(1e-4, 3e9, 1.1e-9, phase=0.4, delay=0.2e-9),
    mtj.PiecewiseLinear([0.1e-9, 0.3e-9, 0.35e-9, 1.2e-9], [2e-5, 1e-4, -5e-5, 3e-5]),
    mtj.Pulse(1e-4, 0.5e-9) + (0.5 * mtj.Pulse(1e-4, 0.2e-9)).shifted(0.4e-9),
]


@pytest.mark.parametrize("pulse", PULSES)
def test_means_agree_with_quadrature(pulse):
    for t, dt in [
        (0.0, 0.05e-9),
        (0.11e-9, 0.1e-9),
        (0.3e-9, 0.2e-9),
        (0.77e-9, 0.13e-9),
        (0.2e-9, 0.3e-9),
        (1.6e-9, 0.1e-9),
    ]:
        breaks = np.asarray(pulse.breakpoints)
        inside = sorted({t, t + dt, *breaks[(breaks > t) & (breaks < t + dt)]})
        eps = 1e-16  # a jump belongs to neither side
        parts = [
            integrate.quad(lambda s: float(pulse(s)), a + eps, b - eps, epsabs=1e-22, limit=200)[0]
            for a, b in zip(inside, inside[1:], strict=False)
        ]
        assert float(pulse.mean(t, dt)) == pytest.approx(sum(parts) / dt, rel=1e-5, abs=1e-10)


@pytest.mark.parametrize("pulse", PULSES)
def test_nothing_before_the_start_and_after_the_end(pulse):
    assert pulse(-1e-10) == 0
    assert pulse(pulse.end + 1e-12) == 0
    assert pulse.mean(pulse.end + 1e-12, 1e-11) == pytest.approx(0, abs=1e-18)
    times = np.linspace(0, float(pulse.end), 1001)
    assert np.max(np.abs(jax.vmap(pulse)(times))) <= pulse.peak * (1 + 1e-12)


@pytest.mark.parametrize("name", ["amplitude", "width", "delay", "rise", "fall"])
def test_gradients_of_a_mean_against_differences(name):
    values = {"amplitude": 1e-4, "width": 0.52e-9, "delay": 0.1e-9, "rise": 0.1e-9, "fall": 0.2e-9}

    def mean(x):
        return mtj.Pulse(**{**values, name: x}).mean(0.08e-9, 0.6e-9)

    step = 1e-4 * values[name]
    difference = (mean(values[name] + step) - mean(values[name] - step)) / (2 * step)
    assert float(jax.grad(mean)(values[name])) == pytest.approx(float(difference), rel=1e-3, abs=1e-9)


def test_late_flat_parts_are_exact_in_float32():
    with jax.enable_x64(False):
        pulse = mtj.Pulse(1.0, 2e-6)
        assert pulse.mean(jnp.float32(1e-6), jnp.float32(1e-13)) == 1.0


def test_joule_heat():
    assert float(joule(mtj.Pulse(71e-6, 0.5e-9), 400.0)) == pytest.approx(400 * 71e-6**2 * 0.5e-9)  # 1.0 fJ
    edges = mtj.Pulse(1e-4, 1e-9, rise=0.2e-9, fall=0.2e-9)
    assert float(joule(edges, 1.0)) == pytest.approx(1e-8 * (0.8e-9 + 0.4e-9 / 3))
    assert float(joule(mtj.Sine(1e-4, 1e9, 2e-9), 1.0)) == pytest.approx(1e-8 * 1e-9)


def test_csv_waveform(tmp_path):
    path = tmp_path / "wave.csv"
    path.write_text("t,I\n0,0\n1e-9,1e-4\n2e-9,0\n")
    assert float(mtj.PiecewiseLinear.read_csv(path)(0.5e-9)) == pytest.approx(5e-5)
    with pytest.raises(ValueError, match="lacks"):
        mtj.PiecewiseLinear.read_csv(path, time="time")
    path.write_text("t,I\n0,zero\n1e-9,1\n")
    with pytest.raises(ValueError, match="number"):
        mtj.PiecewiseLinear.read_csv(path)
    with pytest.raises(ValueError, match="must exist"):
        mtj.PiecewiseLinear.read_csv(tmp_path / "none.csv")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: mtj.Pulse(1e-4, -1e-9), "width"),
        (lambda: mtj.Pulse(float("nan"), 1e-9), "amplitude"),
        (lambda: mtj.Pulse(1e-4, 0.1e-9, rise=0.2e-9, fall=0.2e-9), "width"),
        (lambda: mtj.Train(mtj.Pulse(1e-4, 1e-9), number=3, period=0.5e-9), "period"),
        (lambda: mtj.PiecewiseLinear([0.0, 2.0, 1.0], [0.0, 1.0, 2.0]), "increase"),
        (lambda: mtj.PiecewiseLinear([0.0, 1.0], [0.0]), "same length"),
        (lambda: mtj.PiecewiseLinear([-1.0, 1.0], [0.0, 1.0]), "times"),
        (lambda: mtj.pulses.loop(float("nan"), 4), "`peak` must be finite, but is nan A"),
    ],
)
def test_bad_pulses_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
