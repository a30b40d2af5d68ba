"""Errors of making folds, and their messages."""

from __future__ import annotations

import re
from collections.abc import Sequence

_LONGEST = 1000


class FoldError(Exception):
    """The folds cannot be made.

    Attributes:
        sentence: one line: what is wrong, where, and what to do. AWS shows the first 1,024 characters of it.
        details: further lines, for the log.
    """

    def __init__(self, sentence: str, details: Sequence[str] = ()) -> None:
        super().__init__("\n  ".join([sentence, *details]))
        self.sentence = sentence
        self.details = details


def explain(error: Exception) -> str:
    """Return the cause of an error of Spark, S3 or the disk in one line, without the traces of Java and Python."""
    causes = re.findall(r"^\s*(?:Caused by: |: )(\S+?(?:Exception|Error)\b.*)$", str(error), re.MULTILINE)
    # The cause is the last line of the Python worker's traceback, which Java repeats before its own.
    causes += re.findall(r"^(\S.*)\n\n\tat org\.apache\.spark\.api\.python\.", str(error), re.MULTILINE)
    text = causes[-1] if causes else str(error).strip().partition("\n")[0]
    text = text.removeprefix(f"{FoldError.__module__}.{FoldError.__name__}: ") or type(error).__name__
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def name_under(source: str, file: str) -> str:
    """Return the user's name of a file: its path relative to the input, or its name if the input is one file.

    >>> name_under("s3://bucket/data", "s3a://bucket/data/2026/rows.csv")
    '2026/rows.csv'
    """
    folder, path = (uri.partition(":")[2].strip("/") for uri in (source, file))
    if path.startswith(f"{folder}/"):
        return path[len(folder) + 1 :]
    return path.removeprefix(f"{folder.rpartition('/')[0]}/")
