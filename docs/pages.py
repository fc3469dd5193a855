"""Pages of the site: the README as its front, one page of reference for each part of the package.

pip install -e '.[docs]' && mkdocs build -f .mkdocs.yml      # written to .site/
"""

import re
from pathlib import Path

from mkdocs.structure.files import File

ROOT = Path(__file__).parents[1]
PARTS = {
    "devices": "device layer fields torques shapes pulses protocols heating saturation grains film presets resistance",
    "simulation": "devices distributed simulate solvers llg noise equilibrium grid settling readout",
    "switching": "switching methods monte_carlo score fokker_planck density truncation generator harmonics legendre propagate "
    "spectrum rates wells passage hazard hazard_table",
    "closed-forms": "analytic laws",
    "fitting": "data fitting model estimates parameters priors likelihood lapses search guess coordinates stochastic maximum "
    "surface loops intervals telegraph tables store",
    "judging-fits": "criticism identifiability comparison profiles posterior design report demo",
    "networks": "nn",
    "sweeps": "sweeps sweep_files",
    "tools": "plot plot_simulations plot_networks catalogue cpu constants types sphere",
    "command-line": "cli cli_simulate cli_sweep cli_presets cli_fit cli_loops cli_design cli_demo cli_train cli_options "
    "cli_output",
}
"""Modules of every page. A module that stands nowhere stops the build."""


def on_files(files, config):
    """Add the generated pages."""
    files.append(File.generated(config, "index.md", content=front()))
    for name, modules in listed().items():
        files.append(File.generated(config, f"reference/{name}.md", content=reference(name, modules)))
    return files


def on_config(config):
    """The order of pages."""
    notebooks = sorted((ROOT / "notebooks").glob("*.ipynb"))
    config.nav = [
        {"mtjax": "index.md"},
        {"Notebooks": [f"notebooks/{path.name}" for path in notebooks]},
        {"Reference": [{title(name): f"reference/{name}.md"} for name in PARTS]},
    ]
    return config


def listed() -> dict[str, list[str]]:
    """Modules of every page, those of `nn` one by one. Raises `ValueError` where one has no page."""
    package = ROOT / "mtjax"
    pages = {name: words.split() for name, words in PARTS.items()}
    found = {path.stem for path in package.glob("*.py")} - {"__init__"}
    lost = found.symmetric_difference({module for modules in pages.values() for module in modules} - {"nn"})
    if lost:
        raise ValueError(f"Every module must stand on one page of docs/pages.py, and be there: look at {sorted(lost)}.")
    pages["networks"] = [f"nn.{path.stem}" for path in sorted((package / "nn").glob("*.py")) if path.stem != "__init__"]
    return pages


def front() -> str:
    """The README, its links taken from the top of the repository to the site."""
    text = (ROOT / "README.md").read_text()
    return re.sub(r"\]\(docs/", "](", re.sub(r"\]\((scripts|tests)/[^)]*\)", "]", text))


def reference(name: str, modules: list[str]) -> str:
    """A page that shows the docstrings of `modules`."""
    return f"# {title(name)}\n\n" + "\n".join(
        f"## `mtjax.{m}`\n\n::: mtjax.{m}\n    options: {{heading_level: 3}}\n" for m in modules
    )


def title(name: str) -> str:
    """Heading of a page."""
    return name.replace("-", " ").capitalize()
