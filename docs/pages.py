"""Pages of the site: those in this folder, the README as its front, one page of reference for each package's public names.

pip install -e '.[docs]' && mkdocs build -f .mkdocs.yml      # written to .site/
"""

import ast
import re
from pathlib import Path

from mkdocs.structure.files import File

ROOT = Path(__file__).parents[1]
GUIDES = "switching files fitting signals heat networks spiking coupled circuits pbits own_device cores".split()  # noqa: SIM905
FILES = ("presets", "analytic", "vector", "constants", "quantities", "compiled")
PACKAGES = (  # noqa: SIM905
    "pulses devices dynamics switching resonance fitting sweeps nn circuit pbits plot parallel files"
).split()
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
        {"Start": "start.md"},
        {"Guides": [f"guides/{name}.md" for name in GUIDES]},
        {"Gallery": ["gallery.md", *(f"notebooks/{path.name}" for path in notebooks)]},
        {"Physics and conventions": "physics.md"},
        {"Measurements": "measurements.md"},
        {"How to add": "adding.md"},
        {"Reference": [{f"mtjax.{name}": f"reference/{name}.md"} for name in (*PACKAGES, *FILES)]},
    ]
    return config


def on_page_markdown(markdown, **_):
    """Links to notebooks, which lie beside `docs` in the repository, in `docs` on the site; to files without a page, none."""
    markdown = re.sub(r"\]\(((?:\.\./)*)\.\./notebooks/", r"](\1notebooks/", markdown)
    return re.sub(r"\[([^]]*)\]\((?:\.\./)*CONTRIBUTING\.md\)", r"\1", markdown)


def front() -> str:
    """The README, its links taken from the top of the repository to the site."""
    return re.sub(r"\]\(docs/", "](", (ROOT / "README.md").read_text())


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
