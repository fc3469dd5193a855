"""Loops from files of many shapes, cycles, and the distribution of switching values over cycles."""

import jax.numpy as jnp
import numpy as np
import pytest
from places import SHARED
from scipy.integrate import quad

from mtjax.cli import main as cli
from mtjax.fitting import Loop, OneBarrier, Thresholds, characterise, cycles, fit_thresholds, read_loops, thresholds

CASES = SHARED / "cases"


def sweep(top, step, *, up=4.0, down=-3.0, number=1, start=-1.0):
    """Values of a sweep to and fro, and the state: up beyond `up` on the way up, down beyond `down` on the way down."""
    one = np.concatenate([np.arange(-top, top, step), np.arange(top, -top, -step)])
    x, states, state = np.append(np.tile(one, number), -top), [], start
    for value in x:
        state = 1.0 if value >= up else -1.0 if value <= down else state
        states.append(state)
    return x, np.array(states)


def write(path, heading, *numbers, delimiter=","):
    np.savetxt(path, np.stack(numbers, axis=1), delimiter=delimiter, header=heading, comments="", fmt="%.8g")
    return path


@pytest.mark.skipif(not CASES.exists(), reason=f"the files are not at {CASES}")
@pytest.mark.parametrize("name", ["rh_one_loop_T.csv", "rh_one_loop_Oe.csv"])
def test_one_loop_of_resistance_and_field(name):
    (loop,) = read_loops(CASES / name)
    found = characterise(loop)
    np.testing.assert_allclose([*found.up, *found.down], [47.5e-3, 49.0e-3, -74.6e-3, -73.1e-3], atol=0.05e-3)
    np.testing.assert_allclose([found.low, found.high], [5000, 8500], rtol=2e-3)
    assert found.tmr == pytest.approx(0.70, abs=0.005)
    np.testing.assert_allclose(found.shift, ((48.25 - 73.85) / 2 * 1e-3, 0.75e-3), atol=0.03e-3)
    np.testing.assert_allclose(found.coercivity[0], (48.25 + 73.85) / 2 * 1e-3, atol=0.03e-3)


def test_what_is_swept_is_found_out(tmp_path):
    x, state = sweep(10.0, 0.5)
    R = 5e3 + 1e3 * state
    same = np.full(len(x), 20.0)
    shapes = {
        "Field [kOe]\tRes (kOhm)": (x, R / 1e3),
        "time (s)\tmu0 H (mT)\tR": (np.arange(len(x)) * 0.5, 100 * x, R),
        "Bz_mT\tV (mV)\tI (uA)": (100 * x, R * 20e-6 * 1e3, same),
        "Hx (Oe)\tH_z (Oe)\tR_xy (Ohm)": (same, 1e3 * x, R),
    }
    for heading, numbers in shapes.items():
        (loop,) = read_loops(write(tmp_path / "a.txt", heading, *numbers, delimiter="\t"))
        found = characterise(loop)
        assert loop.unit == "T"
        np.testing.assert_allclose([found.up[1], found.down[0], found.low, found.high], [0.4, -0.3, 4e3, 6e3], rtol=1e-5)
    np.testing.assert_allclose(read_loops(tmp_path / "a.txt")[0].field, 2e-3)
    (loop,) = read_loops(write(tmp_path / "b.txt", "Voltage (mV),R", 50 * x, R))
    assert (loop.unit, characterise(loop).up[1]) == ("V", 0.2)


def test_a_voltage_over_a_swept_current_is_a_resistance(tmp_path):
    """Read under bias: R_AP falls by a fifth, and the jump is still found."""
    x, state = sweep(10.0, 0.25)
    R = np.where(state > 0, 5e3, 8e3 * (1 - 0.02 * np.abs(x)))
    found = characterise(*read_loops(write(tmp_path / "a.csv", "I (uA);V (mV)", x, R * x * 1e-3, delimiter=";")))
    np.testing.assert_allclose([*found.up, *found.down], [3.75e-6, 4e-6, -3e-6, -2.75e-6], rtol=1e-6)
    assert found.low == pytest.approx(5e3)


