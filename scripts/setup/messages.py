"""What the set-up says."""

from __future__ import annotations

import os
import re
import shutil
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

# In the errors of uv and pip
NO_ROOM = re.compile(r"No space left on device|os error 28|Disk quota exceeded", re.IGNORECASE)


class SetupError(Exception):
    """The set-up cannot go on; the message says why, and what to do."""


def say(text: str) -> None:
    """Print to the standard error: commands such as ``make definition`` print their result to the other."""
    if sys.stderr.isatty():
        width = shutil.get_terminal_size().columns
        lines = [
            textwrap.fill(line, width, break_long_words=False, break_on_hyphens=False) for line in text.split("\n")
        ]
        text = "\n".join(lines)
    print(text, file=sys.stderr, flush=True)


@contextmanager
def signs_of_life(pause: float = 30) -> Iterator[None]:
    """Say after each pause, in seconds, that the work goes on."""
    done = threading.Event()

    def tick() -> None:
        started = time.monotonic()
        while not done.wait(pause):
            say(f"  still busy after {time.monotonic() - started:.0f} s")

    thread = threading.Thread(target=tick, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def network_remedy() -> str:
    """Return what to do about a network that does not answer."""
    proxies = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
    # Not its value, which may have a password
    proxy = next((f"{name} is set: is it right?" for name in proxies if os.environ.get(name)), "")
    return (
        "Check the network, then repeat the command: it fetches what is missing. "
        f"{proxy or 'Behind a proxy, set HTTPS_PROXY.'}"
    )
