"""The text of a file, whatever program wrote it: UTF-8, UTF-16 or Windows-1252, with a byte-order mark or without."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_OTHER_KINDS = {
    b"PK\x03\x04": "a zip archive", b"\x1f\x8b": "a gzip archive", b"%PDF": "a PDF document", b"\x89PNG": "a picture",
    b"\x89HDF": "an HDF5 file", b"\x93NUMPY": "an array of numpy", b"\xd0\xcf\x11\xe0": "an old document of Office",
}  # fmt: skip
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x19\x1b-\x1f\x7f\ufffe\uffff]")


def read_text(path: Path) -> str:
    r"""What stands in a text file; line ends become "\n".

    Raises `ValueError` where there is no such file, it cannot be opened, is empty, or holds no text.

    >>> import pathlib, tempfile
    >>> import mtjax as mtj
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "counts.csv"
    >>> size = path.write_bytes("I (µA)\tP\r\n20\t0.3\r\n".encode("utf-16"))
    >>> mtj.files.read_text(path)
    'I (µA)\tP\n20\t0.3\n'
    """
    require_file(path)
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ValueError(f"The data file must be readable, but {str(path)!r} is not: {error.strerror}.") from None
    if not raw.strip():
        raise ValueError(f"{str(path)!r} must have a heading and at least one row, but is empty.")
    kind = next((what for start, what in _OTHER_KINDS.items() if raw.startswith(start)), None)
    text = None if kind else _decoded(raw)
    if text is None:
        raise ValueError(f"{str(path)!r} must be a table in a text file, but is {kind or 'a binary file'}.")
    return text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\x1a")


def require_file(path: Path) -> None:
    """Raise `ValueError` where there is no file at `path`."""
    if path.is_dir():
        raise ValueError(f"The data must be in one file, but {str(path)!r} is a folder.")
    if not path.is_file():
        raise ValueError(f"The data file must exist, but {str(path)!r} does not.")


def _decoded(raw: bytes) -> str | None:
    """The bytes as text, or `None` where no encoding makes text of them."""
    marked = [name for mark, name in _MARKS.items() if raw.startswith(mark)]
    even, odd = raw[0::2].count(0), raw[1::2].count(0)
    wide = ["utf-16-le"] if odd > len(raw) // 5 else ["utf-16-be"] if even > len(raw) // 5 else []
    for encoding in marked or wide or ["utf-8", "cp1252"]:
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not _CONTROL.search(text):
            return text
    return None
