"""Rows of work spread over the devices of this process, and over all processes.

`jax.shard_map` hands every device its share of the rows. No collective operation runs inside the program, since devices may
finish minutes apart; the results are joined afterwards.
"""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from mtjax.parallel.processes import joined, share
from mtjax.quantities import is_known

_AXIS = "devices"


def over_rows(function: Callable[[Any, Any], Any], shared: Any, rows: Any) -> Any:
    """`function(shared, rows)`, worked out for parts of the rows on all devices at once; compiled.

    - `function`: treats every row (first axis) apart from the others, and keeps their order.
    - `shared`, `rows`: PyTrees; the leaves of `rows` are arrays whose first axis has the same length.

    Under `jit`, `vmap` and `grad` everything stays on one device (reverse-mode differentiation of a solver does not pass
    through `shard_map`): spread the calls, or call without them.

    >>> import numpy as np
    >>> import mtjax as mtj
    >>> barrier = lambda delta, mz: delta * (1 - mz**2)  # kT, of every row
    >>> [float(x) for x in mtj.parallel.over_rows(barrier, 40.0, np.array([0.0, 0.5, 1.0]))]
    [40.0, 30.0, 0.0]
    """
    inside = jnp.zeros(())  # known only outside of `jit`, `grad` and their like
    if not all(map(is_known, jax.tree.leaves((inside, shared, rows)))):
        return _compiled(function, shared, rows, None)
    number = jax.tree.leaves(rows)[0].shape[0]
    processes = jax.process_count()
    devices = _devices()[: -(-number // processes)]
    rows = _lengthened(rows, number, processes * len(devices))
    mine, mesh = share(jax.tree.leaves(rows)[0].shape[0]), _mesh(devices)
    rows = jax.tree.map(lambda x: x[mine], rows)
    if mesh is not None:
        shared, rows = _sent(shared, mesh, PartitionSpec()), _sent(rows, mesh, PartitionSpec(_AXIS))
    found = _compiled(function, shared, rows, mesh)
    return jax.tree.map(lambda x: _placed(x)[:number], joined(found))


def over_blocks(function: Callable[[Any, Any], Any], shared: Any, rows: Any, size: int) -> Any:
    """As `over_rows`, by one program for any number of rows: in blocks of `size` rows for every device, the last one filled up.

    Under `jit`, `vmap` and `grad` as `over_rows`.

    >>> import numpy as np
    >>> import mtjax as mtj
    >>> barrier = lambda delta, mz: delta * (1 - mz**2)  # kT, of every row
    >>> [float(x) for x in mtj.parallel.over_blocks(barrier, 40.0, np.array([0.0, 0.5, 1.0]), size=2)]
    [40.0, 30.0, 0.0]
    """
    leaves = jax.tree.leaves((jnp.zeros(()), shared, rows))
    if not all(map(is_known, leaves)):
        return over_rows(function, shared, rows)
    number = jax.tree.leaves(rows)[0].shape[0]
    block = size * len(_devices()) * jax.process_count()
    rows = _lengthened(jax.tree.map(np.asarray, rows), number, block)

    def solved(places):
        return jax.tree.map(np.asarray, over_rows(function, shared, jax.tree.map(lambda x: x[places], rows)))

    found = [solved(slice(first, first + block)) for first in range(0, number, block)]
    return jax.tree.map(lambda *pieces: jnp.asarray(np.concatenate(pieces)[:number]), *found)


def _sent(tree: Any, mesh: Mesh, spec: PartitionSpec) -> Any:
    where = NamedSharding(mesh, spec)
    return jax.tree.map(lambda x: jax.device_put(x, where) if eqx.is_array(x) else x, tree)


@eqx.filter_jit
def _compiled(function: Callable[[Any, Any], Any], shared: Any, rows: Any, mesh: Mesh | None) -> Any:
    if mesh is None:
        return function(shared, rows)
    spec = PartitionSpec(_AXIS)
    return jax.shard_map(
        lambda part: function(shared, part), mesh=mesh, in_specs=spec, out_specs=spec, check_vma=False
    )(rows)  # fmt: skip


def _devices() -> list[Any]:
    """The devices to be used: all, unless jax's `jax_default_device` names one."""
    chosen = getattr(jax.config, "jax_default_device", None)
    return jax.local_devices() if chosen is None else [chosen]


def _mesh(devices: list[Any]) -> Mesh | None:
    return None if len(devices) == 1 else Mesh(np.array(devices), (_AXIS,), axis_types=(AxisType.Auto,))


def _lengthened(rows: Any, number: int, parts: int) -> Any:
    """The rows with the last one repeated, until all parts are equal."""
    places = np.minimum(np.arange(number + -number % parts), number - 1)
    return rows if len(places) == number else jax.tree.map(lambda x: x[places], rows)


def _placed(x: Any) -> jax.Array:
    """`x` on one device, where everything that follows is computed."""
    return jax.device_put(x, _devices()[0]) if isinstance(x, np.ndarray) or len(x.devices()) > 1 else x
