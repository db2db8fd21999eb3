"""Series from people's own files: t, then one column a variable, gaps allowed."""

from __future__ import annotations

import re
from itertools import islice
from typing import BinaryIO

import numpy as np

from dgm_core.data.array_files import points_from_npy
from dgm_core.data.files import content_of
from dgm_core.data.series import MAX_ROWS, MAX_VARIABLES, Series, series_of_table
from dgm_core.data.text_files import DELIMITERS, cells_of, decode, is_number, rows_of
from dgm_core.errors import DataError

GAPS = frozenset({"", "na", "n/a", "nan", "null", "none", "-", "?"})
"""What a cell without a value holds, in small letters."""
_LONG_ROW = 1000


def read_series(name: str, blob: bytes | BinaryIO) -> Series:
    """A series from CSV, TSV, plain text or NPY; the content decides which.

    The first column is the time. An empty cell, NA or NaN is a gap. A first row without numbers names the columns;
    beside a semicolon or a tab a comma is a decimal comma.

    Args:
        name: the file's, for the messages.
        blob: its content, or a binary file at any position.

    Raises:
        DataError: when that is not what the file holds: one sentence that says what is wrong.

    Example:
        >>> series = read_series("two.csv", b"t,x,y\\n0,1,\\n0.5,2,3\\n0.7,2.5,4\\n")
        >>> series.names, series.times.tolist(), series.observed[0].tolist()
        (('x', 'y'), [0.0, 0.5, 0.7], [True, False])
    """
    content = content_of(name, blob)
    if content.startswith(b"\x93NUMPY"):
        return series_of_table(points_from_npy(name, content, MAX_ROWS, columns=None), label=name)
    if content.startswith(b"PK"):
        raise DataError(f"{name} is a zip archive; a CSV with a time and its variables is needed.")
    return _from_text(name, content)


def _from_text(name: str, content: bytes) -> Series:
    lines = content.count(b"\n") or content.count(b"\r")
    if lines > 2 * MAX_ROWS + 1000:
        raise DataError(f"{name} has {lines:,} lines; keep at most {MAX_ROWS:,} rows.")
    text = re.sub(r"\r\n?", "\n", decode(name, content))
    rows = list(islice(rows_of(text), MAX_ROWS + 2))
    if not rows:
        raise DataError(f"{name} holds no rows; a time and at least one variable are needed.")
    sample = rows[min(1, len(rows) - 1)][1]
    if len(sample) > _LONG_ROW:
        raise DataError(f"{name} has very long lines; keep at most {MAX_VARIABLES} variables.")
    delimiter = next((mark for mark in DELIMITERS if mark in sample), None)
    decimal_comma = delimiter in (";", "\t")
    first = cells_of(rows[0][1], delimiter)
    headed = not any(map(_is_value, first))
    width = len(first)
    if width - 1 > MAX_VARIABLES:
        raise DataError(f"{name} has {width - 1} variables; keep at most {MAX_VARIABLES} of them.")
    table = [
        _values(name, number, cells_of(row, delimiter), width, decimal_comma)
        for number, row in rows[1 if headed else 0 :]
    ]
    names = tuple(cell or f"x{d + 1}" for d, cell in enumerate(first[1:])) if headed else ()
    return series_of_table(np.array(table, np.float64).reshape(len(table), width), names, name)


def _is_value(cell: str) -> bool:
    return is_number(cell) and cell.lower() not in GAPS


def _values(name: str, line: int, cells: list[str], width: int, decimal_comma: bool) -> list[float]:
    """A line's numbers, NaN for gaps."""
    if len(cells) != width:
        raise DataError(f"Line {line:,} of {name} has {len(cells)} columns where the first has {width}.")
    return [_value(name, line, cell.replace(",", ".") if decimal_comma else cell) for cell in cells]


def _value(name: str, line: int, cell: str) -> float:
    if cell.lower() in GAPS:
        return float("nan")
    try:
        if "_" not in cell:
            return float(cell)
    except ValueError:
        pass
    raise DataError(f"Line {line:,} of {name} holds “{cell[:30]}”; a number is needed, or an empty cell for a gap.")
