"""The words hold: blocks of Python run as printed, commands have the options that are named, names and files exist."""

import functools
import re
import shlex
from pathlib import Path

import pytest

import mtjax as mtj
from mtjax.cli import main

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def blocks(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(), re.S | re.M)


@pytest.mark.parametrize("page", [p for p in PAGES if blocks(p, "python")], ids=lambda page: str(page.relative_to(ROOT)))
def test_python_runs_as_printed(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    namespace = {}
    for block in blocks(page, "python"):
        exec(compile(block, page.name, "exec"), namespace)


@pages
def test_commands_have_these_options(page, monkeypatch):
    """Every line that begins with mtjax is parsed, but nothing is done."""
    called = []
    for name, command in main.COMMANDS.items():
        monkeypatch.setitem(main.COMMANDS, name, functools.wraps(command)(lambda *_, name=name, **__: called.append(name)))
    text = "\n".join(blocks(page, "bash")).replace("\\\n", "")
    lines = [line for line in text.splitlines() if line.startswith("mtjax ") and "--help" not in line]
    for line in lines:
        assert main.main(shlex.split(line, comments=True)[1:]) == 0, line
    assert len(called) == len(lines)


@pages
def test_what_is_named_exists(page):
    text = page.read_text()
    for name in re.findall(r"(?<![\w.])(mtj(?:\.\w+)+|nn\.\w+)", text):
        functools.reduce(getattr, name.removeprefix("mtj.").split("."), mtj)
    for path in re.findall(r"(?<![\w/])((?:scripts|tests|mtjax|docs)/[\w/.*]+\.\w+)", text):
        assert list(ROOT.glob(path)), path
    for link in re.findall(r"\]\(((?!https?:|#)[^)#]+)", text):
        assert (page.parent / link).exists(), link


def test_the_table_of_additions_names_all_that_a_subclass_must_say():
    rows = re.findall(r"^\|[^|]*\| `(mtj[\w.]*\.Abstract\w+)`[^|]*\|([^|]*)\|", (ROOT / "docs/adding.md").read_text(), re.M)
    assert len(rows) >= 14
    for name, said in rows:
        wanted = functools.reduce(getattr, name.split(".")[1:], mtj).__abstractmethods__
        assert wanted <= set(re.findall(r"`(\w+)", said)), name
