"""Python environments that take the place of images: made by uv on first use, and kept."""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from local.core.settings import Settings
from local.runtime.errors import JobFailedError
from local.runtime.interpreters import OURS

FOLDER = "environments"
"""The folder of the environments, in the service's folder."""

_SECONDS = 1800.0
_LAST_LINES = 12


def make(
    settings: Settings, python: str | None, requirements: Sequence[str], folder: Path, note: Callable[[str], None]
) -> str:
    """Return the interpreter of an environment, and make the environment if it does not exist.

    Args:
        settings: The service's settings. Environments are under ``.local/environments/``.
        python: The version of Python; None for the service's own. uv fetches one that this machine lacks.
        requirements: The packages, as pip takes them.
        folder: The folder to which paths in ``requirements`` are relative.
        note: Writes a sentence to the job's log.

    Raises:
        JobFailedError: uv is missing, or it cannot make the environment. The message has uv's reason.
    """
    version = python or OURS
    digest = hashlib.sha256(json.dumps([version, sorted(requirements), str(folder)]).encode()).hexdigest()[:16]
    environment = settings.root / FOLDER / digest
    with _turn(environment):
        if not environment.is_dir():
            note(f"making the Python environment {environment} with uv: Python {version}, {' '.join(requirements)}")
            _make(environment, version, requirements, folder)
            note("the environment is ready, and is kept for later jobs")
    return str(environment / "bin" / "python")


def _make(environment: Path, version: str, requirements: Sequence[str], folder: Path) -> None:
    uv = _find_uv()
    unfinished = environment.with_name(f"{environment.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    interpreter = sys.executable if version == OURS else version
    # A relocatable environment can be renamed. Then it has its name only when it is complete.
    _run([uv, "venv", "--quiet", "--relocatable", "--python", interpreter, str(unfinished)], folder)
    if requirements:
        python = str(unfinished / "bin" / "python")
        _run([uv, "pip", "install", "--quiet", "--python", python, *requirements], folder)
    unfinished.rename(environment)


def _find_uv() -> str:
    beside = Path(sys.prefix).parent / ".uv" / "bin" / "uv"
    found = shutil.which("uv") or (str(beside) if beside.is_file() else None)
    if found is None:
        raise JobFailedError("ClientError: an image's environment needs uv, which is not installed: pip install uv")
    return found


def _run(command: list[str], folder: Path) -> None:
    try:
        result = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, errors="replace", timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise JobFailedError(f"ClientError: uv has not made an image's environment in {_SECONDS:.0f} s") from None
    if result.returncode != 0:
        said = " ".join(line.strip() for line in result.stderr.splitlines()[-_LAST_LINES:])
        raise JobFailedError(f"ClientError: uv cannot make an image's environment: {said}")


@contextmanager
def _turn(environment: Path) -> Iterator[None]:
    """Let one job at a time make an environment."""
    environment.parent.mkdir(parents=True, exist_ok=True)
    with environment.with_name(f"{environment.name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
