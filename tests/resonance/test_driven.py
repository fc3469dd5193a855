"""Spin diode, harmonic Hall, absorption and noise against time domain, differences and closed forms."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import integrate

import mtjax as mtj
from mtjax.constants import GAMMA, KB, MU0, TAU
from mtjax.resonance import absorption, harmonic_hall, modes, noise_spectrum, spin_diode

MS, ALPHA = 1.2e6, 0.05
M = MU0 * MS
FILM = mtj.FreeLayer(mtj.EllipticCylinder(60e-9, 60e-9, 2e-9), Ms=MS, alpha=ALPHA)
EASY_PLANE = mtj.Demagnetisation((0.0, 0.0, 1.0))
REFERENCE = np.array([0.6, 0.8, 0.0])


def junction(temperature=0.0):
    """A free layer in the plane, in 50 mT along x, its reference at 53 degrees; low damping-like and some field-like torque."""
    torque = mtj.SpinTransferTorque(polarisation=0.6, sigma=REFERENCE, field_like_ratio=0.4)
    terms = (EASY_PLANE, mtj.AppliedField((0.05, 0.0, 0.0)), torque)
    readout = mtj.TunnelMagnetoresistance(R_P=2e3, tmr=1.0, reference=REFERENCE)
    return mtj.Device(FILM, terms, start=(1.0, 0.0, 0.0), temperature=temperature, readout=readout)


FREQUENCIES, AMPLITUDE, CONSTANT = np.array([6e9, 8e9, 10e9]), 2e-6, 30e-6


@pytest.fixture(scope="module")
def diode():
    return spin_diode(junction(), FREQUENCIES, amplitude=AMPLITUDE, current=CONSTANT)


@pytest.mark.parametrize("row", [0, 1])
def test_spin_diode_against_the_mean_voltage_in_time(diode, row):
    """I(t) R(m(t)) averaged over the last whole periods of a run, less that without the alternating current."""
    f, periods, points = FREQUENCIES[row], 8, 64
    length = 24 * round(f / 1e9 * 1.0) / f
    ts = length + np.arange(periods * points) / points / f
    end = length + periods / f

    def mean(amplitude):
        pulse = mtj.Pulse(CONSTANT, 2 * end) + mtj.Sine(amplitude, f, 2 * end)
        start = mtj.resonance.at_rest(junction(), current=CONSTANT).ms[0]
        adaptive = mtj.Adaptive(rtol=1e-11, atol=1e-12)
        sol = mtj.simulate(junction(), pulse, duration=end, start=start, solver=adaptive, save=ts)
        R = junction().readout(sol.ms[0])
        return float(jnp.mean((CONSTANT + amplitude * np.sin(TAU * f * ts)) * R))

    assert float(diode.voltage[row]) == pytest.approx(mean(AMPLITUDE) - mean(0.0), rel=2e-3)


def test_lines_add_up_to_the_voltage_near_the_resonance():
    found = spin_diode(junction(), np.linspace(6e9, 10e9, 81), amplitude=AMPLITUDE)
    d = 2 * (np.linspace(6e9, 10e9, 81) - float(found.resonances[0])) / float(found.widths[0])
    line = (float(found.symmetric[0]) + float(found.antisymmetric[0]) * d) / (1 + d**2)
    tail = found.voltage - line  # of the mode that turns the other way: smooth
    assert abs(float(found.symmetric[0])) > 5 * float(jnp.ptp(tail))
    assert abs(float(found.antisymmetric[0])) > 5 * float(jnp.ptp(tail))


def test_harmonics_of_a_perpendicular_layer_in_a_field_along_the_current():
    """sin(theta) = B/Bk; a field B_DL across turns it by B_DL / (Bk cos^2): written out, and R by differences of the equilibrium."""
    heavy = mtj.SpinOrbitTorque(0.3, width=60e-9, thickness=4e-9)
    terms = (mtj.UniaxialAnisotropy(0.4), heavy)
    bar = mtj.Device(FILM, terms, readout=mtj.HallBar(1.5, 0.4))
    fields = np.linspace(-0.1, 0.1, 5)[:, None] * np.eye(3)[0]
    found = harmonic_hall(bar, amplitude=20e-6, field=fields)
    sine = fields[:, 0] / 0.4
    B_DL = float(heavy.damping_like(mtj.Vector(0.0, 0.0, 1.0), bar.magnet, bar.drive(20e-6)))
    np.testing.assert_allclose(found.first, 1.5 * np.sqrt(1 - sine**2), rtol=1e-9)
    np.testing.assert_allclose(found.second, 0.5 * 1.5 * sine * B_DL / 0.4 / (1 - sine**2), rtol=1e-9, atol=1e-15)


def test_second_harmonic_is_half_the_change_with_the_current():
    bar = dataclasses.replace(mtj.presets.perpendicular_sot(), readout=mtj.HallBar(1.5, 0.4))
    field = np.array([0.02, 0.05, 0.01])
    found = harmonic_hall(bar, amplitude=1e-6, field=field)
    up, down = (bar.readout(mtj.resonance.at_rest(bar, field, I).ms[0]) for I in (1e-8, -1e-8))
    assert float(found.second) == pytest.approx(1e-6 / 2 * float(up - down) / 2e-8, rel=1e-6)


def test_absorption_in_a_swept_field_peaks_at_kittels_field_with_width_2_alpha_omega_over_gamma():
    device, f = mtj.Device(FILM, (EASY_PLANE,), start=(1.0, 0.0, 0.0)), 9e9
    fields = np.linspace(0.02, 0.14, 2401)
    power = np.asarray(absorption(device, f, field=fields[:, None] * np.eye(3)[0]))[:, 0]
    high = fields[power > power.max() / 2]
    omega = TAU * f / GAMMA
    assert fields[power.argmax()] == pytest.approx(np.sqrt(M**2 / 4 + omega**2) - M / 2, rel=0.01)
    assert high[-1] - high[0] == pytest.approx(2 * ALPHA * omega, rel=0.01)


def test_absorbed_power_is_that_of_the_torque_by_hand():
    """Linearised by hand for the perpendicular state: P = omega mu b^2 chi''/2 of the two circular parts."""
    device, B, f = mtj.Device(FILM, (mtj.UniaxialAnisotropy(0.3),)), 0.3, 6e9
    w, g = TAU * f, GAMMA
    plus, minus = (g / (g * B + s * w + 1j * ALPHA * w) for s in (-1, 1))
    chi = np.imag(-(plus + minus) / 2)
    found = absorption(device, f, direction=(1.0, 0.0, 0.0))
    assert float(found[0]) == pytest.approx(w / 2 * float(device.moment) * chi, rel=1e-9)


def test_noise_integrates_to_equipartition():
    device = mtj.presets.perpendicular_stt(60.0)

    def density(f):
        return np.asarray(noise_spectrum(device, np.atleast_1d(f), readout=lambda ms: ms[0, 0]))

    f = np.linspace(0, 200e9, 40001)
    variance = integrate.simpson(density(f), x=f)
    assert variance == pytest.approx(KB * 300 / float(device.moment) / float(device.Bk), rel=2e-3)


@pytest.mark.slow
def test_noise_of_a_stack_is_that_of_simulate():
    """Mean power of mx in bands of 1 GHz over 400 runs of 20 ns, against the linear spectrum, within 4 standard errors and 3 %."""
    up, down = (
        mtj.Device(FILM, (EASY_PLANE, mtj.UniaxialAnisotropy(0.05, (1.0, 0, 0))), start=(s, 0, 0), temperature=10.0)
        for s in (1, -1)
    )
    stack = mtj.Stack((up, down), (mtj.InterlayerExchange(-2e-4),))
    runs, number, length = 400, 4001, 20e-9
    sol = mtj.simulate(stack, duration=length, samples=runs, key=jax.random.key(0), save=number)
    my = np.asarray(sol.ms[:, :-1, 0, 1], float)
    power = 2 * np.abs(np.fft.rfft(my, axis=1)) ** 2 * (length / (number - 1)) ** 2 / length
    f = np.fft.rfftfreq(number - 1, length / (number - 1))
    expected = np.asarray(noise_spectrum(stack, f, readout=lambda ms: ms[0, 1]))
    for low in (4e9, 8e9, 12e9, 16e9):
        band = (f >= low) & (f < low + 1e9)
        each = power[:, band].mean(axis=1)
        assert abs(each.mean() - expected[band].mean()) < 4 * each.std() / runs**0.5 + 0.03 * expected[band].mean()


def test_without_a_readout_there_is_no_diode():
    with pytest.raises(ValueError, match="The device must have a read-out, or `readout` must be given, a function of m"):
        spin_diode(dataclasses.replace(junction(), readout=None), 5e9, amplitude=1e-6)


@pytest.mark.slow
def test_slopes_of_the_diode_against_differences():
    def peak(alpha):
        layer = dataclasses.replace(FILM, alpha=alpha)
        return spin_diode(
            dataclasses.replace(junction(), layer=layer), FREQUENCIES, amplitude=AMPLITUDE, current=CONSTANT
        ).voltage[1]

    _, slope = jax.jvp(peak, (0.05,), (1.0,))
    assert float(slope) == pytest.approx(float(peak(0.0501) - peak(0.0499)) / 2e-4, rel=1e-3)


def test_modes_of_the_junction_are_those_of_the_diode(diode):
    found = modes(junction(), current=CONSTANT)
    np.testing.assert_allclose(diode.resonances, found.frequencies, rtol=1e-12)
    np.testing.assert_allclose(diode.widths, found.linewidths, rtol=1e-12)
