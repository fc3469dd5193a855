"""Checkpoints: files that are written whole or not at all, and know to which problem they belong."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from mtjax.files.whole import write_whole


def read_notes(path: Path, problem: str) -> dict[str, Any]:
    """What a checkpoint holds of a problem, nothing where it is missing or of another; `ValueError` for other files."""
    if not path.is_file():
        return {}
    try:
        found = dict(json.loads(path.read_text()))
    except (ValueError, TypeError):
        raise ValueError(f"The checkpoint {str(path)!r} must be one that mtjax wrote, but is not.") from None
    return found if found.get("problem") == problem else {}


def write_notes(path: Path, kept: Mapping[str, Any]) -> None:
    """Replace a checkpoint at one go, so that no interruption leaves half of one."""
    write_whole(path, json.dumps(kept))


def fingerprint(problem: Any) -> str:
    """A digest of a module: its numbers, and what it is made of."""
    built = re.sub(r" at 0x[0-9a-f]+", "", str(jax.tree.structure(problem)))
    digest = hashlib.sha256(built.encode())
    for x in jax.tree.leaves(problem):
        is_key = isinstance(x, jax.Array) and jnp.issubdtype(x.dtype, jax.dtypes.prng_key)
        digest.update(np.asarray(jax.random.key_data(x) if is_key else x).tobytes())
    return digest.hexdigest()


def save_checkpoint(path: str | Path, tree: Any, history: Any) -> None:
    """Write `tree` and `history`: a line of JSON, then equinox's serialised leaves. An older file is replaced at the end."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)

    def write(file: BinaryIO) -> None:
        file.write((json.dumps({"leaves": _signature(tree), "history": history}) + "\n").encode())
        eqx.tree_serialise_leaves(file, tree)

    write_whole(path, write)


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
