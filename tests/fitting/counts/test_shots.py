"""Raw shots: levels, ambiguous readings, wrong initial states and drift, against what was put into made-up shots."""

import numpy as np
import pytest

from mtjax.fitting import SwitchingData
from mtjax.fitting.counts.shots import count_shots, fit_levels


def shots(n=1000, *, gap=3000.0, noise=20.0, p=0.3, drift=0.0, wrong=0.0, bad=0.0, at=1e6):
    """Resistances before and after, and which shots switched."""
    rng = np.random.default_rng(7)
    before = (rng.random(n) < wrong).astype(int)
    switched = rng.random(n) < p
    moved = drift * np.arange(n) / n
    readings = [
        2500 + gap * state + rng.normal(0, noise, n) + moved for state in (before, np.where(switched, 1 - before, before))
    ]
    readings[1][rng.random(n) < bad] = at
    return *readings, before, switched


def counted(**options):
    before, after, start, switched = shots(**options)
    return count_shots(before, after, np.zeros(len(before), int)), start, switched


@pytest.mark.parametrize(
    "options", [{}, {"p": 0.01}, {"noise": 0.0}, {"gap": 0.05, "noise": 0.002}, {"wrong": 0.5}, {"drift": 1000.0}, {"n": 60}]
)
def test_clear_shots_are_all_counted_right(options):
    found, _, switched = counted(**options)
    assert found.kept.all()
    np.testing.assert_array_equal(found.switched, switched)
    assert found.levels.gap == pytest.approx(options.get("gap", 3000.0), rel=0.01)


def test_overlapping_levels_leave_ambiguous_shots_out():
    found, _, switched = counted(noise=500.0)
    assert 5 < found.ambiguous < 60
    assert np.sum((found.switched != switched)[found.kept]) <= 3
    assert found.levels.noise == pytest.approx([500, 500], rel=0.1)


@pytest.mark.parametrize("at", [4000.0, 1e6, 9.9e37])
def test_readings_of_neither_level_are_ambiguous(at):
    found, _, switched = counted(bad=0.02, at=at)
    assert found.ambiguous == 1000 - found.kept.sum()
    assert 8 < found.ambiguous < 35
    np.testing.assert_array_equal(found.switched[found.kept], switched[found.kept])


def test_wrong_initial_states_are_told_and_left_out():
    found, start, switched = counted(wrong=0.03)
    assert found.wrong == start.sum() > 10
    assert not found.kept[start == 1].any()
    assert f"{found.wrong} with the wrong initial state left out" in found.told[1]
    np.testing.assert_array_equal(found.switched[found.kept], switched[found.kept])


def test_drift_is_told_and_allowed_for():
    found, *_ = counted(drift=200.0)
    assert "the levels drift by 1.9e+02 ohm, 6.4% of their distance" in found.told[0]
    assert found.levels.noise == pytest.approx([20, 20], rel=0.1)
    assert "no drift" in counted()[0].told[0]


@pytest.mark.parametrize("options", [{"p": 0.0}, {"gap": 0.0}, {"gap": 30.0}])
def test_one_level_is_refused(options):
    with pytest.raises(ValueError, match="must show two levels of resistance"):
        counted(**options)
    with pytest.raises(ValueError, match="all 20 readings are the same or too few"):
        fit_levels(np.full(20, 5.0))


def test_a_file_of_both_polarities_becomes_counts_of_both_directions(tmp_path):
    before, after, _, switched = shots(400)
    lines = [f"500,1,{b},{a}" for b, a in zip(before[:200], after[:200], strict=True)]
    lines += [f"-500,1,{a + 3000},{a}" for a in before[200:]]
    path = tmp_path / "shots.csv"
    path.write_text("\n".join(["V (mV),tp (ns),R_init (Ohm),R_final (Ohm)", *lines]))
    data = SwitchingData.read(path, tell=None)
    assert data.voltage.tolist() == [0.5, -0.5]
    assert data.direction == ("P->AP", "AP->P")
    assert data.switched.tolist() == [switched[:200].sum(), 200]
    assert data.trials.tolist() == [200, 200]


def test_states_in_words_and_devices_apart(tmp_path):
    path = tmp_path / "shots.csv"
    text = "V (mV),tp (ns),state before,state after\n" + "500,1,P,AP\n" * 30 + "500,1,P,P\n" * 70
    path.write_text(text)
    assert SwitchingData.read(path, tell=None).switched.tolist() == [30]
    before, after, _, switched = shots(200)
    rows = [f"A,500,1,{b},{a}" for b, a in zip(before, after, strict=True)]
    rows += [f"B,500,1,{b + 800},{a + 800}" for b, a in zip(before, after, strict=True)]
    path.write_text("\n".join(["device,V (mV),tp (ns),R_before,R_after", *rows]))
    data = SwitchingData.read(path, tell=None)
    assert data.device_id == ("A", "B")
    assert data.switched.tolist() == [switched.sum()] * 2
    path.write_text("\n".join(["device,V (mV),tp (ns),R_before,R_after", *rows[:200], *["C,500,1,10,10"] * 20]))
    with pytest.raises(ValueError, match="C: Raw shots must show two levels"):
        SwitchingData.read(path, tell=None)
