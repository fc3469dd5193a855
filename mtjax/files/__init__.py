"""What is written to disk: modules as JSON, tables, checkpoints. Every file is written whole or not at all."""

from mtjax.files.checkpoint import fingerprint, load_checkpoint, read_notes, save_checkpoint, write_notes
from mtjax.files.modules import decode, encode
from mtjax.files.tables import Headings, read_columns, read_rows

__all__ = [
    "Headings",
    "decode",
    "encode",
    "fingerprint",
    "load_checkpoint",
    "read_columns",
    "read_notes",
    "read_rows",
    "save_checkpoint",
    "write_notes",
]
