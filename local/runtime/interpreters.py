"""Find local Python interpreters that replace container images and Lambda runtimes."""

from __future__ import annotations

import importlib.metadata
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from shutil import which

OURS = f"{sys.version_info.major}.{sys.version_info.minor}"
"""The version of the Python that runs the service."""

_MINOR_VERSIONS = range(7, 20)
_QUESTION = 'import sys; print("%d.%d" % sys.version_info[:2], sys.executable)'


@cache
def find_interpreter(version: str) -> str | None:
    """Return the path of a Python with this version, or None.

    Args:
        version: for example ``3.12``.
    """
    if version == OURS:
        return sys.executable
    answers = (_answer(program, version) for program in _candidates(version))
    return next((answer for answer in answers if answer), None)


def nearest_interpreter(version: str) -> tuple[str, str]:
    """Return the version and the path of the Python of this machine whose version is nearest; a newer one if two are.

    Args:
        version: the version that is wanted, for example ``3.9``.
    """
    wanted = _minor(version)
    for minor in sorted(_MINOR_VERSIONS, key=lambda minor: (abs(minor - wanted), -minor)):
        if found := find_interpreter(f"3.{minor}"):
            return f"3.{minor}", found
    return OURS, sys.executable


def interpreter_of(runtime: str) -> tuple[str, str]:
    """Return the Python for a runtime of Lambda, and a note for the log.

    Args:
        runtime: for example ``python3.12``.
    """
    version = runtime.removeprefix("python")
    if int(version.partition(".")[2]) < _oldest_with_sdk():
        return sys.executable, f"python{OURS}, because the service's boto3 does not run in {runtime}"
    found = find_interpreter(version)
    if found is not None:
        return found, runtime
    return sys.executable, f"python{OURS}, because no {runtime} is on this machine"


def _minor(version: str) -> int:
    return int(version.split(".")[1])


def _candidates(version: str) -> list[str]:
    """Return programs that may be this Python: the one in PATH, and pyenv's.

    In PATH, pyenv has slow scripts, which run a Python only if it is the one that the user has chosen.
    """
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    in_path = which(f"python{version}")
    of_path = [in_path] if in_path and Path(in_path).parent != pyenv / "shims" else []
    of_pyenv = sorted(pyenv.glob(f"versions/{version}.*/bin/python{version}"), key=_patch, reverse=True)
    return [*of_path, *map(str, of_pyenv)]


def _patch(program: Path) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", program.parents[1].name)]


def _answer(program: str, version: str) -> str | None:
    try:
        answer = subprocess.run([program, "-c", _QUESTION], capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    found, _, path = answer.stdout.strip().partition(" ")
    return path if found == version else None


@cache
def _oldest_with_sdk() -> int:
    """Return the minor version of the oldest Python 3 that the service's boto3 runs in."""
    found = re.fullmatch(r">= ?3\.(\d+)", importlib.metadata.metadata("boto3")["Requires-Python"])
    assert found is not None
    return int(found[1])
