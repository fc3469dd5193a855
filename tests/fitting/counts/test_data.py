"""Reading measurements: what is right, what is wrong, and what is said about it."""

import numpy as np
import pytest
from places import SHARED

from mtjax import presets
from mtjax.fitting import SwitchingData

DEVICE_A = SHARED / "data" / "sot_mtj_psw_0p75ns" / "device_a.csv"
GOOD = "current,width,switched,trials\n1e-5,1e-9,3,10\n2e-5,1e-9,7,10\n"


@pytest.fixture
def written(tmp_path):
    def write(text):
        path = tmp_path / "data.csv"
        path.write_text(text)
        return path

    return write


def test_counts_are_read_as_they_stand(written):
    data = SwitchingData.read_csv(written(GOOD))
    np.testing.assert_array_equal(data.current, [1e-5, 2e-5])
    np.testing.assert_array_equal(data.switched, [3, 7])
    np.testing.assert_array_equal(data.probability, [0.3, 0.7])
    assert data.voltage is None
    assert data.direction is None
    assert str(data).startswith("SwitchingData: 2 settings, 20 trials, 10 switched")
    below = SwitchingData.read_csv(written("# of Tuesday, chip 7\n# room temperature\n" + GOOD))
    np.testing.assert_array_equal(below.switched, [3, 7])


def test_voltages_become_currents_by_the_write_resistance(written):
    data = SwitchingData.read_csv(written("V,t_p,P_sw,n_reps\n0.8,1e-9,0.5,10\n"))
    np.testing.assert_allclose(data.currents(presets.perpendicular_sot()), [0.8 / 800.0])


def test_columns_of_another_name(written):
    path = written("U (mV),current,tau,k,n,H\n0.4,9,1e-9,3,10,0.02\n")
    data = SwitchingData.read_csv(
        path,
        columns={
            "voltage": "U (mV)", "current": None, "width": "tau", "switched": "k", "trials": "n", "field": "H",
        },
    )  # fmt: skip
    assert data.voltage.tolist() == pytest.approx([0.4e-3])
    assert data.current is None
    assert data.field.tolist() == [0.02]


def test_what_is_written_is_read_again(tmp_path):
    data = SwitchingData(voltage=[0.1, 0.2], width=1 / 3 * 1e-9, switched=[1, 2], trials=7, field=[0.1, -0.1], direction="ab")
    data.write_csv(tmp_path / "again.csv")
    again = SwitchingData.read_csv(tmp_path / "again.csv")
    for name in ("voltage", "width", "switched", "trials", "field"):
        np.testing.assert_array_equal(getattr(again, name), getattr(data, name))
    assert again.direction == ("a", "b")


@pytest.mark.skipif(not DEVICE_A.exists(), reason=f"the measured data are not at {DEVICE_A}")
def test_device_a_is_recognised_and_its_100_trials_are_doubted():
    with pytest.warns(UserWarning, match="multiples of 1/50, though 100 trials"):
        SwitchingData.read_csv(DEVICE_A)
    data = SwitchingData.read_csv(DEVICE_A, trials=50)  # no warning now
    assert (len(data), data.labels("direction")) == (28, ("AP->P", "P->AP"))
    up = data.select(direction="P->AP")
    np.testing.assert_array_equal(up.switched, [0, 1, 5, 9, 17, 25, 41, 42, 45, 49, 47, 50])
    np.testing.assert_array_equal(up.width, np.full(12, 7.5e-10))


def test_fractions_that_are_no_counts_are_doubted(written):
    with pytest.warns(UserWarning, match="whole number, but is 3.3 of 10 in row 1"):
        SwitchingData.read_csv(written("V,t_p,P_sw,n_reps\n0.8,1e-9,0.33,10\n"))


def test_microamperes_are_suspected(written):
    with pytest.warns(UserWarning, match="A current of 70 A is unusual"):
        SwitchingData.read_csv(written("current,width,switched,trials\n70,1e-9,3,10\n"))


def test_repeated_rows_are_doubted(written):
    with pytest.warns(UserWarning, match="Row 3 is the same as row 1, counts included: if"):
        SwitchingData.read_csv(written(GOOD + GOOD.splitlines()[1] + "\n"))


def test_write_error_rates_are_counts_of_errors(written):
    data = SwitchingData.read_csv(written("current,width,errors,trials\n1e-5,1e-8,12,1e6\n2e-5,1e-8,0,1e9\n"))
    np.testing.assert_array_equal(data.switched, [999988, 1e9])


def test_temperatures_and_series(written):
    text = "current,width,switched,trials,T\n1e-5,1e-9,3,10,300\n2e-5,1e-9,7,10,300\n1e-5,1e-9,4,10,350\n"
    data = SwitchingData.read_csv(written(text))
    np.testing.assert_array_equal(data.temperature, [300, 300, 350])
    assert data.series() == ["300 K", "300 K", "350 K"]
    with pytest.raises(ValueError, match="`temperature` of switching data must be positive"):
        SwitchingData.read_csv(written(text.replace("350", "-1")))


