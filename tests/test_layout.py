"""Imports point downwards only."""

import ast
from pathlib import Path

import mtjax

LAYERS = """
constants types sphere cpu tables distributed
devices
shapes pulses resistance harmonics saturation
layer heating protocols noise
fields
torques
device analytic
settling equilibrium methods generator
llg
solvers score
grid density truncation legendre propagate
simulate spectrum
grains rates hazard_table
film
hazard presets
monte_carlo fokker_planck
switching laws readout
data likelihood priors lapses parameters store
coordinates guess
estimates model
search loops surface
criticism stochastic
fitting maximum
intervals telegraph comparison identifiability profiles posterior design
demo report
plot
cli
"""
RANK = {name: rank for rank, line in enumerate(LAYERS.split("\n")) for name in line.split()}


def imports_of(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == "mtjax":
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("mtjax."):
            yield node.module.split(".")[1]


def test_imports_point_downwards():
    for path in Path(mtjax.__file__).parent.glob("*.py"):
        if path.stem == "__init__":
            continue
        for name in imports_of(path):
            assert RANK[name] <= RANK[path.stem], f"{path.stem} imports {name}"


def test_only_the_command_line_imports_pictures():
    for path in Path(mtjax.__file__).parent.glob("*.py"):
        if path.stem not in {"cli", "plot"}:
            assert "matplotlib" not in path.read_text()
            assert "plot" not in set(imports_of(path))
