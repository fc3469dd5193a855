"""The command line: `mtjax COMMAND ...`; every command has a file of its own, and imports jax only once it has work."""

from mtjax.cli.main import main as run

__all__ = ["run"]
