"""Files that the first release wrote are read, with the numbers that it had."""

import json
import shutil
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import mtjax as mtj
from mtjax import nn
from mtjax.files import decode, encode, load_checkpoint
from mtjax.sweeps import merged, run
from mtjax.switching import ThermalActivation

FILES = Path(__file__).parent / "first_release"


@pytest.fixture(scope="module")
def methods():
    return {name: decode(x) for name, x in json.loads((FILES / "methods.json").read_text()).items()}


def test_a_fit_with_back_hopping_by_fokker_planck(tmp_path):
    fit = mtj.Fit.load(FILES / "fit.json")
    assert fit.estimates["BackHopping.probability"].value == pytest.approx(0.1989, abs=1e-4)
    assert float(fit.likelihood(jnp.asarray(fit.at))) == pytest.approx(-0.010231955303369867, rel=1e-8)
    fit.save(tmp_path / "fit.json")
    written = json.loads((tmp_path / "fit.json").read_text())
    assert written["format"] == "mtjax fit 3"
    names = [target["name"] for target in written["all"]["model"]["targets"]]
    assert names == ["Bk", "BackHopping.probability", "BackHopping.end", "BackHopping.spread"]
    assert "mtjax." not in json.dumps(written["all"])


def test_options_of_fokker_planck_are_split_into_options_and_plan(methods):
    assert methods["open"] == mtj.FokkerPlanck(lmax=24, tolerance=1e-4)
    planned = methods["planned"]
    assert (planned.relative, planned.lmax, planned.plan.axisymmetric, planned.plan.degree) == (False, None, True, 2)
    assert planned.plan.lmax > 0


def test_renamed_classes_and_keys_without_a_kind(methods):
    assert isinstance(methods["estimate"], mtj.Sampled)
    assert float(methods["estimate"].stderr) == 0.1
    assert jnp.array_equal(jax.random.key_data(methods["key"].key), jax.random.key_data(jax.random.key(7)))


def test_a_sweep_is_read_and_goes_on(tmp_path):
    folder = Path(shutil.copytree(FILES / "sweep", tmp_path / "sweep"))
    found = merged(folder)
    assert found.probability.dims == ("current", "Bk")
    np.testing.assert_allclose(found.complement[0, 0], 3.167e-7, rtol=1e-3)
    current, device = np.array(found.current), mtj.presets.perpendicular_stt(20.0)
    axes = (mtj.Axis("current", current), mtj.Axis("Bk", np.array([0.09, 0.1])))
    width = decode(json.loads((folder / "sweep.json").read_text())["sweep"]).width
    again = mtj.Sweep(device, axes, ThermalActivation(), width=width)
    run(again, folder)
    assert encode(again)["class"] == "Sweep"


def test_a_checkpoint_of_a_network():
    like = nn.mlp((3, 4, 2), nn.sengupta2016_law(), key=jax.random.key(1))
    network, history = load_checkpoint(FILES / "network.ckpt", like)
    assert history == ((0.5, 1.0), (0.25, 0.5))
    assert float(jnp.sum(jax.tree.leaves(network)[0])) == pytest.approx(4.921037235500682, rel=1e-12)
