"""Runs the examples of docstrings."""

import doctest
import importlib
import pkgutil

import mtjax as mtj

PACKAGES = ("circuit", "devices", "dynamics", "fitting", "nn", "pbits", "resonance", "switching")
"""With a file of tests each, so that processes share the work."""
MODULES = [m.name for m in pkgutil.walk_packages(mtj.__path__, "mtjax.") if not m.name.startswith("mtjax.cli")]


def modules_of(package):
    """Names of its modules."""
    return [name for name in MODULES if f"{name}.".startswith(f"mtjax.{package}.")]


def prints_as_it_says(name):
    failed, _ = doctest.testmod(importlib.import_module(name))
    return failed == 0
