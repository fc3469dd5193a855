"""kill -9 in the middle of a fit and of a training run: what is written stays valid, the rerun gives the same numbers."""

import dataclasses
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import numpy as np
import pytest
from killed import fitted, trained

from mtjax.files import fingerprint
from mtjax.fitting.counts import least_deviance
from mtjax.fitting.counts.model import SwitchingModel

PROGRAM = Path(__file__).parents[1] / "killed.py"


def kill(what, path, number) -> None:
    ended = subprocess.run([sys.executable, str(PROGRAM), what, str(path), str(number)], capture_output=True, text=True)  # noqa: PLW1510
    assert ended.returncode == -signal.SIGKILL, ended.stderr


@pytest.fixture(scope="module")
def undisturbed():
    return fitted()


@pytest.mark.slow
@pytest.mark.parametrize("number", [3, 9])
def test_a_fit_that_is_killed_ends_with_the_numbers_of_an_undisturbed_one(tmp_path, undisturbed, monkeypatch, number):
    path = tmp_path / "search.json"
    kill("fit", path, number)
    kept = json.loads(path.read_text())["starts"]
    assert sum("best" in stage for stage in kept.values()) <= 1
    steps = []
    monkeypatch.setattr(least_deviance, "_after_step", lambda *args, f=least_deviance._after_step: steps.append(0) or f(*args))
    found = fitted(path)
    resumed = len(steps)
    np.testing.assert_array_equal(found.at, undisturbed.at)
    np.testing.assert_array_equal(found.covariance, undisturbed.covariance)
    assert found.deviance == undisturbed.deviance
    steps.clear()
    fitted(tmp_path / "other.json")
    assert resumed == len(steps) - (number - 1 - sum("converged" in stage for stage in kept.values()))
    assert {p.name for p in tmp_path.iterdir()} == {"search.json", "other.json"}


@pytest.mark.slow
def test_a_training_that_is_killed_ends_with_the_numbers_of_an_undisturbed_one(tmp_path):
    path = tmp_path / "network.ckpt"
    kill("train", path, 3)
    with path.open("rb") as file:
        assert len(json.loads(file.readline())["history"]) == 2
    whole, resumed = trained(), trained(path)
    for a, b in zip(*(jax.tree.leaves(eqx.filter(t.network, eqx.is_array)) for t in (whole, resumed)), strict=True):
        np.testing.assert_array_equal(a, b)
    assert [loss for loss, _ in whole.history] == [loss for loss, _ in resumed.history]
    assert {p.name for p in tmp_path.iterdir()} == {"network.ckpt"}


@pytest.mark.slow
def test_a_finer_equation_is_another_problem(undisturbed):
    """What was found with a coarse truncation must not be taken for the answer of a finer one."""
    model: SwitchingModel = undisturbed.model
    method: Any = model.method
    plan = method.plan
    finer = dataclasses.replace(model, method=dataclasses.replace(method, plan=plan.truncated(2 * plan.lmax, plan.mmax)))
    assert fingerprint(finer) != fingerprint(model)
    assert fingerprint(dataclasses.replace(model)) == fingerprint(model)
