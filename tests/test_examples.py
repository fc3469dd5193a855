"""Every public name has an example in its docstring, and the examples print what they say."""

import doctest
import importlib
import pkgutil

import pytest

import mtjax as mtj

MODULES = [m.name for m in pkgutil.walk_packages(mtj.__path__, "mtjax.") if not m.name.startswith("mtjax.cli")]
FACES = [name for name in MODULES if name.count(".") == 1 and hasattr(importlib.import_module(name), "__all__")]


@pytest.mark.parametrize("name", MODULES)
def test_examples_run_as_printed(name):
    failed, _ = doctest.testmod(importlib.import_module(name))
    assert failed == 0


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
