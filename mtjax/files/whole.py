"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

Content = str | bytes | Callable[[BinaryIO], object]


def write_whole(path: str | os.PathLike[str], content: Content) -> None:
    """Replace a file at one go, so that no interruption leaves half of one.

    - `content`: text, bytes, or a function that writes into an open file.

    The content stands beside the file, as `name.PID.THREAD.part`, until all of it has reached the disk: of several that write
    at once, the last one's file remains, whole.

    >>> import pathlib, tempfile
    >>> import mtjax as mtj
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "delta.txt"
    >>> mtj.files.write_whole(path, "delta = 40")
    >>> path.read_text(), [file.name for file in path.parent.iterdir()]
    ('delta = 40', ['delta.txt'])
    """
    path = Path(path)
    beside = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}.part")
    try:
        with beside.open("wb") as file:
            if callable(content):
                content(file)
            else:
                file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
