import jax
import pytest

jax.config.update("jax_enable_x64", True)


@pytest.fixture(params=["float32", "float64"])
def precision(request):
    """Runs a test in both precisions (everything made inside the test has it)."""
    with jax.enable_x64(request.param == "float64"):
        yield request.param
