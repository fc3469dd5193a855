"""What a user can reach is documented: every field and argument by its name, every quantity with its unit."""

import dataclasses
import importlib
import inspect
import pkgutil
import re

import equinox as eqx
import pytest

import mtjax as mtj

MODULES = [m.name for m in pkgutil.walk_packages(mtj.__path__, "mtjax.") if not m.name.startswith(("mtjax.cli", "mtjax.plot"))]
FACE = [thing for face in (mtj, mtj.nn) for name, thing in vars(face).items() if inspect.isfunction(thing)]


def public_classes():
    for name in MODULES:
        module = importlib.import_module(name)
        for thing in vars(module).values():
            own = inspect.isclass(thing) and thing.__module__ == name and not thing.__name__.startswith("_")
            if own and issubclass(thing, eqx.Module):
                yield thing


@pytest.mark.parametrize("kind", list(public_classes()), ids=lambda kind: f"{kind.__module__}.{kind.__name__}")
def test_every_field_is_documented_with_its_unit(kind):
    text = kind.__doc__ or ""
    for field in dataclasses.fields(kind):
        if field.name.startswith("_") or not field.init:
            continue
        assert f"`{field.name}`" in text, f"{kind.__name__} does not say what `{field.name}` is"
        unit = field.metadata.get("unit", "")
        assert not unit or re.search(rf"(?<!\w){re.escape(unit)}(?!\w)", text), f"`{field.name}` lacks its unit, {unit}"


@pytest.mark.parametrize("thing", [f for f in FACE if f.__module__.startswith("mtjax")], ids=lambda f: f.__name__)
def test_every_argument_is_documented(thing):
    text = thing.__doc__ or ""
    for name in inspect.signature(thing).parameters:
        assert re.search(rf"`{name}[`=]", text), f"{thing.__name__} does not say what `{name}` is"
