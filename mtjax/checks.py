"""What people hand in, held against what is asked for: annotations say of which kind a value is, ranges how large it may be.

Both stand as data beside the field or the argument. `Shown` looks at every field of a module that is made, `checked` at every
argument of a function; what does not fit is told in one sentence. Of traced numbers only kind and shape are looked at.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import functools
import inspect
import operator
import types
import typing
from collections.abc import Callable, Iterator
from typing import Annotated, Any, Literal, NamedTuple, ParamSpec, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import AbstractArray, ArrayLike, Bool, Float, Int, Key, Shaped, jaxtyped

from mtjax.quantities import is_known, require, rule

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
Test = Callable[[Any], bool]
_MANY = 60
"""Characters of a value that are shown."""
_NUMBERS = set(typing.get_args(ArrayLike))
_KINDS = {Float: jnp.floating, Int: jnp.integer, Bool: jnp.bool_}


class Within(NamedTuple):
    """A range of numbers, for `Annotated[float, Within(positive=True)]`: finite, and as `mtjax.require` says.

    - `positive`: above 0; `least`, `most`: the ends, which belong to it; `unit`: for the message.
    - `single`: one number, no array.

    >>> import mtjax as mtj
    >>> @mtj.checks.checked
    ... def half(x: mtj.checks.Annotated[float, mtj.checks.Within(least=0.0, unit="s")]):
    ...     return x / 2
    >>> half(-1.0)
    Traceback (most recent call last):
        ...
    ValueError: `x` must be finite and at least 0, but is -1.0 s.
    >>> half("1 s")
    Traceback (most recent call last):
        ...
    ValueError: `x` must be a number, but is '1 s'.
    """

    positive: bool = False
    least: float = -np.inf
    most: float = np.inf
    unit: str = ""
    single: bool = False

    @property
    def ends(self) -> dict[str, Any]:
        """As `require` takes them."""
        return {"positive": self.positive, "least": self.least, "most": self.most, "unit": self.unit}


Count = Annotated[int, Within(least=1)]
"""A whole number from 1."""
CountFromZero = Annotated[int, Within(least=0)]
"""A whole number from 0."""
Finite = Annotated[float, Within()]
"""A finite number."""
Positive = Annotated[float, Within(positive=True)]
"""A number above 0."""
Seconds = Annotated[float, Within(positive=True, unit="s")]
"""A time above 0, s."""
SecondsFromZero = Annotated[float, Within(least=0.0, unit="s")]
"""A time from 0, s."""
Number = Annotated[ArrayLike, Within(single=True)]
"""One finite number."""
Duration = Annotated[ArrayLike, Within(positive=True, unit="s", single=True)]
"""A time above 0, s, which may be an array of one."""
Wait = Annotated[ArrayLike, Within(least=0.0, unit="s", single=True)]
"""A time from 0, s, which may be an array of one."""


def checked(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """`function`, which raises `ValueError` where an argument does not fit its annotation.

    >>> import mtjax as mtj
    >>> @mtj.checks.checked
    ... def name_of(device: mtj.Device, samples: mtj.checks.Count = 1):
    ...     return type(device).__name__
    >>> name_of("sengupta2016")
    Traceback (most recent call last):
        ...
    ValueError: `device` must be a Device, but is 'sengupta2016'.
    >>> name_of(mtj.presets.sengupta2016(), samples=0)
    Traceback (most recent call last):
        ...
    ValueError: `samples` must be finite and at least 1, but is 0.
    """
    signature = inspect.signature(function)

    @functools.wraps(function)
    def run(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        rules = _rules_of(function)
        with jaxtyped("context"):
            for name, value in signature.bind(*args, **kwargs).arguments.items():
                if name in rules:
                    rules[name].require(name, value)
        return function(*args, **kwargs)

    return run


def check_fields(module: Any) -> None:
    """Raise `ValueError` where a field of `module` does not fit its annotation, or the range of its `quantity`."""
    with jaxtyped("context"):  # in which the same letter of a shape means the same number
        for name, each in _rules_of_fields(type(module)).items():
            each.require(name, getattr(module, name), module)


class Rule(NamedTuple):
    """What must hold of a value: a `test` of its kind, in `words`, and a range, or `None`."""

    test: Test
    words: str
    within: Within | None

    def require(self, name: str, value: Any, owner: Any = None) -> None:
        """Raise `ValueError` where the value of a field or argument called `name` does not fit."""
        whose = "" if owner is None else f" of {type(owner).__name__}"
        if not self.test(value):
            raise ValueError(f"`{name}`{whose} must be {self.words}, but is {_given(value)}.")
        if self.within is None or value is None or callable(value):
            return
        if owner is None and np.size(value) == 0:
            raise ValueError(f"`{name}` must be at least one number, but is empty.")
        if self.within.single and np.ndim(value) > 0:
            raise ValueError(f"`{name}`{whose} must be one number, but is {_given(value)}.")
        require({name: value} if owner is None else owner, name, **self.within.ends)


@functools.cache
def _rules_of(function: Any) -> dict[str, Rule]:
    """The rules of a function's arguments."""
    hints = _hints(inspect.unwrap(function))
    return {name: _rule(hint, None) for name, hint in hints.items() if name != "return"}


