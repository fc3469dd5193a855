"""Arrays in numpy's archives. What is pickled in one is refused, never executed."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterable
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from mtjax.files.whole import write_whole


def write_arrays(path: str | PathLike[str], **arrays: Any) -> None:
    """Write arrays to an `.npz` file, whole or not at all; the ending is added where the name lacks it.

    >>> import pathlib, tempfile
    >>> import mtjax as mtj
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> mtj.files.write_arrays(folder / "two", x=[1.0, 2.0], y=3)
    >>> [file.name for file in folder.iterdir()]
    ['two.npz']
    """
    whole = Path(path) if str(path).endswith(".npz") else Path(f"{path}.npz")
    write_whole(whole, lambda file: np.savez(file, **arrays))


def read_arrays(path: str | PathLike[str], names: Iterable[str]) -> dict[str, np.ndarray]:
    """The arrays of these `names` in an `.npz` file; raises `ValueError` where it is damaged, lacks one, or holds objects.

    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> import mtjax as mtj
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "two.npz"
    >>> np.savez(path, x=[1.0, 2.0], y=3)
    >>> mtj.files.read_arrays(path, ["x"])
    {'x': array([1., 2.])}
    """
    if not Path(path).is_file():
        raise ValueError(f"The file '{path}' must exist, but does not.")
    if not zipfile.is_zipfile(path):
        raise ValueError(f"'{path}' must be a numpy .npz file, but is not.")
    try:
        with np.load(path, allow_pickle=False) as file:
            missing = [name for name in names if name not in file]
            found = {} if missing else {name: file[name] for name in names}
    except (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"'{path}' must be a numpy .npz file of numbers, but cannot be read: {error}.") from None
    if missing:
        raise ValueError(f"'{path}' must hold {', '.join(names)}, but lacks {', '.join(missing)}.")
    return found
