"""What a user can reach is documented: every field and argument by its name, every quantity with its unit."""

import ast
import dataclasses
import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import equinox as eqx
import pytest

import mtjax as mtj

MODULES = [m.name for m in pkgutil.walk_packages(mtj.__path__, "mtjax.") if not m.name.startswith(("mtjax.cli", "mtjax.plot"))]
ROOT = Path(mtj.__file__).parent
DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef
MENTIONED = re.compile(r"`(mtjax(?:\.\w+)+|mtjax/[\w./]+)|\b((?:tests|scripts|docs|notebooks)/[\w./]*\w)")
FACE = [thing for face in (mtj, mtj.nn) for name in face.__all__ if inspect.isfunction(thing := getattr(face, name))]


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


def mentioned():
    """Modules, names and files that docstrings name."""
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            text = (ast.get_docstring(node) or "") if isinstance(node, DOCUMENTED) else ""
            yield from ((str(path.relative_to(ROOT)), name or file) for name, file in MENTIONED.findall(text))


def is_there(name):
    """Whether a file lies there, or a module, class or function has that name."""
    if "/" in name:
        return (ROOT.parent / name).exists()
    try:
        return pkgutil.resolve_name(name) is not None
    except (ImportError, AttributeError):
        return False


def test_what_docstrings_name_is_there():
    found = list(mentioned())
    assert len(found) > 5
    assert not [f"{where}: {name}" for where, name in found if not is_there(name)]


def test_the_page_on_additions_gives_the_order_of_packages():
    from test_layout import ORDER

    page = (ROOT.parent / "docs" / "adding.md").read_text()
    order = re.search(r"through their faces: (.*?) \(", page, re.DOTALL).group(1)
    assert re.findall(r"\w+", order) == ORDER
