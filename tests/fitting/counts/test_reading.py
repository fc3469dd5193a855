"""One reader for the files of laboratories: the same measurement in many shapes, and what is refused with its two readings."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest
from places import SHARED

import mtjax as mtj
from mtjax.fitting import SwitchingData
from mtjax.fitting.counts.columns import recognised
from mtjax.fitting.counts.given import from_name, in_words

CASES, REHM = SHARED / "cases", SHARED / "data" / "rehm2023"
V, K = np.arange(450, 1000, 50), np.array([0, 0, 1, 7, 27, 66, 91, 98, 100, 100, 100])
there = pytest.mark.skipif(not CASES.exists(), reason=f"the files to try are not at {CASES}")
measured = pytest.mark.skipif(not REHM.exists(), reason=f"the measured data are not at {REHM}")


@pytest.fixture
def written(tmp_path):
    def write(text, name="data.txt"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def rows(template):
    """A line per setting: v in mV, k of 100 switched."""
    return "".join(eval(f"f{template!r}", {"v": v, "k": k}) + "\n" for v, k in zip(V.tolist(), K.tolist(), strict=True))


SHAPES = {
    "mV, ns, per cent": ("Vpulse_mV,tp_ns,Psw_percent,N\n" + rows("{v},1,{k},100"), {}),
    "capitals": ("VOLTAGE (MV),PULSE WIDTH (NS),SWITCHED,TRIALS\n" + rows("{v},1,{k},100"), {}),
    "words of instruments": (
        "Pulse Voltage (V)\tPulse Width (s)\tSwitch Count\tTotal Pulses\n" + rows("{v/1000}\t1E-9\t{k}\t100"),
        {},
    ),
    "numpy": ("# V/mV t/ns k n\n" + rows("{v:.18e} {1:.18e} {k:.18e} {100:.18e}"), {}),
    "no heading": (rows("{v}\t1\t{k}\t100"), {"columns": {"voltage": "1 (mV)", "width": "2 (ns)", "switched": 3, "trials": 4}}),
    "errors": ("V (mV),t (ns),errors,N\n" + rows("{v},1,{100-k},100"), {}),
    "error rates": ("V (mV),t (ns),WER,N\n" + rows("{v},1,{1-k/100:.2f},100"), {}),
    "switched and not": ("V (mV),t (ns),switched,not switched\n" + rows("{v},1,{k},{100-k}"), {}),
    "both, the same": ("V (mV),t (ns),switched,P,N\n" + rows("{v},1,{k},{k/100},100"), {}),
    "one row a shot": ("V (mV),t (ns),switched\n" + "".join(rows(f"{{v}},1,{{int({i} < k)}}") for i in range(100)), {}),
    "one row a shot, in words": ("V (mV),t (ns),switched\n" + "".join(rows(f"{{v}},1,{{{i} < k}}") for i in range(100)), {}),
    "given": ("V (mV)\tP (%)\n" + rows("{v}\t{k}"), {"fixed": {"width": "1 ns"}, "trials": 100}),
    "in a comment": ("# pulse width = 1 ns\n# N: 100\nV (mV)\tP (%)\n" + rows("{v}\t{k}"), {}),
    "chosen": (
        "a,b,c,d\n" + rows("{v},1,{k},100"),
        {"columns": {"voltage": "a (mV)", "width": "b (ns)", "probability": "c (%)", "trials": "d"}},
    ),
    "a chosen one of two": (
        "V_set (mV),V_bias (mV),t (ns),P (%),N\n" + rows("{v},0,1,{k},100"),
        {"columns": {"voltage": "V_set (mV)"}},
    ),
    "units in the entries": ("voltage,width,P,N\n" + rows("{v} mV,1 ns,{k} %,100"), {}),
    "more columns": ("n,time (s),V (mV),tp (ns),P,P_err,trials\n" + rows("1,{v},{v},1,{k/100},0.01,100"), {}),
}


@pytest.mark.parametrize("name", SHAPES)
def test_the_same_measurement_in_many_shapes(written, name):
    text, options = SHAPES[name]
    told = []
    data = SwitchingData.read(written(text), tell=told.append, **options)
    np.testing.assert_allclose(data.voltage, V * 1e-3)
    np.testing.assert_allclose(data.width, 1e-9)
    np.testing.assert_allclose(data.switched, K)
    np.testing.assert_allclose(data.trials, 100)
    assert told[0].startswith("'data.txt': ")
    assert told[-1].startswith("11 settings")


HEADINGS = {
    "V": "voltage", "U in mV": "voltage", "V_pulse (mV)": "voltage", "bias (mV)": "voltage", "Pulse amplitude [mV]": "voltage", "mV": "voltage",
    "I/uA": "current", "I (µA)": "current", "Isot_mA": "current", "Write current [uA]": "current", "Current(mA)": "current",
    "J (A/m^2)": "current_density", "current density (MA/cm²)": "current_density", "current (A/cm2)": "current_density",
    "tp_ns": "width", "t": "width", "T (ns)": "width", "pulse length": "width", "Duration (us)": "width", "pulseWidthNs": "width",
    "N": "trials", "# trials": "trials", "Number of pulses": "trials", "shots": "trials", "n_reps": "trials",
    "counts": "switched", "N_sw": "switched", "Number of switching events": "switched",
    "P_sw (%)": "probability", "P(switch)": "probability", "switching rate": "probability", "switched (%)": "probability", "% switched": "probability",
    "WER": "error_rate", "n_errors": "errors", "H (Oe)": "field", "µ0H (mT)": "field", "Applied in-plane field (Oe)": "field", "H_x [kA/m]": "field",
    "T": "temperature", "T_K": "temperature", "Temp (°C)": "temperature", "Direction": "direction", "device": "device_id",
    "R_before (Ohm)": "resistance_before", "final state": "resistance_after",
    "P_err": None, "V_read": None, "index": None, "V50_V": None, "timestamp": None, "Resistance(Ohm)": None, "length (um)": None,
}  # fmt: skip


@pytest.mark.parametrize("heading", HEADINGS)
def test_headings_are_recognised(heading):
    found = recognised(heading)
    assert (found and found[0]) == HEADINGS[heading]


HEAD = "V (mV),t (ns),P (%),N\n"
REFUSED = {
    "two currents": (
        "I_set (uA),I_bias (uA),t (ns),P (%),N\n" + rows("{v},0,1,{k},100"),
        "two columns that can be the current, 'I_set",
    ),
    "current and voltage": (
        "I (uA),V (mV),t (ns),P (%),N\n" + rows("{v},{v},1,{k},100"),
        r"not both, but has 'I \(uA\)' .* and 'V \(mV\)'",
    ),
    "share or per cent": ("V (mV),t (ns),P,N\n" + rows("{v},1,{k},100"), "it may be per cent, or a count out of the trials"),
    "per cent or share": (
        HEAD + rows("{v},1,{k/100},100"),
        "can be per cent, as its heading says, and never above 1 %, or shares up to 1",
    ),
    "shares as counts": ("V (mV),t (ns),switched,N\n" + rows("{v},1,{k/100},100"), "must hold counts, but holds shares"),
    "twice the same heading": (
        "V (mV),V (mV),t (ns),P (%),N\n" + rows("{v},{v},1,{k},100"),
        "one column 'V .mV.', but columns 1 and 2",
    ),
    "contradiction": (
        "V (mV),t (ns),switched,P,N\n" + rows("{v},1,{k},{min(k/100+0.05, 1)},100"),
        "the same in 'switched' and 'P', but in line 2 they give the shares 0 and 0.05",
    ),
    "no trials": ("V (mV),t (ns),P (%)\n" + rows("{v},1,{k}"), "must have a column `trials`, or the number"),
    "no width": ("V (mV),P (%),N\n" + rows("{v},{k},100"), "must have a column `width` .*--fixed width=1ns"),
    "no heading": (rows("{v}\t{k}"), "2 columns without headings .line 1: 450, 0.: choose them by number"),
    "one resistance": ("I (mA),Resistance(Ohm),Pulse width s\n" + rows("{v},{k},1e-3"), "a loop, for `mtjax loops`"),
    "before only": ("V (mV),t (ns),R_before\n" + rows("{v},1,{k}"), "need the resistance before and after"),
    "cut off": (HEAD + rows("{v},1,{k},100") + "999,1,1", "a number in 'N', but line 13 has nothing: is the file cut off"),
    "no number": (HEAD + rows("{v},1,{k},100").replace(",66,", ",many,"), r"in 'P \(%\)', but line 7 has 'many'"),
    "more than all": ("V (mV),t (ns),k,N\n" + rows("{v},1,{k},50"), "but is 66 of 50 in line 7"),
    "two comments": (
        "# t = 1 ns\n# width = 2 ns\nV (mV),P (%),N\n" + rows("{v},{k},100"),
        "must state the width once, but line 1",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_clear_is_refused_in_one_sentence(written, name):
    text, sentence = REFUSED[name]
    with pytest.raises(ValueError, match=sentence) as error:
        SwitchingData.read(written(text), tell=None)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"columns": {"voltage": "U"}}, "must have the columns U, but has V"),
        ({"columns": {"voltage": 9}}, "must have the columns 9"),
        ({"columns": {"voltage": "V (V)"}}, "gives the unit 'mV' in the heading 'V .mV.', but 'V' is chosen"),
        ({"columns": {"colour": 1}}, "but not for colour"),
        ({"fixed": {"width": "1 ns"}}, "must say the width once, but it is given and stands in 't .ns.'"),
        ({"fixed": {"colour": 1}}, "but not for colour"),
        ({"fixed": {"temperature": "1 mV"}}, "`temperature` must have a unit like K, but is '1 mV'"),
        ({"fixed": {"temperature": "warm"}}, "`temperature` must be a number, in K or with a unit, but is 'warm'"),
        ({"trials": 0}, "must be finite and positive, but is 0"),
        ({"decimal": "x"}, "`decimal` must be a comma or a point"),
        ({"names": "W{temperature}.txt"}, "must be like 'W{temperature}.txt', but is not"),
        ({"names": "{colour}.txt"}, "but not 'colour'"),
    ],
)
def test_choices_that_do_not_fit_are_refused(written, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        SwitchingData.read(written(HEAD + rows("{v},1,{k},100")), tell=None, **options)


def test_current_densities_need_a_cross_section(written):
    path = written("J (MA/cm^2),t (ns),P (%),N\n" + rows("{v},1,{k},100"))
    data = SwitchingData.read(path, cross_section=1e-15, tell=None)
    np.testing.assert_allclose(data.current, V * 1e-5)
    with pytest.raises(ValueError, match="`cross_section` must be positive"):
        SwitchingData.read(path, tell=None)


def test_fields_and_temperatures_have_their_units(written):
    data = SwitchingData.read(written("V,width,P,N,H (Oe),T (°C)\n0.1,1e-9,0.5,10,200,27\n"), tell=None)
    assert data.field.tolist() == pytest.approx([0.02])
    assert data.temperature.tolist() == pytest.approx([300.15])


def test_per_cent_below_one_is_taken_where_it_is_chosen(written):
    path = written(HEAD + rows("{v},1,{k/100},10000"))
    np.testing.assert_allclose(SwitchingData.read(path, columns={"probability": "P (%)"}, tell=None).probability, K * 1e-4)


def test_folders_and_names_of_files(written, tmp_path):
    for temperature in (295, 300):
        written("0.45\t0.1\n0.5\t0.6\n", f"R{temperature}_0p75ns.dat")
    written("nothing of that kind", "SOURCE.txt")
    told = []
    data = SwitchingData.read(
        tmp_path, names="R{temperature}_{width}.dat", columns={"voltage": 1, "probability": 2}, trials=10, tell=told.append
    )
    assert data.temperature.tolist() == [295, 295, 300, 300]
    assert data.width.tolist() == pytest.approx([0.75e-9] * 4)
    assert told[0].endswith("2 files are read; not read: SOURCE.txt")
    with pytest.raises(ValueError, match="must hold a file called like 'X'"):
        SwitchingData.read(tmp_path, names="X", tell=None)
    with pytest.raises(ValueError, match="At least one file"):
        SwitchingData.read([], tell=None)
    one, other = written(HEAD + "450,1,50,10\n", "a.csv"), written("V (mV),t (ns),P (%),N,T (K)\n450,1,50,10,300\n", "b.csv")
    with pytest.raises(ValueError, match=r"a.csv' has no temperature, which others have"):
        SwitchingData.read([one, other], tell=None)


def test_settings_in_words():
    assert in_words("width", "1.5 ns") == pytest.approx(1.5e-9)
    assert in_words("field", "-200 Oe") == pytest.approx(-0.02)
    assert in_words("current_density", "10 MA/cm^2") == pytest.approx(1e11)
    assert from_name(CASES / "chip_A7_300K.csv", "chip_{device_id}_{temperature}.csv") == {
        "device_id": "A7",
        "temperature": 300.0,
    }
    assert from_name(CASES / "x_10.csv", "*_{tp (ns)}.csv") == {"width": pytest.approx(10e-9)}


@there
@pytest.mark.parametrize("name", ["percent_mV_ns", "semicolon_decimal_comma"])
@pytest.mark.filterwarnings("ignore:Probability times trials")
def test_cases_of_a_known_curve(name):
    data = SwitchingData.read(CASES / f"{name}.csv", tell=None)
    np.testing.assert_allclose(data.voltage, V * 1e-3)
    np.testing.assert_allclose(data.probability, 1 / (1 + np.exp(-(data.voltage - 0.680) / 0.030)), atol=6e-4)


@there
def test_case_of_raw_shots():
    told = []
    data = SwitchingData.read(CASES / "raw_shots.csv", tell=told.append)
    assert (len(data), set(data.trials), data.labels("direction")) == (11, {100}, ("P->AP",))
    midpoint = mtj.fit_logistic(data).estimates["midpoint"]
    assert abs(midpoint.value - 0.680) < 3 * midpoint.stderr
    assert midpoint.stderr < 0.005
    said = "\n".join(told)
    assert "2529.2 +- 20 ohm and 5660.8 +- 21 ohm" in said
    assert "1100 shots: 1100 counted, 0 ambiguous and 0 with the wrong initial state left out" in said


@there
def test_cases_of_tabs_and_comments_are_the_same():
    tab, told = SwitchingData.read(CASES / "tab.csv", tell=None), []
    comments = SwitchingData.read(CASES / "comments.csv", tell=told.append)
    for name in ("voltage", "width", "switched", "trials"):
        np.testing.assert_array_equal(getattr(tab, name), getattr(comments, name))
    assert "  not used: 'T = 300 K' in line 2 (as a setting: --fixed temperature=300)" in told


@measured
def test_measured_files_without_headings():
    options = {"columns": {"voltage": 1, "probability": 2}, "fixed": {"width": "1 ns"}, "trials": 10_000, "tell": None}
    one = SwitchingData.read(REHM / "fig1bLR300.txt", **options)
    assert (len(one), one.trials[0]) == (29, 10_000)
    assert np.interp(0.5, one.probability, one.voltage) == pytest.approx(0.681, abs=5e-4)
    every = SwitchingData.read(REHM, names="fig1bLR{temperature}.txt", **options)
    assert (len(every), sorted(set(every.temperature))) == (84, [295, 300, 305])
    widths = SwitchingData.read(
        REHM / "fig1aLR.txt", columns={"width": 1, "probability": 2}, fixed={"voltage": 0.681}, trials=10_000, tell=None
    )
    assert widths.width[0] == 3e-10


WIDE = {
    "V (mV),P(1 ns),P(2 ns)\n450,0,0.1\n500,0.3,0.4\n": [0, 3, 1, 4],
    "V (mV)\tP @ 1 ns (%)\tP @ 2 ns (%)\n450\t0\t10\n500\t30\t40\n": [0, 3, 1, 4],
    "V (mV),switched 1ns,switched 2ns\n450,0,1\n500,3,4\n": [0, 3, 1, 4],
    "V (mV),1 ns,2 ns\n450,0,0.1\n500,0.3,0.4\n": [0, 3, 1, 4],
    "V (mV),P_1ns,P_2ns,P_err_1ns\n450,0,0.1,0.02\n500,0.3,,0.02\n": [0, 3, 1],
}


@pytest.mark.parametrize("text", WIDE)
def test_a_column_for_every_width_becomes_rows(written, text):
    data = SwitchingData.read(written(text), trials=10, tell=None)
    assert data.switched.tolist() == pytest.approx(WIDE[text])
    assert data.width.tolist() == [1e-9, 1e-9, 2e-9, 2e-9][: len(data)]
    assert data.voltage.tolist() == pytest.approx([0.45, 0.5, 0.45, 0.5][: len(data)])


def test_columns_for_temperatures_and_amplitudes(written):
    warm = SwitchingData.read(written("V,t,P at 295 K,P at 300 K\n0.4,1e-9,0,0.1\n0.5,1e-9,0.3,0.4\n"), trials=10, tell=None)
    assert warm.temperature.tolist() == [295, 295, 300, 300]
    strong = SwitchingData.read(written("t (ns),P_0.5V,P_0p6V\n1,0.1,0.2\n2,0.3,0.4\n"), trials=10, tell=None)
    assert strong.voltage.tolist() == [0.5, 0.5, 0.6, 0.6]
    with pytest.raises(ValueError, match="must say in its headings what stands below"):
        SwitchingData.read(written("V (mV),1 ns,2 ns\n450,0,1\n500,3,4\n"), trials=10, tell=None)


def test_a_width_in_the_name_of_a_file_is_pointed_at(written):
    with pytest.raises(ValueError, match=r"or its name, as `names` 'chip_\{width\}.csv' \(--names\)"):
        SwitchingData.read(written("V (mV),P (%),N\n450,50,10\n", "chip_1.5ns.csv"), tell=None)


def test_temperatures_that_were_measured_at_every_shot_do_not_part_the_levels(written):
    rng = np.random.default_rng(2)
    rows = [
        f"500,1,{2500 + rng.normal(0, 20)},{2500 + 3000 * (i % 4 == 0) + rng.normal(0, 20)},{300 + rng.normal()}"
        for i in range(200)
    ]
    data = SwitchingData.read(written("\n".join(["V (mV),tp (ns),R_before,R_after,T (K)", *rows])), tell=None)
    assert (data.switched.sum(), data.trials.sum()) == (50, 200)


@there
@pytest.mark.slow
def test_a_spin_orbit_file_is_fitted_as_it_is():
    """From the preset: the curve goes up and down, and a search along one valley ends at a deviance of over 500."""
    device = mtj.presets.perpendicular_sot()
    device = eqx.tree_at(lambda d: (d.layer.alpha, d.write_resistance), device, (jnp.asarray(0.1), jnp.asarray(800.0)))
    found = mtj.fit(device, SwitchingData.read(CASES / "tab.csv"), where=("theta_sh", "Bk"))
    assert np.all(np.abs(found.estimates.value - [0.25, 0.20]) < 4 * found.estimates.stderr)
    assert found.deviance < 36  # 14 degrees of freedom
    assert found.warnings == ()
