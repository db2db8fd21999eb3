"""Points from text: CSV, TSV or columns set apart by blanks, with or without a header."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from itertools import islice

import numpy as np

from dgm_core.errors import DataError

DELIMITERS = ("\t", ";", "|", ",")
"""In the order in which they are looked for; where none is, blanks set columns apart."""
_LONG_ROW = 1000


def points_from_text(name: str, content: bytes, max_points: int) -> np.ndarray:
    """Read two columns of numbers.

    The delimiter is the first of tab, semicolon, bar and comma that the second row has, else blanks; beside a semicolon
    or a tab a comma is a decimal comma. Empty lines and what follows a # are passed over; a first row without numbers
    is the header.

    Args:
        name: the file's, for the messages.
        content: its bytes, UTF-8 or with a byte-order mark.
        max_points: more rows are refused; where there are more than twice as many lines, before they are read.

    Returns:
        (N, 2) float64.

    Raises:
        DataError: when that is not what the text holds.
    """
    lines = content.count(b"\n") or content.count(b"\r")
    if lines > 2 * max_points + 1000:
        raise _too_many(name, lines, max_points)
    text = re.sub(r"\r\n?", "\n", decode(name, content))
    first = list(islice(rows_of(text), 2))
    if not first:
        raise DataError(f"{name} holds no rows; two columns of numbers are needed.")
    delimiter = next((mark for mark in DELIMITERS if mark in first[-1][1]), None)
    _require_two_columns(name, first[-1][1], delimiter)
    if delimiter in (";", "\t") and "." not in first[-1][1]:
        text = text.replace(",", ".")
    skipped = first[0][0] if len(first) == 2 and not any(map(is_number, cells_of(first[0][1], delimiter))) else 0
    return _parse(name, text, delimiter, skipped, max_points)


def _parse(name: str, text: str, delimiter: str | None, skipped: int, max_points: int) -> np.ndarray:
    try:
        points = np.loadtxt(io.StringIO(text), delimiter=delimiter, skiprows=skipped, quotechar='"', ndmin=2)
    except ValueError as error:
        for number, row in rows_of(text):
            if number > skipped and not _numbers(row, delimiter):
                what = f"Line {number:,} of {name} reads “{row[:40]}”"
                raise DataError(f"{what}; two numbers are needed in each line.") from error
        raise DataError(f"{name} is no table of numbers; two columns of numbers are needed.") from error
    if len(points) > max_points:
        raise _too_many(name, len(points), max_points)
    return points


def decode(name: str, content: bytes) -> str:
    """The text, from UTF-8 or from UTF-16 with a byte-order mark.

    Raises:
        DataError: when it is no text.
    """
    wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        text = content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise _no_text(name) from error
    if "\0" in text:
        raise _no_text(name)
    return text


def rows_of(text: str) -> Iterator[tuple[int, str]]:
    """Lines that hold something, each with its number from 1 on; one at a time, since the text may be long."""
    for number, line in enumerate(io.StringIO(text, newline="\n"), start=1):
        row = line.split("#", 1)[0].strip(" \n")
        if row.strip():
            yield number, row


def cells_of(row: str, delimiter: str | None) -> list[str]:
    """The row's parts; of a very long row only those at its start, since all could be ten million."""
    return [cell.strip().strip('"') for cell in row[:_LONG_ROW].split(delimiter)]


def is_number(cell: str) -> bool:
    """Whether the cell is a number; a comma in it can only be a decimal comma."""
    try:
        float(cell.replace(",", "."))
    except ValueError:
        return False
    return "_" not in cell


def _numbers(row: str, delimiter: str | None) -> bool:
    cells = cells_of(row, delimiter)
    return len(cells) == 2 and all(map(is_number, cells))


def _require_two_columns(name: str, row: str, delimiter: str | None) -> None:
    columns = len(cells_of(row, delimiter))
    if columns != 2 or len(row) > _LONG_ROW:
        count = "very long lines" if len(row) > _LONG_ROW else f"{columns} column{'s' * (columns > 1)}"
        raise DataError(f"{name} has {count}; two columns are needed, one point in each line.")


def _no_text(name: str) -> DataError:
    return DataError(f"{name} is neither text nor a NumPy file; CSV, TSV, TXT, NPY or NPZ are read.")


def _too_many(name: str, rows: int, max_points: int) -> DataError:
    return DataError(f"{name} has more than {min(rows, max_points):,} rows; keep at most {max_points:,} of them.")
