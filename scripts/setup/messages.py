"""What the set-up says."""

from __future__ import annotations

import sys


class SetupError(Exception):
    """The set-up cannot go on; the message says why, and what to do."""


def say(line: str) -> None:
    """Print a line to the standard error: commands such as ``make definition`` print their result to the other."""
    print(line, file=sys.stderr, flush=True)
