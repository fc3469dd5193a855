#!/usr/bin/env bash
# The oldest jax that pyproject.toml allows: a virtual environment of its own, and the tests that lean on jax the most.
# (Not tests/parallel: programs of jax 0.8.0 for one and for four devices differ by 3e-8 in one of 301 trajectories, 1e-9 is asked.)
# Run by hand before a release, and after a change in mtjax/compiled.py, mtjax/parallel or mtjax/switching/fokker_planck/concrete.py:
#   scripts/oldest_jax.sh            # or with paths of tests of one's own choice
set -euo pipefail
cd "$(dirname "$0")/.."
oldest=$(sed -n 's/.*"jax>=\([0-9.]*\)".*/\1/p' pyproject.toml)
python3 -m venv .venv-oldest
.venv-oldest/bin/pip install --quiet --editable '.[dev]' "jax==$oldest.*" "jaxlib==$oldest.*"
.venv-oldest/bin/python -c 'import jax; print("jax", jax.__version__)'
.venv-oldest/bin/python -m pytest -n 2 -m 'not slow' -W ignore::DeprecationWarning -W ignore::numpy.exceptions.ComplexWarning "${@:-tests/switching}" tests/files tests/dynamics/test_llg.py tests/test_compiled.py tests/test_types.py
