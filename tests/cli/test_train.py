"""`mtjax train`: what it prints and writes, that it goes on from a checkpoint, and what it refuses."""

import json

import jax.numpy as jnp
import numpy as np
import pytest

import mtjax as mtj
from mtjax.cli import main as cli


@pytest.fixture(scope="module")
def halves(tmp_path_factory):
    """Vectors of four; the class says which half is larger."""
    x = np.random.default_rng(0).random((192, 4)).astype(np.float32)
    y = (x[:, :2].sum(axis=1) > x[:, 2:].sum(axis=1)).astype(int)
    path = tmp_path_factory.mktemp("data") / "halves.npz"
    np.savez(path, x_train=x[:128], y_train=y[:128], x_test=x[128:], y_test=y[128:])
    return path


def test_train_writes_prints_and_goes_on(halves, tmp_path, capsys):
    arguments = ["train", str(halves), "--hidden", "8", "--steps", "2", "--checkpoint", str(tmp_path / "kept"), "--json"]
    assert cli.main([*arguments, "--epochs", "16", "--out", str(tmp_path / "a")]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {p.name for p in (tmp_path / "a").iterdir()} == {"train.json", "network.ckpt", "train.png"}
    assert len(found["loss"]) == 16
    assert found["accuracy"][-1] > 0.6
    own = found["energy"]
    parts = sum(v for name, v in own.items() if name not in {"total", "latency"})
    assert own["total"] == pytest.approx(parts, rel=1e-5)
    assert own["comparators"] == pytest.approx(2 * 8 * 5e-15, rel=1e-5)
    assert found["cmos"]["total"] > own["total"]
    assert cli.main([*arguments[:-1], "--epochs", "16", "--out", str(tmp_path / "b")]) == 0
    said = capsys.readouterr().out
    assert json.loads((tmp_path / "b" / "train.json").read_text())["loss"] == found["loss"]  # nothing was left to train
    assert "accuracy: " in said
    assert "CMOS takes" in said
    assert cli.main([*arguments, "--epochs", "16", "--out", str(tmp_path / "b")]) == 2
    assert "must be empty or new" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["letters"], "The data must be digits or a .npz file, but are 'letters'."),
        (["nowhere.npz"], "The data file 'nowhere.npz' does not exist"),
        (["digits", "--hidden", "0"], "--hidden must be one or more positive numbers, but is (0,)."),
        (["digits", "--device", "nowhere.toml"], "there is no file 'nowhere.toml'."),
        (["digits", "--device", "perpendicular_stt", "--width", "-1"], "`width` of Hardware must be finite and positive"),
        (["digits", "--device", "perpendicular_sot"], "must be read by a TunnelMagnetoresistance, but its read-out is Anom"),
        (["digits", "--steps", "0"], "`steps` of Training must be finite and at least 1, but is 0."),
    ],
)
def test_bad_input_is_one_sentence(tmp_path, capsys, arguments, sentence):
    assert cli.main(["train", *arguments, "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_the_neurons_can_be_any_junction(halves, tmp_path, capsys, monkeypatch):
    asked = []

    def distil(device, width):
        asked.append((device, width))
        return mtj.nn.ChebyshevLaw(jnp.array([0.0, 6.0]), ranges=((10e-6, 30e-6),), error=1e-3)

    monkeypatch.setattr(mtj.nn, "distil", distil)
    mine = tmp_path / "mine.toml"
    assert cli.main(["presets", "perpendicular_stt", "--write", str(mine)]) == 0
    arguments = ["train", str(halves), "--hidden", "4", "--steps", "1", "--epochs", "1", "--width", "1e-8"]
    assert cli.main([*arguments, "--device", str(mine), "--set", "write_resistance=1234", "--out", str(tmp_path / "a")]) == 0
    ((device, width),) = asked
    assert (float(device.write_resistance), width) == (1234.0, 1e-8)
    said = capsys.readouterr()
    assert "The neurons: ChebyshevLaw of degree 1 for 10 uA to 30 uA" in said.err
    resets = json.loads((tmp_path / "a" / "train.json").read_text())["energy"]["reset"]
    assert 0 < resets <= 4 * 1234 * (30e-6) ** 2 * 2e-8  # at most every neuron, once, for twice the width


@pytest.mark.slow
def test_a_network_learns_on_a_junction_in_a_file(halves, tmp_path, capsys):
    arguments = ["train", str(halves), "--hidden", "8", "--steps", "2", "--epochs", "16", "--json"]
    assert cli.main([*arguments, "--device", "perpendicular_stt", "--width", "1e-8", "--out", str(tmp_path / "a")]) == 0
    assert json.loads(capsys.readouterr().out)["accuracy"][-1] > 0.6
