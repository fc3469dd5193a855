"""Modules as TOML that people read and edit: SI values with units and sources as comments, every mistake in one sentence."""

from __future__ import annotations

import dataclasses
import difflib
import inspect
import tomllib
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from mtjax.files.classes import class_of, name_of
from mtjax.files.layout import number_and_unit
from mtjax.files.units import in_si

_KEY = "class"


def as_toml(module: eqx.Module, source: Callable[[str, str], str] | None = None, heading: str = "") -> str:
    """A module as TOML: a table for every part, with all digits, and units as comments.

    - `source`: where a value is from, by the names of its class and its field; stands in the comment too.
    - `heading`: comment at the top.

    Raises `ValueError` where a part is no number, text, list of numbers or module.

    >>> import mtjax as mtj
    >>> print(mtj.files.as_toml(mtj.JouleHeating(resistance=1e6, time=2e-9), heading="Heat of the write current."))
    # Heat of the write current.
    <BLANKLINE>
    class = "JouleHeating"
    resistance = 1000000.0 # K/W
    time = 2e-09 # s
    <BLANKLINE>
    """
    import tomlkit

    document = tomlkit.document()
    for line in heading.splitlines():
        document.add(tomlkit.comment(line) if line else tomlkit.nl())
    if heading:
        document.add(tomlkit.nl())
    _fill(document, module, source or (lambda owner, name: ""))
    return tomlkit.dumps(document)


def _fill(table: Any, module: eqx.Module, source: Callable[[str, str], str]) -> None:
    """Values first, then parts: what follows a table's heading belongs to it."""
    import tomlkit

    owner = name_of(type(module))
    table.add(_KEY, owner)
    rest = []
    for field in (f for f in dataclasses.fields(module) if f.init):
        value = getattr(module, field.name)
        if value is None and field.default is None:
            if field.metadata.get("unit"):
                table.add(tomlkit.comment(f"{field.name} = (left out) # {field.metadata['unit']}"))
            continue
        if isinstance(value, eqx.Module) or (isinstance(value, tuple) and value and isinstance(value[0], eqx.Module)):
            rest.append((field.name, value))
            continue
        item = tomlkit.item(_plain(value, owner, field.name))
        notes = [part for part in (field.metadata.get("unit", ""), source(owner, field.name)) if part]
        table.add(field.name, item.comment("; ".join(notes)) if notes else item)
    for name, value in rest:
        many = isinstance(value, tuple)
        if many:
            table.add(tomlkit.nl())
        tables = []
        for part in value if many else (value,):
            tables.append(tomlkit.table())
            _fill(tables[-1], part, source)
        table.add(name, tomlkit.aot() if many else tables[0])
        for one in tables if many else ():
            table[name].append(one)


def _plain(value: Any, owner: str, name: str) -> Any:
    """A value as TOML knows it."""
    if isinstance(value, jax.Array | np.ndarray | np.generic):
        return np.asarray(value).tolist()
    if isinstance(value, tuple | list) and not value:
        return []
    if isinstance(value, str | bool | int | float):
        return value
    raise ValueError(f"`{name}` of {owner} must be numbers, text or modules to be written as TOML, but is {value!r}.")


def from_toml(text: str, kind: type, where: str, classes: tuple[type, ...] = ()) -> Any:
    """The module that `as_toml` wrote; a number may also be text with a unit, like "40 nm", and defaults may be left out.

    - `kind`: its class, where the text does not say; `where`: the name of the file, for messages.
    - `classes`: of your own, that are neither mtjax's nor registered.

    Raises `ValueError` where the text is no TOML, a class or a name is unknown, or a value is missing, of a wrong type or
    unit, or out of range.

    >>> import mtjax as mtj
    >>> print(mtj.files.from_toml('resistance = 1e6\\ntime = "2 ns"', mtj.JouleHeating, "heat.toml"))
    JouleHeating
      resistance = 1e+06 K/W
      time = 2 ns
      total resistance = 1e+06 K/W
    >>> mtj.files.from_toml("resistance = 1e6\\ntimes = 2e-9", mtj.JouleHeating, "heat.toml")
    Traceback (most recent call last):
        ...
    ValueError: heat.toml: JouleHeating has no value called 'times'; the nearest is 'time'.
    """
    try:
        return _module(tomllib.loads(text), kind, "", classes)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        raise ValueError(f"{where} must be TOML, but is not: {message[:1].lower()}{message[1:]}.") from None
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None


def sources_in_toml(text: str, classes: tuple[type, ...] = ()) -> dict[str, str]:
    """The comments behind values, without their units, by the names of class and field; of what `from_toml` reads.

    - `classes`: as for `from_toml`.

    >>> import mtjax as mtj
    >>> mtj.files.sources_in_toml('class = "JouleHeating"\\nresistance = 1e6 # K/W; measured\\ntime = 2e-9 # s')
    {'JouleHeating.resistance': 'measured'}
    """
    import tomlkit

    found: dict[str, str] = {}
    tables: list[Any] = [tomlkit.parse(text)]
    while tables:
        table = tables.pop()
        owner = str(table.get(_KEY, ""))
        units = {f.name: f.metadata.get("unit", "") for f in dataclasses.fields(class_of(owner, classes))} if owner else {}
        for name, item in table.items():
            parts = item if isinstance(item, list) else [item]
            tables += [part for part in parts if isinstance(part, dict)]
            note = _comment(item) if name in units and not isinstance(item, dict) else ""
            source = note.removeprefix(units.get(name, "")).lstrip("; ")
            found |= {f"{owner}.{name}": source} if source else {}
    return found


