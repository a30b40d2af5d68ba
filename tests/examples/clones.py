"""A folder as a person has it after a clone: without the data of the examples, and with nothing published."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# The shell in which `make local` serves. It has a process group, so that the service ends with this shell.
SERVE = """
set -m
make local > local.log 2>&1 &
set +m
trap "kill -- -$!; wait $! || true" EXIT
for _ in $(seq 600); do grep -q "in service again" local.log && break; sleep 0.1; done
"""
STOP = 'kill -- -$! && wait $! || true\ntrap "" EXIT\nfor name in ${!AWS_*}; do unset $name; done'
"""Ends the service, and makes the shell one that does not point at it."""


def run_shell(script: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a script as a person's shell does, until a command fails. The local service gets a port of its own."""
    environment = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
    environment |= {"PORT": str(_free_port()), "COLUMNS": "100", **variables}
    command = ["bash", "-euo", "pipefail", "-c", script]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def link_project(folder: Path) -> None:
    """Link the project's files into a folder, but neither the data of the examples nor the local service's."""
    for entry in ROOT.iterdir():
        if entry.name not in (".local", ".git", "examples", "build"):
            (folder / entry.name).symlink_to(entry)
    (folder / "examples").mkdir()
    for entry in (ROOT / "examples").iterdir():
        if entry.is_file():
            (folder / "examples" / entry.name).symlink_to(entry)
