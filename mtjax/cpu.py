"""Settings of XLA for the processor, made before jax computes anything."""

import os

import jax

_MULTI_OUTPUT = "--xla_backend_extra_options=xla_cpu_use_multi_output_fusion"


def configure_cpu(*, devices: int | None = None) -> None:
    """Let XLA compile faster code for the processor. Call it before the first computation of jax in the process.

    Without it XLA computes the three components of a solver's step in three loops and repeats the work they share;
    ensembles run almost twice as fast with it (`scripts/benchmark.py`). Flags that are set already are kept.

    - `devices`: as how many devices jax shall see this processor, one for each core that is to work: ensembles, sweeps,
      fits and networks are spread over them, with the same results; `None` leaves it (1).

    Raises `ValueError` where `devices` is less than 1, or jax has computed already.
    """
    flags = os.environ.get("XLA_FLAGS", "")
    if "xla_backend_extra_options" not in flags:
        os.environ["XLA_FLAGS"] = f"{flags} {_MULTI_OUTPUT}".strip()
    if devices is None:
        return
    if devices < 1:
        raise ValueError(f"The number of devices must be at least 1, but is {devices}.")
    try:
        jax.config.update("jax_num_cpu_devices", devices)
    except RuntimeError:
        raise ValueError("`configure_cpu(devices=...)` must be called before jax computes anything, but comes later.") from None
