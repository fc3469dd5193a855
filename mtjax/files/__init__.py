"""What is written to disk: modules as JSON, tables, checkpoints. Every file is written whole or not at all."""

from mtjax.files.archives import read_arrays, write_arrays
from mtjax.files.checkpoint import fingerprint, load_checkpoint, read_notes, save_checkpoint, write_notes
from mtjax.files.classes import name_of, register
from mtjax.files.headings import plain_name, readings
from mtjax.files.layout import number_and_unit
from mtjax.files.modules import classes_in, decode, encode, rebuilt
from mtjax.files.numerals import number_in
from mtjax.files.tables import Headings, Table, as_number, read_columns, read_rows, read_table
from mtjax.files.text import read_text
from mtjax.files.toml import as_toml, from_toml, sources_in_toml
from mtjax.files.units import in_si, is_unit
from mtjax.files.whole import write_whole
from mtjax.files.workbooks import WORKBOOKS

__all__ = [
    "WORKBOOKS",
    "Headings",
    "Table",
    "as_number",
    "as_toml",
    "classes_in",
    "decode",
    "encode",
    "fingerprint",
    "from_toml",
    "in_si",
    "is_unit",
    "load_checkpoint",
    "name_of",
    "number_and_unit",
    "number_in",
    "plain_name",
    "read_arrays",
    "read_columns",
    "read_notes",
    "read_rows",
    "read_table",
    "read_text",
    "readings",
    "rebuilt",
    "register",
    "save_checkpoint",
    "sources_in_toml",
    "write_arrays",
    "write_notes",
    "write_whole",
]
