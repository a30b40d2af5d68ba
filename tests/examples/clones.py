"""A folder as a person has it after a clone, and the shells in which the commands of the pages are said there."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

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

START_SECONDS = 60


def run_shell(script: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a script as a person's shell does, until a command fails. The local service gets a port of its own."""
    environment = _environment(PORT=str(free_port()), **variables)
    command = ["bash", "-euo", "pipefail", "-c", script]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@dataclass(frozen=True)
class Said:
    """What became of a command.

    Attributes:
        status: its exit status.
        printed: what it wrote to the standard output, then to the standard error.
    """

    status: int
    printed: str


class Shell:
    """A person's Bash in a folder: what one command exports or sets, the next one sees."""

    def __init__(self, folder: Path, **variables: str) -> None:
        self.folder = folder
        self._environment = _environment(**variables)
        self._files = TemporaryDirectory()
        self._bash = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            cwd=folder,
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def say(self, command: str) -> Said:
        """Run a command as it is typed, until it ends; its standard input is empty."""
        script, out, err = (Path(self._files.name) / name for name in ("command", "out", "err"))
        script.write_text(command + "\n", "utf-8")
        bash = self._bash
        assert bash.stdin is not None
        assert bash.stdout is not None
        bash.stdin.write(f". '{script}' < /dev/null > '{out}' 2> '{err}'; echo $?\n")
        bash.stdin.flush()
        status = int(bash.stdout.readline())
        return Said(status, out.read_text("utf-8", "replace") + err.read_text("utf-8", "replace"))

    @contextmanager
    def in_another(self, command: str, ready: str) -> Iterator[re.Match[str]]:
        """Run a command in another shell with this one's variables until Ctrl-C; wait until it prints a pattern."""
        exported = {
            name: value
            for name, _, value in (each.partition("=") for each in self.say("env -0").printed.split("\0"))
            if name and name != "_"
        }
        out = Path(self._files.name) / "other"
        with out.open("w") as file:
            other = subprocess.Popen(
                ["bash", "-c", f"exec {command}"],
                cwd=self.folder,
                env=exported,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            yield _wait_for(ready, out, other)
        finally:
            os.killpg(other.pid, signal.SIGINT)
            other.wait()

    def close(self) -> None:
        """End the shell."""
        assert self._bash.stdin is not None
        self._bash.stdin.close()
        self._bash.wait()
        self._files.cleanup()


def _wait_for(pattern: str, out: Path, process: subprocess.Popen[bytes]) -> re.Match[str]:
    deadline = time.monotonic() + START_SECONDS
    while not (found := re.search(pattern, out.read_text("utf-8", "replace"))):
        assert process.poll() is None, out.read_text("utf-8", "replace")
        assert time.monotonic() < deadline, out.read_text("utf-8", "replace")
        time.sleep(0.1)
    return found


def _environment(**variables: str) -> dict[str, str]:
    inherited = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
    return inherited | {"COLUMNS": "100", **variables}


def free_port() -> int:
    """Return a port on which nobody listens."""
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


def own_copy(folder: Path, name: str) -> None:
    """Replace the link to one of the project's files or folders by a copy, for a command that writes there."""
    place, original = folder / name, ROOT / name
    if not place.is_symlink():
        return
    place.unlink()
    if original.is_dir():
        shutil.copytree(original, place, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(original, place)
