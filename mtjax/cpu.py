"""Settings of XLA for the processor, made before jax computes anything."""

import os

import jax

_FUSED = "--xla_backend_extra_options=xla_cpu_use_multi_output_fusion"


def configure_cpu(*, devices: int | None = None, fused: bool = False) -> None:
    """Settings for the processor. Call it before the first computation of jax in the process.

    - `devices`: as how many devices jax shall see this processor, one for each core that is to work: ensembles, sweeps,
      fits and networks are spread over them, with the same results; `None` leaves it (1).
    - `fused`: whether XLA works out several outputs in one loop. Without it the three components of a solver's step are
      three loops that repeat the work they share; ensembles run almost twice as fast with it (`scripts/benchmark.py`).
      The flag is one for XLA's developers: with it XLA (jax 0.10.2) ends the process while it compiles some programs, gradients
      in double precision among them ("symbolic_map.cc: Check failed"). Set it in processes that only run ensembles.
      A flag of this kind that is set already is kept.

    Raises `ValueError` where `devices` is less than 1, or jax has computed already.
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
