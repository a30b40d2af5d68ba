"""The processes of this machine, for tests that look whether one is left."""

from __future__ import annotations

import psutil


def commands_with(text: str) -> list[str]:
    """Command lines that contain a text, of processes that have not ended."""
    listed = (process.info["cmdline"] for process in psutil.process_iter(["cmdline"]))
    return [command for command in (" ".join(words or []) for words in listed) if text in command]
