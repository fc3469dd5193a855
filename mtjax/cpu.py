"""Settings of XLA for the processor, made before jax computes anything."""

import os

_MULTI_OUTPUT = "--xla_backend_extra_options=xla_cpu_use_multi_output_fusion"
_DEVICES = "--xla_force_host_platform_device_count"


def configure_cpu(*, devices: int | None = None) -> None:
    """Let XLA compile faster code for the processor. Call it before the first computation of jax in the process.

    Without it XLA computes the three components of a solver's step in three loops and repeats the work they share;
    ensembles run almost twice as fast with it (`scripts/benchmark.py`). Flags that are set already are kept.

    The flag is one of XLA's developers: with it XLA (jax 0.10.2) has been seen to end the process while it compiled a
    gradient in double precision ("symbolic_map.cc: Check failed"). Use it where ensembles dominate, and leave it out if that
    happens; nothing in the package needs it.

    - `devices`: how many devices jax shall see on this processor, for `jax.sharding`; `None` leaves it.
    """
    flags = os.environ.get("XLA_FLAGS", "")
    if "xla_backend_extra_options" not in flags:
        flags = f"{flags} {_MULTI_OUTPUT}"
    if devices is not None and _DEVICES not in flags:
        flags = f"{flags} {_DEVICES}={devices}"
    os.environ["XLA_FLAGS"] = flags.strip()
