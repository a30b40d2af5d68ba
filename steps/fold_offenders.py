"""What an error says of a rejected line beside its text: the name of its file and the column at fault."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from urllib.parse import unquote

from fold_columns import FileColumns
from fold_grammar import NUMBER, Verdict


def detail(verdict: Verdict, fields: Sequence[str], columns: FileColumns) -> str:
    """Say where in a line the fault is.

    Args:
        verdict: why the line is rejected.
        fields: its fields.
        columns: the columns that it should have.

    Returns:
        for example `` in column 'bmi'``; empty where the verdict says all.
    """
    if verdict is Verdict.WRONG_COLUMNS:
        # A record that is no CSV at all stands here as one field.
        return f" has {len(fields)}, not {len(columns.names)}" if len(fields) > 1 else ""
    name = _column_at_fault(verdict, dict(zip(columns.names, map(str.strip, fields), strict=False)), columns)
    return "" if name is None else f" in column {name!r}"


def _column_at_fault(verdict: Verdict, values: dict[str, str], columns: FileColumns) -> str | None:
    declared = columns.declared
    if verdict is Verdict.EMPTY_FIELD:
        return next((name for name in declared.needed if not values.get(name)), None)
    if verdict in (Verdict.NOT_FINITE, Verdict.NOT_NUMERIC):
        return next((name for name in declared.numbers if not re.fullmatch(NUMBER, values.get(name, ""))), None)
    if verdict is Verdict.UNKNOWN_CATEGORY:
        known = declared.categorical
        return next((name for name in known if values.get(name) not in known[name]), None)
    return None


def own_names(files: Iterable[str]) -> dict[str, str]:
    """The input files' names without the folder that all of them are in.

    The folder of a published file is a hash, which tells a user nothing.
    """
    split = {file: file.split("/") for file in files}
    shared = 0
    for parts in zip(*(path[:-1] for path in split.values()), strict=False):
        if len(set(parts)) > 1:
            break
        shared += 1
    return {file: unquote("/".join(path[shared:])) for file, path in split.items()}
