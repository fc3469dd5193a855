"""The numbers behind a problem that is being differentiated or batched."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir

from mtjax.quantities import is_known

_BATCHES = (0.0, 0.5, 1.0)
"""Which members of a batch are looked at: the first, the middle, the last."""


def known(tree: Any) -> Iterator[Any]:
    """Versions of `tree` with concrete numbers: itself, or what it is differentiated at, or up to three of its batch.

    Yields nothing where a number is not known yet, as under `jit`.
    """
    leaves, structure = jax.tree.flatten(tree)
    rows = [[_number(leaf, place) for place in _BATCHES] for leaf in leaves]
    if not is_known(jnp.zeros(())) or any(value is None for row in rows for value in row):
        return
    several = any(not np.array_equal(np.asarray(row[0]), np.asarray(value)) for row in rows for value in row)
    for i in range(len(_BATCHES) if several else 1):
        yield jax.tree.unflatten(structure, [jnp.asarray(row[i]) for row in rows])


def _number(x: Any, place: float) -> np.ndarray | None:
    """The number behind `x` (of a batch, the one at the relative `place`); `None` where it is not known yet."""
    if is_known(x):
        return np.asarray(x)
    seen: list[np.ndarray] = []
    _look.bind(x, note=_Note(seen, place))
    return seen[0] if seen else None


class _Note:
    """What is to be done with a number that is seen: take the member at `place` of every batch, and keep it."""

    def __init__(self, seen: list[np.ndarray], place: float, axes: tuple[int, ...] = ()):
        self.seen, self.place, self.axes = seen, place, axes

    def of_batch(self, axis: int) -> _Note:
        """The note for the whole batch, of which one member is meant."""
        return _Note(self.seen, self.place, (axis, *self.axes))

    def take(self, x: Any) -> None:
        """Write down the number."""
        x = np.asarray(x)
        for axis in self.axes:
            x = np.take(x, round(self.place * (x.shape[axis] - 1)), axis=axis)
        self.seen.append(x)


_look = Primitive("look")
"""The identity. Differentiation and batching hand on what they hold, until plain numbers are seen; `jit` shows none."""


@_look.def_impl
def _seen(x: Any, *, note: _Note) -> Any:
    note.take(x)
    return x


@_look.def_abstract_eval
def _abstract(x: Any, *, note: _Note) -> Any:
    del note
    return x


def _differentiated(primals: Any, tangents: Any, *, note: _Note) -> Any:
    return _look.bind(*primals, note=note), tangents[0]


def _batched(arguments: Any, axes: Any, *, note: _Note) -> Any:
    return _look.bind(*arguments, note=note.of_batch(axes[0])), axes[0]


ad.primitive_jvps[_look] = _differentiated
batching.primitive_batchers[_look] = _batched
mlir.register_lowering(_look, lambda context, x, *, note: [x])
