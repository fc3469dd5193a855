"""Physical quantities: converters, fields with a unit, and checks of their range."""

from __future__ import annotations

import functools
import importlib.util
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from mtjax.compiled import keep_compiled

keep_compiled()

Tree = TypeVar("Tree")
Scalar = Float[Array, ""]
Numbers = ArrayLike | Sequence[Any]
"""What converts to an array: numbers, arrays, and (nested) lists of them."""


_FEW = 4
"""Numbers that are shown one by one in a message."""
_EXTRAS = {
    "matplotlib": ("matplotlib", "plot"),
    "numpyro": ("numpyro", "fit"),
    "python_calamine": ("python-calamine", "excel"),
    "sklearn": ("scikit-learn", "nn"),
    "xarray": ("xarray", "sweep"),
}
"""Modules that not everybody needs: the package and the extra that bring them."""


def need(module: str, what: str) -> None:
    """Raise `ImportError` where a `module` of an extra is missing, with the command that installs it; `what` needs it.

    >>> import mtjax as mtj
    >>> mtj.quantities.need("matplotlib", "A picture")
    """
    package, extra = _EXTRAS[module]
    if importlib.util.find_spec(module) is None:
        raise ImportError(f"{what} needs {package}, which is missing: pip install 'mtjax[{extra}]'.")


def as_scalar(x: Numbers) -> Array:
    """A floating-point array of the default precision (or of `x`'s own, if it is floating already).

    Raises `ValueError` for what is no real number, or array or list of them.

    >>> import mtjax as mtj
    >>> print(f"{mtj.quantities.as_scalar(300):.1f} K")
    300.0 K
    """
    found = _as_array(x)
    if found is None:
        raise ValueError(f"A real number, or an array of them, is needed, but there is {x!r}.")
    return found


def _as_array(x: Any) -> Array | None:
    """A floating-point array; `None` for what is no real number, or array or list of them."""
    try:
        found = jnp.asarray(x)
    except jax.errors.JAXTypeError:
        raise
    except (TypeError, ValueError):
        return None
    if jnp.issubdtype(found.dtype, jnp.complexfloating):
        return None
    return found if jnp.issubdtype(found.dtype, jnp.floating) else found.astype(jnp.result_type(float))


def as_numpy(x: Numbers) -> Float[np.ndarray, "*shape"]:
    """An array of numpy in double precision: for measured numbers.

    >>> import mtjax as mtj
    >>> print(f"{mtj.quantities.as_numpy([1e-9, 3e-9]).mean() * 1e9:.1f} ns")
    2.0 ns
    """
    try:
        return np.asarray(x, float)
    except (TypeError, ValueError):
        raise ValueError(f"Real numbers are needed, but there is {x!r}.") from None


def as_direction(v: Numbers) -> Array:
    """A unit vector, shape (3,), along `v`; raises `ValueError` for a zero, infinite or differently shaped `v`.

    >>> import mtjax as mtj
    >>> print([round(float(component), 3) for component in mtj.quantities.as_direction((3, 0, 4))])
    [0.6, 0.0, 0.8]
    """
    found = _as_array(v)
    if found is None:
        raise ValueError(f"A direction must have three components, but is {v!r}.")
    v = found
    if v.shape[-1:] != (3,):
        raise ValueError(f"A direction must have three components, but has shape {v.shape}.")
    if is_known(v) and not np.all(np.linalg.norm(np.asarray(v), axis=-1) * np.isfinite(v).all() > 0):
        raise ValueError(f"A direction must be finite and not zero, but is {np.asarray(v)}.")
    length = jnp.linalg.norm(v, axis=-1, keepdims=True)
    is_unit = is_known(v) and np.all(np.abs(np.asarray(length) - 1) <= 4 * jnp.finfo(v.dtype).eps)
    return v if is_unit else v / length  # so that a unit vector that is made anew is the same to the bit


def quantity(
    unit: str, *, positive: bool = False, least: float = -math.inf, most: float = math.inf, finite: bool = True, **kwargs: Any
) -> Any:
    """A dataclass field for a scalar quantity: converts to an array and remembers its SI `unit` for printing.

    - `positive`, `least`, `most`: the range of its values, as for `require`; `finite`: whether they are looked at.
    - `kwargs`: those of `equinox.field`, such as `default`; with `default=None` the quantity may be `None`.

    A module that inherits from one of mtjax's classes refuses other values when it is made.

    >>> import jax
    >>> import mtjax as mtj
    >>> class Easy(mtj.printing.Shown):
    ...     Bk: jax.Array = mtj.quantity("T")
    ...
    >>> Easy(0.22)
    Easy(Bk=220 mT)
    >>> Easy(float("nan"))
    Traceback (most recent call last):
        ...
    ValueError: `Bk` of Easy must be finite, but is nan.
    """
    ends = {"positive": positive, "least": least, "most": most}
    return eqx.field(converter=_as_scalar_if_number, metadata={"unit": unit, "range": ends if finite else None}, **kwargs)


