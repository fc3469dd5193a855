"""Devices, methods and fits as JSON, and back."""

from __future__ import annotations

import dataclasses
from typing import Any, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from mtjax.files.classes import class_of, name_of
from mtjax.files.first_release import upgraded

Part = TypeVar("Part", bound=eqx.Module)


def encode(x: Any) -> Any:
    """Modules, arrays, tuples and numbers as something that `json` can write, with all digits; classes by their names.

    >>> import mtjax as mtj
    >>> mtj.files.encode(mtj.AnomalousHall(R_AHE=1.0))["class"]
    'AnomalousHall'
    >>> mtj.files.encode((1, "P", None))
    [1, 'P', None]
    """
    if isinstance(x, eqx.Module):
        fields = {f.name: encode(getattr(x, f.name)) for f in dataclasses.fields(x)}
        return {"class": name_of(type(x)), **fields}
    if isinstance(x, jax.Array) and jnp.issubdtype(x.dtype, jax.dtypes.prng_key):
        return {"key": np.asarray(jax.random.key_data(x)).tolist(), "impl": str(jax.random.key_impl(x))}
    if isinstance(x, jax.Array | np.ndarray | np.generic):
        return {"array": np.asarray(x).tolist(), "dtype": str(x.dtype), "kind": type(x).__module__.split(".")[0]}
    if isinstance(x, tuple | list):
        return [encode(item) for item in x]
    if x is None or isinstance(x, str | bool | int | float):
        return x
    raise ValueError(f"Only modules, arrays and plain values can be saved, but not {type(x).__name__}.")


def decode(x: Any, classes: tuple[type, ...] = ()) -> Any:
    """The opposite of `encode`; lists become tuples. What the first release wrote is read too.

    `classes`: of your own, that are neither mtjax's nor registered. Raises `ValueError` for others, and for what `encode` does
    not give.

    >>> import json
    >>> import mtjax as mtj
    >>> text = json.dumps(mtj.files.encode(mtj.presets.perpendicular_stt(40.0)))
    >>> print(f"delta {mtj.files.decode(json.loads(text)).delta:.1f}")
    delta 40.0
    """
    try:
        return _decoded(x, classes)
    except (TypeError, AttributeError, LookupError) as error:
        raise ValueError(f"What is read must be as mtjax saved it, but is not: {error}.") from None


def _decoded(x: Any, classes: tuple[type, ...]) -> Any:
    if isinstance(x, list):
        return tuple(decode(item, classes) for item in x)
    if not isinstance(x, dict):
        return x
    if "class" in x:  # whose fields may have any name
        x = upgraded(x, lambda part: decode(part, classes))
        cls: Any = class_of(x["class"], classes)
        return cls(**{f.name: decode(x[f.name], classes) for f in dataclasses.fields(cls) if f.init and f.name in x})
    if "key" in x:  # of the first release without `impl`
        return jax.random.wrap_key_data(jnp.asarray(x["key"], jnp.uint32), impl=x.get("impl", "threefry2x32"))
    array = np.asarray(x["array"], x["dtype"])
    return array if x["kind"] == "numpy" else jnp.asarray(array)


def rebuilt(module: Part) -> Part:
    """The same module put together anew, so that every part of it checks its numbers.

    >>> import equinox as eqx
    >>> import mtjax as mtj
    >>> device = eqx.tree_at(lambda d: d.temperature, mtj.presets.perpendicular_stt(40.0), -1.0)  # passes no check
    >>> mtj.files.rebuilt(device)
    Traceback (most recent call last):
        ...
    ValueError: `temperature` of Device must be finite and at least 0, but is -1.0.
    """
    return decode(encode(module), classes_in(module))


def classes_in(x: Any) -> tuple[type, ...]:
    """The classes of a module and of its parts, as `decode` takes them.

    >>> import mtjax as mtj
    >>> device = mtj.presets.perpendicular_stt(40.0)
    >>> [cls.__name__ for cls in mtj.files.classes_in(device.terms)]
    ['UniaxialAnisotropy', 'SpinTransferTorque']
    """
    if isinstance(x, tuple | list):
        return tuple(cls for item in x for cls in classes_in(item))
    if not isinstance(x, eqx.Module):
        return ()
    inner = tuple(cls for f in dataclasses.fields(x) for cls in classes_in(getattr(x, f.name)))
    return (type(x), *inner)
