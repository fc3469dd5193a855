"""Devices, methods and fits as JSON, and back."""

from __future__ import annotations

import dataclasses
import importlib
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np


def encode(x: Any) -> Any:
    """Modules, arrays, tuples and numbers as something that `json` can write, with all digits."""
    if isinstance(x, eqx.Module):
        fields = {f.name: encode(getattr(x, f.name)) for f in dataclasses.fields(x)}
        return {"class": f"{type(x).__module__}:{type(x).__name__}", **fields}
    if isinstance(x, jax.Array) and jnp.issubdtype(x.dtype, jax.dtypes.prng_key):
        return {"key": np.asarray(jax.random.key_data(x)).tolist()}
    if isinstance(x, jax.Array | np.ndarray | np.generic):
        return {"array": np.asarray(x).tolist(), "dtype": str(x.dtype), "kind": type(x).__module__.split(".")[0]}
    if isinstance(x, tuple | list):
        return [encode(item) for item in x]
    if x is None or isinstance(x, str | bool | int | float):
        return x
    raise ValueError(f"Only modules, arrays and plain values can be saved, but not {type(x).__name__}.")


def decode(x: Any) -> Any:
    """The opposite of `encode`; lists become tuples. Raises `ValueError` for classes that are not mtjax's own."""
    if isinstance(x, list):
        return tuple(decode(item) for item in x)
    if not isinstance(x, dict):
        return x
    if "class" in x:  # whose fields may have any name
        cls = _class(x["class"])
        return cls(**{f.name: decode(x[f.name]) for f in dataclasses.fields(cls) if f.init and f.name in x})
    if "key" in x:
        return jax.random.wrap_key_data(jnp.asarray(x["key"], jnp.uint32))
    array = np.asarray(x["array"], x["dtype"])
    return array if x["kind"] == "numpy" else jnp.asarray(array)


def _class(name: str) -> Any:
    module, _, cls = name.partition(":")
    found = getattr(importlib.import_module(module), cls, None) if module.split(".")[0] == "mtjax" else None
    if not (isinstance(found, type) and issubclass(found, eqx.Module)):
        raise ValueError(f"A saved class must be one of mtjax's own, but is {name!r}.")
    return found
