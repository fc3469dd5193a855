"""Laws of neurons against the physics they are distilled from, and against numpy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

import mtjax as mtj
from mtjax import nn
from mtjax.nn.laws.distilled import spread_points
from mtjax.nn.laws.law import clenshaw


def physics(device, current, width, **method):
    method = mtj.FokkerPlanck(relative=False, **method)
    return mtj.switching_probability(device, mtj.Pulse(current, width), method=method).value


@pytest.fixture(scope="module")
def perpendicular():
    """A law of the drive alone, distilled from an axisymmetric device (a third of a second a value)."""
    device = mtj.presets.perpendicular_stt(delta=20.0)
    critical, width = float(device.critical_current), 6 * float(device.relaxation_time)
    domain = (0.8 * critical, 2.4 * critical)
    return device, width, nn.distil(device, width, domain=domain, degree=10, checks=2, progress=False)


@pytest.fixture(scope="module")
def of_width():
    """The same with the pulse width as a parameter."""
    device = mtj.presets.perpendicular_stt(delta=20.0)
    critical, width = float(device.critical_current), 6 * float(device.relaxation_time)
    law = nn.distil(
        lambda current, width: (device, mtj.Pulse(current, width)),
        domain=(0.8 * critical, 2.4 * critical),
        parameters={"width": (0.7 * width, 1.3 * width, width)},
        degree=(10, 3),
        checks=4,
        progress=False,
    )
    return device, law


def test_a_distilled_law_agrees_with_fokker_planck_elsewhere(perpendicular):
    device, width, law = perpendicular
    for current in np.array([0.93, 1.31, 1.87]) * float(device.critical_current):  # not the points `distil` checks itself
        assert abs(float(law.psw(current)) - float(physics(device, current, width))) < 1e-3
    assert law.error < 1e-3


@pytest.mark.slow
def test_a_law_of_drive_and_width_agrees_with_fokker_planck_elsewhere(of_width):
    device, law = of_width
    for current, width in spread_points(9, law.ranges)[4:]:
        assert abs(float(law.at(width=width).psw(current)) - float(physics(device, current, width))) < 1e-3
    assert law.error < 1e-3


@pytest.mark.slow
def test_its_slopes_in_drive_and_width_are_those_of_fokker_planck(of_width):
    device, law = of_width
    current, width = law.drive_at(0.5), law.values[0]
    found = jax.grad(lambda i, w: law.at(width=w).psw(i), (0, 1))(current, width)
    for i, name in enumerate(("drive", "width")):
        h = 1e-3 * (current, width)[i]
        up, down = (physics(device, current + s * h * (i == 0), width + s * h * (i == 1)) for s in (1, -1))
        assert found[i] == pytest.approx(float(up - down) / float(2 * h), rel=0.02), name


@pytest.mark.slow
def test_the_stored_law_agrees_with_fokker_planck():
    device, law = mtj.presets.sengupta2016(), nn.sengupta2016_law()
    for current in (31e-6, 57e-6, 71e-6, 93e-6, 133e-6):
        assert abs(float(law.psw(current)) - float(physics(device, current, 0.5e-9, tolerance=3e-4))) < 1e-3


def test_the_stored_law_agrees_with_independent_sketches():
    """Two macrospin programs that nobody here wrote (2,000 and 10,000 trials a point): 0.012 is four standard errors."""
    currents = jnp.array([40, 50, 60, 70, 80, 100, 120]) * 1e-6
    heun = [0.021, 0.106, 0.281, 0.482, 0.678, 0.885, 0.965]
    split = [0.026, 0.107, 0.279, 0.485, 0.669, 0.880, 0.964]
    found = np.asarray(nn.sengupta2016_law().psw(currents))
    n = 12_000
    both = (2000 * np.array(heun) + 10_000 * np.array(split)) / n
    assert np.all(np.abs(found - both) < 4 * np.sqrt(found * (1 - found) / n))
    assert float(nn.sengupta2016_law().drive_at(0.5)) == pytest.approx(70.8e-6, rel=0.01)


def test_a_series_and_its_slopes():
    c, x = jnp.asarray(np.random.default_rng(0).normal(size=7)), jnp.linspace(-0.95, 0.9, 5)
    np.testing.assert_allclose(clenshaw(c, x), np.polynomial.chebyshev.chebval(x, c), atol=1e-13)
    check_grads(clenshaw, (c, x), order=2)
    check_grads(lambda c: clenshaw(c, x), (c,), order=1)


def test_laws_refuse_drives_outside_their_domain():
    law = nn.sengupta2016_law()
    with pytest.raises(ValueError, match="must lie in the law's domain, 0 A to 150 uA, but is 160 uA"):
        law.psw(160e-6)
    with pytest.raises(RuntimeError, match="must lie in the law's domain"):
        jax.jit(lambda i: law.psw(i))(jnp.array([50e-6, -20e-6])).block_until_ready()
    assert float(law.psw(150e-6)) > 0.99


@pytest.fixture
def two_axes():
    """Some law of drive and width, made up."""
    c = np.random.default_rng(1).normal(size=(4, 3))
    return nn.ChebyshevLaw(jnp.asarray(c), ((0.0, 1e-4), (1e-9, 2e-9)), ("width",), (jnp.asarray(1.3e-9),), 1e-4, "made up")


def test_a_law_of_two_axes_is_the_series_of_numpy(two_axes):
    x, y = np.array([-0.9, 0.1, 0.7]), np.ones(3) * 2 * (1.3e-9 - 1e-9) / 1e-9 - 1
    found = two_axes.logit((x + 1) / 2 * 1e-4)
    np.testing.assert_allclose(found, np.polynomial.chebyshev.chebval2d(x, y, np.asarray(two_axes.coefficients)), atol=1e-12)


def test_a_law_survives_a_file(tmp_path, two_axes):
    law = two_axes
    law.save(tmp_path / "law.json")
    again = nn.ChebyshevLaw.load(tmp_path / "law.json")
    drives = jnp.linspace(*law.domain, 9)
    np.testing.assert_array_equal(again.logit(drives), law.logit(drives))
    (tmp_path / "other.json").write_text('{"delta": 60}')
    with pytest.raises(ValueError, match=r"other.json' must hold a law saved by mtjax"):
        nn.ChebyshevLaw.load(tmp_path / "other.json")


def test_parameters_of_a_law_are_checked(two_axes):
    law = two_axes
    with pytest.raises(ValueError, match=r"parameters of this law are \('width',\), but `delta` was given"):
        law.at(delta=40.0)
    with pytest.raises(ValueError, match="`width` must lie between"):
        law.at(width=1.0)
    with pytest.raises(ValueError, match="`nodes` must exceed `degree`"):
        nn.distil(mtj.presets.perpendicular_stt(), 1e-9, domain=(0.0, 1e-4), degree=4, nodes=4)


def test_neel_brown_is_the_exponential_law():
    """P = 1 - exp(-f0 t exp(-delta (1 - i)^2)) with Brown's rate for high barriers, written out here."""
    device = mtj.presets.perpendicular_stt(delta=30.0)
    law = nn.NeelBrownLaw.of(device, 1e-6)
    i = jnp.array([0.2, 0.5, 0.8])
    rate = mtj.analytic.attempt_frequency(device.delta, device.Bk, device.layer.alpha)
    hops = rate * 1e-6 * np.exp(-30.0 * (1 - i) ** 2)
    np.testing.assert_allclose(law.psw(i * device.critical_current), -np.expm1(-hops), rtol=1e-5)


def test_a_measured_law_passes_through_its_points_and_rises():
    drives, p = np.array([0.7, 0.8, 0.9, 1.0]) * 1e-4, np.array([0.02, 0.3, 0.8, 0.99])
    law = nn.MeasuredLaw.of(drives, p)
    np.testing.assert_allclose(law.psw(drives), p, rtol=1e-6)
    assert np.all(np.diff(np.asarray(law.psw(np.linspace(0.7e-4, 1e-4, 50)))) > 0)
    assert float(law.drive_at(0.5)) == pytest.approx(float(np.interp(0.0, np.log(p / (1 - p)), drives)), rel=0.02)
    with pytest.raises(ValueError, match="strictly between 0 and 1"):
        nn.MeasuredLaw.of(drives, [0.0, 0.3, 0.8, 1.0])
    assert float(nn.MeasuredLaw.of(drives, [0.0, 0.3, 0.8, 1.0], trials=50).psw(0.7e-4)) == pytest.approx(0.5 / 51)
    with pytest.raises(ValueError, match="ascending"):
        nn.MeasuredLaw.of(drives[::-1], p)
