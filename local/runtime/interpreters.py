"""Find local Python interpreters that replace container images and Lambda runtimes."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from shutil import which

OURS = f"{sys.version_info.major}.{sys.version_info.minor}"
"""The version of the Python that runs the service."""

_QUESTION = """
import sys, importlib.util as util
found = all(util.find_spec(name) for name in sys.argv[1:])
print("%d.%d" % sys.version_info[:2] if found else "", sys.executable)
"""


@cache
def find_interpreter(version: str, *modules: str) -> str | None:
    """Return the path of a Python with this version and these modules, or None.

    Args:
        version: for example ``3.12``.
        modules: names of the modules, for example ``boto3``.
    """
    if version == OURS:
        return sys.executable
    program = which(f"python{version}")
    if program is None:
        return None
    command = [program, "-c", _QUESTION, *modules]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    found, _, path = answer.stdout.strip().partition(" ")
    return path if found == version else None
