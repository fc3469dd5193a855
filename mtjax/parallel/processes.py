"""Several processes, on one machine or many, by `jax.distributed`: each solves its share, then the shares are joined.

Every process runs the same program with the same numbers. What this package spreads (`mtjax.devices`) is divided by the number
of the row or sample, never by who is there, so that results do not depend on how many processes there are.
"""

import os
import threading
from typing import Any

import jax
import numpy as np
from jax.experimental import multihost_utils

from mtjax.checks import Count, checked

_FOREVER = 10**6


def start_processes(
    coordinator: str | None = None, processes: int | None = None, number: int | None = None, *, timeout: float = 60.0
) -> None:
    """Join the other processes of this run. Call it before jax computes anything, in each of them.

    - `coordinator`: address and port at which process 0 listens, the same for all, like "10.0.0.1:9911"; `processes`: how
      many there are; `number`: of this one, from 0. Under Slurm, Open MPI and on TPU pods jax finds all three by itself.
    - `timeout`: s; how long to wait for the others.

    Raises `TimeoutError` where a process is missing after `timeout`. A process that dies later ends the others within
    some 100 seconds (jax's heartbeat): begin again, and what was kept in a checkpoint or a sweep's folder serves.

    >>> import mtjax as mtj
    >>> mtj.start_processes("10.0.0.1:9911", processes=4, number=2)  # doctest: +SKIP
    """
    jax.config.update("jax_cpu_collectives_implementation", "gloo")
    failure: list[Exception] = []

    def join() -> None:
        try:
            jax.distributed.initialize(coordinator, processes, number, initialization_timeout=_FOREVER)
        except Exception as error:  # noqa: BLE001
            failure.append(error)

    # jax's own time limit ends the process with a crash instead of an exception
    thread = threading.Thread(target=join, daemon=True)
    thread.start()
    thread.join(timeout)
    if failure:
        raise failure[0]
    if thread.is_alive():
        raise TimeoutError(
            f"All {processes or ''} processes must start within {timeout:g} s, but at process {number} one was still missing "
            f"then: check that each runs and reaches {coordinator or 'the first one'}, or give a longer `timeout`."
        )


def share(number: int) -> slice:
    """The part of `number` rows, a multiple of the number of processes, that is this process's."""
    size = number // jax.process_count()
    return slice(jax.process_index() * size, (jax.process_index() + 1) * size)


def joined(parts: Any) -> Any:
    """Arrays of all processes joined along their first axis, the same in each; equal shapes are needed."""
    if jax.process_count() == 1:
        return parts
    return multihost_utils.process_allgather(jax.tree.map(np.asarray, parts), tiled=True)


_FUSED = "--xla_backend_extra_options=xla_cpu_use_multi_output_fusion"


@checked
def configure_cpu(*, devices: Count | None = None, fused: bool = False) -> None:
    """Settings for the processor. Call it before the first computation of jax in the process.

    - `devices`: as how many devices jax shall see this processor, one for each core that is to work: ensembles, sweeps,
      fits and networks are spread over them, with the same results; `None` leaves it (1).
    - `fused`: whether XLA works out several outputs in one loop. Without it the three components of a solver's step are
      three loops that repeat the work they share; ensembles run almost twice as fast with it (`scripts/benchmark.py`).
      The flag is one for XLA's developers: with it XLA (jax 0.10.2) ends the process while it compiles some programs, gradients
      in double precision among them ("symbolic_map.cc: Check failed"). Set it in processes that only run ensembles.
      A flag of this kind that is set already is kept.

    Raises `ValueError` where `devices` is less than 1, or jax has computed already.

    >>> import jax
    >>> import mtjax as mtj
    >>> number = jax.local_device_count()  # jax has started with so many
    >>> mtj.configure_cpu(devices=4)  # too late here: it belongs at the top of a program
    Traceback (most recent call last):
        ...
    ValueError: `configure_cpu(devices=...)` must be called before jax computes anything, but comes later.
    """
    flags = os.environ.get("XLA_FLAGS", "")
    if fused and "xla_backend_extra_options" not in flags:
        os.environ["XLA_FLAGS"] = f"{flags} {_FUSED}".strip()
    if devices is None:
        return
    if devices < 1:
        raise ValueError(f"The number of devices must be at least 1, but is {devices}.")
    try:
        jax.config.update("jax_num_cpu_devices", devices)
    except RuntimeError:
        raise ValueError("`configure_cpu(devices=...)` must be called before jax computes anything, but comes later.") from None
