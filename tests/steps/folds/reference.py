"""An independent reading of CSV: the whole file at once, a row at a time, with the standard library."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

from tests.steps.folds.numbers import is_number


def encoded(
    text: str, names: Sequence[str], numbers: Sequence[str], categories: Mapping[str, Sequence[str]], delimiter: str
) -> tuple[list[str], list[int]]:
    """The rows as the folds hold them, and the numbers of the lines on which other rows begin.

    Args:
        text: a file without a header.
        names: its columns.
        numbers: those that hold numbers, the label first.
        categories: the values of the others that are written.
        delimiter: what separates fields.
    """
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows, rejected, line = [], [], 1
    for record in reader:
        begun, line = line, reader.line_num + 1
        if not record or (len(record) == 1 and not record[0].strip(" ")):
            continue
        fields = [field.strip(" \t".replace(delimiter, "")) for field in record]
        row = dict(zip(names, fields, strict=False))
        # A quoted field may hold the delimiter, which is no part of a number even if it is a tab.
        usable = all(is_number(row.get(name, "")) and delimiter not in row.get(name, "") for name in numbers)
        known = all(row.get(name) in values for name, values in categories.items())
        if not (usable and known and len(fields) == len(names)):
            rejected.append(begun)
        else:
            one_hot = [str(int(row[name] == value)) for name, values in categories.items() for value in values]
            rows.append(",".join([*(row[name] for name in numbers), *one_hot]))
    return rows, rejected
