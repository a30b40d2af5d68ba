"""Kill the service's child processes after the service ends.

The supervisor runs this file as a separate process. It writes ``+<group>`` when a process group starts and
``-<group>`` when one ends. The pipe closes when the service ends, even after ``kill -9``. The guard then kills the
remaining groups. It imports only the standard library, so it starts in milliseconds.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys


def main() -> None:
    """Track the process groups until the pipe closes, then kill the remaining ones."""
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
    # The service handles Ctrl-C.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    main()
