"""What a user reads when the folds cannot be made."""

from __future__ import annotations

import re

_LONGEST = 1000


class FoldError(Exception):
    """The folds cannot be made; the text says what is wrong, where, and what to do."""


def explain(error: Exception) -> str:
    """One line about an error of Spark, S3 or the disk: its cause, without the traces of Java and Python."""
    causes = re.findall(r"^\s*(?:Caused by: |: )(\S+?(?:Exception|Error)\b.*)$", str(error), re.MULTILINE)
    # What ended a Python worker is the last line of its traceback, which Java repeats before its own.
    causes += re.findall(r"^(\S.*)\n\n\tat org\.apache\.spark\.api\.python\.", str(error), re.MULTILINE)
    text = causes[-1] if causes else str(error).strip().partition("\n")[0]
    text = text or type(error).__name__
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
