"""The house: packages import earlier ones, through their faces; every name means one thing; only jax's public parts are used."""

import ast
import graphlib
import importlib
import pkgutil
from collections import Counter
from pathlib import Path

import pytest

import mtjax

ROOT = Path(mtjax.__file__).parent
ORDER = (  # noqa: SIM905
    "compiled constants numerics progress quantities checks vector printing parallel files pulses devices analytic presets dynamics switching "
    "resonance fitting sweeps nn circuit pbits plot cli"
).split()
FILES = {".".join(("mtjax", *path.relative_to(ROOT).with_suffix("").parts)): path for path in ROOT.rglob("*.py")}
TREES = {name.removesuffix(".__init__"): ast.parse(path.read_text()) for name, path in FILES.items()}


def imports_of(name):
    """The modules of the package that a module imports, as they are spelled."""
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "mtjax":
            whole = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from [target if target in TREES else node.module for target in whole]


@pytest.mark.parametrize("name", [name for name in TREES if name != "mtjax"])
def test_packages_import_earlier_ones_through_their_faces(name):
    own = name.split(".")[1]
    for target in imports_of(name):
        _, other, *deeper = (*target.split("."), "")[:3] if target != "mtjax" else ("", own, "")
        if other != own:
            assert ORDER.index(other) < ORDER.index(own), f"{name} imports {target}"
            assert deeper == [""], f"{name} reaches into {target}"


def test_there_is_no_circle():
    inside = {name: {t for t in imports_of(name) if t != name and t != "mtjax"} for name in TREES}
    faces = {name for name, path in FILES.items() if path.name == "__init__.py"}
    parents = {face.removesuffix(".__init__") for face in faces}
    graph = {name: {t for t in targets if not (t in parents and name.startswith(f"{t}."))} for name, targets in inside.items()}
    tuple(graphlib.TopologicalSorter(graph).static_order())


def test_no_class_has_the_name_of_another():
    names = Counter(node.name for tree in TREES.values() for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
    assert not [name for name, times in names.items() if times > 1]


def test_importing_a_module_yields_that_module():
    for found in pkgutil.walk_packages(mtjax.__path__, "mtjax."):
        parent, _, leaf = found.name.rpartition(".")
        module = importlib.import_module(found.name)
        assert getattr(importlib.import_module(parent), leaf) is module, (
            f"{found.name} is hidden by a name of the same spelling"
        )


def test_at_most_twelve_files_lie_at_the_door():
    assert len(list(ROOT.glob("*.py"))) <= 12


def test_only_public_parts_of_jax_are_used():
    """`ensure_compile_time_eval` around compiled functions mixes up their constants under jax 0.10.2."""
    for path in ROOT.rglob("*.py"):
        for word in ("jax.core", "jax._src", ".primal", ".val", "batch_dim", "ensure_compile_time_eval"):
            assert word not in path.read_text().replace(".value", "").replace(".values", ""), f"{path}: {word}"


def test_only_pictures_import_matplotlib():
    for name, tree in TREES.items():
        imported = {n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
        imported |= {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
        assert name.startswith("mtjax.plot") or not any(m.startswith("matplotlib") for m in imported), name
