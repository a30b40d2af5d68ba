"""Python environments that take the place of images: made by uv on first use, and kept."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from local.core.settings import Settings
from local.runtime.errors import JobFailedError
from local.runtime.interpreters import OURS, find_interpreter

FOLDER = "environments"
"""The folder of the environments, in the service's folder."""

Note = Callable[[str], None]
"""Writes a sentence to a job's log."""

_SECONDS = 1800.0
_LAST_LINES = 12


def make(settings: Settings, python: str | None, requirements: Sequence[str], folder: Path, note: Note) -> str:
    """Return the interpreter of an environment with exactly these packages, and make it if it does not exist.

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
    environment = place(settings, "own", version, sorted(requirements), str(folder))
    with turn(environment, note):
        if not environment.is_dir():
            note(f"making the Python environment {environment} with uv: Python {version}, {' '.join(requirements)}")
            with unfinished(environment) as new:
                # uv does not find pyenv's. It fetches one that this machine lacks.
                run_uv(["venv", "--python", find_interpreter(version) or version, str(new)], folder)
                if requirements:
                    # As pip does. Jobs cannot write to the environment, so each would compile what it imports.
                    install = ["pip", "install", "--compile-bytecode", "--python", str(program(new))]
                    run_uv([*install, *requirements], folder)
            note("the environment is ready, and is kept for later jobs")
    return str(program(environment))


def place(settings: Settings, name: str, *content: object) -> Path:
    """Return the folder of an environment: its name, and a hash of what it is made of."""
    digest = hashlib.sha256(json.dumps(content).encode()).hexdigest()[:12]
    return settings.root / FOLDER / f"{name}-{digest}"


def program(environment: Path) -> Path:
    """Return an environment's Python."""
    return environment / "bin" / "python"


@contextmanager
def turn(environment: Path, note: Note) -> Iterator[None]:
    """Let one job at a time make an environment. The log of one that waits says so."""
    environment.parent.mkdir(parents=True, exist_ok=True)
    with environment.with_name(f"{environment.name}.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            note("waiting for another job, which makes the same Python environment")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def unfinished(environment: Path) -> Iterator[Path]:
    """Return the folder in which to make an environment. It has its name only when it is complete."""
    folder = environment.with_name(f"{environment.name}.unfinished")
    shutil.rmtree(folder, ignore_errors=True)
    yield folder
    folder.rename(environment)


def run_uv(arguments: list[str], folder: Path) -> str:
    """Run uv in a folder, and return what it printed. If it fails, it is run again with what it has downloaded before.

    Raises:
        JobFailedError: uv is missing, or fails.
    """
    # A relocatable environment can be renamed. One that a failure has left is replaced.
    options = ["--relocatable", "--clear"] if arguments[0] == "venv" else []
    # Without a project: the settings of uv in the pyproject.toml around this folder are not for images.
    command = [_find_uv(), "--no-progress", "--project", os.sep, *arguments, *options]
    result = _run(command, folder)
    if result.returncode != 0 and _run([*command, "--offline"], folder).returncode != 0:
        said = " ".join(line.strip() for line in _faults(result.stderr)[-_LAST_LINES:])
        raise JobFailedError(
            f"ClientError: uv cannot make an image's environment: {said}. It needs a package index once: if this "
            "machine has no network, set UV_DEFAULT_INDEX or UV_FIND_LINKS where the service starts"
        )
    return result.stdout


def _find_uv() -> str:
    beside = Path(sys.prefix).parent / ".uv" / "bin" / "uv"
    found = shutil.which("uv") or (str(beside) if beside.is_file() else None)
    if found is None:
        raise JobFailedError("ClientError: an image's environment needs uv, which is not installed: pip install uv")
    return found


def _faults(messages: str) -> list[str]:
    """Return uv's messages from the first error on."""
    lines = messages.splitlines()
    begin = next(
        (number for number, line in enumerate(lines) if line.lstrip().startswith(("error", "\N{MULTIPLICATION SIGN}"))),
        0,
    )
    return lines[begin:]


def _run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command, cwd=folder, capture_output=True, text=True, errors="replace", timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise JobFailedError(f"ClientError: uv has not made an image's environment in {_SECONDS:.0f} s") from None
