"""What the set-up says."""

from __future__ import annotations

import re
import sys

# In the errors of uv and pip
NO_ROOM = re.compile(r"No space left on device|os error 28|Disk quota exceeded", re.IGNORECASE)


class SetupError(Exception):
    """The set-up cannot go on; the message says why, and what to do."""


def say(line: str) -> None:
    """Print a line to the standard error: commands such as ``make definition`` print their result to the other."""
    print(line, file=sys.stderr, flush=True)
