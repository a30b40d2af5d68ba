"""Run a program with the network cut off: it reaches this machine only.

python cut_off.py PROGRAM
"""

from __future__ import annotations

import runpy
import socket
import sys
from typing import Any

_resolve = socket.getaddrinfo


def _only_this_machine(host: Any, *arguments: Any, **options: Any) -> Any:
    if host not in ("127.0.0.1", "localhost", None):
        raise OSError(f"the network is cut off: {host}")
    return _resolve(host, *arguments, **options)


if __name__ == "__main__":
    socket.getaddrinfo = _only_this_machine
    runpy.run_path(sys.argv[1], run_name="__main__")
