"""Where compiled programs are kept, and what does not compile anew."""

import os
import subprocess
import sys

import pytest

from mtjax.compiled import cache_folder


def test_compiled_programs_are_kept_where_the_user_says(tmp_path, monkeypatch):
    monkeypatch.delenv("MTJAX_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder().parent == tmp_path / "mtjax"
    monkeypatch.setenv("MTJAX_CACHE", str(tmp_path / "mine"))
    assert cache_folder().parent == tmp_path / "mine"
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MTJAX_CACHE", str(tmp_path / "file"))
    assert cache_folder() is None
    monkeypatch.setenv("MTJAX_CACHE", "off")
    assert cache_folder() is None


@pytest.mark.parametrize(
    ("variables", "expected"),
    [({"MTJAX_CACHE": "off"}, "None"), ({"JAX_COMPILATION_CACHE_DIR": "elsewhere"}, "elsewhere"), ({}, "mtjax")],
)
def test_importing_the_package_keeps_compiled_programs(tmp_path, variables, expected):
    own = {key: value for key, value in os.environ.items() if key not in ("MTJAX_CACHE", "JAX_COMPILATION_CACHE_DIR")}
    code = "import mtjax, jax; mtjax.Vector; print(jax.config.jax_compilation_cache_dir)"
    environment = own | {"XDG_CACHE_HOME": str(tmp_path)} | variables
    ended = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert expected in ended.stdout


@pytest.mark.parametrize("arguments", [["--help"], ["fit", "--help"], ["simulate", "toaster"]])
def test_help_and_wrong_options_are_told_without_importing_jax(arguments):
    code = f"import sys; from mtjax.cli import run\ntry: run({arguments})\nexcept SystemExit: pass\nprint('jax' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.endswith("False\n")
