import gc
from pathlib import Path

import jax
import pytest

jax.config.update("jax_enable_x64", True)

_MOST_MAPS = 20_000
"""Pieces of memory; XLA takes some for every program, and dies where a process has 65530, Linux's own limit."""


@pytest.fixture(autouse=True, scope="module")
def _few_programs():
    """Forgets compiled programs before there are too many for one process."""
    yield
    maps = Path("/proc/self/maps")
    if maps.exists() and maps.read_text().count("\n") > _MOST_MAPS:
        jax.clear_caches()
        gc.collect()


@pytest.fixture(params=["float32", "float64"])
def precision(request):
    """Runs a test in both precisions (everything made inside the test has it)."""
    with jax.enable_x64(request.param == "float64"):
        yield request.param
