"""The command line: `mtjax COMMAND ...`; every command has a file of its own."""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path

import jax
import tyro

from mtjax.cli_demo import demo_command
from mtjax.cli_design import design_command
from mtjax.cli_fit import fit_command
from mtjax.cli_loops import loops_command
from mtjax.cli_presets import presets_command
from mtjax.cli_simulate import simulate_command

COMMANDS = {
    "fit": fit_command,
    "loops": loops_command,
    "design": design_command,
    "demo": demo_command,
    "simulate": simulate_command,
    "presets": presets_command,
}


def main(arguments: list[str] | None = None) -> int:
    """Run `mtjax` with `arguments` (those of the process by default); returns the exit code, 2 for bad input."""
    _configure()
    try:
        with warnings.catch_warnings():
            warnings.showwarning = lambda message, *_, **__: print(f"warning: {message}", file=sys.stderr)
            tyro.extras.subcommand_cli_from_dict(
                COMMANDS, prog="mtjax", args=arguments, description="A differentiable simulator of spintronic devices."
            )
    except (ValueError, OSError) as error:
        print(f"mtjax: {error}", file=sys.stderr)
        return 2
    return 0


def _configure() -> None:
    """Double precision, and compiled programs kept from one run to the next."""
    jax.config.update("jax_enable_x64", True)  # noqa: FBT003
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "mtjax"
    jax.config.update("jax_compilation_cache_dir", str(cache))


if __name__ == "__main__":
    sys.exit(main())
