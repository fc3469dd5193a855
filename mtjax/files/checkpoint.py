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
    """What a checkpoint holds of a problem, nothing where it is missing or of another; `ValueError` for other files.

    >>> import pathlib, tempfile
    >>> import mtjax as mtj
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "search.json"
    >>> mtj.files.write_notes(path, {"problem": "a1", "deviance": 31.4})
    >>> mtj.files.read_notes(path, "a1")["deviance"], mtj.files.read_notes(path, "b2")
    (31.4, {})
    """
    if not path.is_file():
        return {}
    try:
        found = dict(json.loads(path.read_text()))
    except (ValueError, TypeError):
        found = {}
    if not isinstance(found.get("problem"), str):
        raise ValueError(f"The checkpoint {str(path)!r} must be one that mtjax wrote, but is not.")
    return found if found.get("problem") == problem else {}


def write_notes(path: Path, kept: Mapping[str, Any]) -> None:
    """Replace a checkpoint at one go, so that no interruption leaves half of one.

    >>> import pathlib, tempfile
    >>> import mtjax as mtj
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "search.json"
    >>> mtj.files.write_notes(path, {"problem": "a1", "deviance": 31.4})
    >>> path.read_text()
    '{"problem": "a1", "deviance": 31.4}'
    """
    write_whole(path, json.dumps(kept))


def fingerprint(problem: Any) -> str:
    """A digest of a module: its numbers, and what it is made of.

    >>> import mtjax as mtj
    >>> one, same, other = (mtj.files.fingerprint(mtj.presets.perpendicular_stt(delta)) for delta in (40.0, 40.0, 60.0))
    >>> len(one), one == same, one == other
    (64, True, False)
    """
    built = re.sub(r" at 0x[0-9a-f]+", "", str(jax.tree.structure(problem)))
    digest = hashlib.sha256(built.encode())
    for x in jax.tree.leaves(problem):
        is_key = isinstance(x, jax.Array) and jnp.issubdtype(x.dtype, jax.dtypes.prng_key)
        digest.update(np.asarray(jax.random.key_data(x) if is_key else x).tobytes())
    return digest.hexdigest()


def save_checkpoint(path: str | Path, tree: Any, history: Any) -> None:
    """Write `tree` and `history`: a line of JSON, then equinox's serialised leaves. An older file is replaced at the end.

    >>> import pathlib, tempfile
    >>> import mtjax as mtj
    >>> device = mtj.presets.perpendicular_stt(40.0)
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "training.eqx"
    >>> mtj.files.save_checkpoint(path, device, [(0.7, 0.81), (0.4, 0.93)])  # loss and accuracy of every epoch
    >>> mtj.files.load_checkpoint(path, device)[1][-1]
    (0.4, 0.93)
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)

    def write(file: BinaryIO) -> None:
        file.write((json.dumps({"leaves": _signature(tree), "history": history}) + "\n").encode())
        eqx.tree_serialise_leaves(file, tree)

    write_whole(path, write)


def load_checkpoint(path: str | Path, like: Any) -> tuple[Any, tuple[tuple[float, float], ...]]:
    """What `save_checkpoint` wrote, in the structure of `like`.

    Raises `ValueError` where the file is no checkpoint, damaged, or one of another network.

    >>> import pathlib, tempfile
    >>> import mtjax as mtj
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "training.eqx"
    >>> mtj.files.save_checkpoint(path, mtj.presets.perpendicular_stt(40.0), [(0.7, 0.81)])
    >>> device, history = mtj.files.load_checkpoint(path, mtj.presets.perpendicular_stt(60.0))  # of the same structure
    >>> f"Bk {device[mtj.UniaxialAnisotropy].Bk * 1e3:.1f} mT", history
    ('Bk 219.7 mT', ((0.7, 0.81),))
    """
    with Path(path).open("rb") as file:
        try:
            heading = json.loads(file.readline())
            saved, history = heading["leaves"], tuple((a, b) for a, b in heading["history"])
        except (ValueError, KeyError, TypeError):
            raise ValueError(f"'{path}' must be a checkpoint written by mtjax, but is not.") from None
        wanted = _signature(like)
        if saved != wanted:
            here = next((pair for pair in zip(saved, wanted, strict=False) if pair[0] != pair[1]), (len(saved), len(wanted)))
            raise ValueError(
                f"The checkpoint '{path}' must be of this network, but is of another: {here[0]} in the file, {here[1]} here."
            )
        try:
            return eqx.tree_deserialise_leaves(file, like), history
        except (RuntimeError, ValueError, TypeError, OSError, EOFError):  # objects that are pickled there are not executed
            raise ValueError(f"The checkpoint '{path}' must hold {len(wanted)} arrays of numbers, but is damaged.") from None


def _signature(tree: Any) -> list[str]:
    leaves = jax.tree_util.tree_leaves_with_path(eqx.filter(tree, eqx.is_array))
    return [f"{jax.tree_util.keystr(path)} {x.dtype}{list(x.shape)}" for path, x in leaves]
