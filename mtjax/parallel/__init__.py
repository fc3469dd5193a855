"""How work is spread: rows over the devices of jax, shares over processes."""

from mtjax.parallel.processes import configure_cpu, start_processes
from mtjax.parallel.rows import over_blocks, over_rows

__all__ = ["configure_cpu", "over_blocks", "over_rows", "start_processes"]