@functools.cache
def _rules_of_fields(cls: type) -> dict[str, Rule]:
    """The rules of a module's fields."""
    hints = _hints(cls)
    found = {f.name: (hints.get(f.name, Any), f.metadata.get("range")) for f in dataclasses.fields(cls)}
    return {name: _rule(hint, within and Within(**within)) for name, (hint, within) in found.items()}


def _hints(thing: Any) -> dict[str, Any]:
    """The annotations, none where they cannot be resolved."""
    try:
        return typing.get_type_hints(thing, include_extras=True)
    except (NameError, TypeError, AttributeError):
        return {}


def _rule(hint: Any, within: Within | None) -> Rule:
    return Rule(_test(hint), _words(hint), within or next(_ranges(hint), None))


def _ranges(hint: Any) -> Iterator[Within]:
    """The ranges in an annotation and in the parts of a union."""
    if typing.get_origin(hint) is Annotated:
        yield from (x for x in hint.__metadata__ if isinstance(x, Within))
    elif _is_union(hint):
        for part in typing.get_args(hint):
            yield from _ranges(part)


def _is_union(hint: Any) -> bool:
    return typing.get_origin(hint) in (typing.Union, types.UnionType)


def _test(hint: Any) -> Test:
    """Whether a value is of the kind of an annotation."""
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        return _test(parts[0])
    if _is_union(hint):
        return _test_of_union(parts)
    if origin is Literal:
        return lambda value: value in parts
    if inspect.isclass(hint) and issubclass(hint, AbstractArray):
        return functools.partial(_is_array, hint)
    if hint in _SIMPLE:
        return _SIMPLE[hint]
    if origin in _CONTAINERS:
        return _test_of_container(origin, parts)
    cls = origin or hint
    if cls is collections.abc.Callable:
        return callable
    return (lambda value: isinstance(value, cls)) if inspect.isclass(cls) else (lambda value: True)


def _test_of_union(parts: tuple[Any, ...]) -> Test:
    numbers = set(parts) >= _NUMBERS
    rest = [p for p in parts if not (numbers and (p in _NUMBERS or typing.get_origin(p) is collections.abc.Sequence))]
    tests = [*([_are_numbers] if numbers else []), *map(_test, rest)]
    return lambda value: any(test(value) for test in tests)


def _test_of_container(origin: Any, parts: tuple[Any, ...]) -> Test:
    """A tuple, list, sequence, mapping or iterable whose items are of a kind; text is none, an iterator is not looked into."""
    kind = (tuple, list) if origin in (tuple, list) else origin
    if origin is tuple and parts[-1:] != (Ellipsis,):
        tests = [_test_of_item(part) for part in parts]
        return lambda value: (
            isinstance(value, kind) and len(value) == len(tests) and all(t(x) for t, x in zip(tests, value, strict=True))
        )
    tests = [_test_of_item(part) for part in parts if part is not Ellipsis]

    def fits(value: Any) -> bool:
        if isinstance(value, (str, bytes)) or not isinstance(value, kind):
            return False
        if isinstance(value, collections.abc.Mapping) and len(tests) == 2:
            return all(tests[0](k) and tests[1](v) for k, v in value.items())
        return not isinstance(value, collections.abc.Sized) or not tests or all(tests[0](x) for x in value)  # pyright: ignore[reportGeneralTypeIssues]

    return fits


def _test_of_item(hint: Any) -> Test:
    """Whether a value is of the kind of an annotation, and in its range."""
    test, ranges = _test(hint), list(_ranges(hint))
    return lambda value: test(value) and all(_is_within(value, within) for within in ranges)


def _is_within(value: Any, within: Within) -> bool:
    try:
        require({"x": value}, "x", **within.ends)
    except ValueError:
        return False
    return True


def _is_array(hint: Any, value: Any) -> bool:
    """Whether numbers, of numpy's, jax's or Python's, have the dtype's kind and the shape that jaxtyping's `hint` names."""
    if hint.dtype is Key:
        return _is_key(value)
    if not _are_numbers(value) and not hasattr(value, "dtype"):
        return False
    kind, dtype = _KINDS.get(hint.dtype), _dtype(value)
    if (
        kind is not None
        and not jnp.issubdtype(dtype, kind)
        and not (kind is jnp.floating and jnp.issubdtype(dtype, jnp.integer))
    ):
        return False
    shape = np.shape(value)
    return not shape if hint.dim_str == "" else isinstance(np.broadcast_to(np.int8(0), shape), _shaped(hint.dim_str))


@functools.cache
def _shaped(dims: str) -> Any:
    """Arrays of any kind of a shape, as jaxtyping spells it."""
    return Shaped[np.ndarray, dims]


