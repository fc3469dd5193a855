"""Devices in files, vectors, voltages and fields on the command line."""

import json

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest

import mtjax as mtj
from mtjax.cli import main as cli

LAW = ("--current", "12e-6", "--width", "1e-7", "--method", "thermal-activation")


@pytest.fixture(scope="module")
def mine(tmp_path_factory):
    path = tmp_path_factory.mktemp("devices") / "mine.toml"
    assert cli.main(["presets", "perpendicular_stt", "--write", str(path)]) == 0
    return path


@pytest.fixture
def asked(monkeypatch):
    """The devices and pulses that reach the engine, whose answers are tested elsewhere."""
    seen = []

    def engine(device, pulse, **options):
        seen.append((device, pulse))
        return mtj.Probability(jnp.asarray(0.3), jnp.asarray(0.7), None, mtj.ThermalActivation())

    monkeypatch.setattr(mtj, "switching_probability", engine)
    return seen


def test_a_preset_is_written_edited_and_used(mine, tmp_path, capsys, asked):
    assert cli.main(["simulate", str(mine), *LAW, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["device"] == str(mine)
    assert eqx.tree_equal(asked[-1][0], mtj.presets.perpendicular_stt())
    cold = tmp_path / "cold.toml"
    cold.write_text(mine.read_text().replace("temperature = 300.0 # K; ", 'temperature = "250 K" # K; in the cryostat, not '))
    assert cli.main(["simulate", str(cold), *LAW]) == 0
    assert asked[-1][0].temperature == 250
    assert cli.main(["presets", str(cold)]) == 0
    text = capsys.readouterr().out
    (line,) = [line for line in text.splitlines() if "temperature" in line]
    assert "250 K  " in line
    assert line.endswith("in the cryostat, not assumed, typical of published 40 nm CoFeB junctions")
    assert "critical current" in text


@pytest.mark.slow
def test_a_fit_takes_a_device_in_a_file(mine, tmp_path, capsys):
    rows = [(8, 1), (9, 8), (9.5, 18), (10, 30), (10.5, 39), (11, 46), (12, 50)]
    data = tmp_path / "data.csv"
    data.write_text("current,width,switched,trials\n" + "".join(f"{i}e-6,1e-7,{k},50\n" for i, k in rows))
    arguments = ["fit", str(data), "--device", str(mine), "--method", "thermal-activation", "--parameters", "Bk"]
    assert cli.main([*arguments, "--out", str(tmp_path / "out")]) == 0
    assert mtj.Fit.load(tmp_path / "out" / "fit.json").device.layer.Ms == 1e6


def test_vectors_are_set(mine, asked):
    for sigma, z in (("0,0,-2", -1), ("(0, 0, 1)", 1)):
        assert cli.main(["simulate", str(mine), *LAW, "--set", f"sigma={sigma}", "alpha=0.02"]) == 0
        np.testing.assert_array_equal(asked[-1][0][mtj.SpinTransferTorque].sigma, [0, 0, z])
        assert asked[-1][0].layer.alpha == 0.02
    leaves = {mtj.devices.leaf_called(asked[-1][0], name, [0.0, 0.0, 1.0]) for name in ("reference", "readout.reference")}
    assert len(leaves) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["presets", "sengupta2015"], "but is 'sengupta2015' (is sengupta2016 meant?)."),
        (["presets", "--write", "a.toml"], "--write must be given with the name of one device, but there are 0."),
        (["presets", "sengupta2016", "--write", "a.json"], "--write must be given a file *.toml, but is given 'a.json'."),
        (["presets", "nowhere.toml"], "but 'nowhere.toml' does not exist."),
        (["simulate", "nowhere.toml", *LAW], "there is no file 'nowhere.toml'."),
        (["simulate", "perpendicular_st", *LAW], "or a file *.toml, but is 'perpendicular_st' (is perpendicular_stt meant?)."),
        (["simulate", "perpendicular_stt", *LAW, "--set", "start=0,1"], "'start' must be 3 numbers, but is [0.0, 1.0]."),
        (["simulate", "perpendicular_stt", *LAW, "--set", "alpha=0.1,0.2"], "'alpha' must be one number, but is [0.1, 0.2]."),
        (["simulate", "perpendicular_stt", *LAW, "--set", "start=0,0,0"], "direction must be finite and not zero"),
        (
            ["simulate", "perpendicular_stt", *LAW, "--set", "start=0,x,0"],
            "several with commas between them, but 'start=0,x,0'",
        ),
        (["simulate", "perpendicular_stt", "--field=1,2", "--width", "1e-9"], "must be X,Y,Z (T), or one number along z"),
        (
            ["simulate", "perpendicular_stt", "--field=0.1", "--width", "1e-9", *LAW[4:]],
            "ThermalActivation holds for currents only",
        ),
        (["simulate", "perpendicular_stt", "--width", "1e-9", "--sweep", "field=0:1:3", "--current", "1e-6"], "direction"),
    ],
)
def test_mistakes_are_told(arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.main(arguments) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1


def test_nothing_is_overwritten_unasked(mine, capsys):
    before = mine.read_text()
    assert cli.main(["presets", "sengupta2016", "--write", str(mine)]) == 2
    assert "exists: choose another file, or write with --force" in capsys.readouterr().err
    assert mine.read_text() == before


def test_films_are_written_but_have_no_probability(tmp_path, capsys):
    path = str(tmp_path / "film.toml")
    assert cli.main(["presets", "kurenkov2019_neuron", "--write", path]) == 0
    assert cli.main(["simulate", path, *LAW]) == 2
    assert "must be of one cell, but" in capsys.readouterr().err


def test_pulses_of_voltage_and_field_on_the_command_line_and_in_sweeps(asked, capsys):
    assert cli.main(["simulate", "perpendicular_stt", "--field=-0.2", "--voltage", "0.4", "--width", "1e-9", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["field"] == [0.0, 0.0, -0.2]
    level = asked[-1][1](0.5e-9)
    assert (level.current, level.voltage, level.field) == (None, 0.4, (None, None, -0.2))
    rest = ["--field=0.1,0,0", "--current", "1e-5", "--frequency", "1e9", "--width", "1e-8"]
    assert cli.main(["simulate", "perpendicular_stt", *rest]) == 0
    assert isinstance(asked[-1][1].current, mtj.Sine)
    np.testing.assert_allclose(asked[-1][1](0.25e-9).field[0], 0.1)
    axes = (mtj.Axis("field", np.array([0.1, 0.5])), mtj.Axis("current", np.array([0.0, 1e-5])))
    sweep = mtj.Sweep(mtj.presets.perpendicular_stt(), axes, mtj.FokkerPlanck(), width=1e-9, field=(3.0, 0.0, -4.0))
    _, pulse = sweep.situation(3)
    np.testing.assert_allclose([pulse(0.0).field[0], pulse(0.0).field[2], pulse(0.0).current], [0.3, -0.4, 1e-5])
    assert sweep.unit("field") == "T"
