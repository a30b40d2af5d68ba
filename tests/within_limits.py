"""Runs code that must be neither slow nor large, in a process that is ended if it is."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

SECONDS = 60
"""Far more than is needed: what this stops would take minutes or for ever."""

_LIMIT_MEMORY = """\
import resource

def limit_memory(mebibytes):
    with open("/proc/self/statm") as file:
        present = int(file.read().split()[0]) * resource.getpagesize()
    most = present + mebibytes * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
"""


def run_within_limits(code: str, *, mebibytes: int, seconds: float = SECONDS) -> str:
    """Run Python code; return what it prints.

    Args:
        code: may be indented; what it imports at its beginning, up to the line ``# limited``, is not counted.
        mebibytes: memory that the rest may take.
        seconds: when it is ended.
    """
    imports, marker, limited = textwrap.dedent(code).partition("# limited\n")
    assert marker
    program = f"{_LIMIT_MEMORY}{imports}\nlimit_memory({mebibytes})\n{limited}"
    environment = {
        "PYTHONPATH": ":".join([str(Path(__file__).parents[1]), *filter(None, sys.path)]),
        "OPENBLAS_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
        env=environment,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.strip()
