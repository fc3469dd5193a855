"""Ranges of numbers, and packages of extras: what is refused, in which words, and when."""

import sys

import jax
import numpy as np
import pytest

from mtjax.quantities import need, require

PACKAGES = {
    "matplotlib": ("matplotlib", "plot"),
    "numpyro": ("numpyro", "fit"),
    "python_calamine": ("python-calamine", "excel"),
    "sklearn": ("scikit-learn", "nn"),
    "xarray": ("xarray", "sweep"),
}


@pytest.mark.parametrize(
    ("value", "rule", "sentence"),
    [
        (-0.2, {"least": 0.0, "most": 1.0}, "`x` must be between 0 and 1, but is -0.2."),
        (3.0, {"least": 0.0, "most": 1.0, "unit": "A"}, "`x` must be between 0 and 1, but is 3.0 A."),
        (float("nan"), {}, "`x` must be finite, but is nan."),
        (float("inf"), {"least": 0.0}, "`x` must be finite and at least 0, but is inf."),
        (0, {"positive": True, "unit": "s"}, "`x` must be finite and positive, but is 0 s."),
        (2.0, {"positive": True, "most": 1.0}, "`x` must be positive and at most 1, but is 2.0."),
        ([1.0, np.nan], {}, "`x` must be finite, but is [ 1. nan]."),
    ],
)
def test_numbers_out_of_range_are_named_with_their_rule(value, rule, sentence):
    with pytest.raises(ValueError, match="`x`") as error:
        require({"x": value}, "x", **rule)
    assert str(error.value) == sentence


def test_ends_of_a_range_belong_to_it_and_unknown_numbers_pass():
    require({"x": 0.0, "y": 1.0, "z": None}, "x y z", least=0.0, most=1.0)

    @jax.jit
    def inside(x):
        require({"x": x}, "x", least=0.0)
        return x

    assert inside(-1.0) == -1.0


@pytest.mark.parametrize("module", PACKAGES)
def test_a_missing_package_is_told_with_the_command_that_installs_it(module, monkeypatch):
    need(module, "This")
    monkeypatch.setitem(sys.modules, module, None)
    package, extra = PACKAGES[module]
    with pytest.raises(ImportError) as error:
        need(module, "This")
    assert str(error.value) == f"This needs {package}, which is missing: pip install 'mtjax[{extra}]'."