def _is_key(value: Any) -> bool:
    """Whether it is one key of `jax.random.key` (or of the older `jax.random.PRNGKey`)."""
    if not isinstance(value, (jax.Array, np.ndarray)):
        return False
    return (
        value.ndim == 0 if jnp.issubdtype(value.dtype, jax.dtypes.prng_key) else (value.shape, value.dtype) == ((2,), np.uint32)
    )


def _are_numbers(value: Any) -> bool:
    """Whether it is a real number, or an array or list of them."""
    if isinstance(value, (list, tuple)):
        try:
            return all(map(_are_numbers, jax.tree.leaves(value))) and (np.shape(value) is not None)
        except (ValueError, TypeError):
            return False
    return (
        isinstance(value, (int, float, np.ndarray, np.generic, jax.Array))
        and jnp.issubdtype(_dtype(value), np.number)
        and not (jnp.issubdtype(_dtype(value), np.complexfloating))
    )


def _dtype(value: Any) -> Any:
    return value.dtype if hasattr(value, "dtype") else np.asarray(value).dtype


def _is_whole(value: Any) -> bool:
    if isinstance(value, (bool, np.bool_)):
        return False
    try:
        return not is_known(value) or isinstance(operator.index(value), int)
    except TypeError:
        return False


def _is_real(value: Any) -> bool:
    return not isinstance(value, (list, tuple)) and _are_numbers(value) and np.ndim(value) == 0


def _is_truth(value: Any) -> bool:
    return isinstance(value, (bool, np.bool_)) or (hasattr(value, "dtype") and value.dtype == bool and np.ndim(value) == 0)


_SIMPLE: dict[Any, Test] = {
    int: _is_whole,
    float: _is_real,
    bool: _is_truth,
    type(None): lambda value: value is None,
    Any: lambda value: True,
    jax.Array: lambda value: hasattr(value, "dtype") and hasattr(value, "shape") or _are_numbers(value),
}
_CONTAINERS = (tuple, list, dict, collections.abc.Sequence, collections.abc.Iterable, collections.abc.Mapping)


def _words(hint: Any) -> str:
    """An annotation in words."""
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        return "a number" if any(within.single for within in _ranges(hint)) else _words(parts[0])
    if _is_union(hint):
        numbers = set(parts) >= _NUMBERS
        rest = [p for p in parts if not (numbers and (p in _NUMBERS or typing.get_origin(p) is collections.abc.Sequence))]
        return " or ".join(dict.fromkeys([*(["a number or an array of numbers"] if numbers else []), *map(_words, rest)]))
    if origin is Literal:
        return " or ".join(map(repr, parts))
    if inspect.isclass(hint) and issubclass(hint, AbstractArray):
        return _array_in_words(hint)
    if hint in _NAMES:
        return _NAMES[hint]
    if origin in _CONTAINERS:
        return _container_in_words(
            origin, [p for p in parts if p is not Ellipsis], many=parts[-1:] == (Ellipsis,) or len(parts) == 1
        )
    cls = origin or hint
    if cls is collections.abc.Callable:
        return "a function"
    name = getattr(cls, "__name__", str(cls)).removeprefix("Abstract")
    return f"{'an' if name[0] in 'AEIOUaeiou' else 'a'} {name}"


def _container_in_words(origin: Any, parts: list[Any], *, many: bool) -> str:
    """A tuple of several of a kind, or of these; a mapping from names to values."""
    if origin in (dict, collections.abc.Mapping):
        return f"a mapping from {_words(parts[0])} to {_words(parts[-1])}"
    inner = [f"{_words(p)}{next((f' ({rule(**w.ends)})' for w in _ranges(p)), '')}" for p in parts]
    return f"a tuple, each item {inner[0]}" if many and inner else f"a tuple of {' and '.join(inner)}"


def _array_in_words(hint: Any) -> str:
    if hint.dtype is Key:
        return "a key as of jax.random.key(0)"
    what = {Float: "number", Int: "whole number", Bool: "truth value"}.get(hint.dtype, "number")
    dims = hint.dim_str.split()
    return f"one {what}" if not dims else f"an array of {what}s of shape ({', '.join(dims)}{',' * (len(dims) == 1)})"


_NAMES = {int: "a whole number", float: "a number", bool: "True or False", str: "text", type(None): "None", Any: "anything",
          jax.Array: "an array of numbers"}  # fmt: skip


def _given(value: Any) -> str:
    """A value as it is told in a message."""
    if inspect.isclass(value):
        return f"the class {value.__name__}"
    if np.ndim(value) > 0 if hasattr(value, "shape") else False:
        return f"an array of shape {tuple(value.shape)}"
    if not is_known(value):
        return "a traced value"
    text = " ".join(repr(value).split())
    return text if len(text) <= _MANY else f"{'an' if type(value).__name__[0] in 'AEIOU' else 'a'} {type(value).__name__}"
