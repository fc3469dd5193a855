"""Fields against differences of their energies, derived quantities, refusals."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import mtjax as mtj
from mtjax.constants import CHARGE as E, GAMMA, HBAR, KB, MU0


def layer():
    return mtj.FreeLayer(mtj.EllipticCylinder(100e-9, 40e-9, 1.2e-9), Ms=1e6, alpha=0.02)


LAYER = layer()
ENERGIES = [
    mtj.UniaxialAnisotropy(0.3, axis=(1, 2, 3)),
    mtj.SecondOrderAnisotropy(0.2, axis=(0, 1, 1)),
    mtj.Demagnetisation(),
    mtj.AppliedField((0.1, -0.2, 0.3)),
    mtj.ExchangeBias((0.05, 0.0, -0.02)),
    mtj.VCMA(xi=1e-13, oxide_thickness=1e-9),
]


@pytest.mark.parametrize("term", ENERGIES)
def test_field_is_minus_the_slope_of_the_energy(term):
    magnet, drive = LAYER.magnet(), mtj.Drive(1e-4, 0.4, 300.0)
    m = np.array([0.36, -0.48, 0.8])
    field = np.asarray(term.field(mtj.Vector.of(m), magnet, drive).array())
    for i, e in enumerate(np.eye(3)):
        up, down = (float(term.energy(mtj.Vector.of(m + s * 1e-5 * e), magnet, drive)) for s in (1, -1))
        assert field[i] == pytest.approx(-(up - down) / 2e-5, abs=1e-8)


def test_fields_by_hand():
    magnet, drive, m = LAYER.magnet(), mtj.Drive(1e-4, 0.4, 300.0), mtj.Vector.of(np.array([0.0, 0.6, 0.8]))

    def field(term):
        return np.asarray(term.field(m, magnet, drive).array())

    np.testing.assert_allclose(field(mtj.UniaxialAnisotropy(0.3)), [0, 0, 0.24])
    np.testing.assert_allclose(field(mtj.AppliedField((1, 2, 3))), [1, 2, 3])
    np.testing.assert_allclose(field(mtj.SecondOrderAnisotropy(0.2)), [0, 0, 0.2 * 0.36 * 0.8], atol=1e-12)
    N = np.asarray(LAYER.shape.demagnetisation_factors())
    np.testing.assert_allclose(field(mtj.Demagnetisation()), -MU0 * 1e6 * N * [0, 0.6, 0.8], rtol=1e-10)
    lowered = 2 * 1e-13 * 0.4 / (1e6 * 1.2e-9 * 1e-9)
    np.testing.assert_allclose(field(mtj.VCMA(1e-13, 1e-9)), [0, 0, -lowered * 0.8], rtol=1e-6)


def test_torques_by_hand():
    magnet, drive = LAYER.magnet(), mtj.Drive(1e-4, 0.0, 300.0)
    m = mtj.Vector.of(np.array([0.0, 0.0, 1.0]))
    sot = mtj.SpinOrbitTorque(0.3, width=1e-7, thickness=2e-9, sigma=(0, 1, 0), field_like_ratio=0.25)
    B_DL = HBAR * 0.3 * (1e-4 / 2e-16) / (2 * E * 1e6 * 1.2e-9)
    np.testing.assert_allclose(sot.field(m, magnet, drive).array(), [-B_DL, 0.25 * B_DL, 0], rtol=1e-6)
    thin = mtj.SpinOrbitTorque(0.3, width=1e-7, thickness=2e-9, sigma=(0, 1, 0), spin_diffusion_length=2e-9)
    assert float(thin.damping_like(m, magnet, drive)) == pytest.approx(B_DL * (1 - 1 / np.cosh(1)), rel=1e-6)
    stt = mtj.SpinTransferTorque(0.6, sigma=(1, 0, 0))
    expected = HBAR * 0.6 * (1e-4 / float(LAYER.shape.area)) / (2 * E * 1e6 * 1.2e-9)
    assert float(stt.damping_like(m, magnet, drive)) == pytest.approx(expected, rel=1e-6)
    skew = mtj.SpinTransferTorque(0.6, sigma=(0, 0, 1), asymmetry=2.0)
    ratio = skew.damping_like(m, magnet, drive) / skew.damping_like(-m, magnet, drive)
    assert float(ratio) == pytest.approx((4 + 1 - 3) / (4 + 1 + 3))  # weaker towards parallel


def test_derived_quantities():
    device = mtj.presets.perpendicular_stt(delta=45.0)
    Bk = 2 * 45 * KB * 300 / float(device.moment)
    assert float(device.delta) == pytest.approx(45)
    assert float(device.Bk) == pytest.approx(Bk)
    assert float(device.relaxation_time) == pytest.approx((1 + 0.01**2) / (0.01 * GAMMA * Bk))
    per_volt = 2 * E / HBAR * 0.01 * Bk * float(device.moment) / 0.6  # (2e/hbar) alpha E_b 2 / P
    assert float(device.critical_current) == pytest.approx(per_volt, rel=1e-6)
    assert bool(device.is_axisymmetric)
    assert not bool(mtj.presets.perpendicular_sot().is_axisymmetric)
    assert not bool(mtj.presets.sengupta2016().is_axisymmetric)


class Powered(mtj.AbstractTorque):
    """B_DL = strength |I|^power, with the sign of the current."""

    strength: jax.Array = mtj.quantity("T")
    power: int = eqx.field(static=True)
    sigma: jax.Array = mtj.direction(default=(0.0, 0.0, -1.0))
    field_like_ratio: jax.Array = mtj.quantity("", default=0.0)

    def damping_like(self, m, magnet, drive):
        return self.strength * jnp.sign(drive.current) * jnp.abs(drive.current) ** self.power


@pytest.mark.parametrize("sigma", [(0.0, 0.0, -1.0), (0.0, -1.0, 0.0)])
def test_a_critical_current_is_told_for_linear_torques_only(precision, sigma):
    linear, square = (mtj.Device(layer(), (mtj.UniaxialAnisotropy(0.2), Powered(500.0, n, sigma))) for n in (1, 2))
    field = 0.02 * 0.2 if sigma[2] else 0.2 / 2
    assert abs(float(linear.critical_current)) == pytest.approx(field / 500.0, rel=1e-5)
    assert np.isnan(float(square.critical_current))
    assert "critical current unknown: the torque is not linear in the current" in str(square)
    assert float(square.delta) == pytest.approx(float(linear.delta))


def test_without_polarisation_no_current_is_enough():
    terms = (mtj.UniaxialAnisotropy(0.2), mtj.SpinTransferTorque(0.0, sigma=(0, 0, -1)))
    assert np.isinf(float(mtj.Device(LAYER, terms).critical_current))


def test_sengupta_barrier_and_pulse_energy():
    device = mtj.presets.sengupta2016()
    assert float(device.delta) == pytest.approx(20.0, rel=1e-6)
    exact = mtj.Device(device.layer, (mtj.Demagnetisation(),), start=(1, 0, 0))
    assert float(exact.delta) == pytest.approx(21.2, abs=0.05)


def test_barrier_with_second_order_anisotropy_against_a_search():
    terms = (mtj.UniaxialAnisotropy(0.3), mtj.SecondOrderAnisotropy(0.1), mtj.AppliedField((0.02, 0, 0)))
    device = mtj.Device(LAYER, terms)
    theta = np.linspace(0, np.pi, 2001)
    energy = 0.15 * np.sin(theta) ** 2 + 0.025 * np.sin(theta) ** 4
    assert float(device.barrier) == pytest.approx(energy.max(), rel=1e-6)


def test_gradients_of_derived_quantities():
    slope = jax.grad(lambda delta: mtj.presets.perpendicular_stt(delta=delta).critical_current)(60.0)
    device = mtj.presets.perpendicular_stt()
    assert float(slope) == pytest.approx(float(device.critical_current) / 60)


def test_printing_shows_values_and_units():
    text = str(mtj.presets.sengupta2016())
    for part in ("length = 100 nm", "Ms = 1e+06 A/m", "thermal stability delta = 20", "a positive current"):
        assert part in text


def test_picking_a_term():
    device = mtj.presets.perpendicular_sot()
    assert device[mtj.SpinOrbitTorque].theta_sh == 0.3
    with pytest.raises(KeyError, match="VCMA"):
        device[mtj.VCMA]


def cool(Tc):
    return mtj.FreeLayer(LAYER.shape, Ms=1e6, alpha=0.02, saturation=mtj.BlochLaw(Tc=Tc, reference=100.0))


def test_a_device_is_made_under_jit_and_below_its_curie_temperature():
    @jax.jit
    def magnetisation(temperature):
        return mtj.Device(cool(temperature + 200.0), (), temperature=temperature).layer.Ms_at(temperature)

    law = (1 - (200 / 400) ** 1.5) / (1 - (100 / 400) ** 1.5)
    assert float(magnetisation(200.0)) == pytest.approx(1e6 * law)
    assert mtj.Device(cool(250.0), (), temperature=249.0).temperature == 249.0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: mtj.FreeLayer(LAYER.shape, Ms=-1.0, alpha=0.1), "Ms"),
        (lambda: mtj.FreeLayer(LAYER.shape, Ms=1e6, alpha=float("nan")), "alpha"),
        (lambda: mtj.Device(LAYER, (), temperature=-1.0), "temperature"),
        (lambda: mtj.UniaxialAnisotropy(float("inf")), "Bk"),
        (lambda: mtj.AppliedField((1.0, 2.0)), "`B` of AppliedField must be an array of numbers of shape"),
        (lambda: mtj.UniaxialAnisotropy(0.1, axis=(0, 0, 0)), "not zero"),
        (lambda: mtj.SpinTransferTorque(0.6, asymmetry=0.5), "asymmetry"),
        (lambda: mtj.SpinTransferTorque(60.0), "`polarisation` of SpinTransferTorque must be between -1 and 1, but is 60"),
        (lambda: mtj.Demagnetisation((0.1, 0.1, float("nan"))), "factors"),
        (lambda: mtj.Demagnetisation((-0.1, 0.1, 1.0)), "factors"),
        (lambda: mtj.TunnelMagnetoresistance(1e3, 1.0, half_voltage=-0.5), "half_voltage"),
        (lambda: mtj.presets.perpendicular_stt(delta=-40.0), "`delta` must be finite and positive, but is -40"),
        (lambda: mtj.presets.anisotropy_field(LAYER, 40.0, -1.0), "`temperature` must be finite and at least 0"),
        (lambda: mtj.Spread(fixed=1.2), "`fixed` of Spread must be between 0 and 1"),
        (lambda: mtj.film_on_oxide(length=1e-6, width=1e-6, oxide=-1e-7, film=1e-8), "`oxide` must be finite and positive"),
        (lambda: mtj.BlochLaw(Tc=250.0), "`reference` must lie below the Curie temperature of 250.0 K, but is 300.0 K"),
        (lambda: mtj.BlochLaw(Tc=650.0, least=2.0), "least"),
        (lambda: mtj.Device(cool(250.0), ()), "`temperature` must lie below the Curie temperature of 250.0 K, but is 300.0 K"),
        (lambda: mtj.simulate(mtj.presets.sengupta2016()), "key"),
        (lambda: mtj.simulate(mtj.presets.sengupta2016(), duration=-1.0, key=jax.random.key(0)), "duration"),
        (lambda: mtj.simulate(mtj.presets.sengupta2016(), dt=0.0, key=jax.random.key(0)), "dt"),
        (lambda: mtj.simulate(mtj.presets.sengupta2016(), samples=0, key=jax.random.key(0)), "samples"),
        (lambda: mtj.simulate(mtj.presets.sengupta2016(), duration=1.0, key=jax.random.key(0)), "at most"),
        (
            lambda: mtj.simulate(mtj.presets.sengupta2016(), solver=mtj.Adaptive(), key=jax.random.key(0)),
            "temperature 0",
        ),
        (lambda: mtj.simulate(mtj.presets.sengupta2016(), start=jnp.ones((2, 3)), key=jax.random.key(0)), "start"),
        (lambda: mtj.simulate(mtj.presets.sengupta2016(), duration=1e-9, save=[2e-9], key=jax.random.key(0)), "save"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(make, message):
    with pytest.raises(ValueError, match=message) as error:
        make()
    assert "\n" not in str(error.value)