def _as_scalar_if_number(x: Numbers | None) -> Any:
    """`as_scalar`; what is no number is left as it is, for the check of the field to name it."""
    found = _as_array(x)
    return x if found is None else found


def direction(**kwargs: Any) -> Any:
    """A dataclass field for a unit vector, shape (3,): converts and normalises.

    `kwargs`: those of `equinox.field`, such as `default`.

    >>> import jax
    >>> import mtjax as mtj
    >>> class Pinned(mtj.printing.Shown):
    ...     axis: jax.Array = mtj.direction(default=(0.0, 0.0, 1.0))
    ...
    >>> Pinned((3.0, 0.0, 4.0))
    Pinned(axis=[0.6, 0, 0.8])
    """
    return eqx.field(converter=as_direction, metadata={"unit": ""}, **kwargs)


def is_known(x: Any) -> bool:
    """Whether the value of `x` is known now, that is, `x` is not being traced.

    >>> import jax
    >>> import mtjax as mtj
    >>> mtj.quantities.is_known(300.0), bool(jax.jit(mtj.quantities.is_known)(300.0))
    (True, False)
    """
    try:
        return not isinstance(x, jax.Array) or x.is_fully_addressable is not None
    except jax.errors.ConcretizationTypeError:
        return False


def require(
    module: Any, names: str, *, positive: bool = False, least: float = -math.inf, most: float = math.inf, unit: str = ""
) -> None:
    """Raise `ValueError` if a named (space-separated) quantity of `module` is not finite, or is out of range.

    - `module`: an object, or a mapping of argument names to their values; `names`: of those to look at.
    - `positive`: above 0; `least`, `most`: the ends of the range, which belong to it; `unit`: for the message.

    Quantities that are `None` or being traced are not looked at: their values are not known yet.

    >>> import mtjax as mtj
    >>> mtj.quantities.require({"share": 0.3}, "share", least=0.0, most=1.0)
    """
    owner = "" if isinstance(module, Mapping) else f" of {type(module).__name__}"
    for name in names.split():
        value = module[name] if isinstance(module, Mapping) else getattr(module, name)
        if value is None or not is_known(value):
            continue
        value = np.asarray(value)
        if value.dtype.kind not in "biuf":
            raise ValueError(f"`{name}`{owner} must be a number, but is {str(value)!r}.")
        fits = np.isfinite(value) & (value >= least) & (value <= most) & ((value > 0) | (not positive))
        if not np.all(fits):
            said, shown = rule(least=least, most=most, positive=positive), f"is {value}"
            if value.size > _FEW:
                shown = f"holds {value[~fits].ravel()[0]}"
            raise ValueError(f"`{name}`{owner} must be {said}, but {' '.join([shown, unit]).rstrip()}.")


def rule(*, positive: bool = False, least: float = -math.inf, most: float = math.inf, unit: str = "") -> str:
    """A range in words, as `require` tells it.

    >>> import mtjax as mtj
    >>> mtj.quantities.rule(least=0.0, most=1.0), mtj.quantities.rule(positive=True)
    ('between 0 and 1', 'finite and positive')
    """
    del unit
    if positive:
        return "finite and positive" if most == math.inf else f"positive and at most {most:g}"
    if most < math.inf:
        return f"between {least:g} and {most:g}"
    return "finite" if least == -math.inf else f"finite and at least {least:g}"


def in_default(tree: Tree) -> Tree:
    """The same object with its real numbers in the default precision of the session.

    What was made `in_double` can then be used in any session.

    >>> import mtjax as mtj
    >>> device = mtj.quantities.in_double(mtj.presets.perpendicular_stt)(40.0)
    >>> print(f"{mtj.quantities.in_default(device).delta:.1f} kT")
    40.0 kT
    """
    return jax.tree.map(lambda x: jnp.asarray(x, float) if jnp.issubdtype(jnp.result_type(x), jnp.floating) else x, tree)


def in_double(function: Callable[..., Any]) -> Callable[..., Any]:
    """Runs `function` in double precision, whatever the session has; arrays of jax that it returns are double precision too.

    >>> import jax.numpy as jnp
    >>> import mtjax as mtj
    >>> small = mtj.quantities.in_double(lambda: float((jnp.asarray(1.0) + 1e-12) - 1.0))
    >>> print(f"{small():.2e}")
    1.00e-12
    """

    @functools.wraps(function)
    def run(*args, **kwargs):
        with jax.enable_x64(True):  # noqa: FBT003
            return function(*args, **kwargs)

    return run
