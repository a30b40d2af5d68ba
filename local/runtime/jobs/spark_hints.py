"""Explains errors of Spark applications that occur only because a job runs locally."""

from __future__ import annotations

import re
from itertools import pairwise

from local.runtime.jobs.spark_configuration import NO_SCHEME

_NO_SCHEME = (
    "a path has no scheme. In SageMaker's Spark container it would be in HDFS, which is deleted when the job ends. "
    "Write s3://bucket/key, or file:///opt/ml/processing/... for a folder that SageMaker uploads"
)
_HINTS = (
    (f"viewfs://{NO_SCHEME}", _NO_SCHEME),
    ("File/Directory does not exist: ", _NO_SCHEME),
    ("InternalDir of ViewFileSystem", _NO_SCHEME),
    ("Empty Mount table in config for viewfs://", "an s3:// URI names a bucket that does not exist"),
    (
        'URI scheme is not "file"',
        "an application cannot read a whole bucket here: give a prefix in it, as s3://bucket/prefix/",
    ),
)
_FRAME = re.compile(r'  File "(?P<file>[^"]+)", line (?P<line>\d+)')
_LIBRARIES = ("site-packages", "/lib/python")


def hints(last_lines: list[str]) -> list[str]:
    """Return explanations of an application's error, each with the line of the application that it is about.

    Args:
        last_lines: The last lines of the application's output.
    """
    text = "\n".join(last_lines)
    found = dict.fromkeys(hint for sign, hint in _HINTS if sign in text)
    return [f"{hint}{_place(last_lines)}" for hint in found]


def _place(lines: list[str]) -> str:
    """Return the innermost line of the user's own code in a traceback, in brackets, or nothing."""
    for line, code in reversed(list(pairwise(lines))):
        frame = _FRAME.match(line)
        if frame and not any(part in frame["file"] for part in _LIBRARIES):
            return f" ({frame['file'].rpartition('/')[2]}, line {frame['line']}: {code.strip()})"
    return ""