def test_columns_without_headings_are_chosen(tmp_path):
    x, state = sweep(10.0, 0.5)
    path = tmp_path / "a.txt"
    np.savetxt(path, np.stack([x, 5 + state], axis=1))
    with pytest.raises(ValueError, match="2 columns without headings: choose by `columns`, as swept"):
        read_loops(path)
    (loop,) = read_loops(path, columns={"swept": "1 (mA)", "resistance": "2 (kOhm)"}, fixed={"width": "2 us", "field": "30 Oe"})
    np.testing.assert_allclose([loop.width, loop.field, loop.swept.max(), loop.resistance.max()], [2e-6, 3e-3, 0.01, 6e3])


def test_many_cycles_are_split(tmp_path):
    x, state = sweep(10.0, 0.5, number=7)
    noise = np.random.default_rng(0).standard_normal((2, len(x)))
    path = write(
        tmp_path / "a.csv", "t,H (mT),R (Ohm)", 2.0 * np.arange(len(x)), x + 0.02 * noise[0], 5e3 + 1e3 * state + noise[1]
    )
    loops = read_loops(path)
    assert len(loops) == 7
    assert loops[0].sweep_rate == pytest.approx(0.5e-3 / 2, rel=0.05)
    for loop in loops:
        np.testing.assert_allclose(loop.bracket(1), (3.5e-3, 4e-3), atol=0.1e-3)
        np.testing.assert_allclose(loop.bracket(-1), (2.5e-3, 3e-3), atol=0.1e-3)
    starts_at_zero = np.append(np.arange(0, 10, 0.5), x)
    whole = Loop(starts_at_zero, np.append(np.full(20, 4e3), 5e3 + state), unit="T")
    assert [len(one.swept) for one in cycles(whole)][1:6] == [81] * 5


def test_widths_and_cycles_in_one_file_are_taken_apart(tmp_path):
    x, state = sweep(10.0, 0.5, number=2)
    both, R, width = np.tile(x, 2), np.tile(5e3 + state, 2), np.repeat([1e-6, 1e-3], len(x))
    loops = read_loops(write(tmp_path / "a.csv", "I (mA),R,width", both, R, width))
    assert [loop.width for loop in loops] == [1e-6, 1e-6, 1e-3, 1e-3]


def test_a_state_that_was_there_already_is_no_threshold():
    """From zero up in the state to which the way up leads: nothing switches, and nothing is known of the threshold."""
    x = np.concatenate([np.arange(0, 5, 0.5), np.arange(5, -5, -0.5), np.arange(-5, 0.5, 0.5)])
    state = np.where((np.arange(len(x)) < 10) | (x > -3), 1.0, -1.0)
    state[30:] = -1.0
    found = thresholds([Loop(x * 1e-3, 2 + state, width=1e-6)])
    assert found.polarity.tolist() == [-1]
    assert "already in the state to which its positive half leads" in found.warnings[0]


@pytest.mark.parametrize(
    ("heading", "numbers", "sentence"),
    [
        ("I (mA),R", (np.arange(30.0), np.full(30, 5.0)), "resistance is the same in all rows: nothing switches"),
        ("I (mA),R", (np.full(30, 2.0), np.arange(30.0)), "must have a field, current or voltage that is swept"),
        (
            "I (mA),H (mT),R",
            (np.arange(30.0), np.arange(30.0), np.arange(30.0)),
            "must sweep one quantity, but columns 1 and 2",
        ),
        ("I (mA),remark", (np.arange(30.0), np.arange(30.0)), "must have a column that is read"),
        (
            "I (mA),Rxx,Rxy",
            (np.arange(30.0), np.arange(30.0), np.arange(30.0)),
            "must have one column that is read, but columns 2",
        ),
    ],
    ids=["constant", "no sweep", "two", "nothing read", "two read"],
)
def test_files_that_are_no_loops_are_refused(tmp_path, heading, numbers, sentence):
    with pytest.raises(ValueError, match=sentence):
        read_loops(write(tmp_path / "a.csv", heading, *numbers))


