"""The names by which classes stand in files."""

from __future__ import annotations

import functools
import importlib
import pkgutil
import sys
from collections.abc import Iterator
from typing import Any, TypeVar

import equinox as eqx

Class = TypeVar("Class", bound=type)
_PACKAGES = ("pulses", "devices", "dynamics", "switching", "resonance", "fitting", "sweeps", "nn")
"""Those whose classes are saved, in the order in which they are looked through."""
_REGISTERED: dict[str, type] = {}


def register(cls: Class) -> Class:
    """Let a class of your own be saved in files, and read again, by its name; also a decorator.

    Raises `ValueError` where it is no module, or has the name of one of mtjax's.

    >>> import equinox as eqx
    >>> import mtjax as mtj
    >>> @mtj.files.register
    ... class Note(eqx.Module):
    ...     text: str
    >>> mtj.files.decode(mtj.files.encode(Note("measured in May"))).text
    'measured in May'
    """
    _REGISTERED[name_of(cls)] = cls
    return cls


def name_of(cls: Any) -> str:
    """The name of a class in files; raises `ValueError` where it is no module, or has the name of one of mtjax's.

    >>> import mtjax as mtj
    >>> mtj.files.name_of(mtj.SpinOrbitTorque)
    'SpinOrbitTorque'
    """
    if not _is_module(cls):
        raise ValueError(f"A class that is saved must be an equinox.Module, but is {cls!r}.")
    if not _is_own(cls.__module__) and _own(cls.__name__) is not None:
        raise ValueError(f"A class of your own must have a name that mtjax does not use, but is called {cls.__name__!r}.")
    return cls.__name__


def class_of(name: str, classes: tuple[type, ...] = ()) -> type:
    """The class of a name in a file: one of `classes`, a registered one, or one of mtjax's; `ValueError` for others."""
    given = {cls.__name__: cls for cls in classes}
    found = given.get(name) or _REGISTERED.get(name) or _own(name)
    if found is None:
        raise ValueError(
            f"A saved class must be one of mtjax's own, but is {name!r}: if it is yours, decorate it with "
            "mtjax.files.register, or hand it to `load` as `classes`."
        )
    return found


@functools.cache
def _own(name: str) -> type | None:
    """The class of mtjax that has this name; packages are imported until it is found."""
    if not name.isidentifier():
        return None
    for package in _PACKAGES:
        for module in _modules(f"mtjax.{package}"):
            found = vars(module).get(name)
            if _is_module(found) and _is_own(found.__module__):
                return found
    return None


def _modules(package: str) -> Iterator[Any]:
    parent = importlib.import_module(package)
    yield parent
    for found in pkgutil.walk_packages(parent.__path__, f"{package}."):
        yield sys.modules.get(found.name) or importlib.import_module(found.name)


def _is_own(module: str) -> bool:
    return module.split(".")[0] == "mtjax"


def _is_module(cls: Any) -> bool:
    return isinstance(cls, type) and issubclass(cls, eqx.Module)
