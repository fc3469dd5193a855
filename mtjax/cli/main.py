"""The command line: `mtjax COMMAND ...`; every command has a file of its own."""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path

import jax
import tyro

from mtjax.cli.demo import demo_command
from mtjax.cli.design import design_command
from mtjax.cli.fit import fit_command
from mtjax.cli.loops import loops_command
from mtjax.cli.presets import presets_command
from mtjax.cli.simulate import merge_command, simulate_command
from mtjax.cli.train import train_command
from mtjax.sweeps import sentence

COMMANDS = {
    "fit": fit_command,
    "loops": loops_command,
    "design": design_command,
    "demo": demo_command,
    "simulate": simulate_command,
    "merge": merge_command,
    "train": train_command,
    "presets": presets_command,
}


def main(arguments: list[str] | None = None) -> int:
    """Run `mtjax` with `arguments` (those of the process by default); returns the exit code.

    0: done; 1: the engine found no answer; 2: bad input; 130: interrupted. What went wrong is one sentence on standard error.
    """
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
    except RuntimeError as error:
        print(f"mtjax: {sentence(error)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("mtjax: interrupted", file=sys.stderr)
        return 130
    return 0


def _configure() -> None:
    """Double precision, and compiled programs kept from one run to the next."""
    jax.config.update("jax_enable_x64", True)  # noqa: FBT003
    if "JAX_COMPILATION_CACHE_DIR" in os.environ:
        return
    folder = cache_folder()
    jax.config.update("jax_compilation_cache_dir", None if folder is None else str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)


def cache_folder() -> Path | None:
    """Where compiled programs are kept: mtjax in $XDG_CACHE_HOME, or else in ~/.cache; `None` where nothing can be written.

    The environment variable JAX_COMPILATION_CACHE_DIR, jax's own, comes before it.
    """
    try:
        folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mtjax"
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):
        return None
    return folder if os.access(folder, os.W_OK) else None


if __name__ == "__main__":
    sys.exit(main())