def test_wrong_choices_are_refused(tmp_path):
    path = write(tmp_path / "a.csv", "I (mA),R", *sweep(5.0, 0.5))
    for options, sentence in (
        ({"columns": {"amplitude": "1"}}, "Columns can be swept, resistance"),
        ({"columns": {"swept": "J"}}, "must have the column J, but has I .mA., R"),
        ({"fixed": {"width": "1 mT"}}, "value of width must be a number, in s or with such a unit, but is '1 mT'"),
    ):
        with pytest.raises(ValueError, match=sentence):
            read_loops(path, **options)
    with pytest.raises(ValueError, match="but the loop does not on the way down: the resistance stays at 5 kohm"):
        characterise(
            Loop(np.concatenate([np.arange(-9, 9), np.arange(9, -9, -1)]), np.append(np.full(14, 4e3), np.full(22, 5e3)))
        )


@pytest.mark.parametrize("exponent", [1.0, 1.5, 2.0])
def test_expected_events_of_a_sweep_are_the_integral_of_the_rate(exponent):
    law = OneBarrier(np.zeros(3), np.zeros(3), np.zeros(3, bool), np.full(3, 1e7), np.zeros(3), exponent)
    x = np.array([0.5, 0.9, 1.1])
    by_hand = [1e7 * quad(lambda h: np.exp(-30 * max(1 - h, 0.0) ** exponent), -1, top, points=[1.0], epsabs=0)[0] for top in x]
    np.testing.assert_allclose(law.expected(jnp.array([1.0, 30.0]), jnp.asarray(x)), by_hand, rtol=1e-4)


def test_expected_events_of_pulses_are_their_sum():
    pulses = 0.002 * np.arange(1, 500)
    law = OneBarrier(np.zeros(1), np.zeros(1), np.zeros(1, bool), np.full(1, 1e5), np.full(1, 0.002), 2.0)
    by_hand = 1e5 * np.exp(-30 * (1 - pulses[:420]) ** 2).sum()
    np.testing.assert_allclose(law.expected(jnp.array([1.0, 30.0]), jnp.asarray(pulses[419:420])), by_hand, rtol=1e-3)


def cycles_of(number, critical, delta, width, step, seed=0):
    """Thresholds of cycles that switch at random by one barrier."""
    random, pulses = np.random.default_rng(seed), step * np.arange(1, int(critical / step) + 1)
    expected = np.cumsum(width / 1e-9 * np.exp(-delta * (1 - pulses / critical)))
    at = np.minimum(np.searchsorted(expected, random.exponential(size=number)), len(pulses) - 1)
    one = np.ones(number)
    return Thresholds(pulses[at] - step, pulses[at], one, width * one, 0 * one, 0 * one)


def test_a_distribution_over_cycles_gives_barrier_and_critical_current():
    found = fit_thresholds(cycles_of(100, 1e-3, 45.0, 1e-4, 1e-5), single=True).estimates
    assert found.names == ("critical_current[+]", "delta[+]")
    off = np.log(found.value / [1e-3, 45.0]) / (found.stderr / found.value)
    assert np.all(np.abs(off) < 2), found
    assert found["delta[+]"].stderr < 5


def test_distributions_that_tell_no_barrier_are_refused():
    one = np.ones(20)
    same = Thresholds(3e-4 * one, 4e-4 * one, one, 1e-6 * one, 0 * one, 0 * one)
    with pytest.raises(ValueError, match="of polarity . all switch within the same step"):
        fit_thresholds(same, single=True)
    with pytest.raises(ValueError, match="A barrier needs the time that the loops took"):
        fit_thresholds(Thresholds(3e-4 * one, 4e-4 * one, one, 0 * one, 0 * one, 0 * one), single=True)


def test_the_command_reads_cycles_and_writes_their_figures(tmp_path, capsys):
    x, state = sweep(10.0, 0.5, number=3)
    path = write(tmp_path / "a.csv", "H (kOe);R (kOhm)", x / 10, 5 + state, delimiter=";")
    assert cli.main(["loops", str(path), "--out", str(tmp_path / "out")]) == 0
    printed = capsys.readouterr().out
    assert "switches on the way up    35 mT ... 40 mT" in printed
    assert "TMR                       50 %" in printed
    assert {p.name for p in (tmp_path / "out").iterdir()} == {"loops.csv", "thresholds.csv", "loops.png"}
