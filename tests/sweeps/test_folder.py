"""Sweeps: shards that are killed go on to the same numbers, nothing is done twice, and folders are not mixed up."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import equinox as eqx
import jax
import numpy as np
import pytest

import mtjax as mtj
from mtjax.cli.simulate import axis
from mtjax.sweeps import Answer, Axis, Sweep, answers, merged, run, write_merged
from mtjax.switching import ThermalActivation

PROGRAM = Path(__file__).parents[1] / "shard.py"


def thermal(number=4, **options) -> Sweep:
    """Currents, widths and temperatures with a closed form behind them."""
    axes = (axis(f"current=8e-6:1.2e-5:{number}"), axis("temperature=280,300,320"))
    return Sweep(mtj.presets.perpendicular_stt(), axes, ThermalActivation(), width=1e-7, **options)


def sampled() -> Sweep:
    """A few points by Monte Carlo."""
    method = mtj.MonteCarlo(64, jax.random.key(3))
    return Sweep(
        mtj.presets.perpendicular_sot(), (axis("current=8e-5:1.1e-4:4"), axis("width=2e-10,4e-10")), method, relax=1e-10
    )


def sure(sweep, number, calls=None):
    """An answer that costs nothing and tells where it is from."""
    device, pulse = sweep.situation(number)
    if calls is not None:
        calls[number] += 1
    return Answer(float(pulse.amplitude) * 1e4, float(device.temperature) / 1e3, np.nan)


@pytest.fixture
def cheap(monkeypatch):
    calls = Counter()
    monkeypatch.setattr(Sweep, "answer", lambda self, number: sure(self, number, calls))
    return calls


def test_every_value_stands_where_its_labels_say(tmp_path, cheap):
    for which in (2, 1, 3):
        run(thermal(), tmp_path, (which, 3))
    found, path = write_merged(tmp_path)
    assert found.probability.dims == ("current", "temperature")
    one = found.sel(temperature=320.0).isel(current=2)
    np.testing.assert_allclose([float(one.probability), float(one.complement)], [float(one.current) * 1e4, 0.32], rtol=1e-12)
    assert found.current.attrs["units"] == "A"
    assert found.temperature.attrs["units"] == "K"
    import xarray

    xarray.testing.assert_identical(xarray.load_dataset(path, engine="scipy"), found)


def test_the_numbers_are_those_of_switching_probability(tmp_path):
    sweep = thermal(2)
    run(sweep, tmp_path)
    device = eqx.tree_at(lambda d: d.temperature, sweep.device, jax.numpy.asarray(320.0))
    p = mtj.switching_probability(device, mtj.Pulse(1.2e-5, 1e-7), method=ThermalActivation())
    assert float(merged(tmp_path).probability[1, 2]) == pytest.approx(float(p.value), rel=1e-9)


def test_an_interrupted_shard_goes_on_and_does_nothing_twice(tmp_path, cheap, monkeypatch):
    whole = thermal(8)
    run(whole, tmp_path / "whole")
    cheap.clear()

    def broken(self, number):
        if sum(cheap.values()) == 5:
            raise KeyboardInterrupt
        return sure(self, number, cheap)

    with monkeypatch.context() as patch:
        patch.setattr("mtjax.sweeps.folder._SHARE", 1e9)  # writes after every point
        patch.setattr(Sweep, "answer", broken)
        with pytest.raises(KeyboardInterrupt):
            run(whole, tmp_path / "killed", (2, 2))
    assert len(answers(tmp_path / "killed")) == 5
    (tmp_path / "killed" / "points-2-of-2.nc.123.part").write_bytes(b"half of a fi")
    run(whole, tmp_path / "killed", (2, 2))
    with pytest.raises(ValueError, match="All 24 points of the sweep in .* but 12 are missing, the first of them number 0"):
        merged(tmp_path / "killed")
    run(whole, tmp_path / "killed", (1, 3))  # divided anew: what is there already stays
    run(whole, tmp_path / "killed")
    assert set(cheap.values()) == {1}
    assert len(cheap) == 24
    assert write_merged(tmp_path / "killed")[1].read_bytes() == write_merged(tmp_path / "whole")[1].read_bytes()
    assert not list(tmp_path.glob("*/*.part"))


def test_writing_takes_a_small_part_of_the_time_however_long_the_sweep(tmp_path, cheap, monkeypatch):
    from mtjax.sweeps import folder

    written = []
    monkeypatch.setattr(folder, "_write", lambda path, table: (time.sleep(0.02), written.append(path), path.touch()))
    run(thermal(30), tmp_path)
    assert 1 < len(written) < 10


def killed(program, folder, *arguments) -> None:
    """Start, wait until something is written, kill -9."""
    child = subprocess.Popen([sys.executable, str(program), str(folder), *arguments])
    end = time.monotonic() + 300
    while not list(folder.glob("points-*.nc")):
        assert child.poll() is None
        assert time.monotonic() < end
        time.sleep(0.01)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()


def test_a_shard_killed_with_signal_9_ends_with_the_numbers_of_an_undisturbed_one(tmp_path):
    """A real process; points that take half a second at least, so that it is killed in their middle."""
    killed(PROGRAM, tmp_path / "killed", "20")
    assert 0 < len(answers(tmp_path / "killed")) < 60
    sweep = thermal(20)
    run(sweep, tmp_path / "killed")
    run(sweep, tmp_path / "whole")
    assert write_merged(tmp_path / "killed")[1].read_bytes() == write_merged(tmp_path / "whole")[1].read_bytes()


@pytest.mark.slow
def test_sampled_numbers_do_not_depend_on_shards_and_kills(tmp_path):
    run(sampled(), tmp_path / "whole")
    killed(PROGRAM, tmp_path / "shards", "sampled")
    for which in (3, 1, 2):
        run(sampled(), tmp_path / "shards", (which, 3))
    found = write_merged(tmp_path / "shards")[0]
    assert write_merged(tmp_path / "whole")[0].identical(found)
    assert 0.05 < float(found.probability.mean()) < 0.95
    assert len(np.unique(found.probability)) > 4


@pytest.mark.parametrize(
    ("other", "difference"),
    [
        (thermal(5), "axes"),
        (thermal(4, relax=1e-9), "relax"),
        (eqx.tree_at(lambda s: s.device.temperature, thermal(), jax.numpy.asarray(301.0)), "device"),
        (eqx.tree_at(lambda s: s.method.exponent, thermal(), jax.numpy.asarray(1.0)), "method"),
    ],
)
def test_the_folder_of_another_sweep_is_refused(tmp_path, cheap, other, difference):
    run(thermal(), tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(ValueError, match=f"must be that of this sweep, but belongs to another, with a different {difference}"):
        run(other, tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_folders_and_shards_that_are_none_are_refused(tmp_path, cheap):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "precious.txt").write_text("mine")
    with pytest.raises(ValueError, match="must be empty, new, or that of this sweep"):
        run(thermal(), tmp_path / "full")
    with pytest.raises(ValueError, match="must be the folder of a sweep"):
        merged(tmp_path / "full")
    with pytest.raises(ValueError, match="from 1/3 to 3/3, but is 4/3"):
        run(thermal(), tmp_path / "new", (4, 3))
    (tmp_path / "sweep").mkdir()
    run(thermal(), tmp_path / "sweep")
    (tmp_path / "sweep" / "points-2-of-2.nc").write_bytes(b"CDF\x02 and no more")
    with pytest.raises(ValueError, match="must hold points of a sweep, but cannot be read"):
        merged(tmp_path / "sweep")


@pytest.mark.parametrize(
    ("axes", "options", "sentence"),
    [
        ((Axis("current", np.ones(2)), Axis("current", np.ones(2))), {}, "can be swept once only"),
        ((Axis("current", np.ones(2)),), {"width": None}, "the width is missing"),
        ((Axis("colour", np.ones(2)),), {"current": 1.0}, "no quantity of the device is called 'colour'"),
        ((axis("temperature=300,-1"),), {"current": 1.0}, "`temperature` of Device must be finite and at least 0"),
        ((axis("width=1e-9,-1e-9"),), {"current": 1.0, "width": None}, "`width` of Pulse must be"),
        ((axis("width=1e-9,2e-9"),), {"current": 1.0, "width": None, "relax": -1.0}, "`relax` of Sweep .* but is -1.0 s"),
    ],
)
def test_sweeps_that_make_no_sense_are_refused_before_anything_is_worked_out(axes, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        Sweep(mtj.presets.perpendicular_stt(), axes, ThermalActivation(), **{"width": 1e-9, **options})


def test_without_xarray_nothing_is_worked_out_or_written(tmp_path, cheap, monkeypatch):
    monkeypatch.setitem(sys.modules, "xarray", None)
    doors = (lambda folder: run(thermal(), folder), answers, merged, write_merged)
    for door in doors:
        with pytest.raises(ImportError, match=r"A sweep needs xarray, which is missing: pip install 'mtjax\[sweep\]'"):
            door(tmp_path / "out")
    assert not cheap
    assert not (tmp_path / "out").exists()


def test_a_whole_sweep_is_compiled_once(tmp_path, monkeypatch):
    """Pulses and devices are data: other currents, widths, temperatures and barriers need no other program."""
    from mtjax.dynamics import Ensemble

    traced, compute = [], Ensemble.outcomes
    monkeypatch.setattr(Ensemble, "outcomes", lambda *args: traced.append(0) or compute(*args))
    axes = (axis("current=5e-5,9e-5"), axis("width=1e-10,3e-10"), axis("temperature=300,350"), axis("Bk=0.1,0.2"))
    sweep = Sweep(mtj.presets.perpendicular_sot(), axes, mtj.MonteCarlo(17, jax.random.key(0), dt=1e-11), relax=1e-10)
    run(sweep, tmp_path)
    assert len(answers(tmp_path)) == 16
    assert len(traced) == 1


@pytest.mark.slow
def test_a_point_without_an_answer_is_nan_with_its_reason(tmp_path):
    """l_max 6 is too coarse for a barrier of 60 kT."""
    method = mtj.FokkerPlanck(lmax=6)
    run(Sweep(mtj.presets.perpendicular_stt(), (axis("current=3e-5"),), method, width=2e-9), tmp_path)
    found = merged(tmp_path)
    assert np.isnan(found.probability.values).all()
    assert "does not reach tolerance" in json.loads(found.attrs["without_answer"])["0"]


@pytest.mark.parametrize(
    ("text", "values"),
    [("a=1:2:3", [1, 1.5, 2]), ("a=1:100:3:log", [1, 10, 100]), ("a=5", [5]), ("a=1e-9,2e-9", [1e-9, 2e-9])],
)
def test_axes_are_spelled_in_three_ways(text, values):
    np.testing.assert_allclose(axis(text).values, values, rtol=1e-12)


@pytest.mark.parametrize("text", ["a=1:2", "a=1:2:3:4:5", "a=", "a=1:2:x", "a=1:2:0", "a=nan", "a"])
def test_axes_that_are_none_are_refused(text):
    with pytest.raises(ValueError, match="must be|expected"):
        axis(text)
