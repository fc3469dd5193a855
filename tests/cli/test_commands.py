"""The command line: what it writes, what it prints, and how it refuses."""

import importlib.util
import json
import re
import sys

import numpy as np
import pytest

import mtjax as mtj
from mtjax.cli import main as cli
from mtjax.devices import all_parameters
from mtjax.fitting import Fit
from mtjax.presets import CATALOGUE, values_of

GOOD = "current,width,switched,trials\n" + "".join(
    f"{i}e-6,1e-7,{k},50\n" for i, k in [(8, 1), (9, 8), (9.5, 18), (10, 30), (10.5, 39), (11, 46), (12, 50)]
)
FAST = ("--device", "perpendicular_stt", "--method", "thermal-activation")


@pytest.fixture
def csv(tmp_path):
    path = tmp_path / "data.csv"
    path.write_text(GOOD)
    return path


def test_fit_writes_and_prints(csv, tmp_path, capsys):
    out = tmp_path / "out"
    assert cli.main(["fit", str(csv), *FAST, "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "polarisation" in printed
    assert "degrees of freedom" in printed
    found = Fit.load(out / "fit.json")
    assert found.estimates.names == ("polarisation", "Bk")
    assert str(found) in printed
    assert (out / "fit.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_a_report_says_all_there_is_to_say(csv, tmp_path, capsys):
    """Comparison, profile, posterior; then a design from the saved fit."""
    out = tmp_path / "out"
    extra = ("--compare", "--profile", "Bk", "--posterior", "150", "--bounds", "Bk=0.02:2", "--priors", "polarisation=0.6:2")
    assert cli.main(["fit", str(csv), *FAST, *extra, "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    text = (out / "report.md").read_text()
    for sentence in ("The data favour", "Bk by profile likelihood", "effective draws", "What the data determine:"):
        assert sentence in text
    assert "logistic curve" in printed
    assert {p.name for p in out.iterdir()} == {"fit.json", "fit.png", "report.md", "posterior.png"}
    settings = tmp_path / "next.csv"
    arguments = ["design", str(out), "--quantity", "Bk", "--trials", "300", "--out", str(settings)]
    assert cli.main(arguments) == 0
    printed = capsys.readouterr().out
    assert "300 trials should bring the standard error of Bk from" in printed
    assert re.search(r"from [\d.]+ mT to [\d.]+ mT \(value [\d.]+ mT\)", printed)
    lines = settings.read_text().splitlines()
    assert lines[0] == "current,width,trials"
    assert sum(float(line.split(",")[2]) for line in lines[1:]) == 300
    assert cli.main(["design", str(out / "fit.json"), "--quantity", "Ms", "--trials", "300"]) == 2
    assert "must be a fitted one" in capsys.readouterr().err


@pytest.mark.slow
def test_loops_are_fitted(tmp_path, capsys):
    folder = tmp_path / "loops"
    folder.mkdir()
    for k, width in enumerate((0.001, 0.003, 0.01, 0.03, 0.1, 0.3)):
        at = 9.0 - 0.7 * k
        x = [i * 0.5 for i in [*range(24), *range(24, -24, -1), *range(-24, 1)]]
        state, rows = 1.0, []
        for i in x:
            state = -1.0 if i >= at else 1.0 if i <= -at else state
            rows.append(f"{i},{2 + state / 10},{width}")
        (folder / f"{k}.csv").write_text("\n".join(["Current(mA),Resistance(Ohm),Pulse width s", *rows]))
    assert cli.main(["loops", str(folder), "--out", str(tmp_path / "out")]) == 0
    printed = capsys.readouterr().out
    assert "delta[+]" in printed
    assert "The data favour" in printed
    written = {"fit.json", "fit.png", "report.md", "loops.csv", "loops.png", "thresholds.csv"}
    assert {p.name for p in (tmp_path / "out").iterdir()} == written


def test_every_direction_is_fitted_apart(csv, tmp_path, capsys):
    lines = GOOD.splitlines()
    rows = [lines[0] + ",direction"] + [f"{line},{d}" for d in ("up", "down") for line in lines[1:]]
    csv.write_text("\n".join(rows))
    assert cli.main(["fit", str(csv), *FAST, "--parameters", "Bk", "--out", str(tmp_path / "both")]) == 0
    fits = json.loads((tmp_path / "both" / "fit.json").read_text())["fits"]
    assert list(fits) == ["down", "up"]
    assert fits["up"]["estimates"] == fits["down"]["estimates"]
    assert cli.main(["fit", str(csv), *FAST, "--direction", "up", "--out", str(tmp_path / "one")]) == 0
    assert "Bk" in json.loads((tmp_path / "one" / "fit.json").read_text())["estimates"]
    capsys.readouterr()


def test_without_matplotlib_the_numbers_are_written_all_the_same(csv, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert cli.main(["fit", str(csv), *FAST, "--out", str(tmp_path / "out")]) == 0
    assert (tmp_path / "out" / "fit.json").exists()
    assert not (tmp_path / "out" / "fit.png").exists()
    assert "pip install 'mtjax[plot]'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("module", "arguments", "sentence"),
    [
        ("numpyro", ("fit", "DATA", *FAST, "--posterior", "50"), "A posterior needs numpyro"),
        (
            "xarray",
            ("simulate", "perpendicular_stt", "--width", "1e-8", "--sweep", "current=1e-5,2e-5"),
            "A sweep needs xarray",
        ),
        ("xarray", ("merge", "DATA"), "A sweep needs xarray"),
        (
            "matplotlib",
            ("simulate", "perpendicular_stt", "--width", "1e-8", "--current", "1e-5", "--picture", "a.png"),
            "A picture needs matplotlib",
        ),
        ("sklearn", ("train",), "The data set of digits needs scikit-learn"),
    ],
)
def test_missing_packages_are_told_before_the_work(csv, tmp_path, capsys, monkeypatch, module, arguments, sentence):
    def work(*args, **kwargs):
        raise AssertionError("worked")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(mtj, "fit", work)
    monkeypatch.setattr(mtj, "switching_probability", work)
    monkeypatch.setitem(sys.modules, module, None)
    assert cli.main([str(csv) if text == "DATA" else text for text in arguments]) == 2
    said = capsys.readouterr()
    assert said.err.startswith(f"mtjax: {sentence}, which is missing: pip install 'mtjax[")
    assert said.err.count("\n") == 1
    assert not said.out
    assert list(tmp_path.iterdir()) == [csv]


def test_without_matplotlib_a_command_says_so_before_the_work(csv, tmp_path, monkeypatch, capsys):
    def work(*args, **kwargs):
        raise ValueError("working")

    monkeypatch.setattr(mtj, "fit", work)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert cli.main(["fit", str(csv), *FAST, "--out", str(tmp_path / "out")]) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert first == "No picture will be written, because matplotlib is missing: pip install 'mtjax[plot]'."
    assert second == "mtjax: working"


@pytest.mark.parametrize(
    ("text", "extra", "sentence"),
    [
        (None, (), "must exist"),
        (".", (), "must hold a file that ends in .csv"),
        ("", (), "at least one row"),
        (GOOD.replace(",8,50", ",nan,50"), (), "must hold a number in 'switched', but line 3 has 'nan'"),
        (GOOD.replace(",8,50", ",80,50"), (), "at most the number of trials"),
        (GOOD.replace("1e-7", "-1e-7"), (), "`width` of switching data must be positive"),
        (GOOD.replace("width", "breadth"), (), "must have a column `width`"),
        ("V,current,width,P_sw,trials\n1,1,1e-9,0.5,10\n", (), "as current or as voltage, not both"),
        ("V,width,P_sw,trials\n1,1e-9,1.5,10\n", (), "between 0 and 1"),
        (GOOD, ("--set", "temperature=-1"), "`temperature` of Device must be finite and at least 0"),
        (GOOD, ("--set", "temperature=warm"), "must be a number"),
        (GOOD, ("--set", "temperature"), "NAME=VALUE is expected"),
        (GOOD, ("--parameters", "beta"), "no quantity of the device is called 'beta'"),
        (GOOD, ("--direction", "up"), "No row has direction 'up'"),
        (GOOD, ("--bounds", "Bk=1"), "Two numbers with a colon"),
        (GOOD, ("--bounds", "Bk=1:2"), "must lie within its bounds"),
        (GOOD, ("--each", "Bk"), "need data with a column `device_id`"),
        (GOOD, ("--device", "toaster"), "must be one of sengupta2016"),
        (GOOD, ("--trials", "-3"), "must be finite and positive"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(csv, tmp_path, capsys, text, extra, sentence):
    csv.unlink() if text in (None, ".") else csv.write_text(text)
    csv = csv.parent if text == "." else csv
    assert cli.main(["fit", str(csv), *FAST, *extra, "--out", str(tmp_path / "out")]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("mtjax: ")
    assert sentence in captured.err
    assert captured.err.count("\n") == 1
    assert not captured.out or (text == GOOD and captured.out.startswith("'data.csv': 7 rows in lines 2 to 8"))
    assert not (tmp_path / "out").exists()


@pytest.fixture
def given(monkeypatch):
    """What `fit` is handed, in place of its work."""
    found = {}

    def work(device, data, **_):
        found["data"] = data
        raise ValueError("working")

    monkeypatch.setattr(mtj, "fit", work)
    return found


def test_what_was_understood_is_printed_before_the_work(tmp_path, capsys, given):
    """Files as two laboratories have them; the second without a heading, one setting in the names of its files."""
    (tmp_path / "W12.txt").write_text("V_pulse (mV);tp_ns;Psw (%)\n450;1,5;3\n500;1,5;41\n")
    options = ("--trials", "100", "--device", "perpendicular_stt", "--out", str(tmp_path / "out"))
    assert cli.main(["fit", str(tmp_path / "W12.txt"), *options]) == 2
    said = capsys.readouterr()
    assert said.out.splitlines()[1:4] == [
        "  voltage: 'V_pulse (mV)' in mV: 450 mV ... 500 mV",
        "  width: 'tp_ns' in ns: 1.5 ns",
        "  probability: 'Psw (%)' in %: 0.03 ... 0.41",
    ]
    assert said.err == "mtjax: working\n"
    assert given["data"].switched.tolist() == [3, 41]
    for temperature in (295, 305):
        (tmp_path / f"R{temperature}.dat").write_text("0.45\t0.13\n0.50\t0.57\n")
    layout = ("--names", "R{temperature}.dat", "--columns", "voltage=1", "probability=2", "--fixed", "width=1 ns")
    assert cli.main(["fit", str(tmp_path), *layout, *options]) == 2
    assert "not read: W12.txt" in capsys.readouterr().out
    assert given["data"].temperature.tolist() == [295, 295, 305, 305]
    assert given["data"].width.tolist() == [1e-9] * 4


def test_current_densities_flow_through_the_heavy_metal_or_the_layer(tmp_path, capsys, given):
    (tmp_path / "J.csv").write_text("J (MA/cm^2),width,switched,trials\n10,1e-9,3,10\n")
    for name, area in (
        ("perpendicular_stt", mtj.presets.perpendicular_stt().magnet.area),
        ("perpendicular_sot", (torque := mtj.presets.perpendicular_sot()[mtj.SpinOrbitTorque]).width * torque.thickness),
    ):
        assert cli.main(["fit", str(tmp_path / "J.csv"), "--device", name, "--out", str(tmp_path / "out")]) == 2
        assert given["data"].current.tolist() == pytest.approx([1e11 * float(area)])
    assert "current density: 'J (MA/cm^2)' in MA/cm^2" in capsys.readouterr().out


def test_a_full_folder_is_refused_without_force(csv, tmp_path, capsys):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "precious.txt").write_text("mine")
    arguments = ["fit", str(csv), *FAST, "--parameters", "Bk", "--out", str(tmp_path / "out")]
    assert cli.main(arguments) == 2
    assert "must be empty or new" in capsys.readouterr().err
    assert cli.main([*arguments, "--force"]) == 0
    assert (tmp_path / "out" / "precious.txt").read_text() == "mine"
    assert cli.main(["fit", str(csv), *FAST, "--out", str(csv)]) == 2
    assert "is a file" in capsys.readouterr().err


def test_presets_are_listed_with_units_and_sources(capsys):
    assert cli.main(["presets", "sengupta2016"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(
        line.split()
        == ["Ms", "1e+06", "A/m", "Sengupta", "et", "al.,", "IEEE", "TED", "63,", "2963", "(2016),", "as", "recalled"]
        for line in lines
    )
    assert any(line.split()[:3] == ["R_P", "10", "kohm"] and line.endswith("assumed") for line in lines)
    assert cli.main(["presets", "kurenkov2019_synapse", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["kurenkov2019_synapse"]
    assert found["derived"]["cells"]["value"] == 877
    assert found["derived"]["delta"]["value"] == pytest.approx(45)
    assert cli.main(["presets", "toaster"]) == 2
    assert "must be one of sengupta2016" in capsys.readouterr().err


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_value_of_a_preset_has_a_source_and_every_source_a_value(name):
    entry = CATALOGUE[name]
    device = entry.make()
    values = values_of(entry, device)
    assert all(value.source for value in values)
    assert len({value.name for value in values}) == len(values)
    cell = device.cell if isinstance(device, mtj.Grains) else device
    numbers = [v for v in values if isinstance(v.value, float) and not v.source.startswith("the draw")]
    assert len(numbers) == len(all_parameters(cell))


def test_simulate_prints_a_probability(capsys):
    arguments = ["simulate", "perpendicular_sot", "--current", "1.3e-4", "--width", "2e-10", "--method", "monte-carlo"]
    assert cli.main([*arguments, "--samples", "64"]) == 0
    assert capsys.readouterr().out.startswith("P_sw = ")
    assert cli.main([*arguments, "--samples", "64", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["probability"] + found["complement"] == 1
    assert found["stderr"] == pytest.approx((found["probability"] * found["complement"] / 64) ** 0.5, rel=0.05)
    assert (found["device"], found["current"], found["width"]) == ("perpendicular_sot", 1.3e-4, 2e-10)


SWEEP = ["simulate", "perpendicular_stt", "--method", "thermal-activation", "--sweep", "current=8e-6:1.2e-5:3"]


def test_a_sweep_in_two_shards_is_merged(tmp_path, capsys):
    out = ["--sweep", "width=1e-8,1e-7", "--out", str(tmp_path / "out")]
    assert cli.main([*SWEEP, *out, "--shard", "1/2", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["done"] == 3
    assert cli.main(["merge", str(tmp_path / "out")]) == 2
    assert "3 are missing" in capsys.readouterr().err
    assert cli.main([*SWEEP, *out, "--shard", "2/2"]) == 0
    assert f"mtjax merge {tmp_path / 'out'}" in capsys.readouterr().out
    assert cli.main(["merge", str(tmp_path / "out"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["axes"]["current"] == pytest.approx([8e-6, 1e-5, 1.2e-5])
    assert found["axes"]["width"] == [1e-8, 1e-7]
    assert np.all(np.diff(found["probability"], axis=0) > 0)
    assert np.all(np.diff(found["probability"], axis=1) > 0)
    assert found["stderr"] == [[None, None]] * 3
    assert cli.main([*SWEEP, *out]) == 0
    assert (tmp_path / "out" / "sweep.png").read_bytes().startswith(b"\x89PNG")
    capsys.readouterr()


@pytest.mark.parametrize(
    ("extra", "sentence"),
    [
        (("--width", "1e-7", "--sweep", "width=1:2"), "A sweep must be NAME=START:STOP:NUMBER"),
        (("--width", "1e-7", "--sweep", "current=1e-6"), "swept once only"),
        ((), "the width is missing"),
        (("--width", "1e-7", "--shard", "3/2"), "from 1/2 to 2/2, but is 3/2"),
        (("--width", "1e-7", "--shard", "half"), "must be I/N, like 1/4, but is 'half'"),
        (("--width", "1e-7", "--devices", "0"), "at least 1, but is 0"),
    ],
)
def test_a_bad_sweep_is_one_sentence_and_exit_code_2(tmp_path, capsys, extra, sentence):
    assert cli.main([*SWEEP, *extra, "--out", str(tmp_path / "out")]) == 2
    captured = capsys.readouterr()
    assert sentence in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""
    assert not (tmp_path / "out").exists()


def test_a_pulse_needs_both_numbers(capsys):
    assert cli.main(["simulate", "perpendicular_stt", "--current", "1e-5"]) == 2
    assert capsys.readouterr().err == "mtjax: The pulse must have a current and a width, but --width is missing.\n"


def test_what_an_engine_says_is_one_sentence_and_exit_code_1(monkeypatch, capsys):
    def refuses(*_, **__):
        raise RuntimeError("\nAbove is the stack outside of JIT.\n------\n\nNo answer.\n\n--------\nAn error occurred")

    monkeypatch.setattr(mtj, "switching_probability", refuses)
    assert cli.main(["simulate", "perpendicular_stt", "--current", "1e-5", "--width", "1e-9"]) == 1
    assert capsys.readouterr().err == "mtjax: No answer.\n"


@pytest.mark.parametrize("command", ["", *cli.COMMANDS])
def test_help_is_help(command, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main([*command.split(), "--help"])
    assert ended.value.code == 0
    printed = capsys.readouterr().out
    assert "usage: mtjax" in printed
    assert not command or f"\n  mtjax {command} " in printed or f"\n  mtjax {command}\n" in printed


def test_an_unknown_option_ends_with_code_2(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["mtjax"])
    with pytest.raises(SystemExit) as ended:
        cli.main(["fit", "x.csv", "--colour", "blue"])
    assert ended.value.code == 2
    capsys.readouterr()


@pytest.mark.slow
def test_demo_shows_the_truth_beside_the_estimate(tmp_path, capsys):
    assert cli.main(["demo", "--out", str(tmp_path / "demo")]) == 0
    assert "truth" in capsys.readouterr().out
    assert {p.name for p in (tmp_path / "demo").iterdir()} == {"data.csv", "fit.json", "fit.png", "report.md"}
