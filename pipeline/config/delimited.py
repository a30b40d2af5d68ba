"""The delimiters of CSV files that are tried, and the fields of one line."""

from __future__ import annotations

import csv

DELIMITERS = (",", ";", "\t", "|")


def fields_of(line: str, delimiter: str) -> list[str]:
    """Return the fields of a line, without blanks around them; none if a field is longer than csv's limit."""
    try:
        return [field.strip() for field in next(csv.reader([line], delimiter=delimiter), [])]
    except csv.Error:
        return []
