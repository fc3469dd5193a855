"""Tables in workbooks of Excel and LibreOffice, by python-calamine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mtjax.files.layout import Layout, Row, arranged
from mtjax.quantities import need

WORKBOOKS = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
"""Endings of the files that are read as workbooks."""


def read_workbook(path: Path, sheet: str | None = None) -> Layout:
    """The table of a sheet, or of the only one that holds something; raises `ValueError` where there are more, or none."""
    need("python_calamine", "A workbook")
    import python_calamine

    try:
        book = python_calamine.CalamineWorkbook.from_path(str(path))
        sheets = {name: _rows(book.get_sheet_by_name(name).to_python(skip_empty_area=False)) for name in book.sheet_names}
    except (python_calamine.CalamineError, OSError) as error:
        raise ValueError(f"{str(path)!r} must be a workbook, but cannot be read as one: {error}.") from None
    if sheet is not None and sheet not in sheets:
        raise ValueError(f"{str(path)!r} must have the sheet {sheet!r}, but has {', '.join(map(repr, sheets))}.")
    full = [name for name, rows in sheets.items() if len(rows) > 1]
    if sheet is None and len(full) > 1:
        raise ValueError(f"{str(path)!r} has several sheets, {', '.join(map(repr, full))}: say which by `sheet`.")
    if sheet is None and not full:
        raise ValueError(f"{str(path)!r} must have a heading and at least one row, but is empty.")
    rows = sheets[sheet or full[0]]
    comments = [Row(row.line, [row.filled[0].lstrip("#%/! ")]) for row in rows if row.filled[0][:1] in tuple("#%!")]
    return arranged([row for row in rows if row.filled[0][:1] not in tuple("#%!")], comments, str(path), "cells", [])


def _rows(cells: list[list[Any]]) -> list[Row]:
    rows = [Row(i + 1, [_text(cell) for cell in row]) for i, row in enumerate(cells)]
    return [row for row in rows if row.filled]


def _text(cell: Any) -> str:
    """A cell as text: whole numbers without a fraction."""
    if isinstance(cell, bool):
        return str(cell)
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    return " ".join(str(cell).split())
