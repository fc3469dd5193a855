"""Checkpoints: the leaves of a PyTree with what is needed to recognise it, in one file written whole or not at all."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import equinox as eqx
import jax


def save_checkpoint(path: str | Path, tree: Any, history: Any) -> None:
    """Write `tree` and `history`: a line of JSON, then equinox's serialised leaves. An older file is replaced at the end."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    with partial.open("wb") as file:
        file.write((json.dumps({"leaves": _signature(tree), "history": history}) + "\n").encode())
        eqx.tree_serialise_leaves(file, tree)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def load_checkpoint(path: str | Path, like: Any) -> tuple[Any, tuple[tuple[float, float], ...]]:
    """What `save_checkpoint` wrote, in the structure of `like`.

    Raises `ValueError` where the file is no checkpoint, or one of another network.
    """
    with Path(path).open("rb") as file:
        try:
            heading = json.loads(file.readline())
            saved, history = heading["leaves"], heading["history"]
        except (ValueError, KeyError, TypeError):
            raise ValueError(f"'{path}' must be a checkpoint written by mtjax, but is not.") from None
        wanted = _signature(like)
        if saved != wanted:
            here = next((pair for pair in zip(saved, wanted, strict=False) if pair[0] != pair[1]), (len(saved), len(wanted)))
            raise ValueError(
                f"The checkpoint '{path}' must be of this network, but is of another: {here[0]} in the file, {here[1]} here."
            )
        return eqx.tree_deserialise_leaves(file, like), tuple((a, b) for a, b in history)


def _signature(tree: Any) -> list[str]:
    leaves = jax.tree_util.tree_leaves_with_path(eqx.filter(tree, eqx.is_array))
    return [f"{jax.tree_util.keystr(path)} {x.dtype}{list(x.shape)}" for path, x in leaves]
