"""The scalar quantities inside a device, found by name or by a function, and replaced."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import GetAttrKey, SequenceKey, keystr
from jaxtyping import ArrayLike

from mtjax.checks import checked
from mtjax.devices.device import Device
from mtjax.printing import Shown
from mtjax.quantities import Scalar

Part = TypeVar("Part", bound=eqx.Module)


class Parameter(Shown):
    """One scalar quantity of a device.

    - `name`: the shortest of `Bk`, `UniaxialAnisotropy.Bk`, `terms[0].Bk` that no other quantity of the device has.
    - `unit`: SI.
    - `leaf`: its number among the leaves of the device.
    - `ends`: the least and the largest value that it may have.

    >>> import mtjax as mtj
    >>> mtj.all_parameters(mtj.presets.perpendicular_stt(40.0))[3:5]
    (Parameter(name='Ms', unit='A/m', leaf=3), Parameter(name='alpha', unit='', leaf=4))
    """

    name: str
    unit: str
    leaf: int
    ends: tuple[float, float] = eqx.field(default=(-math.inf, math.inf), repr=False)


@checked
def all_parameters(device: Device) -> tuple[Parameter, ...]:
    """Every scalar quantity of `device`, in the order of the device's printout.

    >>> import mtjax as mtj
    >>> device = mtj.presets.perpendicular_stt(40.0)
    >>> print(*(parameter.name for parameter in mtj.all_parameters(device)))
    length width thickness Ms alpha Bk polarisation asymmetry field_like_ratio temperature write_resistance R_P tmr half_voltage
    """
    paths = [(i, path) for i, (path, x) in enumerate(_leaves(device)) if jnp.ndim(x) == 0]
    spelled = [(*_names(device, path), i, _ends(device, path)) for i, path in paths]
    taken = [name for *names, _, _, _ in spelled for name in set(names)]
    return tuple(
        Parameter(next((name for name in names if taken.count(name) == 1), names[-1]), unit, i, ends)
        for *names, unit, i, ends in spelled
    )


@checked
def by_names(device: Device, names: Iterable[str]) -> tuple[Parameter, ...]:
    """The quantities called `names`; raises `ValueError` where a name fits none or several, and lists them, or comes twice.

    >>> import mtjax as mtj
    >>> device = mtj.presets.perpendicular_stt(40.0)
    >>> print([f"{p.name} in {p.unit}" for p in mtj.devices.by_names(device, ("Bk", "FreeLayer.Ms"))])
    ['Bk in T', 'Ms in A/m']
    """
    spelled = {p.leaf: _names(device, path)[:-1] for p in all_parameters(device) for path in [_leaves(device)[p.leaf][0]]}
    parameters = {p.leaf: p for p in all_parameters(device)}
    found = [_one(name, spelled, parameters) for name in names]
    for leaf in found:
        if found.count(leaf) > 1:
            raise ValueError(
                f"Every quantity must be named once, but {parameters[leaf].name!r} is named {found.count(leaf)} times."
            )
    return tuple(parameters[leaf] for leaf in found)


@checked
def leaf_called(device: Device, name: str, value: ArrayLike | list[float]) -> int:
    """The number of the leaf of a quantity, vectors too, that is called `name` and is as long as `value`.

    Raises `ValueError` where a name fits none, or more than one, and lists them, and where the value has another shape.

    >>> import mtjax as mtj
    >>> device = mtj.presets.perpendicular_sot()
    >>> leaf = mtj.devices.leaf_called(device, "AppliedField.B", [0.05, 0.0, 0.0])
    >>> print(mtj.devices.replaced(device, [leaf], [[0.05, 0.0, 0.0]])[mtj.AppliedField])
    AppliedField(B=[0.05, 0, 0] T)
    """
    found = _leaves(device)
    spelled = {i: _names(device, path) for i, (path, _) in enumerate(found)}
    everything = {i: Parameter(_shortest(i, spelled), unit, i) for i, (*_, unit) in spelled.items()}
    leaf = _one(name, {i: names[:-1] for i, names in spelled.items()}, everything)
    wanted = jnp.shape(found[leaf][1])
    if np.shape(value) != wanted:
        numbers = f"{wanted[0]} numbers" if wanted else "one number"
        raise ValueError(f"{name!r} must be {numbers}, but is {value}.")
    return leaf


def _shortest(leaf: int, spelled: dict[int, tuple[str, ...]]) -> str:
    """The shortest name that no other leaf has."""
    others = {name for i, names in spelled.items() if i != leaf for name in names[:-1]}
    return next((name for name in spelled[leaf][:-1] if name not in others), spelled[leaf][-2])


@checked
def by_where(device: Device, where: Callable[[Device], Any]) -> tuple[Parameter, ...]:
    """The quantities that `where(device)` returns, one or a tuple; raises `ValueError` where one is no scalar of it.

    >>> import mtjax as mtj
    >>> device = mtj.presets.perpendicular_stt(40.0)
    >>> mtj.devices.by_where(device, lambda d: (d.layer.alpha, d[mtj.UniaxialAnisotropy].Bk))
    (Parameter(name='alpha', unit='', leaf=4), Parameter(name='Bk', unit='T', leaf=5))
    """
    try:
        chosen = where(device)
    except (AttributeError, LookupError, TypeError) as error:
        raise ValueError(f"`where` must return quantities of the device, but fails: {error}.") from None
    count = len(chosen) if isinstance(chosen, tuple | list) else 1
    marks = [object() for _ in range(count)]
    try:
        marked = eqx.tree_at(where, device, replace=tuple(marks) if isinstance(chosen, tuple | list) else marks[0])
    except (AttributeError, TypeError, ValueError):
        marked = device
    leaves = {id(x): i for i, (_, x) in enumerate(_leaves(marked))}
    scalars = {p.leaf: p for p in all_parameters(device)}
    found = [scalars.get(leaves.get(id(mark), -1)) for mark in marks]
    if not found or None in found:
        raise ValueError(
            "`where` must return different scalar quantities that the device stores (not derived ones); these are "
            f"{', '.join(p.name for p in scalars.values())}."
        )
    return tuple(p for p in found if p is not None)


def values(device: Device, parameters: Iterable[Parameter]) -> list[Scalar]:
    """The present values.

    >>> import mtjax as mtj
    >>> device = mtj.presets.perpendicular_stt(40.0)
    >>> Bk, P = mtj.devices.values(device, mtj.devices.by_names(device, ("Bk", "polarisation")))
    >>> print(f"Bk = {Bk * 1e3:.1f} mT, P = {P:.2f}")
    Bk = 219.7 mT, P = 0.60
    """
    leaves = jax.tree.leaves(device)
    return [leaves[p.leaf] for p in parameters]


def replaced(device: Part, leaves: Iterable[int], new: Iterable[Any]) -> Part:
    """`device` (or another module) with new values at the numbered leaves.

    >>> import mtjax as mtj
    >>> device = mtj.presets.perpendicular_stt(40.0)
    >>> (alpha,) = mtj.devices.by_names(device, ("alpha",))
    >>> damped = mtj.devices.replaced(device, [alpha.leaf], [0.02])
    >>> print(f"{device.layer.alpha:.2f} became {damped.layer.alpha:.2f}")
    0.01 became 0.02
    """
    old, structure = jax.tree.flatten(device)
    for i, value in zip(leaves, new, strict=True):
        old[i] = jnp.asarray(value, old[i].dtype)
    return jax.tree.unflatten(structure, old)


def _leaves(device: Any) -> list[tuple[Any, Any]]:
    return jax.tree_util.tree_leaves_with_path(device)


def _names(device: Device, path: Any) -> tuple[str, str, str, str]:
    """Short, longer and full name, and unit, of the leaf at `path`."""
    owner, field = _owner(device, path)
    return field.name, f"{owner}.{field.name}", keystr(path).lstrip("."), field.metadata.get("unit", "")


def _ends(device: Device, path: Any) -> tuple[float, float]:
    """The range of the field at `path`."""
    within = _owner(device, path)[1].metadata.get("range") or {}
    least = 0.0 if within.get("positive") else within.get("least", -math.inf)
    return least, within.get("most", math.inf)


def _owner(device: Device, path: Any) -> tuple[str, dataclasses.Field[Any]]:
    """The name of the class that holds the leaf at `path`, and its field."""
    owner: Any = device
    for key in path[:-1]:
        owner = getattr(owner, key.name) if isinstance(key, GetAttrKey) else owner[_index(key)]
    return type(owner).__name__, type(owner).__dataclass_fields__[path[-1].name]


def _index(key: Any) -> int:
    assert isinstance(key, SequenceKey)
    return key.idx


def _one(name: str, spelled: dict[int, tuple[str, ...]], parameters: dict[int, Parameter]) -> int:
    matches = [leaf for leaf, names in spelled.items() if name in names]
    if len(matches) == 1:
        return matches[0]
    candidates = ", ".join(parameters[leaf].name for leaf in matches or parameters)
    problem = "more than one quantity is called" if matches else "no quantity of the device is called"
    raise ValueError(f"A parameter must be named so that it is the only one, but {problem} {name!r}: try {candidates}.")
