"""Kills what the service started once the service is gone, however it went.

The supervisor runs this file as a process of its own and writes to it which process groups it has started
(``+<group>``) and which have ended (``-<group>``). The pipe closes when the service ends, even by ``kill -9``:
whatever has not ended by then is killed. It imports nothing but the standard library, to start in milliseconds.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys


def main() -> None:
    """Follow the groups until the pipe closes, then kill those that are left."""
    groups: set[int] = set()
    for line in sys.stdin:
        if line.startswith("+"):
            groups.add(int(line[1:]))
        else:
            groups.discard(int(line[1:]))
    for group in groups:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    # Ctrl-C in the terminal is the service's to handle.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    main()
