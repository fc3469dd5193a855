"""The command line: `mtjax COMMAND ...`; every command has a file of its own."""

from mtjax.cli.main import main as run

__all__ = ["run"]
