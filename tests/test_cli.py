"""The command line: what it writes, what it prints, and how it refuses."""

import importlib.util
import json
import sys

import jax
import pytest

from mtjax import cli
from mtjax.cli_options import PRESETS
from mtjax.fitting import Fit

GOOD = "current,width,switched,trials\n" + "".join(
    f"{i}e-6,1e-7,{k},50\n" for i, k in [(8, 1), (9, 8), (9.5, 18), (10, 30), (10.5, 39), (11, 46), (12, 50)]
)
FAST = ("--device", "perpendicular_stt", "--method", "thermal-activation")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    before = jax.config.jax_compilation_cache_dir
    yield
    jax.config.update("jax_compilation_cache_dir", before)


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
    assert "300 trials should bring the standard error of Bk from" in capsys.readouterr().out
    lines = settings.read_text().splitlines()
    assert lines[0] == "current,width,trials"
    assert sum(float(line.split(",")[2]) for line in lines[1:]) == 300
    assert cli.main(["design", str(out / "fit.json"), "--quantity", "Ms", "--trials", "300"]) == 2
    assert "must be a fitted one" in capsys.readouterr().err


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
    assert {p.name for p in (tmp_path / "out").iterdir()} == {"fit.json", "fit.png", "report.md"}


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
    ("text", "extra", "sentence"),
    [
        (None, (), "must exist"),
        (".", (), "must be one CSV file, but"),
        ("", (), "at least one row"),
        (GOOD.replace(",8,50", ",nan,50"), (), "must be finite, but is nan"),
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
    csv.unlink() if text is None else csv.write_text(text)
    csv = csv.parent if text == "." else csv
    assert cli.main(["fit", str(csv), *FAST, *extra, "--out", str(tmp_path / "out")]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("mtjax: ")
    assert sentence in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""
    assert not (tmp_path / "out").exists()


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


def test_presets_are_listed(capsys):
    assert cli.main(["presets"]) == 0
    printed = capsys.readouterr().out
    assert all(name in printed for name in PRESETS)
    assert "critical current" in printed


def test_simulate_prints_a_probability(capsys):
    arguments = ["simulate", "perpendicular_sot", "--current", "1.3e-4", "--width", "1e-9", "--samples", "64"]
    assert cli.main(arguments) == 0
    assert capsys.readouterr().out.startswith("P_sw = ")


@pytest.mark.parametrize("command", ["", "fit", "loops", "design", "demo", "simulate", "presets"])
def test_help_is_help(command, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main([*command.split(), "--help"])
    assert ended.value.code == 0
    printed = capsys.readouterr().out
    assert "usage: mtjax" in printed
    assert (
        command not in ("fit", "loops", "design", "demo") or f"\n  mtjax {command} " in printed or "\n  mtjax demo\n" in printed
    )


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
