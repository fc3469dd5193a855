"""Annotations are checked while the tests run, also in modules that are imported late."""

import importlib

import jax.numpy as jnp
import pytest
from jaxtyping import TypeCheckError


@pytest.mark.parametrize(
    ("module", "call"),
    [
        ("mtjax.vector", lambda m: m.turn(jnp.zeros(2), jnp.zeros(3), 0.1)),
        ("mtjax.pulses", lambda m: m.integral("1 mA", jnp.square)),
        ("mtjax.devices", lambda m: m.FreeLayer(1e-9, 1e6, 0.1)),
        ("mtjax.switching", lambda m: m.least_resolved(1e-3, 100.0)),
    ],
)
def test_what_does_not_fit_its_annotation_is_refused(module, call):
    with pytest.raises(TypeCheckError):
        call(importlib.import_module(module))