def _comment(item: Any) -> str:
    """What stands behind a value of tomlkit's."""
    return item.trivia.comment.lstrip("# ")


def _module(table: Mapping[str, Any], hint: Any, place: str, classes: tuple[type, ...]) -> Any:
    """The module in a table at `place` (like "layer.shape")."""
    at = f" in [{place}]" if place else ""
    cls: Any = _class(table, hint, at, classes)
    admitted = _modules(hint)
    if place and admitted and not issubclass(cls, admitted):
        names = " or ".join(one.__name__.removeprefix("Abstract") for one in admitted)
        raise ValueError(f"The class{at} must be one of {names}, but is {cls.__name__}.")
    fields = {f.name: f for f in dataclasses.fields(cls) if f.init}
    for name in table:
        if name not in fields and name != _KEY:
            raise ValueError(f"{cls.__name__}{at} has no value called {name!r}{_nearest(name, fields)}.")
    lacking = [name for name, f in fields.items() if name not in table and _has_no_default(f)]
    if lacking:
        raise ValueError(f"{cls.__name__}{at} must have {' and '.join(map(repr, lacking))}, which the file lacks.")
    hints = _hints(cls)
    inner = {
        name: _value(value, fields[name], hints.get(name, Any), cls, f"{place}.{name}".lstrip("."), classes)
        for name, value in table.items()
        if name != _KEY
    }
    try:
        return cls(**inner)
    except TypeError as error:
        raise ValueError(f"{cls.__name__}{at} cannot be made of these values: {error}.") from None


def _class(table: Mapping[str, Any], hint: Any, at: str, classes: tuple[type, ...]) -> type:
    """The class that a table names, or the one that its place admits."""
    admitted = _modules(hint)
    if _KEY not in table:
        if len(admitted) == 1 and not inspect.isabstract(admitted[0]):
            return admitted[0]
        raise ValueError(f"The table{at} must name its class, as in class = 'UniaxialAnisotropy', but does not.")
    name = table[_KEY]
    try:
        return class_of(name if isinstance(name, str) else repr(name), classes)
    except ValueError as error:
        raise ValueError(f"{str(error).rstrip('.')}{_nearest(str(name), _known(classes))}.") from None


def _modules(hint: Any) -> tuple[type, ...]:
    """The classes of modules that an annotation admits."""
    return tuple(part for part in _parts(hint) if inspect.isclass(part) and issubclass(part, eqx.Module))


def _value(value: Any, field: Any, hint: Any, cls: type, place: str, classes: tuple[type, ...]) -> Any:
    """What a value in the file stands for."""
    if isinstance(value, dict):
        return _module(value, hint, place, classes)
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        parts = [part for one in _parts(hint) for part in typing.get_args(one) if part is not Ellipsis]
        inner = parts[0] if parts else Any
        return tuple(_module(item, inner, f"{place}[{i}]", classes) for i, item in enumerate(value))
    if "unit" in field.metadata:
        return _numbers(value, field.metadata["unit"], f"`{field.name}` of {cls.__name__} in [{place.rpartition('.')[0]}]")
    if isinstance(value, list) and value:
        return jnp.asarray(value)
    return () if isinstance(value, list) else value


def _numbers(value: Any, unit: str, name: str) -> Any:
    """A number, or nested lists of them, in SI; text is a number with a unit."""
    if isinstance(value, list):
        return [_numbers(item, unit, name) for item in value]
    if isinstance(value, str):
        found = number_and_unit(value.strip())
        number, given = found if found is not None else _split(value)
        try:
            return float(in_si(float(number), given, unit))
        except ValueError:
            pass
    elif not isinstance(value, bool) and isinstance(value, int | float):
        return float(value)
    wanted = f"a number in {unit}" if unit else "a number without a unit"
    raise ValueError(f"{name.replace(' in []', '')} must be {wanted}, but is {value!r}.")


def _split(text: str) -> tuple[str, str]:
    number, _, unit = text.strip().partition(" ")
    return number, unit


def _parts(hint: Any) -> tuple[Any, ...]:
    """The members of a union, or the one annotation."""
    union = typing.get_origin(hint) in (typing.Union, types.UnionType)
    return typing.get_args(hint) if union else (hint,)


def _hints(cls: type) -> dict[str, Any]:
    try:
        return typing.get_type_hints(cls)
    except (NameError, TypeError, AttributeError):
        return {}


def _has_no_default(field: Any) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _known(classes: tuple[type, ...]) -> list[str]:
    """Names of classes that a device may be made of."""
    import importlib

    return [*importlib.import_module("mtjax.devices").__all__, *(cls.__name__ for cls in classes)]


def _nearest(name: str, names: Iterable[str]) -> str:
    """The name that was probably meant, as the end of a sentence; all of them where none is near."""
    spelled = {one.lower(): one for one in names}
    found = difflib.get_close_matches(name.lower(), spelled, n=1, cutoff=0.5)
    if found:
        return f"; the nearest is {spelled[found[0]]!r}"
    return f": there are {', '.join(spelled.values())}" if len(spelled) < 20 else ""
