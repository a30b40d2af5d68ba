"""What Ctrl-C does while a program starts."""

from __future__ import annotations

import signal
import sys


def end_quietly_at_ctrl_c() -> None:
    """Let Ctrl-C end the process without the traceback of an import, if a package is imported to run a module of it.

    ``python -m package.module`` imports the package first. The module then decides what Ctrl-C does.
    """
    # What Python has for the module's path while it locates that.
    is_located = sys.argv[0] == "-m"
    if is_located and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
