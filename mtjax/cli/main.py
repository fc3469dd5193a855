"""`mtjax COMMAND ...`: chooses the command, and says in one sentence what went wrong."""

from __future__ import annotations

import logging
import os
import sys
import warnings

import tyro

from mtjax.cli.demo import demo_command
from mtjax.cli.design import design_command
from mtjax.cli.export import export_command
from mtjax.cli.fit import fit_command
from mtjax.cli.loops import loops_command
from mtjax.cli.presets import presets_command
from mtjax.cli.simulate import merge_command, simulate_command
from mtjax.cli.telegraph import telegraph_command
from mtjax.cli.train import train_command

COMMANDS = {
    "fit": fit_command,
    "loops": loops_command,
    "telegraph": telegraph_command,
    "design": design_command,
    "demo": demo_command,
    "simulate": simulate_command,
    "merge": merge_command,
    "train": train_command,
    "presets": presets_command,
    "export": export_command,
}


def main(arguments: list[str] | None = None) -> int:
    """Run `mtjax` with `arguments` (those of the process by default); returns the exit code.

    0: done; 1: the engine found no answer; 2: bad input, or a package of an extra is missing; 130: interrupted. What went wrong
    is one sentence on standard error. Everything is worked out in double precision.
    """
    _double_precision()
    logging.getLogger("mtjax").addHandler(lines := _lines())
    try:
        with warnings.catch_warnings():
            warnings.showwarning = lambda message, *_, **__: print(f"warning: {message}", file=sys.stderr)
            tyro.extras.subcommand_cli_from_dict(
                COMMANDS, prog="mtjax", args=arguments, description="A differentiable simulator of spintronic devices."
            )
    except (ValueError, OSError, ImportError) as error:
        print(f"mtjax: {error}", file=sys.stderr)
        return 2
    except RuntimeError as error:
        print(f"mtjax: {_sentence(error)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("mtjax: interrupted", file=sys.stderr)
        return 130
    finally:
        logging.getLogger("mtjax").removeHandler(lines)
    return 0


def _lines() -> logging.Handler:
    """Shows what the engine is at, line by line on standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("... %(message)s"))
    return handler


def _double_precision() -> None:
    os.environ["JAX_ENABLE_X64"] = "1"  # read when jax is imported, which the command does only once it has work
    if "jax" in sys.modules:
        sys.modules["jax"].config.update("jax_enable_x64", True)  # noqa: FBT003


def _sentence(error: RuntimeError) -> str:
    from mtjax.sweeps import sentence

    return sentence(error)


if __name__ == "__main__":
    sys.exit(main())
