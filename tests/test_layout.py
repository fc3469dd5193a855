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
wells hazard_table
rates grains
film
hazard presets
monte_carlo fokker_planck passage
switching laws readout
data likelihood priors lapses parameters store
sweeps
sweep_files
coordinates guess
estimates model
search loops surface
criticism stochastic
fitting maximum
intervals telegraph comparison identifiability profiles posterior design
demo report catalogue nn
plot
plot_simulations plot_networks
cli_options cli_output
cli_sweep
cli_fit cli_loops cli_design cli_demo cli_simulate cli_presets cli_train
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
        if not path.stem.startswith(("cli", "plot")):
            assert "matplotlib" not in path.read_text()
            assert "plot" not in set(imports_of(path))


NETWORKS = """
random laws crossbar datasets checkpoint estimators
distil family
presets neurons synapses plasticity
network
conversion training cost export
cmos
energy
chips joint
"""
RANK_OF_NETWORKS = {name: rank for rank, line in enumerate(NETWORKS.split("\n")) for name in line.split()}


def test_imports_of_networks_point_downwards():
    """Inside `mtjax.nn`; out of it only to what is below reports, pictures and the command line."""
    for path in (Path(mtjax.__file__).parent / "nn").glob("*.py"):
        if path.stem == "__init__":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("mtjax.nn."):
                name = node.module.split(".")[2]
                assert RANK_OF_NETWORKS[name] <= RANK_OF_NETWORKS[path.stem], f"nn/{path.stem} imports {name}"
        assert all(RANK[name] < RANK["report"] for name in imports_of(path) if name != "nn"), path.stem


def test_nothing_below_networks_imports_them():
    for path in Path(mtjax.__file__).parent.glob("*.py"):
        if RANK.get(path.stem, RANK["report"]) < RANK["report"]:
            assert "nn" not in set(imports_of(path)), path.stem


def test_nothing_is_folded_inside_of_compiled_functions():
    """With jax 0.10.2, functions that are compiled under `ensure_compile_time_eval` may be given each other's constants.

    `sengupta2016` at 31 uA then had P_sw = 0.505 instead of 0.003; `jax.core.eval_context` does what is needed.
    """
    for path in Path(mtjax.__file__).parent.rglob("*.py"):
        assert "ensure_compile_time_eval()" not in path.read_text(), path
