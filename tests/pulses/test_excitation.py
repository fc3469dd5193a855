"""Currents, voltages and fields at once: each is the waveform that it is made of."""

import jax
import numpy as np
import pytest

import mtjax as mtj
from mtjax.pulses import Applied, extremes, is_nothing

CURRENT, VOLTAGE = mtj.Pulse(1e-4, 2e-9), mtj.PiecewiseLinear([0.0, 1e-9, 3e-9], [0.0, 0.8, 0.0])
FIELD = mtj.Sine(0.01, 5e9, 1.5e-9)
ALL = mtj.Excitation(CURRENT, VOLTAGE, (FIELD, None, mtj.Pulse(-0.2, 1e-9)))


def test_levels_and_means_are_those_of_the_waveforms():
    for t in (-1e-10, 0.07e-9, 0.5e-9, 1.2e-9, 2.7e-9, 4e-9):
        now, mean = ALL(t), ALL.mean(t, 0.1e-9)
        for level, waveform in [(now.current, CURRENT), (now.voltage, VOLTAGE), (now.field[0], FIELD)]:
            assert level == waveform(t)
        assert mean.field[0] == FIELD.mean(t, 0.1e-9)
        assert mean.voltage == VOLTAGE.mean(t, 0.1e-9)
        assert now.field[1] is None
    assert ALL.end == 3e-9
    assert set(np.asarray(ALL.breakpoints)) == {float(t) for one in ALL.waveforms for t in one.breakpoints}
    assert (ALL.peak.current, ALL.peak.voltage, ALL.peak.field[2]) == (1e-4, 0.8, 0.2)
    assert mtj.write_energy(mtj.presets.perpendicular_stt(), ALL) == mtj.joule(CURRENT, 5e3)


def test_they_add_scale_and_shift_as_a_whole():
    kick = mtj.Excitation(field=mtj.Pulse(0.1, 1e-9).along((0, 0, 1)))
    for both in (CURRENT + kick, kick + CURRENT, -1.0 * -kick + 0.5 * (2.0 * CURRENT)):
        level = both(0.5e-9)
        assert (level.current, level.field[2], level.voltage) == (1e-4, 0.1, None)
    assert (kick + kick)(0.5e-9).field[2] == 0.2
    late = mtj.pair(CURRENT, kick, delay=3e-9)
    assert (late(0.5e-9).current, late(0.5e-9).field[2]) == (1e-4, 0.0)
    assert (late(3.5e-9).current, late(3.5e-9).field[2]) == (0.0, 0.1)
    assert late.electric(0.5e-9) == 1e-4


def test_a_field_along_a_direction_has_its_components():
    x, y, z = mtj.Pulse(0.5, 1e-9).along((3.0, 0.0, -4.0))
    assert y is None
    np.testing.assert_allclose([x(0.5e-9), z(0.5e-9)], [0.3, -0.4])
    slope = jax.grad(lambda c: mtj.Excitation(field=mtj.Pulse(0.5, 1e-9).along((c, 0.0, 4.0)))(0.5e-9).field[0])(3.0)
    assert float(slope) == pytest.approx(0.5 * 16 / 125)  # of c / sqrt(c^2 + 16)


def test_extremes_are_all_corners_and_nothing():
    found = extremes(Applied(current=1e-4, field=(None, None, 0.2)))
    assert sorted(zip(found.current.tolist(), found.field[2].tolist(), strict=True)) == [
        (-1e-4, -0.2), (-1e-4, 0.2), (0.0, 0.0), (1e-4, -0.2), (1e-4, 0.2)
    ]  # fmt: skip
    assert is_nothing(ALL(-1.0))
    assert not is_nothing(ALL(0.5e-9))
    assert not jax.jit(is_nothing)(ALL(0.5e-9))


def test_a_drive_takes_what_is_given():
    device = mtj.presets.perpendicular_stt()
    drive = device.drive(ALL(0.5e-9))
    assert (drive.current, drive.voltage) == (1e-4, 0.4)
    assert device.drive(mtj.Excitation(current=CURRENT)(0.5e-9)).voltage == 1e-4 * device.write_resistance
    only = device.drive(mtj.Excitation(voltage=VOLTAGE)(0.5e-9))
    assert (only.current, only.voltage, only.field) == (0.0, 0.4, None)


def test_fields_and_voltages_are_printed_in_their_units():
    text = str(ALL)
    for part in ("100 uA", "field along x: Sine", "10 mT", "voltage: PiecewiseLinear", "-200 mT"):
        assert part in text
    assert "currents=[0, 0.8, 0] V" in repr(ALL)
    assert "mA" not in text
    assert "T" not in str(CURRENT)


def test_it_is_written_and_read():
    again = mtj.files.decode(mtj.files.encode(ALL))
    assert jax.tree.structure(again) == jax.tree.structure(ALL)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (mtj.Excitation, "must have a current, a voltage or a field"),
        (lambda: mtj.Excitation(field=mtj.Pulse(0.1, 1e-9)), "`field` of Excitation must be three waveforms"),
        (lambda: mtj.Excitation(field=(0.0, 0.0, 0.1)), "single waveforms, but is given float"),
        (lambda: mtj.Excitation(current=ALL), "Excitation must be made of single waveforms"),
        (lambda: mtj.Train(ALL, number=2, period=1e-8), "Train must be made of single waveforms.* put a Train of each"),
        (lambda: mtj.pulses.Sum((ALL, CURRENT)), "Sum must be made of single"),
        (lambda: mtj.Pulse(0.1, 1e-9).along((0, 0, 0)), "direction must be finite and not zero"),
    ],
)
def test_bad_excitations_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