def test_rows_of_the_same_setting_are_pooled(written):
    text = "V,width,direction,switched,trials\n0.1,1e-9,up,3,10\n0.2,1e-9,up,7,10\n0.1,1e-9,up,5,20\n0.1,1e-9,down,1,10\n"
    data = SwitchingData.read_csv(written(text))
    assert data.voltage.tolist() == [0.1, 0.2, 0.1]
    assert data.direction == ("up", "up", "down")
    assert data.switched.tolist() == [8, 7, 1]
    assert data.trials.tolist() == [30, 10, 10]


def test_seconds_and_volts_are_doubted_each(written):
    with pytest.warns(UserWarning, match="unusual") as said:
        SwitchingData.read_csv(written("V,width,switched,trials\n450,1,3,10\n"))
    assert [str(one.message).split(" is unusual")[0] for one in said] == ["A voltage of 450 V", "A width of 1 s"]
    assert "beside pulses of 450 V" in str(said[1].message)


def test_few_even_counts_are_no_reason_for_doubt(written):
    SwitchingData.read_csv(written("current,width,switched,trials\n1e-5,1e-9,2,10\n2e-5,1e-9,8,10\n"))


BAD = {
    "": "must have a heading and at least one row",
    "current,width,switched,trials\n": "must have a heading and at least one row",
    GOOD.replace("3,10", "nan,10"): "must hold a number in 'switched', but line 2 has 'nan'",
    GOOD.replace("2e-5", "nan"): "must hold a number in 'current', but line 3 has 'nan'",
    GOOD.replace("1e-9,7", "-1e-9,7"): "`width` of switching data must be positive, but is -1e-09 in line 3",
    GOOD.replace(
        "7,10", "11,10"
    ): "`switched` of switching data must be at most the number of trials, but is 11 of 10 in line 3",
    GOOD.replace("7,10", "-1,10"): "`switched` of switching data must be at least 0, but is -1 in line 3",
    GOOD.replace("7,10", "0,0"): "`trials` of switching data must be positive, but is 0 in line 3",
    GOOD.replace("7,10", "seven,10"): "must hold a number in 'switched', but line 3 has 'seven'",
    GOOD.replace("7,10", ",10"): "must hold a number in 'switched', but line 3 has nothing: is the file cut off",
    GOOD.replace("width", "breadth"): "must have a column `width`",
    GOOD.replace("current", "colour"): "must have a column `current` \\(A\\) or `voltage` \\(V\\)",
    GOOD.replace("switched", "remarks"): "must have a column `switched` or `probability`",
    GOOD.replace("trials", "remarks"): "must have a column `trials`",
    "current,voltage,width,switched,trials\n1e-5,,1e-9,3,10\n,0.1,1e-9,3,10\n": "as current or as voltage, not both",
    "V,width,P_sw,trials\n0.1,1e-9,1.2,10\n": "`probability` of switching data must be between 0 and 1, but is 1.2 in line 2",
    "V,width,P_sw,trials\n0.1,1e-9,nan,10\n": "must hold a number in 'P_sw', but line 2 has 'nan'",
}


@pytest.mark.parametrize(("text", "sentence"), BAD.items())
def test_bad_files_are_refused_with_one_sentence(written, text, sentence):
    with pytest.raises(ValueError, match=sentence) as error:
        SwitchingData.read_csv(written(text))
    assert "\n" not in str(error.value)


def test_a_missing_file_and_missing_headings_are_named(written, tmp_path):
    with pytest.raises(ValueError, match="must exist, but .*nothing.csv' does not"):
        SwitchingData.read_csv(tmp_path / "nothing.csv")
    with pytest.raises(ValueError, match="must have the columns U, but has current, width"):
        SwitchingData.read_csv(written(GOOD), columns={"voltage": "U"})
    with pytest.raises(ValueError, match="but not for colour"):
        SwitchingData.read_csv(written(GOOD), columns={"colour": "width"})
    with pytest.raises(ValueError, match="must be finite and positive, but is -3"):
        SwitchingData.read_csv(written(GOOD), trials=-3)


def test_current_and_voltage_together_are_refused():
    with pytest.raises(ValueError, match="either `current` or `voltage`, but hold both"):
        SwitchingData(current=[1.0], voltage=[1.0], width=1e-9, switched=1, trials=2)
    with pytest.raises(ValueError, match="either `current` or `voltage`, but hold neither"):
        SwitchingData(width=1e-9, switched=1, trials=2)
    with pytest.raises(ValueError, match="`width` must have 1 rows like the amplitudes, but has 2"):
        SwitchingData(current=[1e-5], width=[1e-9, 1e-9], switched=1, trials=2)


def test_selecting_nothing_says_what_there_is():
    data = SwitchingData(current=[1e-5, 2e-5], width=1e-9, switched=1, trials=2, direction=("up", "down"))
    assert data.select(direction="down").current.tolist() == [2e-5]
    with pytest.raises(ValueError, match=r"directions \['down', 'up'\]"):
        data.select(direction="left")
