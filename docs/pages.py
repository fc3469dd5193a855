"""Pages of the site: the README as its front, one page of reference for each package, of its public names only.

pip install -e '.[docs]' && mkdocs build -f .mkdocs.yml      # written to .site/
"""

import ast
import re
from pathlib import Path

from mkdocs.structure.files import File

ROOT = Path(__file__).parents[1]
FILES = ("presets", "analytic", "vector", "constants")
PACKAGES = ("pulses", "devices", "dynamics", "switching", "fitting", "sweeps", "nn", "plot", "parallel", "files")
"""Every page of the reference shows what one of these offers: the names in `__all__` of a package, all of a file."""


def on_files(files, config):
    """Add the generated pages."""
    files.append(File.generated(config, "index.md", content=front()))
    for name in (*PACKAGES, *FILES):
        files.append(File.generated(config, f"reference/{name}.md", content=reference(name)))
    return files


def on_config(config):
    """The order of pages."""
    notebooks = sorted((ROOT / "notebooks").glob("*.ipynb"))
    config.nav = [
        {"mtjax": "index.md"},
        {"Notebooks": [f"notebooks/{path.name}" for path in notebooks]},
        {"Reference": [{f"mtjax.{name}": f"reference/{name}.md"} for name in (*PACKAGES, *FILES)]},
    ]
    return config


def front() -> str:
    """The README, its links taken from the top of the repository to the site."""
    text = (ROOT / "README.md").read_text()
    return re.sub(r"\]\(docs/", "](", re.sub(r"\]\((scripts|tests)/[^)]*\)", "]", text))


def reference(name: str) -> str:
    """A page that shows the public names of a package, or a whole file."""
    if name in FILES:
        return f"# mtjax.{name}\n\n::: mtjax.{name}\n"
    tree = ast.parse((ROOT / "mtjax" / name / "__init__.py").read_text())
    listed = next(
        node.value for node in tree.body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    )
    modules = {path.stem for path in (ROOT / "mtjax" / name).rglob("*.py")}
    names = [word for word in ast.literal_eval(listed) if word not in modules]
    shown = "\n".join(f"## {word}\n\n::: mtjax.{name}.{word}\n    options: {{heading_level: 3}}\n" for word in names)
    return f"# mtjax.{name}\n\n{ast.get_docstring(tree)}\n\n{shown}"
