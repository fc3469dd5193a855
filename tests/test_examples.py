"""Every public name has an example in its docstring, and the examples print what they say (`tests/examples`: of some packages)."""

import importlib

import pytest
from printed import MODULES, PACKAGES, modules_of, prints_as_it_says

ELSEWHERE = {name for package in PACKAGES for name in modules_of(package)}
FACES = [name for name in MODULES if name.count(".") == 1 and hasattr(importlib.import_module(name), "__all__")]


@pytest.mark.parametrize("name", [name for name in MODULES if name not in ELSEWHERE])
def test_examples_run_as_printed(name):
    assert prints_as_it_says(name)


@pytest.mark.parametrize("name", FACES)
def test_every_public_name_has_one(name):
    face = importlib.import_module(name)
    things = {word: getattr(face, word) for word in face.__all__}
    own = {
        word: thing
        for word, thing in things.items()
        if getattr(thing, "__module__", "").startswith("mtjax") and callable(thing)
    }
    assert not [word for word, thing in own.items() if ">>>" not in (thing.__doc__ or "")]
