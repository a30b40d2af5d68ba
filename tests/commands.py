"""Runs the commands behind ``make`` in this process, which has imported the SDK and boto3 already.

tests/scripts/test_commands.py also starts every command as a process of its own (``in_a_process``), as make does.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import runpy
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from scripts import console

ROOT = Path(__file__).resolve().parent.parent


def run_command(name: str, environment: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run ``python -m scripts.<name>`` in this process: nothing but this environment, no terminal."""
    out, err = io.StringIO(), io.StringIO()
    kept = dict(os.environ)
    width = int(environment.get("COLUMNS", "80"))
    folder = Path.cwd()
    interrupt = signal.getsignal(signal.SIGINT)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(ROOT)
    try:
        console.console.width = console.errors.width = width
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), Path(os.devnull).open() as nothing:
            sys.stdin, stdin = nothing, sys.stdin
            sys.argv, argv = [name, *arguments], sys.argv
            try:
                status = _exit_status(name)
            finally:
                sys.stdin, sys.argv = stdin, argv
    finally:
        signal.signal(signal.SIGINT, interrupt)
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(kept)
    _remove_pages(out.getvalue())
    return subprocess.CompletedProcess([name], status, out.getvalue(), err.getvalue())


def _remove_pages(printed: str) -> None:
    """Remove the pages that ``report`` has written into the project's folder; runs of the user stay."""
    for page in re.findall(r"\.local/runs/\w+/report\.html", "".join(printed.split())):
        folder = (ROOT / page).parent
        if [file.name for file in folder.glob("*")] == ["report.html"]:
            shutil.rmtree(folder)


def in_a_process(name: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run ``python -m scripts.<name>`` as make does."""
    return subprocess.run(
        [sys.executable, "-m", f"scripts.{name}"],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def _exit_status(name: str) -> int:
    try:
        runpy.run_module(f"scripts.{name}", run_name="__main__", alter_sys=True)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(bool(end.code))
    return 0
