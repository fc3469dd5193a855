"""What is written to disk: modules as JSON, tables, checkpoints. Every file is written whole or not at all."""

from mtjax.files.archives import read_arrays, write_arrays
from mtjax.files.checkpoint import fingerprint, load_checkpoint, read_notes, save_checkpoint, write_notes
from mtjax.files.classes import name_of, register
from mtjax.files.modules import classes_in, decode, encode, rebuilt
from mtjax.files.tables import Headings, as_number, read_columns, read_rows
from mtjax.files.whole import write_whole

__all__ = [
    "Headings",
    "as_number",
    "classes_in",
    "decode",
    "encode",
    "fingerprint",
    "load_checkpoint",
    "name_of",
    "read_arrays",
    "read_columns",
    "read_notes",
    "read_rows",
    "rebuilt",
    "register",
    "save_checkpoint",
    "write_arrays",
    "write_notes",
    "write_whole",
]
