"""The standard streams of a program, usable however it was started."""

from __future__ import annotations

import io
import os
import shutil
import sys
from pathlib import Path
from typing import TextIO

from definition_language.text import broken, visible


def prepare_streams() -> None:
    """Let closed standard streams lead nowhere, and print as escapes what the locale cannot encode."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 - for the whole process
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def shown(text: str, stream: TextIO) -> str:
    """Return text as it can be printed: made safe to look at, and with lines that fit if the stream is a terminal."""
    safe = visible(text)
    return broken(safe, shutil.get_terminal_size().columns) if stream.isatty() else safe
