"""A Python environment of a job's own, so that ``pip install`` in a job changes nothing else.

It is a virtual environment whose Python also finds the packages of another interpreter. It is written directly,
because the module ``venv`` takes a hundred times as long: https://docs.python.org/3/library/site.html says how Python
reads ``pyvenv.cfg`` and ``.pth`` files.
"""

from __future__ import annotations

import ensurepip
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from local.runtime.containers.container import Container

PROGRAM = ".python/bin/python"
"""The environment's Python, in the job's folder."""

_OWN_PROGRAMS = ("python", "pip", "activate")
_BEGINNING = 256
_QUESTION = """
import os, site, sys
print(os.path.dirname(getattr(sys, "_base_executable", sys.executable)))
print("%d.%d" % sys.version_info[:2])
print("\\n".join(path for path in sys.path if path.endswith(("site-packages", "dist-packages"))))
"""


@dataclass(frozen=True)
class _Base:
    """An interpreter: the folder of its program, its version, and the folders of its packages."""

    folder: str
    version: str
    packages: tuple[str, ...]


def make(container: Container, interpreter: str) -> None:
    """Create the environment in a job's folder.

    The folder of ``PROGRAM`` has ``python``, ``python3`` and ``pip``, and should be the first in PATH.

    Args:
        container: The job's folder.
        interpreter: The Python whose packages the job finds.
    """
    base = _base_of(interpreter)
    programs = (container.root / PROGRAM).parent
    folder = programs.parent
    packages = folder / "lib" / f"python{base.version}" / "site-packages"
    programs.mkdir(parents=True)
    packages.mkdir(parents=True)
    (folder / "pyvenv.cfg").write_text(f"home = {base.folder}\ninclude-system-site-packages = false\n")
    (packages / "image.pth").write_text("".join(f"{path}\n" for path in (*base.packages, *_pip_wheel())))
    for name in ("python", "python3", f"python{base.version}"):
        (programs / name).symlink_to(interpreter)
    for name in ("pip", "pip3"):
        _write_program(programs / name, container, "-m pip")
    for name, script in _scripts_of(interpreter):
        # Runs with this environment's Python, so that it finds what the job installs, and installs into it.
        _write_program(programs / name, container, shlex.quote(script))


def _write_program(program: Path, container: Container, what: str) -> None:
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(str(container.seen / PROGRAM))} {what} "$@"\n')
    program.chmod(0o755)


@cache
def _base_of(interpreter: str) -> _Base:
    answer = subprocess.run([interpreter, "-c", _QUESTION], capture_output=True, text=True, timeout=20, check=True)
    folder, version, *packages = answer.stdout.splitlines()
    return _Base(folder, version, tuple(packages))


def _scripts_of(interpreter: str) -> Iterator[tuple[str, str]]:
    """Yield the names and paths of the scripts that packages of an image's environment have.

    They are read for each job: an image's toolkit is added when a job first needs it.
    """
    if interpreter == sys.executable:
        # The service's own Python is no image.
        return
    for file in sorted(Path(interpreter).parent.iterdir()):
        if file.is_file() and not file.is_symlink() and not file.name.startswith(_OWN_PROGRAMS):
            with file.open("rb") as opened:
                begin = opened.read(_BEGINNING)
            if begin.startswith(b"#!") and b"python" in begin:
                yield file.name, str(file)


@cache
def _pip_wheel() -> tuple[str, ...]:
    """Return the path of the pip that Python brings along, which runs without being installed."""
    bundled = Path(ensurepip.__file__).parent / "_bundled"
    return tuple(str(path) for path in sorted(bundled.glob("pip-*.whl"))[-1:])
